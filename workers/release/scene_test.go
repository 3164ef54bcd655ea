package release

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/envelope"
	"chancery/test/workertest"
	"chancery/workers"
	"chancery/workers/journal"
)

var (
	dataset = exchange.DatasetID("CensusMSP", "population")
	grantID = exchange.NewID(exchange.NounGrant, "CensusMSP", "give-1")
	ownPeer = &x509.Certificate{RawTBSCertificate: []byte("peer of census")}
	begin   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// scene is census, which gave a grant to health, which redeemed it an hour
// after it began.
type scene struct {
	ledger  *workertest.Ledger
	node    *workertest.Node
	vault   *workertest.Vault
	grantee envelope.Identity
	now     time.Time

	department exchange.Department
	grant      exchange.Grant
	use        exchange.Redemption
	said       exchange.Grant      // in the grant's transaction
	claimed    exchange.Redemption // in the redemption's transaction
	given      ledger.Transaction
	redeemed   ledger.Transaction
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{ledger: workertest.NewLedger(), node: workertest.NewNode(), vault: workertest.NewVault(t), now: begin.Add(time.Hour + time.Minute)}
	object := s.vault.Seal(t, s.node, "CensusMSP", dataset, "publish-1", "population.csv", "a,b\n1,2\n", 1)
	var err error
	if s.grantee, err = envelope.NewIdentity(); err != nil {
		t.Fatal(err)
	}
	s.department = exchange.Department{Name: "health", MSP: "HealthMSP", Recipient: s.grantee.Recipient().String()}
	s.grant = exchange.Grant{
		ID: grantID, Owner: "census", OwnerMSP: "CensusMSP", Grantee: "health", GranteeMSP: "HealthMSP",
		Recipient: s.grantee.Recipient().Fingerprint(), Dataset: dataset, Version: exchange.Latest,
		Actions: []exchange.Action{exchange.Read}, Purpose: "planning", NotBefore: begin, NotAfter: begin.Add(48 * time.Hour),
		MaxUses: 2, State: exchange.GrantGiven, GivenTx: "tx-give", Since: begin, Change: exchange.Change{Tx: "tx-give", Time: begin},
	}
	s.use = exchange.Redemption{
		Grant: grantID, Slot: 1, Owner: "census", Grantee: "health", Dataset: dataset,
		Object: object.ID, SealedDigest: object.Registration.SealedDigest, Attempt: 1, State: exchange.Redeemed,
		RedeemedTx: "tx-redeem", Since: begin.Add(time.Hour), Change: exchange.Change{Tx: "tx-redeem", Time: begin.Add(time.Hour)},
	}
	s.said, s.claimed = s.grant, s.use
	s.given = ledger.Transaction{
		ID: "tx-give", Code: ledger.Valid, Chaincode: "chancery", Creator: ledger.Identity{MSP: "CensusMSP"},
		Endorsers: []ledger.Identity{
			{MSP: "HealthMSP", Cert: &x509.Certificate{RawTBSCertificate: []byte("peer of health")}},
			{MSP: "CensusMSP", Cert: ownPeer},
		},
	}
	s.redeemed = ledger.Transaction{ID: "tx-redeem", Code: ledger.Valid, Chaincode: "chancery", Creator: ledger.Identity{MSP: "HealthMSP"}}
	return s
}

// both changes the grant and what its transaction says of it, or the use.
func (s *scene) bothGrants(change func(*exchange.Grant)) { change(&s.grant); change(&s.said) }
func (s *scene) bothUses(change func(*exchange.Redemption)) {
	change(&s.use)
	change(&s.claimed)
}

// play puts everything on the ledger and lets it answer as the contract does.
func (s *scene) play(t *testing.T) {
	t.Helper()
	if s.given.Events == nil {
		s.given.Events = []exchange.Event{workertest.Event(t, exchange.GrantWasGiven, "census", "health", s.said.ID, s.said)}
	}
	if s.redeemed.Events == nil {
		s.redeemed.Events = []exchange.Event{workertest.Event(t, exchange.GrantRedeemed, "health", "census", s.claimed.Grant, s.claimed)}
	}
	s.ledger.Put(t, exchange.NounDepartment, s.department.Name, s.department)
	s.ledger.Put(t, exchange.NounGrant, grantID, s.grant)
	s.ledger.Put(t, exchange.NounRedemption, grantID+"/1", s.use)
	s.ledger.PutTransaction(s.given)
	s.ledger.PutTransaction(s.redeemed)
	if s.ledger.Answer == nil {
		s.ledger.Answer = func(op exchange.Operation) (exchange.Outcome, error) { return s.commit(t, op), nil }
	}
}

// commit carries out a release.
func (s *scene) commit(t *testing.T, op exchange.Operation) exchange.Outcome {
	if op.Op == exchange.OpKeyRelease {
		body := workertest.Body[exchange.ReleaseKey](t, op)
		record := exchange.Release{
			Grant: body.Grant, Slot: body.Slot, Owner: "census", Grantee: "health", Object: s.use.Object,
			WrapCID: body.WrapCID, WrapDigest: body.WrapDigest, Change: exchange.Change{Tx: "tx-release"},
		}
		s.release(t, record, "CensusMSP")
	}
	return exchange.Outcome{Op: op.Op, Code: exchange.OK, Tx: "tx-" + string(op.Op)}
}

// release puts a release on the ledger that a department signed.
func (s *scene) release(t *testing.T, record exchange.Release, msp string) {
	use := s.use
	use.State = exchange.Released
	s.ledger.Put(t, exchange.NounRedemption, grantID+"/1", use)
	s.ledger.Put(t, exchange.NounRelease, grantID+"/1", record)
	s.ledger.PutTransaction(ledger.Transaction{
		ID: "tx-release", Code: ledger.Valid, Chaincode: "chancery", Creator: ledger.Identity{MSP: msp},
		Events: []exchange.Event{workertest.Event(t, exchange.KeyReleased, "census", "health", record.Grant, record)},
	})
}

func (s *scene) worker() workers.Worker {
	return New(Config{
		Department: "census", MSP: "CensusMSP", Peer: ownPeer, Chaincode: "chancery", Journal: s.vault.Journal,
		Node: s.node, Ledger: s.ledger, Now: func() time.Time { return s.now },
	})
}

// hand gives the worker the event of the redemption.
func (s *scene) hand(t *testing.T) error {
	t.Helper()
	e := workertest.OnLedger(t, workertest.Event(t, exchange.GrantRedeemed, "health", "census", grantID, s.claimed))
	return workertest.Hand(t, s.worker(), e)
}

// noKeyMoved fails if anything was wrapped, put on the ledger or given out.
func (s *scene) noKeyMoved(t *testing.T) {
	t.Helper()
	if _, err := s.vault.Journal.Wrap(grantID, 1, s.claimed.Attempt); !errors.Is(err, journal.ErrNotFound) && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the journal has a wrap: %v", err)
	}
	if added := s.node.Added(); len(added) > 0 {
		t.Errorf("the node got %v", added)
	}
	for _, op := range s.ledger.Told() {
		if op.Op == exchange.OpKeyRelease {
			t.Errorf("the ledger got %s", op.Body)
		}
	}
}

// open reads the wrap that the ledger names, as the grantee.
func (s *scene) open(t *testing.T) envelope.Wrap {
	t.Helper()
	data, err := s.vault.Journal.Wrap(grantID, 1, s.claimed.Attempt)
	if err != nil {
		t.Fatal(err)
	}
	wrap, err := envelope.OpenWrap(data, s.grantee)
	if err != nil {
		t.Fatal(err)
	}
	return wrap
}

// foreign is the identity of another department.
func foreign(t *testing.T) envelope.Identity {
	t.Helper()
	identity, err := envelope.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return identity
}
