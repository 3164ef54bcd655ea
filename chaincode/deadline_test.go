package chaincode_test

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/contracttest"
	"chancery/chaincode/exchange"
	"chancery/crypto/paillier"
)

// jobDesk is a desk with a keyring of labor and a dataset of each department.
type jobDesk struct {
	desk
	ciphertext, other string // of 7 and of 8 under the keyring's key
}

func newJobDesk(t *testing.T) jobDesk {
	t.Helper()
	b := jobDesk{desk: desk{t, newLedger(t)}}
	text, err := os.ReadFile(filepath.Join("contracttest", "testdata", "TEST-KEY-NOT-SECRET-a.txt"))
	if err != nil {
		t.Fatal(err)
	}
	sk, err := paillier.ParsePrivateKeyText(text)
	if err != nil {
		t.Fatal(err)
	}
	public, err := sk.Public().MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	b.must("labor", "officer", exchange.OpKeyringCreate, "", &exchange.CreateKeyring{Name: "statistics", PublicKey: string(public)})
	for _, department := range contracttest.Departments {
		dataset := b.must(department, "worker", exchange.OpDatasetRegister, "", &exchange.RegisterDataset{
			Name:        "table",
			Description: exchange.Description{Title: "Table", Licence: "CC0-1.0", MediaType: "text/csv"},
			Terms:       exchange.Terms{Actions: []exchange.Action{exchange.Compute}, MaxUses: 1, MaxDuration: exchange.MaxDuration},
		}).ID
		b.must(department, "worker", exchange.OpObjectRegister, "", &exchange.RegisterObject{
			Command: "publish", Dataset: dataset, CID: "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", Size: 1,
			SealedDigest: strings.Repeat("a", 64), ContentDigest: strings.Repeat("b", 64), FileName: "a.csv",
		})
	}
	for i, into := range []*string{&b.ciphertext, &b.other} {
		c, err := sk.Encrypt(nil, big.NewInt(int64(7+i)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := c.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		*into = string(text)
	}
	return b
}

// open has a job of health with data of census and labor, and returns the
// record.
func (b jobDesk) open(command string, deadline time.Time) exchange.Job {
	b.Helper()
	plan := exchange.Plan{
		Operation: exchange.WeightedSum, Keyring: "labor/statistics", Purpose: "planning", LegalBasis: "section 5",
		Keys: []string{"1"}, ValueBits: 32, Deadline: deadline,
	}
	for _, d := range []string{"census", "labor"} {
		plan.Inputs = append(plan.Inputs, exchange.Input{Dataset: d + "/table", Key: "k", Value: "v", Weight: 1})
	}
	return b.job(b.must("health", "worker", exchange.OpJobOpen, command, &exchange.OpenJob{Plan: plan}).ID)
}

func (b jobDesk) job(id string) (j exchange.Job) {
	b.Helper()
	b.get(&j, exchange.NounJob, id)
	return j
}

func (b jobDesk) get(record any, noun exchange.Noun, id string) {
	b.Helper()
	text, err := b.Evaluate("labor", "auditor", "Get", string(noun), id)
	if err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), record); err != nil {
		b.Fatal(err)
	}
}

// move is one step of a job, by whoever it is for.
type move struct {
	department, identity string
	op                   exchange.Op
	body                 func(j exchange.Job) exchange.Body
}

// moves take a job from open to closed, in their order.
func (b jobDesk) moves() []move {
	contribute := func(input int, ciphertext string) func(j exchange.Job) exchange.Body {
		return func(j exchange.Job) exchange.Body {
			return &exchange.Contribute{Job: j.ID, Inputs: []exchange.Encrypted{{Input: input, Ciphertexts: []string{ciphertext}}}}
		}
	}
	approve := func(j exchange.Job) exchange.Body { return &exchange.ApproveJob{Job: j.ID, Spec: j.Digest} }
	align := func(j exchange.Job) exchange.Body { return &exchange.AlignJob{Job: j.ID} }
	return []move{
		{"census", "officer", exchange.OpJobApprove, approve},
		{"labor", "officer", exchange.OpJobApprove, approve},
		{"census", "worker", exchange.OpJobAlign, align},
		{"labor", "worker", exchange.OpJobAlign, align},
		{"health", "worker", exchange.OpJobMask, func(j exchange.Job) exchange.Body {
			return &exchange.MaskJob{Job: j.ID, Ciphertexts: []string{b.ciphertext}}
		}},
		{"census", "worker", exchange.OpJobContribute, contribute(0, b.ciphertext)},
		{"labor", "worker", exchange.OpJobContribute, contribute(1, b.other)},
		{"health", "worker", exchange.OpJobEvaluate, func(j exchange.Job) exchange.Body { return &exchange.EvaluateJob{Job: j.ID} }},
		{"labor", "worker", exchange.OpJobShare, func(j exchange.Job) exchange.Body {
			var e exchange.Evaluation
			b.get(&e, exchange.NounEvaluation, j.ID)
			sealed := base64.StdEncoding.EncodeToString([]byte("age-encryption.org/v1\n"))
			return &exchange.PostShare{Job: j.ID, Digest: e.Digest, Sealed: sealed}
		}},
		{"health", "worker", exchange.OpJobClose, func(j exchange.Job) exchange.Body {
			return &exchange.CloseJob{Job: j.ID, Commitment: strings.Repeat("d", 64)}
		}},
	}
}

func (b jobDesk) make(m move, j exchange.Job) error {
	b.Helper()
	_, err := b.do(m.department, m.identity, m.op, "", m.body(j))
	return err
}

// reached takes a job through the first moves.
func (b jobDesk) reached(j exchange.Job, count int) {
	b.Helper()
	for _, m := range b.moves()[:count] {
		if err := b.make(m, j); err != nil {
			b.Fatalf("%s: %v", m.op, err)
		}
	}
}

// TestDeadline makes every move at the last moment before a job's deadline, and
// at the deadline. What is over can still be closed and contested.
func TestDeadline(t *testing.T) {
	b := newJobDesk(t)
	deadline := start.Add(time.Hour)
	var early, late []exchange.Job
	for i, m := range b.moves() {
		early = append(early, b.open("early-"+string(rune('a'+i)), deadline))
		late = append(late, b.open("late-"+string(rune('a'+i)), deadline))
		b.reached(early[i], i)
		b.reached(late[i], i)
		if late[i] = b.job(late[i].ID); late[i].Expired(deadline.Add(-1)) || !late[i].Expired(deadline) {
			t.Errorf("%s: expired before or after its deadline", m.op)
		}
	}
	contested := b.open("contested", deadline)
	b.reached(contested, 9)
	b.Until(deadline.Add(-1))
	for i, m := range b.moves() {
		if err := b.make(m, early[i]); err != nil {
			t.Errorf("%s before the deadline: %v", m.op, err)
		}
	}
	b.Until(deadline)
	for i, m := range b.moves() {
		if m.op == exchange.OpJobClose {
			if err := b.make(m, late[i]); err != nil {
				t.Errorf("%s after the deadline: %v", m.op, err)
			}
			continue
		}
		wantCode(t, b.make(m, late[i]), exchange.Expired)
		b.must("health", "worker", exchange.OpJobWithdraw, "", &exchange.EndJob{Job: late[i].ID, Reason: "over"})
	}
	b.must("health", "worker", exchange.OpJobContest, "", &exchange.EndJob{Job: contested.ID, Reason: "plaintext 0 is not the ciphertext's"})
	for i, m := range b.moves() { // what was done is done
		out, err := b.do(m.department, m.identity, m.op, "", m.body(b.job(early[i].ID)))
		if err != nil || out.Code != exchange.Exists {
			t.Errorf("%s again: %+v (%v)", m.op, out, err)
		}
	}
}

// TestJobRaces commits what was endorsed on the same ledger: a job never takes
// two steps at once, nor one that needs a grant after its revocation.
func TestJobRaces(t *testing.T) {
	for i, m := range newJobDesk(t).moves() {
		if m.op != exchange.OpJobContribute && m.op != exchange.OpJobEvaluate && m.op != exchange.OpJobShare {
			continue
		}
		t.Run("revoke and "+string(m.op), func(t *testing.T) {
			raceOn(t, true, false, newJobDesk, func(b jobDesk) (x, y contracttest.Transaction) {
				j := b.open("ask", start.Add(time.Hour))
				b.reached(j, i)
				j = b.job(j.ID)
				revoked := j.Parties[0]
				if m.department == "labor" {
					revoked = j.Parties[1]
				}
				return b.endorse(revoked.Department, "officer", exchange.OpGrantRevoke, "", &exchange.RevokeGrant{Grant: revoked.Grants[0], Reason: "over"}),
					b.endorse(m.department, m.identity, m.op, "", b.moves()[i].body(j))
			})
		})
	}
	t.Run("two contributions", func(t *testing.T) {
		raceOn(t, true, true, newJobDesk, func(b jobDesk) (x, y contracttest.Transaction) {
			j := b.open("ask", start.Add(time.Hour))
			b.reached(j, 5)
			census, labor := b.moves()[5], b.moves()[6]
			return b.endorse("census", "worker", census.op, "", census.body(j)), b.endorse("labor", "worker", labor.op, "", labor.body(j))
		})
	})
	t.Run("retire and open", func(t *testing.T) {
		raceOn(t, true, false, newJobDesk, func(b jobDesk) (x, y contracttest.Transaction) {
			j := b.open("ask", start.Add(time.Hour))
			again := j.Spec.Plan
			return b.endorse("labor", "officer", exchange.OpKeyringRetire, "", &exchange.RetireKeyring{Keyring: j.Spec.Keyring, Reason: "lost"}),
				b.endorse("health", "worker", exchange.OpJobOpen, "again", &exchange.OpenJob{Plan: again})
		})
	})
}
