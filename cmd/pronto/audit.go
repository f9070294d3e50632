package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"pronto/campaigns"
	"pronto/dialer/journal"
	"pronto/dialer/report"
)

func newAuditCommand(g *globals) *cobra.Command {
	return newGroup("audit", "Verify the journal, replay its pacing, tell the story of one number or erase it",
		newAuditVerifyCommand(g),
		newAuditReplayCommand(g),
		newAuditShowCommand(g),
		newAuditEraseCommand(g),
	)
}

func newAuditVerifyCommand(g *globals) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that the journal was not changed, cut or thinned out",
		Long: `Walks the journal's chain from its first record: each record's hash, its place behind the one before, each closed
segment's signature, and that no segment is missing. A head that was kept elsewhere (--head) also shows a chain that
was rewritten or cut as a whole. It may run while the service writes. With --recordings each recording
of a call is compared with the length and the SHA-256 that the journal has of it.

EXIT STATUS
  0  the chain holds
  1  it does not, or could not be read; the first place that is wrong is named`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runAuditVerify(cmd, g, o) },
	}
	o.addFlags(cmd)
	cmd.Flags().BoolVar(&o.recordings, "recordings", false, "compare the recordings of calls with the journal too")
	cmd.Flags().StringArrayVar(&o.heads, "head", nil, "file with a head that was kept elsewhere; may be given several times")
	return cmd
}

// verifyOptions are the flags of audit verify.
type verifyOptions struct {
	journalOptions
	heads      []string
	recordings bool
}

// verifiedDoc is the JSON of audit verify.
type verifiedDoc struct {
	journal.Verification
	Recordings *recordingsCheck `json:"recordings,omitempty"`
}

func runAuditVerify(cmd *cobra.Command, g *globals, o verifyOptions) error {
	heads := make([]journal.Head, 0, len(o.heads))
	for _, f := range o.heads {
		h, err := journal.ReadHead(f)
		if err != nil {
			return invalidFile(err)
		}
		heads = append(heads, h)
	}
	from, err := o.chains(cmd, g)
	if err != nil {
		return err
	}
	v, err := from.Verify(heads...)
	if err != nil {
		return fmt.Errorf("verify journal: %w", err)
	}
	doc := verifiedDoc{Verification: v}
	if o.recordings && v.OK {
		if doc.Recordings, err = verifyRecordings(g, from); err != nil {
			return fmt.Errorf("verify recordings: %w", err)
		}
	}
	err = show(cmd, g, doc, func() {
		verdict := "the journal holds"
		if !v.OK {
			verdict = "THE JOURNAL DOES NOT HOLD"
		}
		cmd.Printf("%s: %s in %s, %s\n", verdict, plural(int(v.Records), "record"), plural(v.Segments, "segment"), plural(v.Signatures, "signature"))
		for _, b := range v.Broken {
			cmd.Println(b)
		}
		if doc.Recordings != nil {
			doc.Recordings.print(cmd)
		}
	})
	switch {
	case err == nil && !v.OK:
		return silently(errors.New("the journal does not hold"))
	case err == nil && doc.Recordings != nil && len(doc.Recordings.Broken) > 0:
		return silently(errors.New("the recordings are not those of the journal"))
	}
	return err
}

// verifyRecordings compares the recordings of the journals' nodes with what the journals say.
func verifyRecordings(g *globals, journals journal.Folders) (*recordingsCheck, error) {
	c, err := g.settings()
	if err != nil {
		return nil, err
	}
	own := archives{[]string{c.recordings(g.data)}, journal.Folders{filepath.Join(g.data, journalFolder)}}
	found, err := checkRecordings(archivesOf(journals, own))
	return &found, err
}

func (c recordingsCheck) print(cmd *cobra.Command) {
	verdict := "the recordings are those of the journal"
	if len(c.Broken) > 0 {
		verdict = "THE RECORDINGS ARE NOT THOSE OF THE JOURNAL"
	}
	cmd.Printf("%s: %s in %s\n", verdict, plural(c.Checked, "recording"), plural(len(c.Folders), "folder"))
	for _, b := range c.Broken {
		cmd.Println(b)
	}
}

func newAuditShowCommand(g *globals) *cobra.Command {
	var country string
	var asCSV bool
	var o journalOptions
	cmd := &cobra.Command{
		Use:   "show NUMBER",
		Short: "Tell everything the journal knows of one number",
		Long: `Tells in order of time everything that the journal knows of one number: by which files it came in, who took them in
and when, what registers were asked and said, consents, opt-outs, each decision of the gate with what it rests on, and each
call. It may run while the service writes, and on a journal without the rest of the data folder: the files are then those
that decisions name.`,
		Args: needs("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAuditShow(cmd, g, o, args[0], country, asCSV)
		},
	}
	o.addFlags(cmd)
	cmd.Flags().StringVar(&country, "country", "", "country of a number in national form, as IT")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "write CSV")
	return cmd
}

func runAuditShow(cmd *cobra.Command, g *globals, o journalOptions, text, country string, asCSV bool) error {
	if asCSV && g.json {
		return usageError(errors.New("--csv and --json: give one of them"))
	}
	n, err := campaigns.ParseNumber(text, country)
	if err != nil {
		return usageError(fmt.Errorf("%q: %w: write it as +39 06 ..., or give --country", text, err))
	}
	known, err := origins(cmd.Context(), g, n)
	if err != nil {
		cmd.PrintErrf("the state could not be read; files that only it knows are left out: %s\n", err)
	}
	from, err := o.chains(cmd, g)
	if err != nil {
		return err
	}
	story, err := report.ReadStory(from, string(n), known)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	switch {
	case g.json:
		return writeJSON(out, story)
	case asCSV:
		return story.WriteCSV(out)
	}
	return story.WriteText(out)
}
