package media

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pronto/dialer/detect"
)

// BenchmarkVoices makes calls of the voices in PRONTO_VOICES (make bench-machines speaks them) and says what the
// detector makes of them: so many calls of each kind and set, at levels from -40 to -6 dBm0, with noise, echo, lost packets, talk
// in the background, through either law. The same seed gives the same calls.
func BenchmarkVoices(b *testing.B) {
	dir := os.Getenv("PRONTO_VOICES")
	if dir == "" {
		b.Skip("make bench-machines speaks the voices that it needs")
	}
	const calls = 3000
	sets, err := os.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	for range b.N {
		for _, entry := range sets {
			set := entry.Name()
			for _, kind := range []string{"human", "machine"} {
				v := loadVoices(b, filepath.Join(dir, set))
				t := trials{kind: kind, all: map[string]*score{}}
				for i := range calls {
					r := rand.New(rand.NewPCG(20261122, uint64(i)))
					c := v.call(r, kind)
					t.take(c, c.judge(r))
				}
				fmt.Fprintf(os.Stderr, "%s, %s:\n%s", set, kind, t)
			}
		}
	}
}

// voices are sounds by kind.
type voices map[string][][]float64

func loadVoices(b *testing.B, dir string) voices {
	v := voices{}
	for _, kind := range []string{"human", "reply", "agent", "machine"} {
		files, err := filepath.Glob(filepath.Join(dir, kind, "*.wav"))
		if err != nil || len(files) == 0 {
			b.Fatalf("no voices in %s/%s: %v", dir, kind, err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				b.Fatal(err)
			}
			raw = raw[strings.Index(string(raw), "data")+8:]
			x := make([]float64, len(raw)/2)
			for i := range x {
				x[i] = float64(int16(binary.LittleEndian.Uint16(raw[2*i:])))
			}
			v[kind] = append(v[kind], atLevel(x, -20))
		}
	}
	return v
}

// atLevel brings a sound to a level in dBm0, silent parts left aside.
func atLevel(x []float64, level float64) []float64 {
	var power, n, most float64
	for _, v := range x {
		most = max(most, math.Abs(v))
	}
	for _, v := range x {
		if math.Abs(v) > most/50 {
			power += v * v
			n++
		}
	}
	return scaled(x, peak(level)/math.Sqrt2/math.Sqrt(power/max(n, 1)))
}

func scaled(x []float64, by float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v * by
	}
	return out
}

// madeCall is a call as it was made up.
type madeCall struct {
	far, agent           []float64 // 30 s
	level, noise, echo   float64   // dBm0; dB under the level; dB under the agent
	loss                 float64
	background, beep     bool
	speech               time.Duration // of the first thing that the far end says
	begun                time.Duration
	talked               bool // the agent talks
	law                  *law
	unheard, interrupted bool
}

const callLength = 30 * rate

// pick is one of the kind.
func (v voices) pick(r *rand.Rand, kind string) []float64 { return v[kind][r.IntN(len(v[kind]))] }

// lay adds a sound to a track from a sample on, and returns where it ends.
func lay(track, x []float64, at int) int {
	for i := range min(len(x), max(0, len(track)-at)) {
		track[at+i] += x[i]
	}
	return at + len(x)
}

func between(r *rand.Rand, low, high float64) float64 { return low + (high-low)*r.Float64() }

func seconds(s float64) int { return int(s * rate) }

// call makes one up.
func (v voices) call(r *rand.Rand, kind string) *madeCall {
	c := &madeCall{
		far: make([]float64, callLength), agent: make([]float64, callLength),
		level: between(r, -40, -6), noise: []float64{99, 30, 20, 12}[r.IntN(4)], echo: []float64{99, 35, 25, 12}[r.IntN(4)],
		loss: []float64{0, 0, 0.01, 0.05}[r.IntN(4)], law: []*law{lawU, lawA}[r.IntN(2)],
	}
	if kind == "human" {
		v.person(r, c)
	} else {
		v.machine(r, c)
	}
	return c
}

// person talks with the agent.
func (v voices) person(r *rand.Rand, c *madeCall) {
	first := v.pick(r, "human")
	c.speech = time.Duration(len(first)) * perSample
	at := lay(c.far, first, seconds(between(r, 0, 1.5)))
	switch r.IntN(10) {
	case 0: // nobody talks to them
		c.unheard = true
		for at < callLength {
			at = lay(c.far, first, at+seconds(between(r, 0.7, 3)))
		}
		return
	case 1, 2: // the agent talks into their first words
		c.interrupted = true
		at = lay(c.agent, v.pick(r, "agent"), seconds(between(r, 0.2, 1)))
	}
	for at < callLength {
		c.talked = true
		at = lay(c.agent, v.pick(r, "agent"), at+seconds(between(r, 0.2, 1)))
		if r.IntN(3) == 0 { // hm, yes
			lay(c.far, v.pick(r, "human"), at-seconds(between(r, 0, 1)))
		}
		at = lay(c.far, v.pick(r, "reply"), at+seconds(between(r, 0.1, 1)))
	}
	if r.IntN(6) == 0 { // a television
		c.background = true
		far := between(r, 12, 25)
		for at := 0; at < callLength; {
			at = lay(c.far, scaled(v.pick(r, "machine"), math.Pow(10, -far/20)), at+seconds(0.2))
		}
	}
}

// machine plays its greeting and mostly a tone.
func (v voices) machine(r *rand.Rand, c *madeCall) {
	begin := seconds(between(r, 0, 2))
	greeting := v.pick(r, "machine")
	c.speech, c.begun = time.Duration(len(greeting))*perSample, time.Duration(begin)*perSample
	end := lay(c.far, greeting, begin)
	if c.beep = r.IntN(4) > 0; c.beep {
		hz := []float64{1000, 1400, 850, 620, 2000, 950, 1100, 500}[r.IntN(8)]
		tone := sine(hz, -20+between(r, -10, 3), time.Duration(between(r, 0.15, 1)*float64(time.Second)))
		x := make([]float64, len(tone))
		for i, s := range tone {
			x[i] = float64(s)
		}
		lay(c.far, x, end+seconds(between(r, 0.2, 1.5)))
	}
	if c.talked = r.IntN(10) < 6; c.talked {
		at := lay(c.agent, v.pick(r, "agent"), begin+seconds(between(r, 0.3, 1.5)))
		if r.IntN(2) == 0 {
			lay(c.agent, v.pick(r, "human"), at+seconds(between(r, 1, 3)))
		}
	}
}

// judge plays the call to a detector, packet by packet.
func (c *madeCall) judge(r *rand.Rand) detect.Finding {
	gain, hiss := math.Pow(10, (c.level+20)/20), 0.0
	if c.noise < 99 {
		hiss = peak(c.level-c.noise) / math.Sqrt2
	}
	back := 0.0
	if c.echo < 99 {
		back = math.Pow(10, -c.echo/20)
	}
	const delay = rate * 120 / 1000
	d, m := detect.New(detect.Settings{}), newMouth()
	var y float64
	lost := false
	for at := 0; at+frameSamples <= callLength; at += frameSamples {
		var frame, ours [frameSamples]int16
		for i := range frame {
			y = 0.6*y + 0.8*r.NormFloat64()
			x := gain*c.far[at+i] + hiss*y
			if at+i >= delay {
				x += back * c.agent[at+i-delay]
			}
			code := c.law.code[uint16(int16(max(-32768, min(32767, x))))]
			frame[i], ours[i] = c.law.linear[code], int16(max(-32768, min(32767, c.agent[at+i])))
		}
		now := time.Duration(at) * perSample
		m.take(ours[:], now)
		near := m.talks(now)
		if lost = r.Float64() < c.loss || lost && r.IntN(3) == 0 && c.loss > 0; lost {
			if f, found := d.Skip(frameSamples); found {
				return f
			}
			continue
		}
		if f, found := d.Write(frame[:], near); found {
			return f
		}
	}
	return d.Finish()
}

// trials counts findings.
type trials struct {
	kind string
	all  map[string]*score
}

type score struct {
	n     int
	by    map[detect.Verdict]int
	why   map[detect.Reason]int
	after []time.Duration
}

func (t *trials) take(c *madeCall, f detect.Finding) {
	groups := []string{
		"all", fmt.Sprintf("level %3.0f to %3.0f dBm0", 10*math.Floor(c.level/10), 10*math.Floor(c.level/10)+10), fmt.Sprintf("noise %g dB under it", c.noise),
		fmt.Sprintf("echo %g dB", c.echo), fmt.Sprintf("loss %g", c.loss),
	}
	if t.kind == "human" {
		groups = append(groups, fmt.Sprintf("background %v", c.background), fmt.Sprintf("unheard %v", c.unheard))
	} else {
		groups = append(groups, fmt.Sprintf("tone %v", c.beep), fmt.Sprintf("greeting of 7 s or more %v, tone %v", c.speech >= 7*time.Second, c.beep), fmt.Sprintf("agent talks %v", c.talked))
	}
	for _, g := range groups {
		s := t.all[g]
		if s == nil {
			s = &score{by: map[detect.Verdict]int{}, why: map[detect.Reason]int{}}
			t.all[g] = s
		}
		s.n++
		s.by[f.Verdict]++
		s.why[f.Reason]++
		if f.Verdict == detect.Machine {
			s.after = append(s.after, f.After-c.begun)
		}
	}
}

func (t trials) String() string {
	var b strings.Builder
	for _, g := range slices.Sorted(maps.Keys(t.all)) {
		s := t.all[g]
		m, n := float64(s.by[detect.Machine]), float64(s.n)
		low, high := interval(m, n)
		fmt.Fprintf(&b, "  %-40s %5d calls: machine %6.2f %% (%.2f to %.2f), human %5.1f %%, unsure %5.1f %%", g, s.n, 100*m/n, 100*low, 100*high,
			100*float64(s.by[detect.Human])/n, 100*float64(s.by[detect.Unsure])/n)
		if len(s.after) > 0 {
			slices.Sort(s.after)
			fmt.Fprintf(&b, ", after %.1f s (median), %.1f s (p90)", s.after[len(s.after)/2].Seconds(), s.after[len(s.after)*9/10].Seconds())
		}
		if g == "all" {
			for _, why := range slices.Sorted(maps.Keys(s.why)) {
				fmt.Fprintf(&b, ", %s %d", why, s.why[why])
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// interval is the 95 % confidence interval of a share (Wilson 1927).
func interval(hits, n float64) (low, high float64) {
	const z = 1.959964
	middle, half := (hits+z*z/2)/(n+z*z), z/(n+z*z)*math.Sqrt(hits*(n-hits)/n+z*z/4)
	return max(middle-half, 0), min(middle+half, 1)
}
