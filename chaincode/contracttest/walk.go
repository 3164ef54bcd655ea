package contracttest

import (
	"encoding/json"
	"slices"
	"testing"

	"chancery/chaincode/exchange"
)

// saying is what a stage says in an operation: its body, and the command where
// the record's id is derived from it. It differs from what reach has said.
var saying = map[exchange.Op]func(c *stage) (command string, body exchange.Body){
	exchange.OpOfficerEnrol: func(c *stage) (string, exchange.Body) { return "", c.enrolment(exchange.Worker) },
	exchange.OpOfficerSuspend: func(c *stage) (string, exchange.Body) {
		return "", &exchange.ChangeOfficer{Officer: c.officer, Reason: "second thoughts"}
	},
	exchange.OpOfficerReinstate: func(c *stage) (string, exchange.Body) {
		return "", &exchange.ChangeOfficer{Officer: c.officer, Reason: "second thoughts"}
	},
	exchange.OpDatasetRegister: func(c *stage) (string, exchange.Body) {
		b := c.registration()
		b.Title = "Another title"
		return "", b
	},
	exchange.OpDatasetSetTerms: func(c *stage) (string, exchange.Body) {
		terms := openTerms()
		terms.MaxUses = 3
		return "", &exchange.SetTerms{Dataset: c.dataset, Terms: terms}
	},
	exchange.OpDatasetWithdraw: func(c *stage) (string, exchange.Body) {
		return "", &exchange.Withdraw{Dataset: c.dataset, Reason: "second thoughts"}
	},
	exchange.OpObjectRegister: func(c *stage) (string, exchange.Body) {
		b := c.versionOf(c.version)
		b.Rows++
		return "", b
	},
	exchange.OpObjectAttest: func(c *stage) (string, exchange.Body) {
		return "", &exchange.AttestObject{Object: c.object, Verdict: exchange.Bad, Reason: "second thoughts"}
	},
	exchange.OpObjectCertify: func(c *stage) (string, exchange.Body) {
		return "", &exchange.CertifyObject{Object: c.object, Statement: "second thoughts"}
	},
	exchange.OpRequestOpen: func(c *stage) (string, exchange.Body) {
		b := c.question()
		b.Purpose = "research"
		return c.asked, b
	},
	exchange.OpRequestWithdraw: func(c *stage) (string, exchange.Body) {
		return "", &exchange.EndRequest{Request: c.request, Reason: "second thoughts"}
	},
	exchange.OpRequestRefuse: func(c *stage) (string, exchange.Body) {
		return "", &exchange.EndRequest{Request: c.request, Reason: "second thoughts"}
	},
	exchange.OpGrantGive: func(c *stage) (string, exchange.Body) {
		return c.fresh(), &exchange.GiveGrant{Request: c.request}
	},
	exchange.OpGrantRevoke: func(c *stage) (string, exchange.Body) {
		return "", &exchange.RevokeGrant{Grant: c.grant, Reason: "second thoughts"}
	},
	exchange.OpGrantRedeem: func(c *stage) (string, exchange.Body) {
		return "", &exchange.RedeemGrant{Grant: c.grant, Slot: 0}
	},
	exchange.OpKeyRelease: func(c *stage) (string, exchange.Body) {
		b := c.wrap(0)
		b.WrapDigest = digest("another wrap")
		return "", b
	},
	exchange.OpKeyRefuse:   func(c *stage) (string, exchange.Body) { return "", c.refusal("second thoughts") },
	exchange.OpReceiptFile: func(c *stage) (string, exchange.Body) { return "", c.receipt() },
	exchange.OpDisputeOpen: func(c *stage) (string, exchange.Body) { return "", c.dispute("second thoughts") },

	exchange.OpKeyringCreate: func(c *stage) (string, exchange.Body) {
		return "", &exchange.CreateKeyring{Name: c.name, PublicKey: publicText(c.t, c.computing.foreign)}
	},
	exchange.OpKeyringRetire: func(c *stage) (string, exchange.Body) {
		return "", &exchange.RetireKeyring{Keyring: c.keyring, Reason: "second thoughts"}
	},
	exchange.OpJobOpen: func(c *stage) (string, exchange.Body) {
		b := c.plan()
		b.Purpose = "research"
		return c.planned, b
	},
	exchange.OpJobWithdraw: func(c *stage) (string, exchange.Body) { return "", c.end("second thoughts") },
	exchange.OpJobApprove:  func(c *stage) (string, exchange.Body) { return "", c.approval() },
	exchange.OpJobRefuse:   func(c *stage) (string, exchange.Body) { return "", c.end("second thoughts") },
	exchange.OpJobFail:     func(c *stage) (string, exchange.Body) { return "", c.end("second thoughts") },
	exchange.OpJobAlign: func(c *stage) (string, exchange.Body) {
		return "", &exchange.AlignJob{Job: c.job, Missing: []string{"2"}}
	},
	exchange.OpJobMask: func(c *stage) (string, exchange.Body) {
		return "", &exchange.MaskJob{Job: c.job, Ciphertexts: []string{c.computing.other}}
	},
	exchange.OpJobContribute: func(c *stage) (string, exchange.Body) {
		return "", &exchange.Contribute{Job: c.job, Inputs: []exchange.Encrypted{{Input: 0, Ciphertexts: []string{c.computing.other}}}}
	},
	exchange.OpJobEvaluate: func(c *stage) (string, exchange.Body) { return "", &exchange.EvaluateJob{Job: c.job} },
	exchange.OpJobShare: func(c *stage) (string, exchange.Body) {
		b := c.opening()
		b.Sealed = sealed("another opening")
		return "", b
	},
	exchange.OpJobClose: func(c *stage) (string, exchange.Body) {
		return "", &exchange.CloseJob{Job: c.job, Commitment: digest("second thoughts")}
	},
	exchange.OpJobContest: func(c *stage) (string, exchange.Body) { return "", c.end("second thoughts") },
}

// settled are the states from which an operation without a content of its own
// to be another one says what was said before.
var settled = map[exchange.Op][]string{
	exchange.OpGrantRedeem: {string(exchange.Redeemed), string(exchange.Released), string(exchange.Received), string(exchange.Disputed)},
	exchange.OpReceiptFile: {string(exchange.Received)},
	exchange.OpJobApprove: {
		string(exchange.JobApproved), string(exchange.JobAligned), string(exchange.JobContributed), string(exchange.JobComputed),
		string(exchange.JobShared), string(exchange.JobClosed), string(exchange.JobDisputed), string(exchange.JobFailed),
	},
	exchange.OpJobEvaluate: {string(exchange.JobComputed), string(exchange.JobShared), string(exchange.JobClosed), string(exchange.JobDisputed)},
}

// walked are the rows that have a stage of their own.
func walked() []exchange.Transition {
	return slices.DeleteFunc(slices.Clone(exchange.Transitions), func(row exchange.Transition) bool {
		return row.Noun == exchange.NounDepartment
	})
}

// signer is who may sign a row on a stage, in one of its roles.
func (s *suite) signer(row exchange.Transition, role exchange.Role) actor {
	switch row.Party {
	case exchange.Others, exchange.Asker, exchange.Grantee:
		return s.actorOf(requester, role)
	case exchange.Anyone:
		if row.Noun == exchange.NounJob {
			return s.actorOf(requester, role)
		}
		return s.actorOf(provider, role)
	case exchange.Holder:
		return s.actorOf(third, role)
	default:
		return s.actorOf(provider, role)
	}
}

// strangers are the departments that may not sign a row on a stage.
func strangers(row exchange.Transition) []string {
	switch row.Party {
	case exchange.Self, exchange.Owner:
		return []string{requester, third}
	case exchange.Asker, exchange.Grantee:
		return []string{provider, third}
	case exchange.Others:
		return []string{provider}
	case exchange.Provider:
		return []string{requester}
	case exchange.Holder:
		return []string{provider, requester}
	default:
		return nil
	}
}

// expected is how an operation ends that starts from a state.
func expected(row exchange.Transition, state string) exchange.Code {
	switch {
	case row.Allows(state):
		return exchange.OK
	case slices.Contains(settled[row.Op], state):
		return exchange.Exists
	case state == exchange.Absent:
		return exchange.NotFound
	default:
		return exchange.Conflict
	}
}

func stateName(state string) string {
	if state == exchange.Absent {
		return "absent"
	}
	return state
}

func (s *suite) testTransitions(t *testing.T) {
	for _, row := range walked() {
		for state := range reach[row.Noun] {
			t.Run(string(row.Op)+" from "+stateName(state), s.parallel(func(t *testing.T) {
				c := s.reached(t, row.Noun, state)
				command, body := saying[row.Op](c)
				code := expected(row, state)
				out := c.want(t, code, s.signer(row, row.Roles[0]), row.Op, command, body)
				if code == exchange.OK {
					c.checkState(t, row, out)
				}
			}))
		}
	}
}

// checkState reads the record that a row has changed.
func (c *stage) checkState(t *testing.T, row exchange.Transition, out exchange.Outcome) {
	t.Helper()
	id := out.ID
	if row.Op == exchange.OpGrantGive {
		id = c.request // the row is about the request, the outcome about the grant
	}
	record := get[struct {
		State, Status, Verdict string
		Change                 exchange.Change
	}](t, c.suite, row.Noun, id)
	if got := record.State + record.Status + record.Verdict; got != row.To && row.To != "" {
		t.Errorf("after %s the %s is %q, want %q", row.Op, row.Noun, got, row.To)
	}
	if record.Change.Op != string(row.Op) || record.Change.Tx != out.Tx {
		t.Errorf("after %s the %s says %+v, want transaction %s", row.Op, row.Noun, record.Change, out.Tx)
	}
}

func (s *suite) testRoles(t *testing.T) {
	for _, row := range walked() {
		t.Run(string(row.Op), s.parallel(func(t *testing.T) {
			c := s.reached(t, row.Noun, row.From[0])
			command, body := saying[row.Op](c)
			for _, role := range exchange.Roles {
				if !row.MaySign(role) {
					c.want(t, exchange.Denied, s.signer(row, role), row.Op, command, body)
				}
			}
			for _, role := range row.Roles[1:] { // the first one walks in testTransitions
				c := s.reached(t, row.Noun, row.From[0])
				command, body := saying[row.Op](c)
				c.want(t, exchange.OK, s.signer(row, role), row.Op, command, body)
			}
		}))
	}
}

func (s *suite) testParties(t *testing.T) {
	for _, row := range walked() {
		t.Run(string(row.Op), s.parallel(func(t *testing.T) {
			c := s.reached(t, row.Noun, row.From[0])
			command, body := saying[row.Op](c)
			for _, department := range strangers(row) {
				c.want(t, exchange.Denied, s.actorOf(department, row.Roles[0]), row.Op, command, body)
			}
		}))
	}
}

// testRepeats says the same thing three times: under its command, again, and
// without a command, where its record's key needs none.
func (s *suite) testRepeats(t *testing.T) {
	for _, row := range walked() {
		t.Run(string(row.Op), s.parallel(func(t *testing.T) {
			c := s.reached(t, row.Noun, row.From[0])
			command, body := saying[row.Op](c)
			derived := command != ""
			if !derived {
				command = c.fresh()
			}
			who := s.signer(row, row.Roles[0])
			done := c.must(t, who, row.Op, command, body)
			again := c.want(t, exchange.Exists, who, row.Op, command, body)
			if want := (exchange.Outcome{Command: command, Op: row.Op, Code: exchange.Exists, ID: done.ID, Tx: done.Tx, Repeated: true}); again != want {
				t.Errorf("again: %+v, want %+v", again, want)
			}
			if derived {
				return
			}
			if bare := c.want(t, exchange.Exists, who, row.Op, "", body); bare.ID != done.ID {
				t.Errorf("without a command: %+v, want id %s", bare, done.ID)
			}
			record := get[exchange.OperationRecord](t, s, exchange.NounOperation, who.department+"/"+command)
			if record.Code != exchange.OK || record.ID != done.ID || record.Tx != done.Tx || record.Op != row.Op {
				t.Errorf("recorded: %+v, want %+v", record, done)
			}
		}))
	}
}

// testShare goes once through a share and looks at what is on record.
func (s *suite) testShare(t *testing.T) {
	c := s.stage(t)
	c.terms.Attestations = 1
	c.terms.Obligations = exchange.Obligations{DeleteWithin: 3600, NoOnwardSharing: true}
	c.published().attested(third, exchange.Good).granted().redeemed(0).released(0).received()

	d := get[exchange.Dataset](t, s, exchange.NounDataset, provider+"/"+c.name)
	if d.ID != exchange.DatasetID(s.net.MSP(provider), c.name) || d.Latest != c.object || d.Versions != 1 || d.Owner != provider {
		t.Errorf("dataset: %+v", d)
	}
	g := get[exchange.Grant](t, s, exchange.NounGrant, c.grant)
	d3 := get[exchange.Department](t, s, exchange.NounDepartment, requester)
	if g.GranteeMSP != s.net.MSP(requester) || g.OwnerMSP != s.net.MSP(provider) || g.Recipient != exchange.RecipientFingerprint(d3.Recipient) ||
		g.MaxUses != 2 || g.Attestations != 1 || g.Obligations != c.terms.Obligations || g.Version != exchange.Latest || g.GivenTx != g.Change.Tx {
		t.Errorf("grant: %+v", g)
	}
	r := get[exchange.Redemption](t, s, exchange.NounRedemption, c.grant+"/0")
	if r.State != exchange.Received || r.Object != c.object || r.Attempt != 1 || r.SealedDigest != digest("sealed "+c.version) || r.Since.IsZero() {
		t.Errorf("redemption: %+v", r)
	}
	if got := get[exchange.Release](t, s, exchange.NounRelease, c.grant+"/0"); got.WrapDigest != c.wrap(0).WrapDigest || got.Grantee != requester {
		t.Errorf("release: %+v", got)
	}
	if got := get[exchange.Receipt](t, s, exchange.NounReceipt, c.grant+"/0"); got.Change.By != requester || got.Change.Name == "" {
		t.Errorf("receipt: %+v", got)
	}
	text, err := s.net.Evaluate(requester, string(exchange.Worker), "History", string(exchange.NounRedemption), c.grant+"/0")
	var versions []struct{ Record exchange.Redemption }
	if err != nil || json.Unmarshal([]byte(text), &versions) != nil || len(versions) != 3 ||
		versions[0].Record.State != exchange.Redeemed || versions[1].Record.State != exchange.Released || versions[2].Record.State != exchange.Received {
		t.Errorf("history: %s (%v)", text, err)
	}
}
