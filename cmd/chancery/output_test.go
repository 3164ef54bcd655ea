package main

import (
	"strings"
	"testing"
)

func TestTableAligns(t *testing.T) {
	table := newTable("NAME", "ROWS", "NOTE")
	table.add("population", "52", "")
	table.add("Bevölkerung", "3", "ü")
	var out strings.Builder
	table.write(&out)
	want := "" +
		"NAME         ROWS  NOTE\n" +
		"population   52\n" +
		"Bevölkerung  3     ü\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestFieldsLeaveOutWhatIsEmpty(t *testing.T) {
	var f fields
	f.add("id", "%s", "d-1")
	f.add("reason", "%s", "")
	f.add("transaction", "%s", "ab")
	var out strings.Builder
	f.write(&out)
	if want := "id           d-1\ntransaction  ab\n"; out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 5 << 30: "5.0 GiB", 1 << 62: "4.0 EiB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	if got, want := quote(`it's`), `'it'\''s'`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
