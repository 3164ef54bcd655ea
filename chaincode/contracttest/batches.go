package contracttest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
)

func (s *suite) operation(t *testing.T, op exchange.Op, command string, body exchange.Body) exchange.Operation {
	t.Helper()
	data, err := exchange.Encode(body)
	if err != nil {
		t.Fatal(err)
	}
	return exchange.Operation{Command: command, Op: op, Body: data}
}

// apply submits a batch.
func (s *suite) apply(t *testing.T, who actor, ops ...exchange.Operation) ([]exchange.Outcome, error) {
	t.Helper()
	batch, err := exchange.Encode(ops)
	if err != nil {
		t.Fatal(err)
	}
	return s.applyText(t, who, string(batch))
}

func (s *suite) applyText(t *testing.T, who actor, batch string) ([]exchange.Outcome, error) {
	t.Helper()
	answer, err := s.net.Submit(who.department, who.identity, "Apply", batch)
	if err != nil {
		refusal := exchange.ParseError(err.Error())
		if refusal == nil {
			t.Fatalf("Apply by %s: no refusal but %v", who, err)
		}
		return nil, refusal
	}
	var outcomes []exchange.Outcome
	if err := json.Unmarshal([]byte(answer), &outcomes); err != nil {
		t.Fatalf("Apply answers %q: %v", answer, err)
	}
	return outcomes, nil
}

// applied submits a batch that must be accepted as a whole and compares codes.
func (s *suite) applied(t *testing.T, who actor, codes []exchange.Code, ops ...exchange.Operation) []exchange.Outcome {
	t.Helper()
	outcomes, err := s.apply(t, who, ops...)
	if err != nil {
		t.Fatalf("Apply by %s: %v", who, err)
	}
	if len(outcomes) != len(ops) {
		t.Fatalf("Apply of %d operations answers %d outcomes", len(ops), len(outcomes))
	}
	for i, out := range outcomes {
		if out.Code != codes[i] || out.Command != ops[i].Command || out.Op != ops[i].Op {
			t.Errorf("operation %d, %s: %+v, want %s", i, ops[i].Op, out, codes[i])
		}
	}
	return outcomes
}

// testCommands says things twice and other things under the same command.
func (s *suite) testCommands(t *testing.T) {
	c := s.stage(t).published()
	q := c.question()
	command := s.fresh()
	done := s.must(t, asker, exchange.OpRequestOpen, command, q)
	if want := exchange.NewID(exchange.NounRequest, s.net.MSP(requester), command); done.ID != want {
		t.Errorf("the request is %s, want %s", done.ID, want)
	}
	s.want(t, exchange.Exists, asker, exchange.OpRequestOpen, command, q)
	other := *q
	other.Uses++
	s.want(t, exchange.Conflict, asker, exchange.OpRequestOpen, command, &other)
	s.want(t, exchange.Conflict, asker, exchange.OpRequestWithdraw, command, &exchange.EndRequest{Request: done.ID, Reason: "no"})
	theirs := s.want(t, exchange.OK, witness, exchange.OpRequestOpen, command, q) // another department's command
	if theirs.ID == done.ID {
		t.Errorf("two departments have made %s", done.ID)
	}

	t.Run("another operation with the same body", func(t *testing.T) {
		c := s.stage(t).enrolled()
		command, body := s.fresh(), &exchange.ChangeOfficer{Officer: c.officer, Reason: "leave"}
		s.want(t, exchange.OK, providerAdmin, exchange.OpOfficerSuspend, command, body)
		s.want(t, exchange.Conflict, providerAdmin, exchange.OpOfficerReinstate, command, body)
	})
	t.Run("keys in another order", func(t *testing.T) {
		text, err := exchange.Encode(q)
		if err != nil {
			t.Fatal(err)
		}
		moved := `{"uses":2,` + strings.Replace(strings.TrimPrefix(string(text), "{"), `,"uses":2`, "", 1)
		if out, err := s.submit(t, asker, exchange.OpRequestOpen, command, moved); codeOf(out, err) != exchange.Exists {
			t.Errorf("%+v (%v), want %s", out, err, exchange.Exists)
		}
	})
	t.Run("a refusal leaves no trace", func(t *testing.T) {
		late := s.fresh()
		wide := *q
		wide.Uses = exchange.MaxUses
		s.want(t, exchange.Denied, asker, exchange.OpRequestOpen, late, &wide)
		if _, err := s.net.Evaluate(requester, string(exchange.Worker), "Get", string(exchange.NounOperation), requester+"/"+late); err == nil {
			t.Error("the refusal is on record")
		}
		s.want(t, exchange.OK, asker, exchange.OpRequestOpen, late, q)
	})
}

// testBatches runs operations beside one another.
func (s *suite) testBatches(t *testing.T) {
	t.Run("mixed", s.parallel(s.testMixed))
	t.Run("recorded refusals", s.parallel(s.testRecordedRefusals))
	t.Run("again", s.parallel(s.testAgain))
	t.Run("whole", s.parallel(s.testWholeBatch))
}

// testMixed puts good operations beside every kind of bad one.
func (s *suite) testMixed(t *testing.T) {
	c := s.stage(t).published()
	unwritable := strings.Replace(string(s.operation(t, exchange.OpRequestOpen, "", &exchange.OpenRequest{
		Dataset: c.dataset, Purpose: "planning", LegalBasis: "section 5", Actions: []exchange.Action{exchange.Read}, Uses: 1, ValidFor: 60,
	}).Body), `"validFor":60`, `"notAfter":"9999-12-31T23:59:59-01:00"`, 1)
	commands := []string{s.fresh(), s.fresh(), s.fresh(), s.fresh()}
	wide := c.question()
	wide.Uses = exchange.MaxUses
	ops := []exchange.Operation{
		s.operation(t, exchange.OpRequestOpen, commands[0], c.question()),
		s.operation(t, exchange.OpRequestOpen, commands[1], wide),
		s.operation(t, exchange.OpObjectAttest, "", &exchange.AttestObject{Object: c.object, Verdict: exchange.Good}),
		{Command: commands[2], Op: exchange.OpRequestOpen, Body: json.RawMessage(`{"dataset":"x","dataset":"y"}`)},
		s.operation(t, exchange.OpGrantGive, commands[3], &exchange.GiveGrant{Request: noID(exchange.NounRequest)}),
		{Command: s.fresh(), Op: "request.burn", Body: json.RawMessage(`{}`)},
		{Command: "no command", Op: exchange.OpGrantRedeem, Body: json.RawMessage(`{}`)},
		s.operation(t, exchange.OpGrantRedeem, "", &exchange.RedeemGrant{Grant: noID(exchange.NounGrant)}),
		{Op: exchange.OpRequestOpen, Body: json.RawMessage(unwritable)},
	}
	codes := []exchange.Code{exchange.OK, exchange.Denied, exchange.OK, exchange.Invalid, exchange.Denied,
		exchange.Invalid, exchange.Invalid, exchange.NotFound, exchange.Invalid}
	first := s.applied(t, asker, codes, ops...)
	if !strings.Contains(first[4].Message, "GiveGrant") {
		t.Errorf("%q does not say what to call", first[4].Message)
	}
	get[exchange.Request](t, s, exchange.NounRequest, first[0].ID)
	get[exchange.Attestation](t, s, exchange.NounAttestation, c.object+"/"+requester)
	for i, command := range commands {
		r := get[exchange.OperationRecord](t, s, exchange.NounOperation, requester+"/"+command)
		at := []int{0, 1, 3, 4}[i]
		if r.Code != codes[at] || r.Op != ops[at].Op || r.Message != first[at].Message || r.Tx != first[at].Tx {
			t.Errorf("recorded: %+v, want %+v", r, first[at])
		}
	}
	codes[0], codes[2] = exchange.Exists, exchange.Exists
	second := s.applied(t, asker, codes, ops...)
	for i := range ops {
		recorded := i == 0 || i == 1 || i == 3 || i == 4
		if second[i].Repeated != recorded || recorded && second[i].Tx != first[i].Tx {
			t.Errorf("operation %d again: %+v, want it recorded: %t", i, second[i], recorded)
		}
	}
}

// testRecordedRefusals asks for a refused command by another way, with another
// body.
func (s *suite) testRecordedRefusals(t *testing.T) {
	c := s.stage(t).published()
	command := s.fresh()
	wide := c.question()
	wide.Uses = exchange.MaxUses
	s.applied(t, asker, []exchange.Code{exchange.Denied}, s.operation(t, exchange.OpRequestOpen, command, wide))
	s.want(t, exchange.Denied, asker, exchange.OpRequestOpen, command, wide)
	s.want(t, exchange.Conflict, asker, exchange.OpRequestOpen, command, c.question())
	s.applied(t, asker, []exchange.Code{exchange.Conflict}, s.operation(t, exchange.OpRequestOpen, command, c.question()))
	r := get[exchange.OperationRecord](t, s, exchange.NounOperation, requester+"/"+command)
	if r.Code != exchange.Denied {
		t.Errorf("recorded: %+v", r)
	}
}

// testAgain touches records twice in one transaction.
func (s *suite) testAgain(t *testing.T) {
	c := s.stage(t).granted()
	command := s.fresh()
	open := s.operation(t, exchange.OpRequestOpen, command, c.question())
	claim := s.operation(t, exchange.OpGrantRedeem, s.fresh(), redeem(c, 0))
	twice := s.operation(t, exchange.OpGrantRedeem, s.fresh(), redeem(c, 0))
	beside := s.operation(t, exchange.OpGrantRedeem, "", redeem(c, 1))
	s.applied(t, asker, []exchange.Code{exchange.OK, exchange.Again, exchange.OK, exchange.Again, exchange.OK}, open, open, claim, twice, beside)
	if _, err := s.net.Evaluate(requester, string(exchange.Worker), "Get", string(exchange.NounOperation), requester+"/"+twice.Command); err == nil {
		t.Error("what is to be submitted again is on record")
	}
	s.applied(t, asker, []exchange.Code{exchange.Exists, exchange.Exists}, open, twice)

	q := c.question()
	request := exchange.NewID(exchange.NounRequest, s.net.MSP(requester), "ask-"+command)
	s.applied(t, asker, []exchange.Code{exchange.OK, exchange.Again},
		s.operation(t, exchange.OpRequestOpen, "ask-"+command, q),
		s.operation(t, exchange.OpRequestWithdraw, s.fresh(), &exchange.EndRequest{Request: request, Reason: "no"}))

	d := s.stage(t)
	d.dataset = exchange.DatasetID(s.net.MSP(provider), d.name)
	s.applied(t, owner, []exchange.Code{exchange.OK, exchange.Again},
		s.operation(t, exchange.OpDatasetRegister, "", d.registration()),
		s.operation(t, exchange.OpObjectRegister, "", d.versionOf(s.fresh())))
	versions := []exchange.Operation{
		s.operation(t, exchange.OpObjectRegister, "", d.versionOf(s.fresh())),
		s.operation(t, exchange.OpObjectRegister, "", d.versionOf(s.fresh())),
	}
	s.applied(t, owner, []exchange.Code{exchange.OK, exchange.Again}, versions...)
	s.applied(t, owner, []exchange.Code{exchange.Exists, exchange.OK}, versions...)
	if d := get[exchange.Dataset](t, s, exchange.NounDataset, d.dataset); d.Versions != 2 {
		t.Errorf("%d versions, want 2", d.Versions)
	}
}

// testWholeBatch sends batches that are refused as a whole.
func (s *suite) testWholeBatch(t *testing.T) {
	op := s.operation(t, exchange.OpGrantRedeem, "", &exchange.RedeemGrant{Grant: noID(exchange.NounGrant)})
	many := make([]exchange.Operation, exchange.MaxOperations+1)
	for i := range many {
		many[i] = op
	}
	tooMany, err := exchange.Encode(many)
	if err != nil {
		t.Fatal(err)
	}
	one := fmt.Sprintf(`{"op":%q,"body":%s}`, op.Op, op.Body)
	for name, batch := range map[string]string{
		"empty":       "",
		"null":        "null",
		"none":        "[]",
		"an object":   one,
		"not JSON":    "[" + one,
		"key twice":   `[{"op":"grant.redeem","op":"grant.redeem","body":{}}]`,
		"unknown key": `[{"op":"grant.redeem","body":{},"by":"census"}]`,
		"too many":    string(tooMany),
		"too large":   `[{"op":"grant.redeem","body":"` + strings.Repeat("x", exchange.MaxBatch) + `"}]`,
	} {
		if _, err := s.applyText(t, asker, batch); codeOf(exchange.Outcome{}, err) != exchange.Invalid {
			t.Errorf("%s: %v, want %s", name, err, exchange.Invalid)
		}
	}
	for _, role := range []exchange.Role{exchange.Admin, exchange.Officer, exchange.Policy, exchange.Auditor} {
		if _, err := s.apply(t, s.actorOf(requester, role), op); codeOf(exchange.Outcome{}, err) != exchange.Denied {
			t.Errorf("by the %s: %v, want %s", role, err, exchange.Denied)
		}
	}
	full := many[:exchange.MaxOperations]
	codes := make([]exchange.Code, len(full))
	for i := range codes {
		codes[i] = exchange.NotFound
	}
	s.applied(t, asker, codes, full...)
}
