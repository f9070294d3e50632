package campaigns

import "strings"

// Guard makes a cell harmless for spreadsheets, which take one that begins with
// = + - @, a tab or a carriage return for a formula: it gets a quote in front
// (OWASP, CSV Injection). Plain numbers such as +393561000001 and -3 stay. A cell that begins with a
// quote and would be guarded without it gets one more, so that reading takes off what Guard put on.
func Guard(cell string) string {
	if guardable(strings.TrimLeft(cell, "'")) {
		return "'" + cell
	}
	return cell
}

// unguard takes the quote off that Guard put before a cell.
func unguard(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && guardable(strings.TrimLeft(rest, "'")) {
		return rest
	}
	return cell
}

// guardable reports whether a spreadsheet would take the cell for a formula.
func guardable(cell string) bool {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return false
	}
	return cell[0] != '+' && cell[0] != '-' || len(cell) == 1 || strings.Trim(cell[1:], "0123456789.") != ""
}
