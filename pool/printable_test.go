package pool

import "testing"

func TestWordsOfAGuestAreEscapedWhereTheyAreNoText(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ in, want string }{
		{"", ""},
		{"plain, wörld \"quoted\" \\", "plain, wörld \"quoted\" \\"},
		{"a\nforged=line", `a\nforged=line`},
		{"\x1b[31mred\x07", `\x1b[31mred\a`},
		{"\u202eevil\u2028", `\u202eevil\u2028`},
		{"\xff", `\ufffd`},
	} {
		if got := printable(row.in); got != row.want {
			t.Errorf("printable(%q) = %q, want %q", row.in, got, row.want)
		}
	}
}
