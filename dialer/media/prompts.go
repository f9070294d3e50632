package media

import (
	_ "embed" // the built-in prompt
	"errors"
	"fmt"
	"maps"
	"slices"
)

// DefaultPrompt is the name of the built-in prompt, an apology in English that
// names nobody. Where the law wants the caller's name, load one of your own.
const DefaultPrompt = "default"

//go:embed default.wav
var defaultWAV []byte

// Load adds a prompt, or replaces the one of that name for the next Play. A file
// that cannot be played changes nothing.
func (d *Desk) Load(name, file string) error {
	c, err := readWAV(file)
	if err != nil {
		return fmt.Errorf("media: prompt %q: %w", name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.prompts[name] = c
	return nil
}

// loadAll loads the built-in prompt and the configured ones.
func (d *Desk) loadAll(files map[string]string) error {
	c, err := parseWAV(defaultWAV)
	if err != nil {
		return fmt.Errorf("prompt %q: %w", DefaultPrompt, err)
	}
	d.prompts[DefaultPrompt] = c
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(files)) {
		c, err := readWAV(files[name])
		if err != nil {
			errs = append(errs, fmt.Errorf("prompt %q: %w", name, err))
			continue
		}
		d.prompts[name] = c
	}
	return errors.Join(errs...)
}
