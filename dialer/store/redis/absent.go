package redis

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Absent reports whether an error says that no Redis can be asked now, as one that is away, that is
// being loaded, that has no master or does not answer in time. Everything else is not mended by waiting: a URL that cannot be read,
// a wrong password, a certificate that nobody vouches for, settings that lose what is written.
func Absent(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return false
	case errors.Is(err, ErrEvicts), errors.Is(err, ErrNotDurable), goredis.IsAuthError(err), goredis.IsPermissionError(err):
		return false
	case errors.As(err, &op):
		return op.Op == "dial" || op.Op == "read" || op.Op == "write" // a TLS alert is a remote error
	case errors.As(err, &dns): // the name may come with the server, as those of containers do
		return true
	}
	return lost(err) || refusesNow(err)
}

// lost reports whether an error says that a connection ended, or that an answer did not come in time.
func lost(err error) bool {
	for _, e := range []error{
		context.DeadlineExceeded, os.ErrDeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, goredis.ErrPoolTimeout, ErrChanged, errNoMaster,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// refusesNow reports whether a server, or the client that looks for one, says that there will be one that answers.
func refusesNow(err error) bool {
	for _, says := range []func(error) bool{
		goredis.IsLoadingError, goredis.IsReadOnlyError, goredis.IsClusterDownError, goredis.IsTryAgainError, goredis.IsMasterDownError,
		goredis.IsMaxClientsError, goredis.IsNoReplicasError,
	} {
		if says(err) {
			return true
		}
	}
	return strings.Contains(err.Error(), "redis: cluster has no nodes") // the library has no name for it
}

// Reach looks whether the Redis of a URL answers and is fit to hold the state, and changes nothing there.
// wait bounds each question; 0: 500 ms.
func Reach(ctx context.Context, url string, wait time.Duration) error {
	s, err := dial(Options{URL: url, Wait: wait})
	if err != nil {
		return err
	}
	_, err = s.Memory(ctx)
	if err == nil && !s.unsynced {
		err = s.checkSync(ctx)
	}
	return errors.Join(err, s.db.Close())
}
