package pool

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// validate returns all that is wrong with the options, after their defaults.
func (o Options) validate() error {
	v := validator{}
	v.within("Max", o.Max, 1, maxProcesses)
	v.within("Min", o.Min, 0, max(o.Max, 0))
	v.within("Spare", o.Spare, 0, maxProcesses)
	v.within("Concurrency", o.Concurrency, 1, maxConcurrency)
	v.within("Full", o.Full, 1, 1<<30)
	v.within("StopSignal", o.StopSignal, 1, 64)
	v.within("QueueLimit", o.QueueLimit, 1, 1<<30)
	v.within("MaxCalls", o.MaxCalls, 0, 1<<30)
	if o.Strategy > Random {
		v.add("Strategy", o.Strategy, "Fewest, Fill, RoundRobin or Random")
	}
	switch {
	case o.Sandbox > Off:
		v.add("Sandbox", o.Sandbox, "Default, Strict or Off")
	case o.Sandbox == Strict && o.Runner == "" && o.Launcher == nil:
		v.add("Sandbox", o.Sandbox, "a Runner with it, such as cmd/wasmpool-runner: see RunnerBytes")
	}
	if o.Transport > Socket {
		v.add("Transport", o.Transport, "SharedMemory or Socket")
	}
	if o.Spin > maxSpin {
		v.add("Spin", o.Spin, "at most "+maxSpin.String())
	}
	v.positive("StartTimeout", o.StartTimeout)
	for name, d := range map[string]time.Duration{"CallTimeout": o.CallTimeout, "QueueTimeout": o.QueueTimeout, "MaxAge": o.MaxAge} {
		if d < 0 {
			v.add(name, d, "zero or more")
		}
	}
	if o.MaxMemoryBytes < 0 {
		v.add("MaxMemoryBytes", o.MaxMemoryBytes, "zero or more")
	}
	o.Limits.validate(&v, "Limits")
	v.env("Env", o.Env)
	v.args("Args", o.Args)
	v.host("Host", o.Host)
	for _, name := range slices.Sorted(maps.Keys(o.Modules)) {
		if name == "" {
			v.add("Modules", name, "names that are not empty")
		}
		o.Modules[name].validate(&v, fmt.Sprintf("Modules[%q]", name))
	}
	for i, name := range o.Preload {
		if name == "" {
			v.add(fmt.Sprintf("Preload[%d]", i), name, "the name or path of a module")
		}
	}
	if len(v.faults) == 0 {
		return nil
	}
	slices.SortFunc(v.faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(v.faults...)
}

// validator collects faults, each in one sentence.
type validator struct{ faults []error }

func (v *validator) add(field string, value any, want string) {
	format := "pool: option %s is %v; want %s"
	if _, ok := value.(string); ok {
		format = "pool: option %s is %q; want %s"
	}
	v.faults = append(v.faults, fmt.Errorf(format, field, value, want))
}

func (v *validator) within(field string, value, least, most int) {
	if value < least || value > most {
		v.add(field, value, fmt.Sprintf("%d to %d", least, most))
	}
}

func (v *validator) positive(field string, d time.Duration) {
	if d <= 0 {
		v.add(field, d, "more than zero")
	}
}

func (v *validator) env(field string, env map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(env)) {
		switch {
		case key == "" || strings.ContainsAny(key, "=\x00"):
			v.add(field, key, "names without '=' and NUL, that are not empty")
		case strings.Contains(env[key], "\x00"):
			v.add(fmt.Sprintf("%s[%q]", field, key), env[key], "a value without NUL")
		}
	}
}

func (v *validator) args(field string, args []string) {
	for i, arg := range args {
		if strings.Contains(arg, "\x00") {
			v.add(fmt.Sprintf("%s[%d]", field, i), arg, "an argument without NUL")
		}
	}
}

func (v *validator) host(field string, host map[string]HostFunc) {
	for _, name := range slices.Sorted(maps.Keys(host)) {
		switch {
		case name == "":
			v.add(field, name, "names that are not empty")
		case host[name] == nil:
			v.add(fmt.Sprintf("%s[%q]", field, name), nil, "a function")
		}
	}
}
