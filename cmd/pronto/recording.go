package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
)

func newRecordingCommand(g *globals) *cobra.Command {
	return newGroup("recording", "List the recordings of calls, and give one out as a WAV",
		newRecordingListCommand(g), newRecordingExportCommand(g))
}

func newRecordingListCommand(g *globals) *cobra.Command {
	args := listRecordingsArgs{}
	var o journalOptions
	var from, to string
	cmd := &cobra.Command{
		Use:   "list [NUMBER|CAMPAIGN]",
		Short: "List recordings, how much room they take and how much is left",
		Long: `Lists the recordings on this machine: all, those of one number (+39...) or those of one campaign. A recording is encrypted
under the person's own key: pronto audit erase makes it unreadable. With --sums it says what they come to by campaign and
node: how many, the room that they take, the oldest and the newest, those on hold, and when the next one goes.

Where several nodes share a Redis each has the recordings of its own calls. --journal, given once for each node or once for a
folder that holds them all, lists those of several: in a folder named recordings in the journal's folder or beside it.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			if len(words) == 1 {
				args.Of = words[0]
			}
			var err error
			if args.From, err = sinceDay(from); err == nil {
				args.To, err = sinceDay(to)
			}
			if err != nil {
				return usageError(err)
			}
			return runRecordingList(cmd, g, o, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&from, "from", "", "first day, as 2026-11-01")
	f.StringVar(&to, "to", "", "first day that is left out")
	f.StringVar(&args.Country, "country", "", "country of a number in national form, as IT")
	f.BoolVar(&args.Sums, "sums", false, "only what they come to, by campaign and node")
	o.addDirs(cmd)
	return cmd
}

// sinceDay reads the beginning of a day; empty is no time.
func sinceDay(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, text, time.Local)
	if err != nil {
		return at, fmt.Errorf("%q is no day: write it as 2026-11-01", text)
	}
	return at, nil
}

func runRecordingList(cmd *cobra.Command, g *globals, o journalOptions, args listRecordingsArgs) error {
	if len(o.dirs) == 0 {
		if err := o.noteOthers(cmd, g, "these are the recordings"); err != nil {
			return err
		}
	} else {
		from, err := o.chains(cmd, g)
		if err == nil {
			args.Journals, err = absolute(from)
		}
		if err != nil {
			return err
		}
	}
	doc, err := ask[recordingsDoc](cmd.Context(), g, "recording list", args, nil)
	if err != nil {
		return err
	}
	return show(cmd, g, doc, func() {
		switch several := len(args.Journals) > 0; {
		case args.Sums:
			writeRecordingSums(cmd, doc.Sums)
		case len(doc.Recordings) > 0:
			writeRecordings(cmd, doc.Recordings, several)
		}
		for _, b := range doc.Unreadable {
			cmd.PrintErrln("cannot be read: " + b)
		}
		cmd.Println(doc.Room.says())
	})
}

// writeRecordings lists recordings, with their nodes where there are several.
func writeRecordings(cmd *cobra.Command, all []recordingDoc, several bool) {
	heads := []any{"RECORDING", "BEGAN", "CAMPAIGN", "AGENT", "LENGTH", "MB", "KEPT UNTIL"}
	if several {
		heads = append(heads, "NODE")
	}
	t := newTable(cmd.OutOrStdout(), heads...)
	for _, r := range all {
		until := day(r.Until)
		switch {
		case r.Open:
			until = "in progress"
		case r.Held:
			until = "on hold"
		}
		row := []any{r.ID, day(r.Began), r.Campaign, r.Agent, r.Length.Round(time.Second), megabytes(r.Bytes), until}
		if several {
			row = append(row, r.Node)
		}
		t.AppendRow(row)
	}
	t.Render()
}

// writeRecordingSums says what recordings come to.
func writeRecordingSums(cmd *cobra.Command, all []recordingSum) {
	if len(all) == 0 {
		return
	}
	t := newTable(cmd.OutOrStdout(), "CAMPAIGN", "NODE", "RECORDINGS", "MB", "HOURS", "OLDEST", "NEWEST", "ON HOLD", "NEXT GOES")
	for _, s := range all {
		next := ""
		if !s.NextGoes.IsZero() {
			next = day(s.NextGoes)
		}
		t.AppendRow([]any{s.Campaign, s.Node, s.Files, megabytes(s.Bytes), fmt.Sprintf("%.1f", s.Hours), day(s.Oldest), day(s.Newest), s.Held, next})
	}
	t.Render()
}

// says tells the room in one line.
func (r roomDoc) says() string {
	s := fmt.Sprintf("%s, %s MB", plurals(r.Files, "recording"), megabytes(r.Bytes))
	if !r.Known {
		return s
	}
	return s + fmt.Sprintf("; %.1f GB may be used still: %.0f hours of talk", float64(r.LeftBytes)/1e9, r.LeftHours)
}

func newRecordingExportCommand(g *globals) *cobra.Command {
	var out string
	args := exportRecordingArgs{}
	var journals []string
	cmd := &cobra.Command{
		Use:   "export RECORDING",
		Short: "Write a recording as a WAV: the person left, the agent right",
		Long: `Decrypts a recording into a WAV of two channels in G.711 as it was spoken: the person on the left, the agent on the
right. The journal keeps who asked for it and why. The WAV is not encrypted: its keeping and removal are yours. The recording of
another node's call is found with --journal: that node's data folder, or a copy of its journal with the recordings in it or
beside it; who asked for it is then journaled here.

  pronto recording export 01KAB...-1 --out call.wav --why "complaint 4711"
  pronto recording export 01KAB...-1 --out - --why "quality" | play -

EXIT STATUS
  0  written
  1  failed; the recording is not there, or its key was destroyed
  2  the command line is wrong`,
		Args: needs("RECORDING"),
		RunE: func(cmd *cobra.Command, words []string) error {
			args.ID = words[0]
			switch {
			case out == "":
				return usageError(errors.New("recording export: give --out FILE, or --out - for standard output"))
			case args.Why == "":
				return usageError(errors.New("recording export: give --why, for whoever reads the journal one day"))
			}
			if len(journals) > 0 {
				found, _, err := findJournals(journals)
				if err == nil {
					args.Journals, err = absolute(found)
				}
				if err != nil {
					return err
				}
			}
			return runRecordingExport(cmd, g, args, out)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write, which must not be there; - for standard output")
	cmd.Flags().StringArrayVar(&journals, "journal", nil, "journal or data folder of the node that has it, or folder of several; may be given several times")
	cmd.Flags().StringVar(&args.Why, "why", "", "why it is given out; kept in the journal")
	return cmd
}

// exportedDoc is the JSON of recording export.
type exportedDoc struct {
	ID    string `json:"id"`
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
}

func runRecordingExport(cmd *cobra.Command, g *globals, args exportRecordingArgs, out string) (err error) {
	if out == "-" {
		return askStream(cmd.Context(), g, "recording export", args, cmd.OutOrStdout())
	}
	f, err := os.OpenFile(out+partExt, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("recording export: %w", err)
	}
	if _, err := os.Lstat(out); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(fmt.Errorf("recording export: %s is there already: give another name", out), f.Close(), removed(out+partExt))
	}
	counted := &counter{Writer: f}
	err = askStream(cmd.Context(), g, "recording export", args, counted)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(out+partExt, out)
	}
	if err != nil {
		return errors.Join(err, removed(out+partExt))
	}
	return show(cmd, g, exportedDoc{ID: args.ID, File: out, Bytes: counted.n}, func() {
		cmd.Printf("%s: %s MB, the person left, the agent right; it is not encrypted\n", out, megabytes(counted.n))
	})
}
