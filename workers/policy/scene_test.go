package policy

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"chancery/chaincode/contracttest"
	"chancery/chaincode/exchange"
	"chancery/test/workertest"
)

// scene is census with a table that labor may ask for, on the real contract
// over a ledger in memory.
type scene struct {
	*ledgerAs
	t    *testing.T
	file string
}

// ledgerAs is the ledger as one identity of census sees it.
type ledgerAs struct {
	memory   *contracttest.Memory
	identity string

	mu     sync.Mutex
	before func() // called before an operation is submitted, once
	lists  int    // calls of List
	away   error  // what Invoke answers
}

func (l *ledgerAs) Get(_ context.Context, noun exchange.Noun, id string, v any) error {
	answer, err := l.memory.Evaluate("census", l.identity, "Get", string(noun), id)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(answer), v)
}

func (l *ledgerAs) List(_ context.Context, q exchange.Query) (page exchange.Page, err error) {
	l.mu.Lock()
	l.lists++
	l.mu.Unlock()
	query, err := exchange.Encode(q)
	if err != nil {
		return page, err
	}
	answer, err := l.memory.Evaluate("census", l.identity, "List", string(query))
	if err != nil {
		return page, err
	}
	return page, json.Unmarshal([]byte(answer), &page)
}

func (l *ledgerAs) Invoke(_ context.Context, op exchange.Operation) (exchange.Outcome, error) {
	if l.away != nil {
		return exchange.Outcome{}, l.away
	}
	if l.before != nil {
		l.before()
		l.before = nil
	}
	return submit(l.memory, "census", l.identity, op)
}

func submit(m *contracttest.Memory, department, identity string, op exchange.Operation) (o exchange.Outcome, err error) {
	row, _ := exchange.TransitionOf(op.Op)
	answer, err := m.Submit(department, identity, row.Function, op.Command, string(op.Body))
	if refusal := exchange.ParseError(errText(err)); refusal != nil {
		return exchange.Outcome{Op: op.Op, Code: refusal.Code, Message: refusal.Message}, nil
	}
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal([]byte(answer), &o)
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func newScene(t *testing.T, rules string) *scene {
	t.Helper()
	m, err := contracttest.NewMemory(noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"census", "labor"} {
		if err := m.Populate(d); err != nil {
			t.Fatal(err)
		}
	}
	s := &scene{&ledgerAs{memory: m, identity: "policy"}, t, filepath.Join(t.TempDir(), "policy.yaml")}
	s.enrol("policy", exchange.Policy)
	s.write(rules)
	s.sign("census", "officer", "register", exchange.OpDatasetRegister, &exchange.RegisterDataset{
		Name: "population", Description: exchange.Description{Title: "Population", Licence: "CC0", MediaType: "text/csv"},
		Terms: exchange.Terms{Actions: []exchange.Action{exchange.Read}, MaxUses: 5, MaxDuration: 90 * 24 * 3600},
	})
	return s
}

func (s *scene) enrol(identity string, role exchange.Role) {
	s.t.Helper()
	certificate, err := s.memory.Issue("census", identity)
	if err != nil {
		s.t.Fatal(err)
	}
	s.sign("census", "admin", "", exchange.OpOfficerEnrol, &exchange.EnrolOfficer{Name: identity, Role: role, Certificate: certificate})
}

// write replaces the rule file; no rules remove it.
func (s *scene) write(rules string) {
	s.t.Helper()
	err := os.WriteFile(s.file, []byte(rules), 0o600)
	if rules == "" {
		err = os.Remove(s.file)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// sign has an identity do something that must succeed, and returns the id of
// the record.
func (s *scene) sign(department, identity, command string, name exchange.Op, body exchange.Body) string {
	s.t.Helper()
	op, err := exchange.NewOperation(command, name, body)
	if err != nil {
		s.t.Fatal(err)
	}
	o, err := submit(s.memory, department, identity, op)
	if err != nil || o.Err() != nil {
		s.t.Fatalf("%s: %v %v", name, err, o.Err())
	}
	return o.ID
}

// ask opens a request of labor's.
func (s *scene) ask(command string, uses int) exchange.Request {
	s.t.Helper()
	id := s.sign("labor", "worker", command, exchange.OpRequestOpen, &exchange.OpenRequest{
		Dataset: "census/population", Purpose: "statistics", LegalBasis: "Labour Act",
		Actions: []exchange.Action{exchange.Read}, ValidFor: 30 * 24 * 3600, Uses: uses,
	})
	return s.request(id)
}

func (s *scene) request(id string) (r exchange.Request) {
	s.t.Helper()
	if err := s.Get(s.t.Context(), exchange.NounRequest, id, &r); err != nil {
		s.t.Fatal(err)
	}
	return r
}

// open is the rule file as the worker would open it.
func (s *scene) open() *File {
	s.t.Helper()
	rules, err := Open(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	return rules
}

// hand gives a worker the event of a request and returns its verdict.
func (s *scene) hand(rules *File, r exchange.Request) error {
	s.t.Helper()
	w := New(Config{Department: "census", Rules: rules, Ledger: s.ledgerAs, Now: func() time.Time { return noon }})
	event := workertest.Event(s.t, exchange.RequestOpened, "labor", "census", r.ID, r)
	return workertest.Hand(s.t, w, workertest.OnLedger(s.t, event))
}

// decided hands a request to the worker, which must be done with it, and
// returns it as it is then.
func (s *scene) decided(r exchange.Request) exchange.Request {
	s.t.Helper()
	if err := s.hand(s.open(), r); err != nil {
		s.t.Fatalf("verdict %s: %v", workertest.Verdict(err), err)
	}
	return s.request(r.ID)
}
