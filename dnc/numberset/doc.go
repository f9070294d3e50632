// Package numberset keeps a set of integers, telephone numbers as their digits,
// in a file: exact, immutable, compact and memory-mapped.
//
// # Layout
//
// The span from the least to the greatest member is cut into buckets of 2^w
// values, w chosen so that a bucket holds some 64 to 128 members on average. A
// directory gives each bucket's place among the data, so that a look-up touches
// two places in memory: the directory and one bucket of a hundred or two hundred bytes.
//
// A bucket with k members of a universe of W = 2^w values is an Elias-Fano code
// (Elias 1974, Fano 1971): with l = floor(log2(W/k)), the upper bits of the
// members stand in unary (for each value of the upper part, in order, a one for
// each member that has it and then a zero), k + W/2^l bits, and after them the
// lower l bits of each member. That is at most 2 + log2(W/k) bits for a member;
// the bound for any exact set is log2(W/k) + 1.44. A bucket of which a quarter or
// more is taken is a plain bitmap.
//
// The file ends with a footer that holds its SHA-256; Open verifies it.
package numberset
