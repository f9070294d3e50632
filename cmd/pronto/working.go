package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
)

// working is an operation's answer that takes a while to work out: told in lines
// of JSON, of which the last is the answer or the error.
type working[R any] struct {
	ctx context.Context // of the request: the work is done after the operation has returned
	of  int             // pieces of work
	do  func(ctx context.Context, tell func(done int)) (R, error)
}

// workLine is one line of a working answer.
type workLine struct {
	Done   int             `json:"done,omitempty"`
	Of     int             `json:"of,omitempty"`
	Answer json.RawMessage `json:"answer,omitempty"`
	Error  *errorText      `json:"error,omitempty"`
}

// tellEvery is how many pieces go by between two lines.
const tellEvery = 1000

// WriteTo implements io.WriterTo. What goes wrong in the work is its last line;
// the error is of the writing alone.
func (w *working[R]) WriteTo(out io.Writer) (int64, error) {
	lines := newWorkLines(out)
	answer, err := w.do(w.ctx, func(done int) {
		if done%tellEvery == 0 {
			lines.tell(done, w.of)
		}
	})
	return lines.end(answer, err)
}

// workLines writes the lines of a working answer.
type workLines struct {
	out    *counter
	broken error // of the writing
}

func newWorkLines(out io.Writer) *workLines { return &workLines{out: &counter{Writer: out}} }

func (w *workLines) line(l workLine) {
	if w.broken == nil {
		w.broken = json.NewEncoder(w.out).Encode(l)
	}
	if now, ok := w.out.Writer.(http.Flusher); ok {
		now.Flush()
	}
}

// tell writes how much is done.
func (w *workLines) tell(done, of int) { w.line(workLine{Done: done, Of: of}) }

// end writes the last line: the answer, or what went wrong.
func (w *workLines) end(answer any, err error) (int64, error) {
	last := workLine{}
	if err == nil {
		last.Answer, err = json.Marshal(answer)
	}
	if err != nil {
		text := describe(err).Error
		last = workLine{Error: &text}
	}
	w.line(last)
	return w.out.n, w.broken
}

// follow asks for an operation that works a while, shows its progress on a
// terminal, and returns its answer.
func follow[R any](cmd *cobra.Command, g *globals, name, what string, args any, body io.Reader) (R, error) {
	var answer R
	bar := &countBar{out: cmd.ErrOrStderr(), what: what, begun: time.Now()}
	defer bar.finish()
	read := func(text io.Reader) error { return readWork(bufio.NewReader(text), bar.set, &answer) }
	err := reach(cmd.Context(), g, name, args, body, func(result any) error {
		r, w := io.Pipe()
		go func() {
			_, err := result.(io.WriterTo).WriteTo(w)
			_ = w.CloseWithError(err) // a pipe's close has no error of its own
		}()
		err := read(r)
		return errors.Join(err, r.Close())
	}, read)
	return answer, err
}

// readWork reads the lines of a working answer.
func readWork(lines *bufio.Reader, set func(done, of int), answer any) error {
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return fmt.Errorf("the answer broke off: %w", err)
		}
		var l workLine
		if err := json.NewDecoder(bytes.NewReader(line)).Decode(&l); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		switch {
		case l.Error != nil:
			return &failure{status: l.Error.Status, err: errors.New(l.Error.Message), problems: l.Error.Problems, total: l.Error.Total}
		case l.Answer != nil:
			return json.Unmarshal(l.Answer, answer)
		}
		set(l.Done, l.Of)
	}
}

// countBar shows on a terminal how much of a work is done, once that takes longer
// than a second.
type countBar struct {
	out   io.Writer
	what  string
	begun time.Time
	bar   *progressbar.ProgressBar
}

func (b *countBar) set(done, of int) {
	if b.bar == nil && isTerminal(b.out) && time.Since(b.begun) > barAfter {
		b.bar = progressbar.NewOptions(of, progressbar.OptionSetWriter(b.out), progressbar.OptionSetDescription(b.what),
			progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	}
	if b.bar != nil {
		_ = b.bar.Set(done) // a bar that cannot be drawn harms nothing
	}
}

func (b *countBar) finish() {
	if b.bar != nil {
		_ = b.bar.Finish() // as above
	}
}

// thousands writes a count as 18,204.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
