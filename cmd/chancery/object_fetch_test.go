package main

import (
	"os"
	"path/filepath"
	"testing"

	"chancery/chaincode/exchange"
)

// TestPut moves what was fetched to its place, once.
func TestPut(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	target := filepath.Join(dir, "a.csv")
	for _, step := range []struct {
		text    string
		replace bool
		code    int
		want    string
	}{
		{"first", false, exitOK, "first"}, {"second", false, exitConflict, "first"}, {"third", true, exitOK, "third"},
	} {
		temp := write("temp-"+step.text, step.text)
		err := put(temp, target, step.replace)
		got, readErr := os.ReadFile(target)
		if exitCode(err) != step.code || readErr != nil || string(got) != step.want {
			t.Errorf("%s: %v; the file holds %q", step.text, err, got)
		}
	}
}

// TestGrantedObligations adds to the obligations of the terms.
func TestGrantedObligations(t *testing.T) {
	for _, tc := range []struct {
		opts        GrantGiveOptions
		terms, want exchange.Obligations
	}{
		{GrantGiveOptions{DeleteWithin: span(day)}, exchange.Obligations{NoOnwardSharing: true}, exchange.Obligations{DeleteWithin: 86400, NoOnwardSharing: true}},
		{GrantGiveOptions{NoOnwardSharing: true}, exchange.Obligations{DeleteWithin: 60}, exchange.Obligations{DeleteWithin: 60, NoOnwardSharing: true}},
		{GrantGiveOptions{DeleteWithin: span(day)}, exchange.Obligations{DeleteWithin: 60}, exchange.Obligations{DeleteWithin: 86400}}, // wider: the ledger refuses it
	} {
		if got := tc.opts.obligations(tc.terms); *got != tc.want {
			t.Errorf("%+v with %+v: %+v, want %+v", tc.opts, tc.terms, *got, tc.want)
		}
	}
}
