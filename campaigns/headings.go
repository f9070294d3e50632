package campaigns

import (
	"slices"
	"strings"
)

// headings are the names under which a role's column is found, the surest
// first. They are compared in lower case with spaces, dots and hyphens as
// underscores.
func headings(r role) []string {
	switch r {
	case roleName:
		return []string{"name", "full_name", "fullname", "nominativo", "nome_e_cognome", "nome", "first_name", "firstname"} //nolint:misspell // Italian
	case roleSurname:
		return []string{"last_name", "lastname", "surname", "cognome"}
	case roleExternal:
		return []string{"external_id", "externalid", "id", "lead_id", "customer_id", "codice", "codice_cliente", "id_cliente"}
	case roleAddress:
		return []string{"address", "street_address", "street", "indirizzo", "via", "adresse", "anschrift"}
	case roleZone:
		return []string{"zone", "timezone", "time_zone", "tz", "fuso_orario"}
	case roleRegion:
		return []string{"region", "regione", "state", "province", "provincia"}
	case roleLanguage:
		return []string{"language", "lang", "lingua"}
	case rolePriority:
		return []string{"priority", "priorita", "priorità"}
	case roleBestHours:
		return []string{"best_hours", "best_time", "best_time_to_call", "orari_preferiti", "orario_preferito"}
	case roleList:
		return []string{ListColumn}
	default:
		return historyHeading(r)
	}
}

// historyHeading is how an export heads a column of what became of a lead.
func historyHeading(r role) []string {
	at := int(r - roleAttempts)
	if all := HistoryColumns(); at >= 0 && at < len(all) {
		return all[at : at+1]
	}
	return nil
}

// HistoryColumns are the headings under which an export tells what became of a
// lead. A list is taken for an export when it has all of them.
func HistoryColumns() []string {
	return []string{"attempts", "tries", "last_outcome", "last_attempt", "due", "done", "disposition", "next_number", "callback", "agent"}
}

// ListColumn is the heading under which an export names each lead's list. The loader passes over it in an export:
// a load goes into one list.
const ListColumn = "list"

// FieldPrefix before a heading says that the column is kept for the agent under
// the rest of it, whatever that is the name of.
const FieldPrefix = "field:"

// AnswerPrefix begins the headings under which an export gives the answers to the
// script. The loader takes them with the history, and else passes over them.
const AnswerPrefix = "answer:"

// rejectPrefix begins the headings that a rejects file adds.
const rejectPrefix = "rejected_"

// FieldHeadings are the headings under which an export gives columns that were
// kept for the agent: their names, with FieldPrefix in front where the loader would read something else.
func FieldHeadings(names []string) []string {
	out := make([]string, len(names))
	used := make(map[string]bool)
	for i, name := range names {
		plain := plainHeading(name)
		if used[plain] || isKnownHeading(name, plain) {
			name = FieldPrefix + name
		}
		used[plain] = true
		out[i] = Guard(name)
	}
	return out
}

// isKnownHeading reports whether a column with the heading would not be kept for
// the agent as it is, because it means something to the loader.
func isKnownHeading(title, plain string) bool {
	lower := strings.ToLower(title)
	if plain == "" || strings.HasPrefix(plain, rejectPrefix) || strings.HasPrefix(lower, FieldPrefix) || strings.HasPrefix(lower, AnswerPrefix) {
		return true
	}
	if _, _, ok := numberHeading(plain); ok || slices.Contains(weakNumber(), plain) || numberTypeOf(plain) != "" {
		return true
	}
	for r := roleName; r < roles; r++ {
		if slices.Contains(headings(r), plain) {
			return true
		}
	}
	return false
}

// plainHeading brings a heading to the form of headings.
func plainHeading(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune(" \t._-", r) })
	return strings.Join(words, "_")
}
