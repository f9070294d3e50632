// Package rules holds the laws that a call must keep, as data: one YAML file
// for each jurisdiction, every rule with the span in which it holds, a citation
// and a mark that says how sure we are of it.
//
// A Book is parsed once; Book.Lookup gives the Set of rules in force at an
// instant. Each Set carries the SHA-256 of the file that it came from, so that
// a decision can name exactly the rules it was taken under.
package rules
