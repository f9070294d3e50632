package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"pronto/campaigns"
)

// The files that pronto init writes.
const (
	initConfig   = "pronto.yaml"
	initCampaign = "campaign.yaml"
)

// initMore are keys that a first campaign may want later.
const initMore = `
# More that a campaign may have; take the # away.
# lists:                       # apply loads a list that names its file, and again when the file changes
#   - {name: autumn, file: autumn.csv}
# answering_machines: tell     # the agent is told of a machine; or release
# recording: {calls: on_demand, announce: agent, keep: 90d}
`

func newInitCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "init [FOLDER]",
		Short: "Ask a few questions and write a configuration and a first campaign",
		Long: `Asks for this machine's address, the carrier and the first campaign, and writes ` + initConfig + ` and ` + initCampaign + ` into the
folder (default: this one). A default in brackets is taken by Enter. Files that are there are not
touched. Answers are read from standard input, one line each, so that a script can give them too.

EXIT STATUS
  0  written
  1  failed, or a file is there already
  3  an answer was wrong and there were no more`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder := "."
			if len(args) == 1 {
				folder = args[0]
			}
			return runInit(cmd, g, folder)
		},
	}
}

// initDoc is the JSON of init.
type initDoc struct {
	Config   string   `json:"config"`
	Campaign string   `json:"campaign"`
	Next     []string `json:"next"` // commands, in order
}

func runInit(cmd *cobra.Command, g *globals, folder string) error {
	doc := initDoc{Config: filepath.Join(folder, initConfig), Campaign: filepath.Join(folder, initCampaign)}
	for _, name := range []string{doc.Config, doc.Campaign} {
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("init: %s is there already: give another folder, or take it away", name)
		}
	}
	talk := io.Writer(cmd.ErrOrStderr())
	q := &questions{in: bufio.NewReader(cmd.InOrStdin()), out: talk, typed: cmd.InOrStdin()}
	config, name, campaign := q.service(), "", ""
	if q.err == nil {
		name, campaign = q.campaign()
	}
	if q.err != nil {
		return q.err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	if err := os.WriteFile(doc.Config, []byte(config), 0o600); err != nil { // it holds a password
		return fmt.Errorf("init: %w", err)
	}
	if err := os.WriteFile(doc.Campaign, []byte(campaign), 0o600); err != nil {
		return errors.Join(fmt.Errorf("init: %w", err), os.Remove(doc.Config)) // both or neither
	}
	where, err := settled(doc.Config, g.data)
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	doc.Next = []string{
		where,
		"pronto serve                      # in a terminal of its own, after the same export",
		"pronto agent add anna",
		"pronto campaign apply " + doc.Campaign,
		"pronto leads load " + name + " LIST.csv",
		"pronto doctor",
		"pronto campaign plan " + name,
		"pronto campaign start " + name,
	}
	return show(cmd, g, doc, func() {
		cmd.Printf("written: %s, %s\n\nnext:\n", doc.Config, doc.Campaign)
		for _, line := range doc.Next {
			cmd.Println("  " + line)
		}
	})
}

// settled is the line for a shell that tells commands, wherever they are run, of the
// configuration and the data folder.
func settled(config, data string) (string, error) {
	line := "export"
	for _, v := range []struct{ name, path string }{{"PRONTO_CONFIG", config}, {"PRONTO_DATA", data}} {
		path, err := filepath.Abs(v.path)
		if err != nil {
			return "", err
		}
		if strings.ContainsAny(path, " \t'\"$&;()") {
			path = "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
		}
		line += " " + v.name + "=" + path
	}
	return line, nil
}

// questions asks on out and reads the answers, one line each.
type questions struct {
	in    *bufio.Reader
	out   io.Writer
	typed io.Reader
	err   error
}

// ask asks until the answer passes check; an empty one is the default.
func (q *questions) ask(what, otherwise string, check func(string) error) string {
	for q.err == nil {
		shown := ""
		if otherwise != "" {
			shown = " [" + otherwise + "]"
		}
		q.say("%s%s: ", what, shown)
		line, err := q.in.ReadString('\n')
		if !isTyped(q.typed) {
			q.say("\n") // nobody's Enter has ended the line
		}
		answer := strings.TrimSpace(line)
		if answer == "" {
			answer = otherwise
		}
		wrong := check(answer)
		if wrong == nil {
			return answer
		}
		q.say("  %v\n", wrong)
		if err != nil {
			q.err = invalidFile(fmt.Errorf("init: %s: %w", what, wrong))
		}
	}
	return ""
}

// secret asks without an echo where a person types.
func (q *questions) secret(what string) string {
	f, ok := q.typed.(*os.File)
	if q.err != nil || !ok || !term.IsTerminal(int(f.Fd())) || q.in.Buffered() > 0 {
		return q.ask(what, "", anything)
	}
	q.say("%s (not shown): ", what)
	text, err := term.ReadPassword(int(f.Fd()))
	q.say("\n")
	if err != nil {
		q.err = fmt.Errorf("init: %w", err)
	}
	return string(text)
}

func (q *questions) say(format string, args ...any) { _, _ = fmt.Fprintf(q.out, format, args...) }

// service asks for the machine and the carrier, and writes the configuration.
func (q *questions) service() string {
	address := q.ask("This machine's IP address, as carrier and phones reach it", ownAddress(), func(s string) error {
		if _, err := netip.ParseAddr(s); err != nil {
			return errors.New("give an IP address such as 192.0.2.10")
		}
		return nil
	})
	port := q.ask("SIP port", "5060", whole(1, 65535))
	carrier := q.ask("The carrier's address, host or host:port", "", func(s string) error {
		trial := config{Trunks: []trunkConfig{{Name: "carrier", Address: s}}}
		trial.SIP.Listen = "127.0.0.1:5060"
		if _, err := trial.trunk(); err != nil || strings.ContainsAny(s, " \t\"'<>@;,") {
			return errors.New("give the host that your carrier named, such as sip.carrier.example:5060")
		}
		return nil
	})
	user := q.ask("User name at the carrier (empty: it knows this address)", "", anything)
	password := ""
	if user != "" {
		password = q.secret("Password at the carrier")
	}
	channels := q.ask("Calls at once that the carrier allows", "30", whole(1, 100000))
	perSecond := q.ask("Calls a second that the carrier allows", "5", whole(1, 10000))
	var b strings.Builder
	fmt.Fprintf(&b, "# Written by pronto init; every key stands in docs/operations.md.\nsip:\n  listen: %q\nmedia:\n  address: %q\n  ports: 20000-29999\ntrunks:\n  - name: carrier\n    address: %q\n",
		net.JoinHostPort(address, port), address, carrier)
	if user != "" {
		fmt.Fprintf(&b, "    username: %q\n    password: %q\n", user, password)
	}
	fmt.Fprintf(&b, "    channels: %s\n    max_calls_per_second: %s\n", channels, perSecond)
	return b.String()
}

// campaign asks for the first campaign, and writes its file.
func (q *questions) campaign() (name, file string) {
	c := campaigns.Default()
	c.Jurisdiction = q.ask("Country of the people to be called (it, us, gb, ca, fr, de, at, es, nl, au, sg)", "it", func(s string) error {
		if !strings.Contains(" it us gb ca fr de at es nl au sg ", " "+s+" ") {
			return errors.New("one of it, us, gb, ca, fr, de, at, es, nl, au, sg")
		}
		return nil
	})
	c.Seller = q.ask("Company on whose behalf the calls are made", "", someText)
	c.Name = q.ask("Name of the first campaign: lower-case letters, digits, hyphens", "first", func(s string) error {
		trial := c
		trial.Name = s
		return problemOf(trial, "campaign")
	})
	id := q.ask("Number to show, in international form", "", func(s string) error {
		_, err := campaigns.ParseCallerID(s)
		return err
	})
	if q.err != nil {
		return "", ""
	}
	shown, err := campaigns.ParseCallerID(id)
	if err != nil {
		q.err = err
		return "", ""
	}
	c.CallerIDs = []campaigns.Number{shown}
	if err := c.Validate(); err != nil {
		q.err = invalidFile(err)
	}
	return c.Name, "# Written by pronto init; pronto campaign apply says what is wrong with it.\n" + string(c.Normal()) + initMore
}

// problemOf is what is wrong with one key of a campaign.
func problemOf(c campaigns.Campaign, key string) error {
	var all campaigns.Problems
	if errors.As(c.Validate(), &all) {
		for _, p := range all {
			if p.Key == key {
				return errors.New(p.Wrong)
			}
		}
	}
	return nil
}

func anything(string) error { return nil }

func someText(s string) error {
	if s == "" {
		return errors.New("this cannot stay empty")
	}
	return nil
}

// whole checks for a whole number within bounds.
func whole(least, most int) func(string) error {
	return func(s string) error {
		if n, err := strconv.Atoi(s); err != nil || n < least || n > most {
			return fmt.Errorf("give a whole number from %d to %d", least, most)
		}
		return nil
	}
}

// ownAddress is the first address of this machine that others can reach.
func ownAddress() string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return "127.0.0.1"
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	return "127.0.0.1"
}
