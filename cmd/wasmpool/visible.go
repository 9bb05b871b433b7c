package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What guests, modules and their files call themselves is not trusted: a
// terminal obeys what it is shown. The functions of this file make text of
// which every letter can be seen.

// visible escapes, as Go does in a string, what a terminal may obey and what
// does not show.
func visible(s string) string {
	return escape(s, func(b *strings.Builder, r rune, raw string) {
		if r == utf8.RuneError && len(raw) == 1 {
			fmt.Fprintf(b, `\x%02x`, raw[0])
			return
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	})
}

// visibleJSON escapes the same in a JSON text, which stays the same value: what
// is not printable can only stand in its strings, but for white space.
func visibleJSON(text []byte) string {
	return escape(string(text), func(b *strings.Builder, r rune, raw string) {
		switch {
		case raw == "\n" || raw == "\r":
			b.WriteByte(' ')
		case r == utf8.RuneError:
			b.WriteString(`\ufffd`)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	})
}

// escape replaces what is not printable. A tab is left: it moves the cursor
// forward, and no more.
func escape(s string, replace func(b *strings.Builder, r rune, raw string)) string {
	var b strings.Builder
	for i, n := 0, 0; i < len(s); i += n {
		var r rune
		r, n = utf8.DecodeRuneInString(s[i:])
		if broken := r == utf8.RuneError && n == 1; !broken && strconv.IsPrint(r) || r == '\t' {
			b.WriteString(s[i : i+n])
			continue
		}
		replace(&b, r, s[i:i+n])
	}
	return b.String()
}

// shown is how a name of a module is shown: quoted, unless it is plain.
func shown(s string) string {
	for _, r := range s {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-.$", r)
		if !plain {
			return strconv.Quote(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}

// size shows a number of bytes to people.
func size(bytes int64) string {
	switch {
	case bytes < 1000:
		return fmt.Sprintf("%d bytes", bytes)
	case bytes < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

// memory shows a size that is a multiple of 64 KiB.
func memory(bytes int64) string {
	switch {
	case bytes >= 1<<30 && bytes%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", bytes>>30)
	case bytes >= 1<<20 && bytes%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d KiB", bytes>>10)
}
