package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestFlagsHaveTheirDefaultsAndTakeTheirValues(t *testing.T) {
	t.Parallel()
	o, err := parse(nil, io.Discard)
	if err != nil || o.duration != time.Second || o.json || o.list || o.node || o.many != 0 || o.idle != 0 || o.md != "" || o.svg != "" || !o.rows.MatchString("any") {
		t.Errorf("no flags = %+v, %v, want the defaults", o, err)
	}
	o, err = parse([]string{"-duration", "2s", "-rows", "^32 B: ", "-json", "-md", "a", "-svg", "b", "-list", "-node", "-many", "5", "-idle", "3s"}, io.Discard)
	if err != nil || o.duration != 2*time.Second || !o.json || !o.list || !o.node || o.many != 5 || o.idle != 3*time.Second || o.md != "a" || o.svg != "b" || o.rows.MatchString("64 KiB: x") {
		t.Errorf("all flags = %+v, %v, want what they say", o, err)
	}
}

func TestFlagsThatMakeNoSenseAreRefusedInOneSentence(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-rows (":      "-rows: error parsing regexp",
		"-duration 0s": "-duration is 0s; want more than nothing",
		"-many -1":     "-many is -1",
		"-idle -1s":    "-idle is -1s",
		"-speed 3":     "-help says what there is",
		"fast":         `unexpected argument "fast"`,
	} {
		_, err := parse(strings.Fields(args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", args, err, want)
		}
	}
}

func TestHelpNamesEveryFlagAndIsNoFailure(t *testing.T) {
	t.Parallel()
	var help strings.Builder
	if _, err := parse([]string{"-help"}, &help); !errors.Is(err, errHelp) {
		t.Errorf("-help: %v, want %v", err, errHelp)
	}
	for _, flag := range []string{"-duration", "-rows", "-list", "-json", "-md", "-svg", "-node", "-many", "-idle"} {
		if !strings.Contains(help.String(), "\n  "+flag+" ") {
			t.Errorf("the help does not say what %s is", flag)
		}
	}
}

func TestRowsHaveNamesOfTheirOwnAndAreSelectedByThem(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	bases, compared := map[workload]int{}, map[workload]bool{}
	for _, r := range allRows(options{many: 5, idle: time.Second}, newBuilds(io.Discard)) {
		if names[r.name()] {
			t.Errorf("two rows are named %q", r.name())
		}
		names[r.name()] = true
		if r.base {
			bases[r.workload]++
		}
		compared[r.workload] = r.table == besideSocketpair || r.table == besideWazero
	}
	for w, want := range compared {
		if want != (bases[w] == 1) {
			t.Errorf("%q has %d bases, want one where its table compares with it, and only there", w.name, bases[w])
		}
	}
	o, err := parse([]string{"-rows", "^32 B: raw"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if got := selected(allRows(options{many: 5, idle: time.Second}, newBuilds(io.Discard)), o.rows); len(got) != 2 {
		t.Errorf("%d rows match %q, want 2", len(got), o.rows)
	}
}
