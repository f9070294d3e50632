package desk

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pronto/dialer"
	"pronto/dialer/journal"
)

// collector makes metrics out of one look at the service, so that the figures of
// a scrape belong together.
type collector struct{ Config }

// Describe tells nothing: trunks and campaigns come and go.
func (*collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	out := samples{ch}
	out.gauge("pronto_build_info", "Version of the program, always 1.", 1, "version", c.Version)
	out.gauge("pronto_healthy", "1 when calls can be cleared, else 0.", truth(c.Healthy() == nil))
	live := c.Live()
	if len(live.Nodes) > 0 || live.StoreAway != nil {
		out.gauge("pronto_store_away", "1 when the store that the nodes share cannot be reached, else 0.", truth(live.StoreAway != nil))
		out.gauge("pronto_nodes_alive", "Nodes that share the store and live, as this one was told last.", alive(live.Nodes))
	}
	if live.Clock != nil {
		out.gauge("pronto_clock_offset_seconds", "How far this machine's clock is ahead of the one of the store that nodes share.", live.Clock.AheadMS/1000)
	}
	for _, t := range live.Trunks {
		out.trunk(t)
	}
	for _, camp := range live.Campaigns {
		out.campaign(camp)
	}
	out.agents(live.Agents)
	if c.Recordings != nil {
		out.recordings(c.Recordings())
	}
	syncs := c.Syncs()
	out.histogram("pronto_journal_sync_seconds", "Time that a group of records took to be on disk.", journal.SyncBounds(), syncs.Counts, syncs.Sum)
}

func alive(nodes []dialer.NodeLive) (n float64) {
	for _, k := range nodes {
		n += truth(k.Alive)
	}
	return n
}

// samples are written to a scrape. Labels are names and values in turn.
type samples struct{ ch chan<- prometheus.Metric }

func (s samples) gauge(name, help string, v float64, labels ...string) {
	s.send(name, help, prometheus.GaugeValue, v, labels)
}

func (s samples) counter(name, help string, v uint64, labels ...string) {
	s.send(name, help, prometheus.CounterValue, float64(v), labels)
}

func (s samples) send(name, help string, kind prometheus.ValueType, v float64, labels []string) {
	names, values := split(labels)
	s.ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), kind, v, values...)
}

// histogram writes counts by their upper bounds, the last of them above all.
func (s samples) histogram(name, help string, bounds []time.Duration, counts []uint64, sum time.Duration, labels ...string) {
	names, values := split(labels)
	buckets, total := map[float64]uint64{}, uint64(0)
	for i, b := range bounds {
		if i < len(counts) {
			total += counts[i]
		}
		buckets[b.Seconds()] = total
	}
	if len(counts) > len(bounds) {
		total += counts[len(bounds)]
	}
	s.ch <- prometheus.MustNewConstHistogram(prometheus.NewDesc(name, help, names, nil), total, sum.Seconds(), buckets, values...)
}

func split(labels []string) (names, values []string) {
	for pair := range slices.Chunk(labels, 2) {
		names, values = append(names, pair[0]), append(values, pair[1])
	}
	return names, values
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func (s samples) trunk(t dialer.TrunkLive) {
	const calls, callsHelp = "pronto_trunk_calls_total", "Calls by trunk and by what they came to."
	s.counter(calls, callsHelp, t.Total.Answered, "trunk", t.Name, "outcome", "answered")
	for _, o := range slices.Sorted(maps.Keys(t.Total.Calls)) {
		s.counter(calls, callsHelp, t.Total.Calls[o], "trunk", t.Name, "outcome", string(o))
	}
	s.counter("pronto_trunk_answers_total", "Calls by trunk that were answered.", t.Total.Answered, "trunk", t.Name)
	s.counter("pronto_trunk_failures_total", "Calls by trunk that got nowhere by the trunk's fault.", t.Total.Failures, "trunk", t.Name)
	s.counter("pronto_trunk_false_answers_total", "Answers by trunk that nobody can have given.", t.Total.FalseAnswers, "trunk", t.Name)
	s.histogram("pronto_trunk_post_dial_delay_seconds", "From the INVITE to the first ringing, or to an answer without any.",
		dialer.PostDialBounds(), t.Total.PostDial, t.Total.PostDialSum, "trunk", t.Name)
	s.gauge("pronto_trunk_channels_in_use", "Calls in progress by trunk.", float64(t.InUse), "trunk", t.Name)
	if t.Channels > 0 {
		s.gauge("pronto_trunk_channels", "Calls in progress that the trunk may have; without a bound there is no sample.", float64(t.Channels), "trunk", t.Name)
	}
	for _, state := range []dialer.TrunkState{dialer.TrunkUp, dialer.TrunkFull, dialer.TrunkResting, dialer.TrunkDown} {
		s.gauge("pronto_trunk_state", "1 for the state that the trunk is in, 0 for the others.", truth(t.State == state), "trunk", t.Name, "state", string(state))
	}
}

func (s samples) campaign(c dialer.CampaignLive) {
	s.gauge("pronto_campaign_lines", "Lines that dial or ring.", float64(c.Lines), "campaign", c.Name)
	s.gauge("pronto_campaign_calls", "Attempts in progress, at the gate or on a line.", float64(c.Calls), "campaign", c.Name)
	s.gauge("pronto_campaign_waiting", "Answered calls that wait for an agent.", float64(c.Waiting), "campaign", c.Name)
	s.gauge("pronto_campaign_abandon_cap", "Abandon rate that the tightest window allows, 0 to 1.", c.Cap, "campaign", c.Name)
	const machines, machinesHelp = "pronto_campaign_machines_total", "Answering machines that were heard, by what was done: the agent was told, or the call released."
	s.counter(machines, machinesHelp, uint64(c.Tally.Machines-c.Tally.Released), "campaign", c.Name, "done", "told")
	s.counter(machines, machinesHelp, uint64(c.Tally.Released), "campaign", c.Name, "done", "released")
	s.counter("pronto_campaign_unrecorded_calls_total", "Calls whose recording could not begin, or not go on.", uint64(c.Tally.Unrecorded), "campaign", c.Name)
	s.gauge("pronto_campaign_unrecordable", "1 when nobody is dialed because calls must be recorded and cannot be, else 0.", truth(c.Unrecordable != ""), "campaign", c.Name)
	if c.DecidedAt.IsZero() {
		return
	}
	s.gauge("pronto_campaign_abandon_rate", "Abandon rate of the tightest window so far, 0 to 1.", c.Decision.Rate, "campaign", c.Name)
	s.gauge("pronto_campaign_abandon_credit", "Abandoned calls that the tightest window can still afford.", c.Decision.Credit, "campaign", c.Name)
}

func (s samples) recordings(r dialer.RecordingsLive) {
	s.gauge("pronto_recordings_writable", "1 when the recording of a call can begin, else 0.", truth(r.Failing == nil))
	if r.LeftKnown {
		s.gauge("pronto_recordings_left_bytes", "Bytes of the disk that recordings may take still.", float64(r.Left))
	}
	if r.Counted {
		s.gauge("pronto_recordings", "Recordings in the folder, those in progress too.", float64(r.Files))
		s.gauge("pronto_recordings_bytes", "Bytes that recordings take.", float64(r.Bytes))
	}
	if !r.Oldest.IsZero() {
		s.gauge("pronto_recordings_oldest_timestamp_seconds", "Beginning of the day, UTC, on which the oldest recording began, in seconds since 1970.", float64(r.Oldest.Unix()))
	}
}

func (s samples) agents(all []dialer.AgentLive) {
	by := map[dialer.AgentState]int{}
	for _, state := range []dialer.AgentState{dialer.LoggedOut, dialer.NotReady, dialer.Ready, dialer.Reserved, dialer.Talking, dialer.WrapUp} {
		by[state] = 0
	}
	for _, a := range all {
		by[a.State]++
	}
	for _, state := range slices.Sorted(maps.Keys(by)) {
		s.gauge("pronto_agents", "Agents by state.", float64(by[state]), "state", string(state))
	}
}
