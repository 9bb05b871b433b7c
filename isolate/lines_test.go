package isolate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOutputBecomesLines(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		writes []string
		want   []string
	}{
		{"nothing", []string{""}, nil},
		{"a line", []string{"one\n"}, []string{"one"}},
		{"lines at once", []string{"one\ntwo\n\nfour\n"}, []string{"one", "two", "", "four"}},
		{"a line in pieces", []string{"o", "n", "e\ntw", "o\n"}, []string{"one", "two"}},
		{"a line without an end", []string{"one\ntwo"}, []string{"one", "two"}},
		{"line ends of Windows", []string{"one\r\ntw", "o\r\n"}, []string{"one", "two"}},
		{"as long as may be", []string{"0123456789\n"}, []string{"0123456789"}},
		{"too long", []string{"0123456789A\n"}, []string{"0123456789…"}},
		{"too long in pieces", []string{"01234", "567", "89ABC", "DEF", "\nnext\n"}, []string{"0123456789…", "next"}},
		{"too long without an end", []string{"0123456789ABC"}, []string{"0123456789…"}},
	} {
		var got []string
		l := &lines{source: LogStdout, bound: 10, log: func(_ LogSource, _ int32, text []byte) { got = append(got, string(text)) }}
		for _, text := range row.writes {
			if n, err := l.Write([]byte(text)); n != len(text) || err != nil {
				t.Errorf("%s: Write: %d, %v", row.name, n, err)
			}
		}
		l.flush()
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
}

func TestFloodDoesNotGrowMemory(t *testing.T) { // not parallel: it counts allocations
	records := 0
	l := &lines{source: LogStderr, bound: 100, tail: new(tail), log: func(LogSource, int32, []byte) { records++ }}
	flood := []byte(strings.Repeat("a line without an end ", 3000))
	for range 100 {
		l.Write(flood)
	}
	l.Write([]byte("\n"))
	if records != 1 || cap(l.partial) > 1000 || cap(l.tail.kept) > 4*tailBytes {
		t.Errorf("%d records; %d bytes of a line and %d of the tail are held", records, cap(l.partial), cap(l.tail.kept))
	}
	end := []byte("\n")
	if got := testing.AllocsPerRun(100, func() { l.Write(flood); l.Write(end) }); got != 0 {
		t.Errorf("a write allocates %v times", got)
	}
}

func TestTailKeepsTheLastBytes(t *testing.T) {
	t.Parallel()
	all := ""
	tail := new(tail)
	for i := range 3000 {
		piece := strings.Repeat(string(rune('a'+i%26)), i%97)
		all += piece
		tail.write([]byte(piece))
	}
	if got, want := string(tail.bytes()), all[len(all)-tailBytes:]; got != want {
		t.Errorf("got %d bytes, ending %q, want those ending %q", len(got), got[len(got)-20:], want[len(want)-20:])
	}
	tail.write([]byte(strings.Repeat("z", 3*tailBytes)))
	if got := string(tail.bytes()); got != strings.Repeat("z", tailBytes) {
		t.Errorf("got %d bytes after one large write", len(got))
	}
	tail.reset()
	if got := len(tail.bytes()); got != 0 {
		t.Errorf("%d bytes are left after a reset", got)
	}
}

func TestTellingLine(t *testing.T) {
	t.Parallel()
	for name, row := range map[string][2]string{
		"nothing":       {"", ""},
		"blank":         {"\n \n", ""},
		"last":          {"one\ntwo\n\n", "two"},
		"Go":            {"starting\npanic: boom\n\ngoroutine 1 [running]:\nmain.main()\n", "panic: boom"},
		"Go's fatal":    {"fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1\n", "fatal error: all goroutines are asleep - deadlock!"},
		"Rust":          {"\nthread '<unnamed>' panicked at src/lib.rs:5:9:\nindex out of bounds\nnote: run with\n", "thread '<unnamed>' panicked at src/lib.rs:5:9: index out of bounds"},
		"Rust, cut off": {"thread 'main' panicked at src/lib.rs:5:9:\n", "thread 'main' panicked at src/lib.rs:5:9:"},
	} {
		if got := telling(row[0]); got != row[1] {
			t.Errorf("%s: got %q, want %q", name, got, row[1])
		}
	}
}
