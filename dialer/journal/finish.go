package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// finishOld does what the last run could not finish.
func (j *Journal) finishOld() {
	all, err := segments(j.dir)
	if err != nil {
		j.opt.Problem(err)
		return
	}
	for _, s := range all[j.opt.Node] {
		if closed, err := s.has(headExt); err == nil && closed {
			j.finishSegment(s)
		}
	}
}

// finishSegment compresses a closed segment and sends its head outside, each
// unless it has been done before.
func (j *Journal) finishSegment(s segment) {
	j.finishing.Lock()
	defer j.finishing.Unlock()
	if err := compress(j.ending, s); err != nil && j.ending.Err() == nil {
		j.opt.Problem(fmt.Errorf("journal: compress %s: %w", s.path(liveExt), err))
	}
	if err := j.send(s); err != nil {
		j.opt.Problem(fmt.Errorf("journal: send %s: %w", s.path(headExt), err))
	}
}

func (j *Journal) send(s segment) error {
	if j.opt.Send == nil {
		return nil
	}
	if sent, err := s.has(sentExt); sent || err != nil {
		return err
	}
	head, err := os.ReadFile(s.path(headExt))
	if err != nil {
		return err
	}
	if err := j.opt.Send(filepath.Base(s.path(headExt)), head); err != nil {
		return err
	}
	return writeWhole(s.path(sentExt), nil, 0o644)
}

// compress puts <segment>.log.zst in the place of <segment>.log. At each instant
// at least one of them is there whole.
func compress(ctx context.Context, s segment) error {
	plain, err := s.has(liveExt)
	if err != nil || !plain {
		return err
	}
	packed, err := s.has(closedExt)
	if err != nil {
		return err
	}
	if !packed {
		tmp := s.path(closedExt) + ".tmp"
		if err := compressTo(ctx, tmp, s.path(liveExt)); err != nil {
			return errors.Join(err, os.Remove(tmp))
		}
		if err := os.Rename(tmp, s.path(closedExt)); err != nil {
			return err
		}
		if err := syncDir(s.dir); err != nil {
			return err
		}
	}
	if err := os.Remove(s.path(liveExt)); err != nil {
		return err
	}
	return syncDir(s.dir)
}

func compressTo(ctx context.Context, to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer closeRead(in)
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	enc, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err == nil {
		_, err = io.Copy(enc, reading{ctx, in})
		err = errors.Join(err, enc.Close())
	}
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// reading ends with its context.
type reading struct {
	ctx context.Context
	io.Reader
}

func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
