package registers

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// ParseProfile reads a profile of your own from YAML, for a register's file that
// no built-in profile covers. Unknown keys and values that cannot be are errors
// with their line. The name of the file stands in the messages.
//
//	name: sg-voice
//	title: Singapore, no voice call register
//	layout: as the register's manual of 2026 says
//	semantics: verdict_list      # or blocklist, cleaned_list
//	delimiter: ","
//	header: true
//	number: [1]                  # columns from 1; several are joined
//	calling: "65"
//	min: 8
//	max: 8
//	leading: "3689"
//	status: 2
//	blocked: ["REGISTERED"]
//	clear: ["NOT REGISTERED"]
//	date: 3
//	date_formats: ["2006-01-02"]
//	submit:                      # where numbers are submitted: the file that is written
//	  header: NUMBER
func ParseProfile(name string, data []byte) (Profile, error) {
	const longest = 1 << 16
	if len(data) > longest {
		return Profile{}, fmt.Errorf("%s: has %d bytes and may have %d", name, len(data), longest)
	}
	var p Profile
	if err := decode(data, &p); err != nil {
		var at yaml.Error
		if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
			return Profile{}, fmt.Errorf("%s:%d: %s", name, at.GetToken().Position.Line, at.GetMessage())
		}
		return Profile{}, fmt.Errorf("%s: %w", name, err)
	}
	if p.Date > 0 && len(p.Formats) == 0 {
		p.Formats = dates()
	}
	if p.Layout == "" {
		p.Layout = "your own"
	}
	if p.Submit != nil && p.Submit.Layout == "" {
		p.Submit.Layout = "your own"
	}
	if err := p.Validate(); err != nil {
		return Profile{}, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), fmt.Sprintf("profile %q: ", p.Name)))
	}
	return p, nil
}

// decode reads YAML strictly. The library panics on some malformed input (a tag
// before a sequence, for one), which is an error like any other here.
func decode(data []byte, into any) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("cannot be read as YAML")
		}
	}()
	return yaml.UnmarshalWithOptions(data, into, yaml.Strict())
}
