package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"pronto/dialer"
	"pronto/dialer/journal"
	"pronto/dialer/store"
	"pronto/dialer/store/redis"
)

const (
	gib = 1 << 30

	// The least that a day needs: a journal record is some hundred bytes, a
	// call a dozen records.
	diskLeast  = gib / 2
	diskEnough = 5 * gib

	// readBufferEnough holds a burst of a thousand answers.
	readBufferEnough = 4 << 20
	// resolveWait is how long a name may take.
	resolveWait = 3 * time.Second
)

// examineDisk says how much room the data folder has.
func examineDisk(dir string) []finding {
	free, err := freeBytes(dir)
	if err != nil {
		return []finding{{"disk", warns, fmt.Sprintf("%s: free space is not known: %v", dir, err), ""}}
	}
	f := finding{"disk", good, fmt.Sprintf("%s: %.1f GiB free", dir, float64(free)/gib), ""}
	switch {
	case free < diskLeast:
		f.Grade, f.Mend = wrong, "make room: a full disk stops every call"
	case free < diskEnough:
		f.Grade, f.Mend = warns, "make room soon: a full disk stops every call"
	}
	return []finding{f}
}

// examineJournal looks at the newest records; pronto audit verify walks the whole chain.
func (h *house) examineJournal() []finding {
	if h.journal != nil {
		if err := h.journal.Err(); err != nil {
			return []finding{{"journal", wrong, "cannot be written: " + err.Error(), "no call is cleared until it can; make room on the disk"}}
		}
	}
	now, n := h.now(), 0
	var last time.Time
	for r, err := range journal.Read(h.journalDir(), journal.ReadOptions{From: now.Add(-24 * time.Hour), Closed: true}) {
		if errors.Is(err, fs.ErrNotExist) {
			break // nothing was journaled yet
		}
		if err != nil {
			return []finding{{"journal", wrong, err.Error(), "pronto audit verify names the first broken record; keep a copy of the folder"}}
		}
		last = r.At
		n++
	}
	if last.After(now.Add(time.Second)) {
		return []finding{{"clock", wrong, fmt.Sprintf("the journal's newest record is of %s, which is still to come: the clock was set back", day(last)), "mend the clock: until then every call is refused"}}
	}
	return []finding{{"journal", good, plural(n, "record") + " in the last 24 hours", ""}}
}

// examineClock asks the kernel whether something keeps the clock right.
func examineClock(now time.Time, c config) []finding {
	if c.Rehearsal.Clock != nil {
		return []finding{{"clock", warns, "set for a rehearsal: " + day(now), "remove rehearsal.clock before real calls"}}
	}
	synced, known := clockSynced()
	switch {
	case !known:
		return []finding{{"clock", good, day(now) + "; whether it is kept right cannot be told here", ""}}
	case !synced:
		return []finding{{"clock", warns, day(now) + "; the kernel says that nothing keeps it right", "run chrony or systemd-timesyncd: hours and verdicts go by this clock"}}
	}
	return []finding{{"clock", good, day(now) + ", kept right", ""}}
}

// examineKey looks for the key of the company's own list.
func (h *house) examineKey() finding {
	path := filepath.Join(h.dir, "optouts.key")
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return finding{"opt-outs", warns, path + " is not there yet", "it is made with the first opt-out; if there were opt-outs, bring it back from the backup: without it every call is refused"}
	case err != nil:
		return finding{"opt-outs", wrong, err.Error(), ""}
	case info.Mode().Perm()&0o077 != 0:
		return finding{"opt-outs", warns, fmt.Sprintf("%s can be read by others (%v)", path, info.Mode().Perm()), "chmod 600 " + path}
	}
	return finding{"opt-outs", good, "their key is there; it belongs to the backup", ""}
}

// examineJournalKeys looks for the journal's keys, which must be the owner's alone.
func (h *house) examineJournalKeys() finding {
	dir := filepath.Join(h.journalDir(), "keys")
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return finding{"journal keys", good, "none yet: they are made with the first record", ""}
	case err != nil:
		return finding{"journal keys", wrong, err.Error(), ""}
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && filepath.Ext(e.Name()) != ".pub" && info.Mode().Perm()&0o077 != 0 {
			path := filepath.Join(dir, e.Name())
			return finding{"journal keys", warns, fmt.Sprintf("%s can be read by others (%v)", path, info.Mode().Perm()), "chmod 600 " + path}
		}
	}
	return finding{"journal keys", good, "their owner's alone; they belong to the backup", ""}
}

// memoryScarce is the share of Redis's memory from which on there should be more of it.
const memoryScarce = 0.8

// examineRedis says how full the Redis is that holds the state.
func (h *house) examineRedis(ctx context.Context) []finding {
	s, ok := h.store.(*redis.Store)
	if !ok {
		return nil
	}
	m, err := s.Memory(ctx)
	if err != nil {
		return []finding{{"store", wrong, err.Error(), "no call is cleared without the state: see to Redis"}}
	}
	f := finding{"store", good, fmt.Sprintf("Redis %s, %s, %s MB used", m.Version, plural(m.Masters, "master"), megabytes(m.Used)), ""}
	if m.Most > 0 && float64(m.Used) > memoryScarce*float64(m.Most) {
		f.Grade, f.Says, f.Mend = warns, fmt.Sprintf("%s of %s MB", f.Says, megabytes(m.Most)), "give Redis more memory (maxmemory), or pronto purge: when it is full nothing can be written and no call is cleared"
	}
	return []finding{f}
}

// examineNodeClocks says how far the clocks of the nodes that live are from the one of their Redis.
func (h *house) examineNodeClocks(ctx context.Context) []finding {
	s, ok := h.store.(*redis.Store)
	if !ok {
		return nil
	}
	all, err := s.NodeStates(ctx)
	if err != nil {
		return []finding{{"clocks", wrong, err.Error(), "no call is cleared without the state: see to Redis"}}
	}
	var out []finding
	for _, n := range all {
		if n.Clock == nil {
			continue
		}
		f := finding{"clock of " + n.Name, good, n.Clock.String() + ", by the clock of Redis", ""}
		switch {
		case n.Clock.Surely(dialer.ClockStop):
			f.Grade, f.Mend = wrong, "it takes no new calls: mend its clock or the one of Redis's machine (NTP)"
		case n.Clock.Surely(dialer.ClockWarn):
			f.Grade, f.Mend = warns, "mend its clock or the one of Redis's machine (NTP): delays and hours are wrong by as much"
		}
		out = append(out, f)
	}
	return out
}

// examineStore says which schema the state has, and whether its database is sound: a page
// that a disk damaged is found here before a call meets it.
func (h *house) examineStore(ctx context.Context) []finding {
	s, ok := h.store.(*store.Store)
	if !ok {
		return h.examineRedis(ctx)
	}
	version, err := store.Schema(h.dir)
	if err == nil {
		err = s.Sound(ctx)
	}
	if err != nil {
		return []finding{{"store", wrong, err.Error(), "keep a copy of the folder, then pronto restore the last backup with --journal"}}
	}
	return []finding{{"store", good, fmt.Sprintf("schema %d, sound", version), ""}}
}

// examineTrunks looks the trunks' names up.
func examineTrunks(ctx context.Context, c config) []finding {
	if len(c.Trunks) == 0 {
		return []finding{{"trunks", wrong, "there is none: nothing can be dialed", "add trunks to the configuration: docs/operations.md"}}
	}
	var out []finding
	for _, t := range c.Trunks {
		host, _, err := net.SplitHostPort(t.Address)
		if err != nil {
			host = t.Address
		}
		check := "trunk " + t.Name
		if _, err := netip.ParseAddr(host); err == nil {
			out = append(out, finding{check, good, t.Address, ""})
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, resolveWait)
		addrs, err := net.DefaultResolver.LookupHost(ctx, host)
		cancel()
		if err != nil {
			out = append(out, finding{check, wrong, fmt.Sprintf("%s does not resolve: %v", host, err), "mend trunks[].address or the machine's DNS"})
			continue
		}
		out = append(out, finding{check, good, host + " is " + strings.Join(addrs, ", "), ""})
	}
	return out
}

// examineRoom looks at ports, files and buffers for as many calls as there may be.
func examineRoom(c config, agents int) []finding {
	lines := agents
	for _, t := range c.Trunks {
		lines += t.Channels
	}
	var out []finding
	if first, last, err := portRange(c.Media.Ports); err == nil {
		ports := (int(last) - int(first) + 1) / 2
		f := finding{"audio ports", good, fmt.Sprintf("%s: room for %d legs", c.Media.Ports, ports), ""}
		if ports < lines {
			f.Grade, f.Mend = wrong, fmt.Sprintf("agents and the trunks' channels need %d: widen media.ports", lines)
		}
		out = append(out, f)
	}
	if files, ok := openFiles(); ok {
		f := finding{"open files", good, fmt.Sprintf("%d allowed", files), ""}
		if need := uint64(lines) + 500; files < max(need, 4096) {
			f.Grade, f.Mend = warns, fmt.Sprintf("allow %d (ulimit -n, LimitNOFILE): each leg is a socket", max(need, 4096))
		}
		out = append(out, f)
	}
	if text, err := os.ReadFile("/proc/sys/net/core/rmem_max"); err == nil {
		n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		f := finding{"UDP buffer", good, fmt.Sprintf("net.core.rmem_max is %d", n), ""}
		if n < readBufferEnough {
			f.Grade, f.Mend = warns, fmt.Sprintf("sysctl -w net.core.rmem_max=%d: a burst of answers overflows less", 2*readBufferEnough)
		}
		out = append(out, f)
	}
	return out
}

// examineRegister says how old a register's word is for a campaign.
func examineRegister(check string, g registerDoc, r dialer.CampaignRecord, now time.Time) []finding {
	mend := fmt.Sprintf("pronto dnc submit %s %s --out FILE, then pronto dnc import %s RESULT; for a downloaded list the import alone", g.Register, r.Campaign.Name, g.Register)
	switch {
	case g.Imports == 0:
		return []finding{{check, warns, fmt.Sprintf("nothing was taken in from register %s: numbers that need it are refused", g.Register), mend}}
	case !g.FreshUntil.IsZero() && g.FreshUntil.Before(now):
		return []finding{{check, warns, fmt.Sprintf("the last word of register %s ended on %s: numbers that need it are refused", g.Register, day(g.FreshUntil)), mend}}
	case !g.FreshUntil.IsZero() && g.FreshUntil.Before(now.Add(3*24*time.Hour)):
		return []finding{{check, warns, fmt.Sprintf("the last word of register %s ends on %s", g.Register, day(g.FreshUntil)), mend}}
	}
	return nil
}
