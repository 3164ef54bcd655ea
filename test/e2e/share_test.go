package e2e

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
)

// outcome is what verbs that change something print.
type outcome struct {
	ID      string        `json:"id"`
	Code    exchange.Code `json:"code"`
	Command string        `json:"command"`
	Dataset string        `json:"dataset"`
	Tx      string        `json:"tx"`
}

// table is a dataset in the making: a file and what is said of it.
type table struct {
	owner   string
	name    string // of the dataset; its file is <name>.csv
	content []byte
	file    string
}

// newTable makes a table that no other test has.
func newTable(t *testing.T, owner string) table {
	t.Helper()
	name := "t" + strings.ToLower(rand.Text()[:12])
	content := []byte("place,people\n")
	for i := range 400 {
		content = fmt.Appendf(content, "%s-%d,%d\n", name, i, i*i)
	}
	file := filepath.Join(t.TempDir(), name+".csv")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return table{owner: owner, name: name, content: content, file: file}
}

// publishing is the command line that publishes the table.
func (s table) publishing() []string {
	return []string{
		"dataset", "publish", s.file, "-d", s.owner, "--name", s.name, "--title", "Table " + s.name,
		"--licence", "CC0-1.0", "--column", "place:string", "--column", "people:integer:persons", "--max-uses", "5",
	}
}

// publish publishes a new table.
func (n network) publish(t *testing.T, owner string) (table, outcome) {
	t.Helper()
	s := newTable(t, owner)
	return s, ask[outcome](t, n, s.publishing()...)
}

// open asks for a table and returns the request.
func (n network) open(t *testing.T, requester string, s table) outcome {
	t.Helper()
	return ask[outcome](t, n, "request", "open", s.owner+"/"+s.name, "-d", requester,
		"--purpose", "planning", "--legal-basis", "Statistics Act, section 5", "--uses", "2")
}

// give grants a request and returns the grant.
func (n network) give(t *testing.T, owner, request string) outcome {
	t.Helper()
	return ask[outcome](t, n, "grant", "give", request, "-d", owner, "--uses", "1")
}

// delivered waits until the requester has filed its receipt, and compares the
// file in its inbox with the table.
func (n network) delivered(t *testing.T, requester, grant string, s table) {
	t.Helper()
	n.hear(t, s.owner, exchange.ReceiptFiled, grant)
	arrived, err := os.ReadFile(filepath.Join(n.profile(t, requester).Inbox, grant, "0", s.name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(arrived, s.content) {
		t.Errorf("%d bytes arrived, %d were published", len(arrived), len(s.content))
	}
}

// absent reports whether the ledger has no such record.
func (n network) absent(t *testing.T, noun exchange.Noun, id string) bool {
	t.Helper()
	var record map[string]any
	err := n.client(t, "census", string(exchange.Auditor)).Get(t.Context(), noun, id, &record)
	if err != nil && !errors.Is(err, exchange.ErrNotFound) {
		t.Fatal(err)
	}
	return err != nil
}
