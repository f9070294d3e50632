package media

import (
	"errors"
	"fmt"

	"pronto/dialer"
)

// Whisper implements dialer.Recorder: what is left of a tone, or of what was whispered before, comes first.
func (r *Recorder) Whisper(to dialer.Audio, prompt string, done func(whole bool)) error {
	d := r.desk
	l := d.own(to)
	if l == nil {
		return errors.New("media: whisper: not a leg of this desk")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok := d.prompts[promptKey(prompt)]
	if !ok {
		return fmt.Errorf("media: whisper %q: %w", prompt, ErrNoPrompt)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.bridge == nil {
		return fmt.Errorf("media: whisper %q: leg %w or not bridged", prompt, ErrClosed)
	}
	tone := append([]int16{}, l.tone...)
	for _, code := range c.u {
		tone = append(tone, lawU.linear[code])
	}
	l.tone = tone
	if done != nil {
		l.told = append(l.told, done)
	}
	return nil
}

// spend takes n samples of the tone as sent; heard: the far end was sent to. The
// caller holds l.mu.
func (l *leg) spend(rest []int16, heard bool) {
	if !heard && len(l.tone) > 0 {
		l.answer(false)
	}
	l.tone = rest
	if len(rest) == 0 {
		l.answer(true)
	}
}

// answer tells those who whispered. The caller holds l.mu.
func (l *leg) answer(whole bool) {
	for _, done := range l.told {
		go done(whole)
	}
	l.told = nil
}
