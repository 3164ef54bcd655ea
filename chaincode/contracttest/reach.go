package contracttest

import (
	"testing"

	"chancery/chaincode/exchange"
)

// reach are the ways to every state that a record can have, by noun. The states
// of departments are few and shared by all cases: see testDepartments.
var reach = map[exchange.Noun]map[string]func(c *stage){
	exchange.NounOfficer: {
		exchange.Absent:            func(c *stage) { c.candidate() },
		string(exchange.Active):    func(c *stage) { c.enrolled() },
		string(exchange.Suspended): func(c *stage) { c.enrolled().officerSuspended() },
	},
	exchange.NounDataset: {
		exchange.Absent:             func(c *stage) { c.dataset = noID(exchange.NounDataset) },
		string(exchange.Registered): func(c *stage) { c.registered() },
		string(exchange.Withdrawn):  func(c *stage) { c.registered().withdrawn() },
	},
	exchange.NounObject: {
		exchange.Absent:             func(c *stage) { c.registered().version = c.fresh() },
		string(exchange.Registered): func(c *stage) { c.published() },
	},
	exchange.NounAttestation: {
		exchange.Absent:       func(c *stage) { c.published() },
		string(exchange.Good): func(c *stage) { c.published().attested(requester, exchange.Good) },
		string(exchange.Bad):  func(c *stage) { c.published().attested(requester, exchange.Bad) },
	},
	exchange.NounCertification: {
		exchange.Absent: func(c *stage) { c.published() },
		"certified":     func(c *stage) { c.published().certified() },
	},
	exchange.NounRequest: {
		exchange.Absent:                   func(c *stage) { c.published().request, c.asked = noID(exchange.NounRequest), c.fresh() },
		string(exchange.RequestOpen):      func(c *stage) { c.opened() },
		string(exchange.RequestGranted):   func(c *stage) { c.granted() },
		string(exchange.RequestRefused):   func(c *stage) { c.opened().ended(decider, exchange.OpRequestRefuse) },
		string(exchange.RequestWithdrawn): func(c *stage) { c.opened().ended(asker, exchange.OpRequestWithdraw) },
	},
	exchange.NounGrant: {
		exchange.Absent:               func(c *stage) { c.grant = noID(exchange.NounGrant) },
		string(exchange.GrantGiven):   func(c *stage) { c.granted() },
		string(exchange.GrantRevoked): func(c *stage) { c.granted().revoked() },
	},
	exchange.NounRedemption: {
		exchange.Absent:                func(c *stage) { c.granted() },
		string(exchange.Redeemed):      func(c *stage) { c.redeemed(0) },
		string(exchange.Released):      func(c *stage) { c.redeemed(0).released(0) },
		string(exchange.ReleaseDenied): func(c *stage) { c.redeemed(0).keyRefused() },
		string(exchange.Received):      func(c *stage) { c.redeemed(0).released(0).received() },
		string(exchange.Disputed):      func(c *stage) { c.redeemed(0).released(0).disputed() },
	},
	exchange.NounKeyring: {
		exchange.Absent:                func(c *stage) { c.keyring = noID(exchange.NounKeyring) },
		string(exchange.KeyringActive): func(c *stage) { c.keyringCreated() },
		string(exchange.KeyringRetired): func(c *stage) {
			c.keyringCreated()
			c.must(c.t, decider, exchange.OpKeyringRetire, "", &exchange.RetireKeyring{Keyring: c.keyring, Reason: "lost"})
		},
	},
	exchange.NounJob: {
		exchange.Absent:                 func(c *stage) { c.job, c.planned = noID(exchange.NounJob), c.fresh() },
		string(exchange.JobOpen):        func(c *stage) { c.proposed() },
		string(exchange.JobApproved):    func(c *stage) { c.approved() },
		string(exchange.JobAligned):     func(c *stage) { c.aligned() },
		string(exchange.JobContributed): func(c *stage) { c.contributed() },
		string(exchange.JobComputed):    func(c *stage) { c.computed() },
		string(exchange.JobShared):      func(c *stage) { c.shared() },
		string(exchange.JobClosed):      func(c *stage) { c.shared().must(c.t, asker, exchange.OpJobClose, "", c.closing()) },
		string(exchange.JobRefused):     func(c *stage) { c.proposed().jobEnded(officerOf(third), exchange.OpJobRefuse) },
		string(exchange.JobWithdrawn):   func(c *stage) { c.proposed().jobEnded(asker, exchange.OpJobWithdraw) },
		string(exchange.JobFailed):      func(c *stage) { c.approved().jobEnded(workerOf(third), exchange.OpJobFail) },
		string(exchange.JobDisputed):    func(c *stage) { c.shared().jobEnded(asker, exchange.OpJobContest) },
	},
}

// reached is a stage of its own whose record of a noun is in a state.
func (s *suite) reached(t *testing.T, noun exchange.Noun, state string) *stage {
	t.Helper()
	way := reach[noun][state]
	if way == nil {
		t.Fatalf("no way to a %s that is %q", noun, state)
	}
	c := s.stage(t)
	way(c)
	return c
}

func (c *stage) keyringCreated() *stage {
	c.t.Helper()
	body := &exchange.CreateKeyring{Name: c.name, PublicKey: publicText(c.t, c.computing.key)}
	c.keyring = c.must(c.t, decider, exchange.OpKeyringCreate, "", body).ID
	return c
}

func (c *stage) certified() *stage {
	c.t.Helper()
	c.must(c.t, decider, exchange.OpObjectCertify, "", &exchange.CertifyObject{Object: c.object, Statement: "checked against the register"})
	return c
}

func (c *stage) withdrawn() *stage {
	c.t.Helper()
	c.must(c.t, decider, exchange.OpDatasetWithdraw, "", &exchange.Withdraw{Dataset: c.dataset, Reason: "superseded"})
	return c
}

func (c *stage) ended(who actor, op exchange.Op) *stage {
	c.t.Helper()
	c.must(c.t, who, op, "", &exchange.EndRequest{Request: c.request, Reason: "not now"})
	return c
}

func (c *stage) keyRefused() *stage {
	c.t.Helper()
	c.must(c.t, owner, exchange.OpKeyRefuse, "", c.refusal("no key"))
	return c
}

func (c *stage) received() *stage {
	c.t.Helper()
	c.must(c.t, asker, exchange.OpReceiptFile, "", c.receipt())
	return c
}

func (c *stage) disputed() *stage {
	c.t.Helper()
	c.must(c.t, asker, exchange.OpDisputeOpen, "", c.dispute("other content"))
	return c
}

// candidate is an identity of census that is not enrolled.
func (c *stage) candidate() *stage {
	c.t.Helper()
	certificate, err := c.net.Issue(provider, c.name)
	if err != nil {
		c.t.Fatal(err)
	}
	c.certificate, c.officer = certificate, noID(exchange.NounOfficer)
	return c
}

func (c *stage) enrolment(role exchange.Role) *exchange.EnrolOfficer {
	return &exchange.EnrolOfficer{Name: c.name, Role: role, Certificate: c.certificate}
}

func (c *stage) enrolled() *stage {
	c.t.Helper()
	c.candidate()
	c.officer = c.must(c.t, providerAdmin, exchange.OpOfficerEnrol, "", c.enrolment(exchange.Officer)).ID
	return c
}

func (c *stage) officerSuspended() *stage {
	c.t.Helper()
	c.must(c.t, providerAdmin, exchange.OpOfficerSuspend, "", &exchange.ChangeOfficer{Officer: c.officer, Reason: "on leave"})
	return c
}
