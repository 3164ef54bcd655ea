package exchange_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"chancery/chaincode/contracttest"
	"chancery/chaincode/exchange"
)

// TestEveryText puts what cannot be read into every text of every body. Only a
// certificate is left to the contract, which parses it.
func TestEveryText(t *testing.T) {
	for op, body := range exchange.Bodies() {
		for name, text := range contracttest.Unreadable {
			for path, changed := range contracttest.WithText(t, body, func(string) string { return text }) {
				if _, err := exchange.DecodeBody(op, []byte(changed)); path != "certificate" && !errors.Is(err, exchange.ErrInvalid) {
					t.Errorf("%s, %s in %s: %v", op, name, path, err)
				}
			}
		}
	}
}

// prose is written for people to read, in any script.
var prose = []string{
	"title", "description", "licence", "keywords", "purposes", "unit", "source", "statement", "reason", "purpose", "legalBasis", "fileName",
	"columns.0.name", "columns.1.name", "key", "value", "keys", "missing",
}

// TestLookAlikes writes every text that is no prose in letters that look like
// its own.
func TestLookAlikes(t *testing.T) {
	alike := strings.NewReplacer("a", "\u0430", "e", "\u0435", "o", "\u043e", "c", "\u0441", "0", "\u041e", "2", "\u01a7", "P", "\u0420")
	for op, body := range exchange.Bodies() {
		for path, changed := range contracttest.WithText(t, body, alike.Replace) {
			parts := strings.Split(path, ".")
			readable := slices.ContainsFunc(prose, func(p string) bool { return p == path || slices.Contains(parts, p) })
			_, err := exchange.DecodeBody(op, []byte(changed))
			if path != "certificate" && errors.Is(err, exchange.ErrInvalid) == readable {
				t.Errorf("%s, %s: %v", op, path, err)
			}
		}
	}
}
