package receive

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/crypto/envelope"
	"chancery/crypto/keystore"
	"chancery/test/workertest"
	"chancery/workers"
	"chancery/workers/journal"
)

const content = "county,people\nKent,12\nDover,7\n"

var (
	datasetID = exchange.DatasetID("CensusMSP", "population")
	grantID   = exchange.NewID(exchange.NounGrant, "CensusMSP", "give-1")
	begin     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// scene is health, for which census released the key of an object.
type scene struct {
	ledger   *workertest.Ledger
	node     *workertest.Node
	own      *workertest.Vault
	provider *workertest.Vault
	inbox    string
	now      time.Time

	sealed  journal.Object
	dataset exchange.Dataset
	object  exchange.Object
	grant   exchange.Grant
	use     exchange.Redemption
	release exchange.Release
	wrap    envelope.Wrap
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{
		ledger: workertest.NewLedger(), node: workertest.NewNode(), own: workertest.NewVault(t), provider: workertest.NewVault(t),
		inbox: filepath.Join(t.TempDir(), "inbox"), now: begin.Add(time.Minute),
	}
	s.dataset = exchange.Dataset{ID: datasetID, Name: "population", Owner: "census", State: exchange.Registered, Description: exchange.Description{
		Title: "Population", MediaType: "text/csv",
		Columns: []exchange.Column{{Name: "county", Type: exchange.String}, {Name: "people", Type: exchange.Integer}},
	}}
	s.grant = exchange.Grant{
		ID: grantID, Owner: "census", Grantee: "health", Dataset: datasetID, Actions: []exchange.Action{exchange.Read},
		NotBefore: begin, NotAfter: begin.Add(time.Hour), MaxUses: 1, State: exchange.GrantGiven,
	}
	s.seal(t, content, 2)
	s.grant.Recipient = s.me(t).Fingerprint()
	s.rewrap(t, s.me(t))
	return s
}

// seal makes content the version that is registered and redeemed.
func (s *scene) seal(t *testing.T, content string, rows int64) {
	t.Helper()
	s.sealed = s.provider.Seal(t, s.node, "CensusMSP", datasetID, "publish-"+hexDigest([]byte(content))[:8], "population.csv", content, rows)
	s.object = workertest.Registered(s.sealed, "census")
	s.use = exchange.Redemption{
		Grant: grantID, Owner: "census", Grantee: "health", Dataset: datasetID, Object: s.object.ID,
		SealedDigest: s.object.SealedDigest, Attempt: 1, State: exchange.Released,
	}
	s.wrap = envelope.Wrap{FileKey: s.sealed.Key, Salt: s.sealed.Salt, Object: s.object.ID, Grant: grantID}
}

// rewrap seals the wrap, exposes it and puts it on record.
func (s *scene) rewrap(t *testing.T, to envelope.Recipient) {
	t.Helper()
	data, err := envelope.SealWrap(s.wrap, to)
	if err != nil {
		t.Fatal(err)
	}
	s.expose(t, data)
}

func (s *scene) expose(t *testing.T, wrap []byte) {
	t.Helper()
	s.release = exchange.Release{
		Grant: grantID, Owner: "census", Grantee: "health", Object: s.object.ID, WrapCID: s.node.Put(t, wrap), WrapDigest: hexDigest(wrap),
	}
}

func hexDigest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (s *scene) me(t *testing.T) envelope.Recipient {
	return s.own.Identity(t, keystore.Department).Recipient()
}

// play puts everything on record.
func (s *scene) play(t *testing.T) {
	t.Helper()
	s.playUse(t)
	s.ledger.Put(t, exchange.NounRelease, grantID+"/0", s.release)
}

// playUse puts everything on record but the release.
func (s *scene) playUse(t *testing.T) {
	t.Helper()
	s.ledger.Put(t, exchange.NounDataset, datasetID, s.dataset)
	s.ledger.Put(t, exchange.NounObject, s.use.Object, s.object)
	s.ledger.Put(t, exchange.NounRedemption, grantID+"/0", s.use)
}

func (s *scene) worker() workers.Worker {
	return New(Config{
		Department: "health", Inbox: s.inbox, Keys: s.own.Keys, Node: s.node, Ledger: s.ledger,
		Now: func() time.Time { return s.now },
	})
}

// released gives the worker the event of the release.
func (s *scene) released(t *testing.T) error {
	t.Helper()
	return workertest.Hand(t, s.worker(), workertest.OnLedger(t, workertest.Event(t, exchange.KeyReleased, "census", "health", grantID, s.release)))
}

// granted gives the worker the event of the grant.
func (s *scene) granted(t *testing.T) error {
	t.Helper()
	return workertest.Hand(t, s.worker(), workertest.OnLedger(t, workertest.Event(t, exchange.GrantWasGiven, "census", "health", grantID, s.grant)))
}

// files are the contents of everything in the inbox, hidden or not, by path.
func (s *scene) files(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := filepath.WalkDir(s.inbox, func(path string, e fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(s.inbox, path)
		found[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// one is the only operation that the ledger got.
func (s *scene) one(t *testing.T, want exchange.Op) exchange.Operation {
	t.Helper()
	told := s.ledger.Told()
	if len(told) != 1 || told[0].Op != want {
		t.Fatalf("the ledger got %v, want one %s", told, want)
	}
	return told[0]
}

// delivered fails unless the content alone is in the inbox.
func (s *scene) delivered(t *testing.T, want string) {
	t.Helper()
	files := s.files(t)
	if got := files[filepath.Join(grantID, "0", "population.csv")]; len(files) != 1 || got != want {
		t.Errorf("the inbox holds %q", files)
	}
}

// nothing fails if anything is in the inbox.
func (s *scene) nothing(t *testing.T) {
	t.Helper()
	if files := s.files(t); len(files) > 0 {
		t.Errorf("the inbox holds %q", files)
	}
}
