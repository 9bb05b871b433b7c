package isolate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmpool/wasmpool/abi"
)

func TestNames(t *testing.T) {
	t.Parallel()
	type exports = map[string]func(*guest) (int32, error)
	// dispatch knows "known" and "listed"; direct exports say who they are.
	dispatch := func(g *guest) (int32, error) {
		if name := g.Host.Function(); name == "known" || name == "listed" {
			return 0, g.Host.Output([]byte("dispatched " + name))
		}
		return 2, nil
	}
	direct, helper := puts("direct"), puts("helper")
	for _, row := range []struct {
		name     string
		exports  exports
		settings Settings
		listed   []string          // in Info
		results  map[string]string // by name; empty: not found
	}{
		{
			"exports",
			exports{"direct": direct, "helper": helper, "_hidden": direct, "wasmpool_other": direct},
			Settings{},
			[]string{"direct", "helper"},
			map[string]string{"direct": "direct", "helper": "helper", "_hidden": "", "wasmpool_other": "", "": "", "gone": "", "\xff": ""},
		},
		{
			"a dispatcher for the rest",
			exports{"direct": direct, "wasmpool_call": dispatch},
			Settings{},
			[]string{"direct"},
			map[string]string{"direct": "direct", "known": "dispatched known", "gone": "", "_hidden": "", "wasmpool_call": ""},
		},
		{
			"a list replaces guessing",
			exports{"direct": direct, "helper": helper, "wasmpool_call": dispatch, "wasmpool_functions": puts(`["direct","listed"]`)},
			Settings{},
			[]string{"direct", "listed"},
			map[string]string{"direct": "direct", "listed": "dispatched listed", "helper": "", "known": ""},
		},
		{"an empty list", exports{"direct": direct, "wasmpool_functions": puts(`[]`)}, Settings{}, nil, map[string]string{"direct": ""}},
		{
			"settings narrow",
			exports{"direct": direct, "helper": helper, "wasmpool_call": dispatch},
			Settings{Functions: []string{"direct", "known"}},
			[]string{"direct", "known"},
			map[string]string{"direct": "direct", "known": "dispatched known", "helper": "", "listed": ""},
		},
		{
			"settings narrow a list",
			exports{"direct": direct, "wasmpool_call": dispatch, "wasmpool_functions": puts(`["direct","listed"]`)},
			Settings{Functions: []string{"listed"}},
			[]string{"listed"},
			map[string]string{"direct": "", "listed": "dispatched listed"},
		},
		{"settings that name nothing", exports{"direct": direct}, Settings{Functions: []string{}}, nil, map[string]string{"direct": ""}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			x, info, _ := load(t, &fakeEngine{exports: row.exports}, row.settings, nil)
			if diff := cmp.Diff(row.listed, info.Functions); diff != "" {
				t.Errorf("Info.Functions: %s", diff)
			}
			for name, want := range row.results {
				code, payload := x.Call(0, &Call{Function: name, DeadlineMS: -1})
				switch {
				case want == "" && code != abi.NotFound:
					t.Errorf("%q: got %v %s, want not found", name, code, payload)
				case want != "" && (code != abi.Returned || string(payload) != want):
					t.Errorf("%q: got %v %s, want %s", name, code, payload, want)
				}
			}
		})
	}
}

func TestListedFunctionsThatCannotRunAreLogged(t *testing.T) {
	t.Parallel()
	e := &fakeEngine{exports: map[string]func(*guest) (int32, error){"f": returns(0), "wasmpool_functions": puts(`["f","_g","h"]`)}}
	_, info, j := load(t, e, Settings{}, nil)
	if diff := cmp.Diff([]string{"f"}, info.Functions); diff != "" {
		t.Error(diff)
	}
	want := []string{`3/8 module "worker" lists function "_g", which it can not run`, `3/8 module "worker" lists function "h", which it can not run`}
	if diff := cmp.Diff(want, j.take()); diff != "" {
		t.Error(diff)
	}
}

func TestMissingFunctionIsNamedWithItsNeighbours(t *testing.T) {
	t.Parallel()
	many := make(map[string]func(*guest) (int32, error))
	for i := range 500 {
		many[fmt.Sprintf("function%03d%s", i, strings.Repeat("x", 200))] = returns(0)
	}
	for _, row := range []struct {
		name    string
		exports map[string]func(*guest) (int32, error)
		call    string
		want    string // the whole message, or its beginning
	}{
		{"near", map[string]func(*guest) (int32, error){"greet": returns(0), "add": returns(0)}, "gret", `module "worker" has no function "gret"; did you mean "greet"?; it has "add", "greet"`},
		{"far", map[string]func(*guest) (int32, error){"greet": returns(0)}, "add", `module "worker" has no function "add"; it has "greet"`},
		{"many and long", many, strings.Repeat("y", 100_000), `module "worker" has no function "yyyy`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			x, _, _ := load(t, &fakeEngine{exports: row.exports}, Settings{}, nil)
			code, payload := x.Call(0, &Call{Function: row.call, DeadlineMS: -1})
			e := abi.ParseError(payload)
			if code != abi.NotFound || e.Name != "FunctionNotFound" || !strings.HasPrefix(e.Message, row.want) {
				t.Errorf("got %v %s", code, payload)
			}
			if len(payload) > 4096 {
				t.Errorf("the payload has %d bytes", len(payload))
			}
		})
	}
}
