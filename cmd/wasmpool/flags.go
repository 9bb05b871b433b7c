package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The flags below say what they want instead of a wrong value; see flagFault.

func durationFlag(flags *flag.FlagSet, to *time.Duration, name, usage string) {
	flags.Func(name, usage, func(s string) (err error) {
		if *to, err = time.ParseDuration(s); err != nil || *to <= 0 {
			return errors.New("want a duration of more than zero, such as 500ms or 2s")
		}
		return nil
	})
}

func countFlag(flags *flag.FlagSet, to *int, name string, most int, usage string) {
	flags.Func(name, usage, func(s string) (err error) {
		if *to, err = strconv.Atoi(s); err != nil || *to < 1 || *to > most {
			return fmt.Errorf("want a number from 1 to %d", most)
		}
		return nil
	})
}

func envFlag(flags *flag.FlagSet, to map[string]string, name, usage string) {
	flags.Func(name, usage, func(s string) error {
		key, value, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return errors.New("want NAME=VALUE")
		}
		to[key] = value
		return nil
	})
}

func digestFlag(flags *flag.FlagSet, to *string, name, usage string) {
	flags.Func(name, usage, func(s string) error {
		if b, err := hex.DecodeString(s); err != nil || len(b) != sha256.Size {
			return fmt.Errorf("want %d hexadecimal digits", 2*sha256.Size)
		}
		*to = s
		return nil
	})
}

func listFlag(flags *flag.FlagSet, to *[]string, name, usage string) {
	flags.Func(name, usage, func(s string) error {
		*to = append(*to, s)
		return nil
	})
}

var invalidValue = regexp.MustCompile(`(?s)^invalid (?:boolean )?value (".*") for (?:flag )?-([a-z0-9-]+): (.*)$`)

// flagFault says what package flag says, in the words of this program.
func flagFault(err error) string {
	message := err.Error()
	if unknown, ok := strings.CutPrefix(message, "flag provided but not defined: -"); ok {
		return "there is no flag " + dashed(unknown)
	}
	if incomplete, ok := strings.CutPrefix(message, "flag needs an argument: -"); ok {
		return "flag " + dashed(incomplete) + " needs a value"
	}
	if m := invalidValue.FindStringSubmatch(message); m != nil {
		reason := m[3]
		if !strings.HasPrefix(reason, "want ") { // package flag's own flags are all boolean here
			reason = "want true, false, or nothing"
		}
		return fmt.Sprintf("flag %s is %s; %s", dashed(m[2]), m[1], reason)
	}
	return message
}

// dashed is a flag as people write it.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
