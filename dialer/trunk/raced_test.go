//go:build race

package trunk

// raced: the race detector's own memory is not the program's.
const raced = true
