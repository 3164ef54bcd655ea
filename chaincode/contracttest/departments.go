package contracttest

import (
	"testing"

	"chancery/chaincode/exchange"
)

// testOfficers enrols, suspends and reinstates, and tries to sign in between.
func (s *suite) testOfficers(t *testing.T) {
	c := s.stage(t).opened().candidate()
	who := actor{provider, c.name}
	refuse := &exchange.EndRequest{Request: c.request, Reason: "no"}

	t.Run("not enrolled", func(t *testing.T) {
		for _, row := range exchange.Transitions {
			if row.Party != exchange.Unlisted {
				s.deniedTo(t, who, row)
			}
		}
	})
	t.Run("certificates", func(t *testing.T) {
		foreign, err := s.net.Issue(requester, s.fresh())
		if err != nil {
			t.Fatal(err)
		}
		for name, certificate := range map[string]string{
			"no PEM":   "certificate",
			"two":      c.certificate + c.certificate,
			"cut off":  c.certificate[:len(c.certificate)/2],
			"a key":    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
			"no X.509": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		} {
			body := &exchange.EnrolOfficer{Name: "x", Role: exchange.Officer, Certificate: certificate}
			if _, err := s.do(t, providerAdmin, exchange.OpOfficerEnrol, "", body); codeOf(exchange.Outcome{}, err) != exchange.Invalid {
				t.Errorf("%s: %v, want %s", name, err, exchange.Invalid)
			}
		}
		s.want(t, exchange.Denied, providerAdmin, exchange.OpOfficerEnrol, "",
			&exchange.EnrolOfficer{Name: "x", Role: exchange.Officer, Certificate: foreign})
	})

	c.officer = c.must(t, providerAdmin, exchange.OpOfficerEnrol, "", c.enrolment(exchange.Officer)).ID
	c.officerSuspended()
	s.want(t, exchange.Denied, who, exchange.OpRequestRefuse, "", refuse)
	c.must(t, providerAdmin, exchange.OpOfficerReinstate, "", &exchange.ChangeOfficer{Officer: c.officer, Reason: "back"})
	s.want(t, exchange.OK, who, exchange.OpRequestRefuse, "", refuse)
	c.officerSuspended() // what was signed before stands
	if r := get[exchange.Request](t, s, exchange.NounRequest, c.request); r.State != exchange.RequestRefused || r.Change.Officer != c.officer || r.Change.Name != c.name {
		t.Errorf("the request is %+v", r)
	}

	t.Run("oneself", func(t *testing.T) {
		second := s.fresh()
		id := s.enrol(t, provider, exchange.Admin, second)
		s.want(t, exchange.Denied, actor{provider, second}, exchange.OpOfficerSuspend, "", &exchange.ChangeOfficer{Officer: id, Reason: "tired"})
		s.want(t, exchange.OK, providerAdmin, exchange.OpOfficerSuspend, "", &exchange.ChangeOfficer{Officer: id, Reason: "tired"})
	})
}

// deniedTo tries to sign a row whose record is of no matter.
func (s *suite) deniedTo(t *testing.T, who actor, row exchange.Transition) {
	t.Helper()
	c := s.stage(t)
	c.dataset, c.object, c.request, c.grant = noID(exchange.NounDataset), noID(exchange.NounObject), noID(exchange.NounRequest), noID(exchange.NounGrant)
	c.keyring, c.job, c.planned = noID(exchange.NounKeyring), noID(exchange.NounJob), c.fresh()
	c.version, c.asked, c.officer, c.certificate = c.fresh(), c.fresh(), noID(exchange.NounOfficer), "certificate"
	command, body := "", exchange.Body(&exchange.ChangeDepartment{Name: who.department, Reason: "no"})
	if say := saying[row.Op]; say != nil {
		command, body = say(c)
	}
	s.want(t, exchange.Denied, who, row.Op, command, body)
}

// testDepartments suspends and reinstates labor while nothing else runs.
func (s *suite) testDepartments(t *testing.T) {
	admin := actor{third, string(exchange.Admin)}
	change := func(name, reason string) *exchange.ChangeDepartment {
		return &exchange.ChangeDepartment{Name: name, Reason: reason}
	}
	was := get[exchange.Department](t, s, exchange.NounDepartment, third)
	registration := exchange.RegisterDepartment{Name: was.Name, Title: was.Title, Recipient: was.Recipient}

	t.Run("register", func(t *testing.T) {
		s.want(t, exchange.Exists, admin, exchange.OpDepartmentRegister, "", &registration)
		renamed, retitled := registration, registration
		renamed.Name, retitled.Title = s.fresh(), "Another title"
		s.want(t, exchange.Conflict, admin, exchange.OpDepartmentRegister, "", &renamed)
		s.want(t, exchange.Conflict, admin, exchange.OpDepartmentRegister, "", &retitled)
		s.want(t, exchange.Denied, witness, exchange.OpDepartmentRegister, "", &renamed)
	})
	t.Run("who", func(t *testing.T) {
		s.want(t, exchange.NotFound, admin, exchange.OpDepartmentSuspend, "", change(s.fresh(), "none"))
		s.want(t, exchange.Denied, providerAdmin, exchange.OpDepartmentSuspend, "", change(third, "theirs"))
		s.want(t, exchange.Conflict, admin, exchange.OpDepartmentReinstate, "", change(third, s.fresh()))
		for _, role := range exchange.Roles {
			if role != exchange.Admin {
				s.want(t, exchange.Denied, s.actorOf(third, role), exchange.OpDepartmentSuspend, "", change(third, "not mine"))
			}
		}
	})

	suspend, reinstate := change(third, "audit "+s.run), change(third, "audited "+s.run)
	t.Cleanup(func() { _, _ = s.do(t, admin, exchange.OpDepartmentReinstate, "", reinstate) })
	pending := s.stage(t).granted()
	theirs := s.must(t, witness, exchange.OpRequestOpen, s.fresh(), pending.question()).ID
	s.want(t, exchange.OK, admin, exchange.OpDepartmentSuspend, "", suspend)
	t.Run("suspended", func(t *testing.T) {
		s.want(t, exchange.Exists, admin, exchange.OpDepartmentSuspend, "", suspend)
		s.want(t, exchange.Conflict, admin, exchange.OpDepartmentSuspend, "", change(third, "again"))
		s.want(t, exchange.Conflict, admin, exchange.OpDepartmentRegister, "", &exchange.RegisterDepartment{
			Name: third, Title: "Another title", Recipient: was.Recipient})
		s.want(t, exchange.Denied, decider, exchange.OpGrantGive, s.fresh(), &exchange.GiveGrant{Request: theirs})
		s.want(t, exchange.Denied, asker, exchange.OpJobOpen, s.fresh(), pending.plan()) // theirs are the key and an input
		for _, row := range walked() {
			s.deniedTo(t, s.actorOf(third, row.Roles[0]), row)
		}
		if _, err := s.apply(t, witness, s.operation(t, exchange.OpObjectAttest, "", &exchange.AttestObject{Object: pending.object, Verdict: exchange.Good})); codeOf(exchange.Outcome{}, err) != exchange.Denied {
			t.Errorf("Apply: %v, want %s", err, exchange.Denied)
		}
	})
	s.want(t, exchange.OK, admin, exchange.OpDepartmentReinstate, "", reinstate)
	s.want(t, exchange.Exists, admin, exchange.OpDepartmentReinstate, "", reinstate)
	s.want(t, exchange.OK, decider, exchange.OpGrantGive, s.fresh(), &exchange.GiveGrant{Request: theirs})
	s.want(t, exchange.OK, witness, exchange.OpObjectAttest, "", &exchange.AttestObject{Object: pending.object, Verdict: exchange.Good})
}
