package isolate

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestContextSaysWhatIsLeftOfTheCall(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		call Call
		ago  time.Duration
		want string
	}{
		{"no deadline", Call{ID: 1<<64 - 1, Attempt: 2, DeadlineMS: -1}, time.Hour, `{"id":18446744073709551615,"attempt":2}`},
		{"a deadline", Call{ID: 7, Attempt: 1, DeadlineMS: 1000}, 250 * time.Millisecond, `{"id":7,"attempt":1,"deadline_ms":750}`},
		{"a deadline that is over", Call{ID: 7, Attempt: 1, DeadlineMS: 1000}, time.Minute, `{"id":7,"attempt":1,"deadline_ms":0}`},
		{"members of the caller", Call{ID: 7, Attempt: 1, DeadlineMS: -1, Meta: []byte(`{"traceparent":"00-1","b":[1, {}]}`)}, 0, `{"id":7,"attempt":1,"b":[1, {}],"traceparent":"00-1"}`},
		{"own members win", Call{ID: 7, Attempt: 1, DeadlineMS: -1, Meta: []byte(`{"id":8,"attempt":9,"deadline_ms":1,"x":"y"}`)}, 0, `{"id":7,"attempt":1,"x":"y"}`},
		{"no object", Call{ID: 7, Attempt: 1, DeadlineMS: -1, Meta: []byte(`[1]`)}, 0, `{"id":7,"attempt":1}`},
		{"no JSON", Call{ID: 7, Attempt: 1, DeadlineMS: -1, Meta: []byte(`{"a":`)}, 0, `{"id":7,"attempt":1}`},
		{"names that need quoting", Call{ID: 7, Attempt: 1, DeadlineMS: -1, Meta: []byte(`{"a\"b":null}`)}, 0, `{"id":7,"attempt":1,"a\"b":null}`},
	} {
		if got := string(row.call.appendContext(nil, row.ago)); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
}

func TestContextCountsFromTheArrivalAndStaysTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // not parallel: the bubble has its own clock
		var got []string
		e := &fakeEngine{exports: map[string]func(*guest) (int32, error){"f": func(g *guest) (int32, error) {
			time.Sleep(300 * time.Millisecond) //nolint:forbidigo // in the bubble: it is what makes time pass
			for range 2 {
				got = append(got, string(g.Host.Context()))
				time.Sleep(time.Second) //nolint:forbidigo // likewise
			}
			return 0, nil
		}}}
		x := New(e, nil)
		if _, err := x.Load(t.Context(), Settings{}, nil); err != nil {
			t.Fatal(err)
		}
		for id := range uint64(2) {
			x.Call(0, &Call{ID: id, Attempt: 1, DeadlineMS: 1000, Function: "f"})
		}
		want := []string{
			`{"id":0,"attempt":1,"deadline_ms":700}`, `{"id":0,"attempt":1,"deadline_ms":700}`,
			`{"id":1,"attempt":1,"deadline_ms":700}`, `{"id":1,"attempt":1,"deadline_ms":700}`,
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("context %d is %s, want %s", i, got[i], want[i])
			}
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
}
