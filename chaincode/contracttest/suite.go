package contracttest

import (
	"encoding/json"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"chancery/chaincode/exchange"
)

// suite is one run over a network.
type suite struct {
	net Network
	run string // in every name of this run
	n   atomic.Int64

	computing *computing
}

func newSuite(t *testing.T, net Network) *suite {
	t.Helper()
	s := &suite{net: net, run: "t" + strconv.FormatInt(time.Now().UnixNano(), 36)}
	for _, d := range Departments {
		s.enrol(t, d, exchange.Policy, s.policy())
	}
	s.computing = s.compute(t)
	return s
}

// policy names the identity that the suite enrols for the role policy, which
// a department need not have.
func (s *suite) policy() string { return "policy-" + s.run }

// fresh returns a name that nothing on the ledger has yet; it may also be a
// command id.
func (s *suite) fresh() string { return s.run + "-" + strconv.FormatInt(s.n.Add(1), 10) }

func (s *suite) parallel(f func(t *testing.T)) func(t *testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		f(t)
	}
}

// actor is who signs.
type actor struct{ department, identity string }

func (a actor) String() string { return a.identity + " of " + a.department }

// actorOf is a department's identity for a role.
func (s *suite) actorOf(department string, role exchange.Role) actor {
	if role == exchange.Policy {
		return actor{department, s.policy()}
	}
	return actor{department, string(role)}
}

// enrol issues an identity and enrols it, and returns the officer's id.
func (s *suite) enrol(t *testing.T, department string, role exchange.Role, identity string) string {
	t.Helper()
	certificate, err := s.net.Issue(department, identity)
	if err != nil {
		t.Fatal(err)
	}
	admin := actor{department, string(exchange.Admin)}
	return s.must(t, admin, exchange.OpOfficerEnrol, "", &exchange.EnrolOfficer{Name: identity, Role: role, Certificate: certificate}).ID
}

// submit calls the function of an operation.
func (s *suite) submit(t *testing.T, who actor, op exchange.Op, command, body string) (exchange.Outcome, error) {
	t.Helper()
	row, ok := exchange.TransitionOf(op)
	if !ok {
		t.Fatalf("%s is not in the table", op)
	}
	answer, err := s.net.Submit(who.department, who.identity, row.Function, command, body)
	if err != nil {
		refusal := exchange.ParseError(err.Error())
		if refusal == nil {
			t.Fatalf("%s by %s: no refusal but %v", op, who, err)
		}
		return exchange.Outcome{}, refusal
	}
	var out exchange.Outcome
	if err := exchange.Decode([]byte(answer), &out); err != nil {
		t.Fatalf("%s by %s answers %q: %v", op, who, answer, err)
	}
	return out, nil
}

func (s *suite) do(t *testing.T, who actor, op exchange.Op, command string, body exchange.Body) (exchange.Outcome, error) {
	t.Helper()
	data, err := exchange.Encode(body)
	if err != nil {
		t.Fatal(err)
	}
	return s.submit(t, who, op, command, string(data))
}

// must performs an operation that the contract must accept.
func (s *suite) must(t *testing.T, who actor, op exchange.Op, command string, body exchange.Body) exchange.Outcome {
	t.Helper()
	out, err := s.do(t, who, op, command, body)
	if err != nil {
		t.Fatalf("%s by %s: %v", op, who, err)
	}
	return out
}

// want performs an operation that must end with a code.
func (s *suite) want(t *testing.T, code exchange.Code, who actor, op exchange.Op, command string, body exchange.Body) exchange.Outcome {
	t.Helper()
	out, err := s.do(t, who, op, command, body)
	if got := codeOf(out, err); got != code {
		t.Errorf("%s by %s: %s (%v), want %s", op, who, got, err, code)
	}
	return out
}

// codeOf is the code of an outcome or refusal.
func codeOf(out exchange.Outcome, err error) exchange.Code {
	var refusal *exchange.Error
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return out.Code
}

// get reads a record.
func get[T any](t *testing.T, s *suite, noun exchange.Noun, id string) T {
	t.Helper()
	var record T
	text, err := s.net.Evaluate(third, string(exchange.Auditor), "Get", string(noun), id)
	if err != nil {
		t.Fatalf("get %s %s: %v", noun, id, err)
	}
	if err := json.Unmarshal([]byte(text), &record); err != nil {
		t.Fatalf("get %s %s: %v", noun, id, err)
	}
	return record
}
