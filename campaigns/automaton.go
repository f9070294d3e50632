package campaigns

import (
	"fmt"
	"regexp/syntax"
	"slices"
)

// automaton is a regular expression over the digits as a deterministic finite
// automaton (subset construction), so that a number costs one look-up per digit.
type automaton struct {
	next [][10]uint16 // by state: the state after each digit; 0: none
	ends []bool       // by state: the text read so far matches
}

// maxStates bounds an automaton; those of libphonenumber's patterns have some
// hundreds.
const maxStates = 20000

// newAutomaton makes the automaton of a pattern that matches whole texts; false
// when the pattern holds what automata over digits cannot, such as anchors within.
func newAutomaton(pattern string) (*automaton, bool) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, false
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, false
	}
	for _, inst := range prog.Inst {
		if inst.Op == syntax.InstEmptyWidth {
			return nil, false
		}
	}
	a := &automaton{next: make([][10]uint16, 1), ends: make([]bool, 1)} // state 0 is none
	known := map[string]uint16{}
	var sets [][]uint32
	enter := func(set []uint32) uint16 {
		key := fmt.Sprint(set)
		state, ok := known[key]
		if !ok {
			state = uint16(len(a.next))
			known[key], sets = state, append(sets, set)
			a.next = append(a.next, [10]uint16{})
			a.ends = append(a.ends, slices.ContainsFunc(set, func(pc uint32) bool { return prog.Inst[pc].Op == syntax.InstMatch }))
		}
		return state
	}
	enter(reach(prog, nil, uint32(prog.Start)))
	for i := 0; i < len(sets); i++ {
		for d := range 10 {
			var after []uint32
			for _, pc := range sets[i] {
				if inst := &prog.Inst[pc]; inst.Op != syntax.InstMatch && inst.MatchRune(rune('0'+d)) {
					after = reach(prog, after, inst.Out)
				}
			}
			if len(after) == 0 {
				continue
			}
			slices.Sort(after)
			a.next[i+1][d] = enter(after)
			if len(sets) > maxStates {
				return nil, false
			}
		}
	}
	return a, true
}

// reach adds to a set the instructions that read or match, from pc on.
func reach(prog *syntax.Prog, set []uint32, pc uint32) []uint32 {
	var seen []uint32
	todo := []uint32{pc}
	for len(todo) > 0 {
		pc, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if slices.Contains(seen, pc) {
			continue
		}
		seen = append(seen, pc)
		inst := &prog.Inst[pc]
		switch inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			todo = append(todo, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			todo = append(todo, inst.Out)
		case syntax.InstFail:
		default:
			if !slices.Contains(set, pc) {
				set = append(set, pc)
			}
		}
	}
	return set
}

// matches reports whether the whole text of digits matches.
func (a *automaton) matches(digits string) bool {
	state := uint16(1)
	for i := 0; i < len(digits) && state != 0; i++ {
		state = a.next[state][digits[i]-'0']
	}
	return a.ends[state]
}

// begins reports whether the text begins with what matches.
func (a *automaton) begins(digits string) bool {
	state := uint16(1)
	for i := 0; i < len(digits) && state != 0 && !a.ends[state]; i++ {
		state = a.next[state][digits[i]-'0']
	}
	return a.ends[state]
}
