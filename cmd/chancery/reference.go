package main

import (
	"strings"

	"chancery/chaincode/exchange"
)

// checkID refuses an argument that cannot be the id of a noun's record, before
// anything is asked.
func checkID(noun exchange.Noun, id string) error {
	if exchange.ValidID(noun, id) {
		return nil
	}
	return usagef("%q is not the id of %s: `chancery %s list` shows them", id, withArticle(noun), noun)
}

func withArticle(noun exchange.Noun) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + string(noun)
	}
	return "a " + string(noun)
}

// checkDataset refuses an argument that names no dataset: neither OWNER/NAME
// nor an id.
func checkDataset(ref string) error {
	owner, name, found := strings.Cut(ref, "/")
	if exchange.ValidID(exchange.NounDataset, ref) || found && exchange.ValidName(owner) && exchange.ValidName(name) {
		return nil
	}
	return usagef("%q names no dataset: use OWNER/NAME, as in census/population, or its id", ref)
}

// signer says who made a change, for people.
func signer(c exchange.Change) string {
	if c.Name == "" {
		return c.By
	}
	return c.Name + " of " + c.By
}

// addChange prints a record's provenance.
func addChange(f *fields, c exchange.Change) {
	f.add("last change", "%s by %s at %s", c.Op, signer(c), clock(c.Time))
	f.add("reason", "%s", c.Reason)
	f.add("transaction", "%s", c.Tx)
}
