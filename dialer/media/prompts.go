package media

import (
	_ "embed" // the built-in prompt
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// DefaultPrompt is the name of the built-in prompt, an apology in English that
// names nobody. Where the law wants the caller's name, load one of your own.
const DefaultPrompt = "default"

//go:embed default.wav
var defaultWAV []byte

// promptKey is a prompt's name without the .wav that it may end in, so that a
// file's name is a prompt's name too.
func promptKey(name string) string { return strings.TrimSuffix(name, ".wav") }

// Load adds a prompt, or replaces the one of that name for the next Play. A file
// that cannot be played changes nothing.
func (d *Desk) Load(name, file string) error {
	c, err := readWAV(file)
	if err != nil {
		return fmt.Errorf("media: prompt %q: %w", name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.prompts[promptKey(name)] = c
	return nil
}

// HasPrompt implements dialer.Desk.
func (d *Desk) HasPrompt(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.prompts[promptKey(name)]
	return ok
}

// loadAll loads the built-in prompt and the configured ones.
func (d *Desk) loadAll(files map[string]string) error {
	c, err := parseWAV(defaultWAV)
	if err != nil {
		return fmt.Errorf("prompt %q: %w", DefaultPrompt, err)
	}
	d.prompts[DefaultPrompt] = c
	d.loadTones()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(files)) {
		c, err := readWAV(files[name])
		if err != nil {
			errs = append(errs, fmt.Errorf("prompt %q: %w", name, err))
			continue
		}
		d.prompts[promptKey(name)] = c
	}
	return errors.Join(errs...)
}
