package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

// version is set when a release is built.
var version = "dev"

// defaultData is the data folder when neither flag nor environment names one.
const defaultData = "pronto-data"

// globals are the flags that every command has, before or after its name.
type globals struct {
	data   string
	config string
	redis  string
	json   bool
	by     string // who asks, for the journal; empty: the user of the operating system

	begun bool // the command line was understood
}

const rootLong = `Pronto is an outbound predictive dialer. It calls the people on a campaign's list, as many at a time as the agents
can take, checks every number against opposition registers and rules at the moment of dialing, and puts whoever
answers through to an agent. Everything is kept in one data folder; commands work with or without a running service.

  pronto demo                 see it all at once on this machine; nobody's phone rings

ENVIRONMENT
  PRONTO_DATA    the data folder, unless --data is given
  PRONTO_CONFIG  the configuration file, unless --config is given
  PRONTO_REDIS   the Redis that several nodes share, unless --redis is given

EXIT STATUS
  0  done
  1  failed
  2  the command line is wrong
  3  an input file is wrong
  4  refused for compliance`

// newRootCommand makes the whole command line.
func newRootCommand(g *globals) *cobra.Command {
	root := &cobra.Command{
		Use:           "pronto",
		Short:         "An outbound predictive dialer",
		Long:          rootLong,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	f := root.PersistentFlags()
	f.StringVar(&g.data, "data", fromEnvironment("PRONTO_DATA", defaultData), "data folder")
	f.StringVar(&g.config, "config", fromEnvironment("PRONTO_CONFIG", ""), "configuration file (YAML)")
	f.StringVar(&g.redis, "redis", fromEnvironment("PRONTO_REDIS", ""), "URL of the Redis that several nodes share, instead of redis in the configuration")
	f.BoolVar(&g.json, "json", false, "print one JSON document")
	f.StringVar(&g.by, "by", "", "who does this, as the journal is to name them beside the user of the operating system")
	root.AddCommand(
		newAgentCommand(g),
		newAuditCommand(g),
		newBackupCommand(g),
		newCampaignCommand(g),
		newDemoCommand(g),
		newDNCCommand(g),
		newDoctorCommand(g),
		newInitCommand(g),
		newLeadsCommand(g),
		newLegalHoldCommand(g),
		newNodeCommand(g),
		newRecordingCommand(g),
		newPurgeCommand(g),
		newReportCommand(g),
		newRestoreCommand(g),
		newSandboxCommand(g),
		newServeCommand(g),
		newSimulateCommand(g),
		newTopCommand(g),
		newTrunkCommand(g),
		newVersionCommand(g),
	)
	f.Lookup("redis").DefValue = "" // help shows no password of the environment's
	root.Version = version
	root.SetVersionTemplate("pronto {{.Version}} (" + versionInfo().Go + ")\n")
	strictHelp(root)
	strictCompletion(root)
	noteBegin(root, g)
	addCompletions(root, g)
	return root
}

// strictCompletion makes a shell that there is no completion for an error of the command line.
func strictCompletion(root *cobra.Command) {
	root.SetOut(outOf{root}) // the commands made here keep what they find
	root.InitDefaultCompletionCmd()
	root.SetOut(nil)
	completion, _, err := root.Find([]string{"completion"})
	if err != nil {
		return // without the command there is none to mend
	}
	completion.RunE = func(cmd *cobra.Command, _ []string) error {
		return usageError(fmt.Errorf("%s: name the shell: bash, zsh, fish or powershell", cmd.CommandPath()))
	}
}

// strictHelp makes help on what does not exist an error of the command line.
func strictHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	help, _, err := root.Find([]string{"help"})
	if err != nil {
		return // without a help command there is none to mend
	}
	help.Run = nil
	help.RunE = func(_ *cobra.Command, args []string) error {
		about, rest, err := root.Find(args)
		if err == nil && len(rest) > 0 {
			err = fmt.Errorf("no command %q", strings.Join(args, " "))
		}
		if err != nil {
			return usageError(fmt.Errorf("help: %w", err))
		}
		about.InitDefaultHelpFlag()
		about.InitDefaultVersionFlag()
		return about.Help()
	}
}

// noteBegin has every command below note that its command line was understood.
func noteBegin(cmd *cobra.Command, g *globals) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			g.begun = true
			if g.data == "" {
				return usageError(errors.New("--data is empty: name a folder, or leave the flag out"))
			}
			if err := checkBy(g.by); err != nil {
				return usageError(err)
			}
			return withRoom(run(cmd, args), g.data)
		}
	}
	for _, c := range cmd.Commands() {
		noteBegin(c, g)
	}
}

// checkBy says what is wrong with the name of who asks.
func checkBy(by string) error {
	if len(by) > 100 || strings.TrimSpace(by) != by || strings.ContainsFunc(by, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("--by %q: give a name on one line, at most 100 bytes, without spaces around it", by)
	}
	return nil
}

// withRoom says what to do about an error of a full disk, here or in the service,
// which tells it as text.
func withRoom(err error, data string) error {
	if err == nil {
		return nil
	}
	var at *fs.PathError
	if errors.As(err, &at) && errors.Is(at, syscall.ENOSPC) && at.Path != "" {
		data = at.Path // which need not lie in the data folder: a backup, a picture
	}
	if text := err.Error(); errors.Is(err, syscall.ENOSPC) || strings.Contains(text, syscall.ENOSPC.Error()) || strings.Contains(text, "disk is full") {
		return fmt.Errorf("%w: make room on the disk that holds %s (df shows how full it is) and run the command again", err, data)
	}
	return err
}

// needs asks for exactly the named arguments.
func needs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return fmt.Errorf("%s: give %s", cmd.CommandPath(), strings.Join(names[len(args):], " and "))
		case len(args) > len(names):
			return fmt.Errorf("%s: %q is too much; usage: %s", cmd.CommandPath(), args[len(names)], cmd.UseLine())
		}
		return nil
	}
}

func fromEnvironment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// newGroup makes a command that only holds others.
func newGroup(use, short string, commands ...*cobra.Command) *cobra.Command {
	group := &cobra.Command{
		Use:   use,
		Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			names := make([]string, 0, len(commands))
			for _, c := range commands {
				names = append(names, c.Name())
			}
			what := "give a command"
			if len(args) > 0 {
				what = fmt.Sprintf("no command %q", args[0])
			}
			return usageError(fmt.Errorf("%s: %s; one of %s", cmd.CommandPath(), what, strings.Join(names, ", ")))
		},
	}
	group.AddCommand(commands...)
	return group
}

func newVersionCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  needs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := versionInfo()
			return show(cmd, g, v, func() { cmd.Printf("pronto %s (%s)\n", v.Version, v.Go) })
		},
	}
}

// versionDoc is the JSON of pronto version.
type versionDoc struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
}

func versionInfo() versionDoc {
	v := versionDoc{Version: version}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.Go = info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Revision = s.Value
			}
		}
	}
	return v
}

// builtAt is when the program's source was committed, which was before it was built;
// the zero time when it does not know.
func builtAt() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	for _, s := range info.Settings {
		if at, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
			return at
		}
	}
	return time.Time{}
}
