package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"pronto/dialer"
)

// socketName is the service's socket in the data folder: whoever may write the
// folder may ask the service what a command asks.
const socketName = "pronto.sock"

// listenControl opens the service's socket. The caller owns the data folder, so
// that a socket which is there was left by a dead process.
func listenControl(dir string) (net.Listener, error) {
	path, done, err := socketPath(dir)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	defer done()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // the path may be the short one; Remove takes it away
	if err := os.Chmod(filepath.Join(dir, socketName), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("control socket: %w", err), l.Close())
	}
	return l, nil
}

// longestPath is the longest address of a unix socket, its closing zero taken
// off (unix(7): sun_path has 108 bytes, 104 on BSD).
const longestPath = 103

// socketPath is a path of the socket that is short enough for an address. done
// frees what it needs.
func socketPath(dir string) (path string, done func(), err error) {
	path = filepath.Join(dir, socketName)
	if len(path) <= longestPath {
		return path, func() {}, nil
	}
	folder, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), socketName), func() { _ = folder.Close() }, nil
}

// lastAnswers is how long commands in progress may take once the service ends.
const lastAnswers = 5 * time.Second

// serveControl answers commands on the listener until ctx ends, then finishes
// those in progress. It closes the listener and takes the socket away.
func serveControl(ctx context.Context, h *house, l net.Listener) error {
	server := &http.Server{Handler: controlHandler(h), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
		defer cancel()
		if server.Shutdown(last) != nil {
			_ = server.Close() // whoever still waits for an answer is told that there is none
		}
		err = <-served
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	if gone := os.Remove(filepath.Join(h.dir, socketName)); gone != nil && !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

// The parts of a request on the socket: POST /do?op=NAME&args=JSON&who=USER with
// the input file as body. The answer is the operation's JSON (or, for a stream,
// its text); an error is an errorDoc with a status other than 200.
const controlPath = "/do"

// controlHandler runs operations for commands.
func controlHandler(h *house) http.Handler {
	table := operations()
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+controlPath, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		op, ok := table[q.Get("op")]
		if !ok {
			answerError(w, r, fmt.Errorf("the running service does not know %q: it is another version of pronto", q.Get("op")))
			return
		}
		if h.waits != nil && !op.stateless {
			answerError(w, r, h.waits())
			return
		}
		result, err := op.do(r.Context(), h, request{who: q.Get("who"), args: json.RawMessage(q.Get("args")), body: r.Body})
		if err != nil {
			answerError(w, r, err)
			return
		}
		if stream, ok := result.(io.WriterTo); ok {
			answerStream(w, r, stream)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(result) // a command that has gone needs no answer
	})
	return mux
}

// answerStream sends an answer that is worked out while it is sent, or why it could not be begun.
func answerStream(w http.ResponseWriter, r *http.Request, stream io.WriterTo) {
	answer := &answerWriter{ResponseWriter: w, body: r.Body}
	switch _, err := stream.WriteTo(answer); {
	case err != nil && answer.body != nil: // nothing was written yet
		answerError(w, r, err)
	case err != nil:
		panic(http.ErrAbortHandler) // so that the command sees a broken answer, not a short one
	}
}

// answerWriter writes an answer that is worked out while it is sent. What is left of
// the input is read first, so that the command is not cut off while it sends.
type answerWriter struct {
	http.ResponseWriter
	body io.Reader // nil: read
}

// Write implements io.Writer.
func (a *answerWriter) Write(b []byte) (int, error) {
	if a.body != nil {
		_, _ = io.Copy(io.Discard, a.body)
		a.body = nil
	}
	return a.ResponseWriter.Write(b)
}

// Flush implements http.Flusher.
func (a *answerWriter) Flush() { _ = http.NewResponseController(a.ResponseWriter).Flush() } // a command that has gone needs no answer

// answerError sends an error. The rest of the input is read first, so that the
// command is not cut off while it sends.
func answerError(w http.ResponseWriter, r *http.Request, err error) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnprocessableEntity)
	_ = json.NewEncoder(w).Encode(describe(err)) // as above
}

// send asks the service. sent is false when no service listens.
func send(ctx context.Context, dir, name string, r request, answer func(io.Reader) error) (sent bool, err error) {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		path, done, err := socketPath(dir)
		if err != nil {
			return nil, err
		}
		defer done()
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	defer transport.CloseIdleConnections()
	query := url.Values{"op": {name}, "args": {string(r.args)}, "who": {r.who}}
	ask, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://pronto"+controlPath+"?"+query.Encode(), io.NopCloser(r.body)) // a try that finds nobody must not close the file
	if err != nil {
		return false, err
	}
	response, err := (&http.Client{Transport: transport}).Do(ask)
	if err != nil {
		nobody := errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
		return !nobody, fmt.Errorf("ask the running service: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if response.StatusCode == http.StatusOK {
		return true, answer(response.Body)
	}
	var doc errorDoc
	if err := json.NewDecoder(response.Body).Decode(&doc); err != nil || doc.Error.Message == "" {
		return true, fmt.Errorf("ask the running service: it answered %s", response.Status)
	}
	return true, &failure{status: doc.Error.Status, err: errors.New(doc.Error.Message), problems: doc.Error.Problems, total: doc.Error.Total}
}

// showLive tells how the service stands.
func showLive(_ context.Context, h *house, _ struct{}, _ request) (dialer.Live, error) {
	if h.live == nil {
		return dialer.Live{}, errNoService
	}
	return h.live(), nil
}

// askLive asks the service that runs on the data folder how it stands.
func askLive(ctx context.Context, dir string, live *dialer.Live) error {
	answer, err := askService[dialer.Live](ctx, &globals{data: dir}, "live", struct{}{})
	*live = answer
	return err
}

// askService asks the service that runs on the data folder, and no one else: the folder is
// left to a service that is just starting.
func askService[R any](ctx context.Context, g *globals, name string, args any) (answer R, err error) {
	r, err := newRequest(args, nil)
	if err != nil {
		return answer, err
	}
	r.sign(g.by)
	sent, err := send(ctx, g.data, name, r, func(text io.Reader) error { return json.NewDecoder(text).Decode(&answer) })
	if !sent && err != nil {
		err = errNoService
	}
	return answer, err
}
