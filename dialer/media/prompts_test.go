package media

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"pronto/dialer"
)

func TestPromptIsPlayedWhole(t *testing.T) {
	d := desk(t, "127.20.5.1", func(c *Config) { c.Prompts = map[string]string{"it": "../../testdata/prompts/demo-it.wav"} })
	f := opposite(t, d, "127.20.5.2", dialer.PCMA, nil)
	f.more(2)
	voice := d.prompts["it"]
	voice.a, voice.u = voice.a[:8100], voice.u[:8100] // 50 and a half frames
	done := make(chan struct{}, 2)
	if err := d.Play(f.audio, "it", func() { done <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("done was not called")
	}
	all := f.more(3)
	continuous(t, all)
	if !bytes.Contains(joined(all), append(bytes.Clone(voice.a), bytes.Repeat([]byte{silenceA}, 220)...)) {
		t.Error("the prompt did not arrive whole, with silence after it")
	}
	if len(done) != 0 {
		t.Error("done was called twice")
	}
	wantJoints(t, d, all, 3) // silence, prompt, silence
}

func TestPromptIsCut(t *testing.T) {
	d := desk(t, "127.20.5.1", nil)
	agent := opposite(t, d, "127.20.5.3", dialer.PCMU, nil)
	for _, c := range []struct {
		name string
		cut  func(f *far)
	}{
		{"by a bridge", func(f *far) { d.Bridge(f.audio, agent.audio, nil) }},
		{"by a bed", func(f *far) { d.Part(f.audio, dialer.Silence) }},
		{"by another prompt", func(f *far) {
			if err := d.Play(f.audio, DefaultPrompt, nil); err != nil {
				t.Error(err)
			}
		}},
		{"by the end of the leg", func(f *far) { f.audio.Close() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := opposite(t, d, "127.20.5.4", dialer.PCMU, nil)
			done := make(chan struct{})
			if err := d.Play(f.audio, DefaultPrompt, func() { close(done) }); err != nil {
				t.Fatal(err)
			}
			f.more(5)
			select {
			case <-done:
				t.Fatal("done after five frames")
			default:
			}
			c.cut(f)
			select {
			case <-done:
			case <-time.After(patience):
				t.Fatal("done was not called")
			}
		})
	}
}

func TestPlayRefuses(t *testing.T) {
	d := desk(t, "127.20.5.1", nil)
	f := opposite(t, d, "127.20.5.5", dialer.PCMU, nil)
	called := func() { t.Error("done was called") }
	if err := d.Play(f.audio, "nowhere", called); !errors.Is(err, ErrNoPrompt) || !strings.Contains(err.Error(), `"nowhere"`) {
		t.Errorf("unknown name: %v", err)
	}
	if err := d.Load("broken", "leg_test.go"); err == nil || !strings.Contains(err.Error(), "leg_test.go") {
		t.Errorf("not a WAV: %v", err)
	}
	if err := d.Play(f.audio, "broken", called); !errors.Is(err, ErrNoPrompt) {
		t.Errorf("after a failed load: %v", err)
	}
	if err := d.Load("good", "default.wav"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"good", "good.wav", DefaultPrompt} {
		if err := d.Play(f.audio, name, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.audio.Close()
	if err := d.Play(f.audio, "good", called); !errors.Is(err, ErrClosed) {
		t.Errorf("closed leg: %v", err)
	}
	if err := d.Play(nil, "good", called); err == nil {
		t.Error("no leg: accepted")
	}
}
