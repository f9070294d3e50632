// Package registers reads and writes the files of opposition registers.
//
// A Profile says how a file is laid out; Read turns a file into rows or into
// everything that is wrong with it, and changes nothing. Screen, TakeList and
// OptOuts then apply a file that was read without a single problem, all of it or
// none.
package registers
