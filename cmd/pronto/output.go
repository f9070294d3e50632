package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// writeJSON writes one indented document.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// show gives a command's result: as JSON, or by text.
func show(cmd *cobra.Command, g *globals, doc any, text func()) error {
	if g.json {
		return writeJSON(cmd.OutOrStdout(), doc)
	}
	text()
	return nil
}

// newTable makes a plain table that is written to w by its Render.
func newTable(w io.Writer, heads ...any) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft = ""
	style.Box.PaddingRight = "  "
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	t.AppendHeader(table.Row(heads))
	return t
}

// isTerminal reports whether a person looks at w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// barAfter is how long a work may take before it shows a bar.
const barAfter = time.Second

// progress shows on a terminal how much of a file has been read, once that takes
// longer than a second.
type progress struct {
	r     io.Reader
	out   io.Writer
	size  int64 // -1: unknown
	what  string
	begun time.Time
	read  int64
	bar   *progressbar.ProgressBar
}

// withProgress wraps the reader of a file. finish takes the bar away.
func withProgress(r io.Reader, size int64, what string, out io.Writer) (reader io.Reader, finish func()) {
	if !isTerminal(out) {
		return r, func() {}
	}
	p := &progress{r: r, out: out, size: size, what: what, begun: time.Now()}
	return p, p.finish
}

// Read implements io.Reader.
func (p *progress) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.read += int64(n)
	if p.bar == nil && time.Since(p.begun) > barAfter {
		p.bar = progressbar.NewOptions64(p.size, progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(p.what),
			progressbar.OptionShowBytes(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	}
	if p.bar != nil {
		_ = p.bar.Set64(p.read) // a bar that cannot be drawn harms nothing
	}
	return n, err
}

func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish() // as above
	}
}

// openInput opens the file of a command; "-" is standard input. size is -1 when
// it is not known.
func openInput(cmd *cobra.Command, name string) (r io.ReadCloser, size int64, err error) {
	if name == "-" {
		return io.NopCloser(cmd.InOrStdin()), -1, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, invalidFile(err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, 0, invalidFile(err)
	}
	if info.IsDir() {
		_ = f.Close()
		return nil, 0, invalidFile(fmt.Errorf("%s is a folder: give a file", name))
	}
	return f, info.Size(), nil
}

// label is a file's name in messages and records.
func label(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}

// day writes a time for people; the zero time as a dash.
func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04 MST")
}

// secondForm writes an instant to the second.
const secondForm = "2006-01-02 15:04:05 MST"

// plural writes a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
