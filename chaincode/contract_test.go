package chaincode_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/contracttest"
	"chancery/chaincode/exchange"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// newLedger is a ledger in memory with the departments that the suite needs.
func newLedger(t *testing.T) *contracttest.Memory {
	t.Helper()
	m, err := contracttest.NewMemory(start)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range contracttest.Departments {
		if err := m.Populate(d); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// TestContract runs the suite, and then looks at what every transaction of it
// has told.
func TestContract(t *testing.T) {
	m := newLedger(t)
	contracttest.Run(t, func(*testing.T) contracttest.Network { return m })
	checkEvents(t, m)
	checkUses(t, m)
	checkJobs(t, m)
}

// desk signs for one share in memory.
type desk struct {
	*testing.T
	*contracttest.Memory
}

func encode(t *testing.T, v any) string {
	t.Helper()
	data, err := exchange.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func function(op exchange.Op) string {
	row, _ := exchange.TransitionOf(op)
	return row.Function
}

// do submits an operation and returns its outcome.
func (d desk) do(department, identity string, op exchange.Op, command string, body exchange.Body) (exchange.Outcome, error) {
	d.Helper()
	answer, err := d.Submit(department, identity, function(op), command, encode(d.T, body))
	if err != nil {
		return exchange.Outcome{}, err
	}
	var out exchange.Outcome
	if err := json.Unmarshal([]byte(answer), &out); err != nil {
		d.Fatal(err)
	}
	return out, nil
}

func (d desk) must(department, identity string, op exchange.Op, command string, body exchange.Body) exchange.Outcome {
	d.Helper()
	out, err := d.do(department, identity, op, command, body)
	if err != nil {
		d.Fatal(err)
	}
	return out
}

// wantCode compares the code of a refusal.
func wantCode(t *testing.T, err error, code exchange.Code) *exchange.Error {
	t.Helper()
	if err == nil {
		t.Errorf("accepted, want %s", code)
		return &exchange.Error{}
	}
	refusal := exchange.ParseError(err.Error())
	if refusal == nil || refusal.Code != code {
		t.Errorf("%v, want %s", err, code)
		return &exchange.Error{}
	}
	return refusal
}

// request opens a request of health to census for a dataset of that name.
func (d desk) request(name string) (request string) {
	d.Helper()
	dataset := d.must("census", "worker", exchange.OpDatasetRegister, "", &exchange.RegisterDataset{
		Name:        name,
		Description: exchange.Description{Title: name, Licence: "CC0-1.0", MediaType: "text/csv"},
		Terms:       exchange.Terms{Actions: []exchange.Action{exchange.Read}, MaxUses: 9, MaxDuration: exchange.MaxDuration},
	}).ID
	d.must("census", "worker", exchange.OpObjectRegister, "", &exchange.RegisterObject{
		Command: "publish-" + name, Dataset: dataset, CID: "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", Size: 1,
		SealedDigest: strings.Repeat("a", 64), ContentDigest: strings.Repeat("b", 64), FileName: "a.csv",
	})
	return d.must("health", "worker", exchange.OpRequestOpen, "ask-"+name, &exchange.OpenRequest{
		Dataset: dataset, Purpose: "planning", LegalBasis: "section 5", Actions: []exchange.Action{exchange.Read},
		NotBefore: d.Now().Add(-time.Hour), NotAfter: d.Now().Add(48 * time.Hour), Uses: 9,
	}).ID
}

// grant gives a grant for a request of its own.
func (d desk) grant(name string) (grant string) {
	d.Helper()
	return d.must("census", "officer", exchange.OpGrantGive, "give-"+name, &exchange.GiveGrant{Request: d.request(name)}).ID
}
