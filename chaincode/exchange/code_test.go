package exchange

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParseError(t *testing.T) {
	for _, tc := range []struct {
		text    string
		code    Code // "": none
		message string
	}{
		{"denied: not yours", Denied, "not yours"},
		{"chaincode response 500, expired: over: now", Expired, "over: now"},
		{"rpc error: code = Aborted desc = endorse: chaincode response 500, not-found: there is no grant", NotFound, "there is no grant"},
		{"invalid: denied: x", Invalid, "denied: x"},
		{"is denied: x", Denied, "x"},
		{"", "", ""},
		{"denied", "", ""},
		{"denied:", "", ""},
		{"undenied: x", "", ""},
		{"ok: x", "", ""},
		{"connection refused", "", ""},
		{": : : ", "", ""},
	} {
		got := ParseError(tc.text)
		if tc.code == "" {
			if got != nil {
				t.Errorf("%q: found %v", tc.text, got)
			}
			continue
		}
		if got == nil || got.Code != tc.code || got.Message != tc.message {
			t.Errorf("%q: %v, want %s: %s", tc.text, got, tc.code, tc.message)
		}
	}
}

func TestError(t *testing.T) {
	for code, sentinel := range sentinels {
		err := fmt.Errorf("redeem: %w", Errorf(code, "slot %d", 3))
		if !errors.Is(err, sentinel) || !strings.HasSuffix(err.Error(), string(code)+": slot 3") {
			t.Errorf("%s: %v", code, err)
		}
		for other, s := range sentinels {
			if other != code && errors.Is(err, s) {
				t.Errorf("%s is taken for %s", code, other)
			}
		}
		if got := ParseError(err.Error()); got == nil || got.Code != code {
			t.Errorf("%v is read as %v", err, got)
		}
		done := code == Exists
		if out := (Outcome{Code: code, Message: "m"}); (out.Err() == nil) != done {
			t.Errorf("outcome %s: %v", code, out.Err())
		}
	}
	if err := (Outcome{Code: OK}).Err(); err != nil {
		t.Error(err)
	}
}

func FuzzParseError(f *testing.F) {
	f.Add("chaincode response 500, denied: x")
	f.Add(": ")
	f.Fuzz(func(t *testing.T, text string) {
		if e := ParseError(text); e != nil && !strings.HasSuffix(text, e.Error()) {
			t.Fatalf("%q holds %v", text, e)
		}
	})
}
