package registers

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Semantics says what a number's presence in a file means.
type Semantics string

// The semantics.
const (
	Verdicts  Semantics = "verdict_list" // every row says whether its number is registered
	Blocklist Semantics = "blocklist"    // every number in the file is registered
	Cleaned   Semantics = "cleaned_list" // what was submitted and is missing is registered
)

// Profile says how a register's file is laid out. Columns count from 1; 0 is none.
type Profile struct {
	Name      string    `yaml:"name"`     // rpo, us-dnc
	Register  string    `yaml:"register"` // of the rule set; empty: Name
	Title     string    `yaml:"title"`
	Layout    string    `yaml:"layout"` // how sure the layout is, in words
	Semantics Semantics `yaml:"semantics"`
	Delimiter string    `yaml:"delimiter"` // one character; empty: one column
	Header    bool      `yaml:"header"`    // the first line names the columns

	Number  []int  `yaml:"number"`  // columns whose digits, joined, are the number
	Calling string `yaml:"calling"` // calling code of national numbers: 39
	Trunk   string `yaml:"trunk"`   // national prefix that is not part of the number: 0 in GB
	Min     int    `yaml:"min"`     // digits of the national number
	Max     int    `yaml:"max"`
	Leading string `yaml:"leading"`  // digits with which a national number may begin; empty: any
	AreaLen int    `yaml:"area_len"` // digits of an area code, where a list speaks only for those subscribed to
	XML     bool   `yaml:"xml"`      // the file may be XML as the Canadian list's

	Status  int      `yaml:"status"` // column
	Blocked []string `yaml:"blocked"`
	Clear   []string `yaml:"clear"`

	Date    int      `yaml:"date"`         // column; a row may leave it empty
	Formats []string `yaml:"date_formats"` // as Go writes them

	Action int      `yaml:"action"` // column of a change list
	Add    []string `yaml:"add"`
	Delete []string `yaml:"delete"`

	// Submit is the file of numbers that the register is asked about; nil: it takes none.
	Submit *Form `yaml:"submit"`
}

// dates are the ways a date column is read. A day without an hour is the first
// instant of that day at the register's place: the earliest that it can mean.
func dates() []string {
	return []string{"2006-01-02", "2006-01-02 15:04:05", "2006-01-02 15:04", time.RFC3339, "02/01/2006", "02/01/2006 15:04:05", "02/01/2006 15:04", "20060102"}
}

// Profiles lists the layouts that are built in.
func Profiles() []Profile {
	nanp := Profile{Calling: "1", Number: []int{1, 2}, Delimiter: ",", Min: 10, Max: 10, Leading: "23456789", AreaLen: 3, Semantics: Blocklist}
	us, wireless, ca := nanp, nanp, nanp
	us.Name, us.Title, us.Layout = "us-dnc", "United States: National Do Not Call Registry, full list", "confirmed: one number per line, with or without a comma after the area code"
	wireless.Name, wireless.Title, wireless.Layout = "us-wireless", "United States: wireless and ported numbers", "own choice: one number per line"
	ca.Name, ca.Title, ca.Layout = "ca-dncl", "", "confirmed: area code, comma, number; or XML"
	ca.Title, ca.XML = "Canada: National Do Not Call List, CSV or XML", true
	changes := us
	changes.Name, changes.Register, changes.Title = "us-dnc-changes", "us-dnc", "United States: National Do Not Call Registry, change list"
	changes.Layout = "not confirmed: area code, number, date and time, A or D"
	changes.Date, changes.Formats, changes.Action, changes.Add, changes.Delete = 3, dates(), 4, []string{"A"}, []string{"D"}
	gb := Profile{
		Name: "tps", Title: "United Kingdom: Telephone Preference Service licence file", Layout: "not confirmed: one number per line",
		Semantics: Blocklist, Calling: "44", Number: []int{1}, Trunk: "0", Min: 9, Max: 10, Leading: "123578",
	}
	ctps := gb
	ctps.Name, ctps.Title = "ctps", "United Kingdom: Corporate Telephone Preference Service licence file"
	return []Profile{
		{
			Name: "rpo", Title: "Italy: Registro Pubblico delle Opposizioni, result of a consultation",
			Layout:    "partly confirmed, by one public tool: number,status[,date]; status 1 registered, 0 not; what the date means is not known",
			Semantics: Verdicts, Delimiter: ",", Number: []int{1}, Calling: "39", Min: 8, Max: 11, Leading: "03",
			Status: 2, Blocked: []string{"1"}, Clear: []string{"0"}, Date: 3, Formats: dates(),
			Submit: &Form{Layout: "partly confirmed, by one public tool: ZIP of one text, one national number a line", Inside: "lista.txt"},
		},
		us, changes, wireless, ca, gb, ctps,
		{
			Name: "hk-dnc", Title: "Hong Kong: Do-not-call registers of OFCA", Layout: "confirmed: one 8-digit number per line, or number,datecode",
			Semantics: Blocklist, Delimiter: ",", Number: []int{1}, Calling: "852", Min: 8, Max: 8,
		},
		{
			Name: "sg-dnc", Title: "Singapore: Do Not Call Registry, bulk result", Layout: "not confirmed: number,status; status 1 registered, 0 not",
			Semantics: Verdicts, Delimiter: ",", Number: []int{1}, Calling: "65", Min: 8, Max: 8, Leading: "3689", Status: 2, Blocked: []string{"1"}, Clear: []string{"0"},
			Submit: &Form{Layout: "not confirmed but for its one column: one 8-digit number a line"},
		},
		{
			Name: "us-rnd", Title: "United States: Reassigned Numbers Database, answers for the dates of consent", Layout: "not confirmed: number,answer; yes, no or no data",
			Semantics: Verdicts, Delimiter: ",", Number: []int{1}, Calling: "1", Min: 10, Max: 10, Leading: "23456789", Status: 2, Blocked: []string{"yes", "no data"}, Clear: []string{"no"},
			Submit: &Form{Layout: "not confirmed: number,date of the consent as 2026-11-22", Date: time.DateOnly},
		},
		{
			Name: "au-dnc", Title: "Australia: Do Not Call Register, washed list", Layout: "not confirmed: the submitted list without the registered numbers, one per line",
			Semantics: Cleaned, Number: []int{1}, Calling: "61", Trunk: "0", Min: 9, Max: 9,
			Submit: &Form{Layout: "not confirmed: one 10-digit number a line, with its 0", Prefix: "0"},
		},
	}
}

// ProfileOf gives the built-in profile of that name.
func ProfileOf(name string) (Profile, bool) {
	all := Profiles()
	i := slices.IndexFunc(all, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return Profile{}, false
	}
	return all[i], true
}

// RegisterName is the name under which rule sets know the register.
func (p *Profile) RegisterName() string {
	if p.Register != "" {
		return p.Register
	}
	return p.Name
}

// Validate names everything that keeps the profile from reading a file.
func (p *Profile) Validate() error {
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if p.Name == "" {
		say("name is missing")
	}
	if !slices.Contains([]Semantics{Verdicts, Blocklist, Cleaned}, p.Semantics) {
		say("semantics %q: want verdict_list, blocklist or cleaned_list", p.Semantics)
	}
	if len(p.Delimiter) > 1 || strings.ContainsAny(p.Delimiter, "\"\r\n0123456789") {
		say("delimiter %q: want one character that is no digit, quote or line end", p.Delimiter)
	}
	if p.Delimiter == "" && (p.Status > 1 || p.Date > 1 || p.Action > 1 || len(p.Number) > 1) {
		say("delimiter is missing: there is more than one column")
	}
	if len(p.Number) == 0 || slices.Min(p.Number) < 1 || slices.Max(p.Number) > maxColumns {
		say("number: want the columns of the number, from 1 to %d", maxColumns)
	}
	if !digits(p.Calling) || p.Calling == "" || p.Calling[0] == '0' || len(p.Calling) > 3 {
		say("calling %q: want the calling code of national numbers, as 39", p.Calling)
	}
	if p.Min < 1 || p.Max < p.Min || p.Max+len(p.Calling) > 15 {
		say("min %d, max %d: want the least and most digits of a national number", p.Min, p.Max)
	}
	if p.Semantics == Verdicts && (p.Status < 1 || len(p.Blocked) == 0 || len(p.Clear) == 0) {
		say("a verdict list needs status, blocked and clear")
	}
	for _, v := range p.Blocked {
		if slices.Contains(p.Clear, v) {
			say("status value %q is both blocked and clear", v)
		}
	}
	if p.Date > 0 && len(p.Formats) == 0 {
		say("date needs date_formats")
	}
	if p.Action > 0 && (len(p.Add) == 0 || len(p.Delete) == 0) {
		say("action needs add and delete")
	}
	if f := p.Submit; f != nil {
		if p.Action > 0 || !digits(f.Prefix) || strings.ContainsAny(f.Header, "\r\n") || strings.ContainsAny(f.Inside, "/\\") {
			say("submit: want a prefix of digits, a header of one line, a plain name inside and no change list")
		}
		if f.Date != "" && time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC).Format(f.Date) == f.Date {
			say("submit: date %q: want a layout as 2006-01-02", f.Date)
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("profile %q: %s", p.Name, strings.Join(wrong, "; "))
	}
	return nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
