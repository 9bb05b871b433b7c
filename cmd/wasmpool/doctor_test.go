package main

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/wasmpool/wasmpool/pool"
)

func TestDoctorTellsEachLayerAndWhy(t *testing.T) {
	t.Parallel()
	layers := []pool.Layer{{Name: "net", On: true}, {Name: "landlock", Why: "no\x1bsuch thing"}}
	want := "net           on\nlandlock      OFF  no\\x1bsuch thing\n\n1 of 2 layers are off.\n"
	if got := findings(layers); got != want {
		t.Errorf("findings = %q, want %q", got, want)
	}
	if got := findings(layers[:1]); !strings.HasSuffix(got, "\nAll 1 layers are on.\n") {
		t.Errorf("findings = %q, want that all are on", got)
	}
}

func TestDoctorAsksAWorkerOfThisMachine(t *testing.T) {
	t.Parallel()
	text, asJSON := wasmpool(t, "", "doctor"), wasmpool(t, "", "doctor", "--json")
	var layers []pool.Layer
	if err := json.Unmarshal([]byte(asJSON.stdout), &layers); err != nil {
		t.Fatalf("doctor --json: %v: %+v", err, asJSON)
	}
	off := 0
	for _, l := range layers {
		if !l.On {
			off++
			t.Logf("this machine does without %s: %s", l.Name, l.Why)
		}
		if l.On == (l.Why != "") {
			t.Errorf("layer %+v: want a reason if it is off, and none if it is on", l)
		}
		if !strings.Contains(text.stdout, l.Name) {
			t.Errorf("doctor does not name %s: %s", l.Name, text.stdout)
		}
	}
	want := 0
	if off > 0 {
		want = 1
	}
	if asJSON.code != want || text.code != want {
		t.Errorf("exit codes %d and %d with %d layers off, want %d", asJSON.code, text.code, off, want)
	}
	if runtime.GOOS == "linux" && len(layers) < 15 {
		t.Errorf("%d layers, want all that there are on Linux", len(layers))
	}
}
