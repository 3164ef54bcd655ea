package decrypt_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/envelope"
	"chancery/crypto/keystore"
	"chancery/crypto/paillier"
	"chancery/test/workertest"
	"chancery/workers"
	"chancery/workers/decrypt"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// holder is labor's worker over a vault and a client.
func holder(c *workertest.Computation, vault *workertest.Vault, client *workertest.Client, now func() time.Time) workers.Worker {
	return decrypt.New(decrypt.Config{
		Department: "labor", MSP: c.Labor.MSP, Peer: c.Labor.Peer, Chaincode: workertest.Chaincode,
		Keys: vault.Keys, Journal: vault.Journal, Ledger: client, Now: now,
	})
}

// wake tells a worker that the job was computed.
func wake(t *testing.T, c *workertest.Computation, w workers.Worker) error {
	t.Helper()
	return workertest.Wake(t, w, c.Last(t, exchange.JobWasComputed))
}

// replace alters records of a noun whose id ends so.
func replace(noun exchange.Noun, end, from, to string) func(*workertest.Client) {
	return func(client *workertest.Client) {
		client.Record = func(n exchange.Noun, id string, record json.RawMessage) json.RawMessage {
			if n == noun && strings.HasSuffix(id, end) {
				return json.RawMessage(strings.ReplaceAll(string(record), from, to))
			}
			return record
		}
	}
}

// job alters the job's record, and makes its digest fit again.
func job(change func(j *exchange.Job)) func(*workertest.Client) {
	return func(client *workertest.Client) {
		client.Record = func(n exchange.Noun, _ string, record json.RawMessage) json.RawMessage {
			var j exchange.Job
			if n != exchange.NounJob || json.Unmarshal(record, &j) != nil {
				return record
			}
			change(&j)
			j.Digest, _ = exchange.BodyDigest(j.Spec)
			record, _ = exchange.Encode(j)
			return record
		}
	}
}

// transaction alters the transaction by which a department did something.
func transaction(msp, what string, change func(tx *ledger.Transaction)) func(*workertest.Client) {
	return func(client *workertest.Client) {
		client.Tx = func(tx *ledger.Transaction) {
			if tx.Creator.MSP == msp && (tx.Function == what || strings.Contains(strings.Join(tx.Args, ""), `"op":"`+what+`"`)) {
				change(tx)
			}
		}
	}
}

// TestLies alters one thing at a time of what labor's peer or bus tells: nothing
// is opened, and the reason is clear.
func TestLies(t *testing.T) {
	c := workertest.NewComputed(t, begin, "1", "2")
	var mask exchange.Mask
	var own exchange.Contribution
	if err := c.Labor.Get(t.Context(), exchange.NounMask, c.Job, &mask); err != nil {
		t.Fatal(err)
	}
	if err := c.Labor.Get(t.Context(), exchange.NounContribution, c.Job+"/health", &own); err != nil {
		t.Fatal(err)
	}
	masked, contributed := mask.Ciphertexts[0], own.Inputs[0].Ciphertexts[0]
	vault := vaultOf(t, c) // from which nothing is opened
	health, census, labor := c.Health.MSP, c.Census.MSP, c.Labor.MSP
	for name, lie := range map[string]struct {
		tell func(*workertest.Client)
		want string
	}{
		"contribution altered":          {replace(exchange.NounContribution, "/health", contributed, masked), "the contribution of health to job " + c.Job + " is not what was signed"},
		"contribution of another":       {replace(exchange.NounContribution, "/health", `"department":"health"`, `"department":"labor"`), "is one of labor"},
		"contribution by another":       {transaction(health, "job.contribute", func(tx *ledger.Transaction) { tx.Creator.MSP = labor }), "was not signed by health"},
		"contribution not valid":        {transaction(health, "job.contribute", func(tx *ledger.Transaction) { tx.Code = "MVCC_READ_CONFLICT" }), "was not signed by health"},
		"contribution refused":          {transaction(health, "job.contribute", func(tx *ledger.Transaction) { tx.Result = []byte(`[{"op":"job.contribute","code":"conflict"}]`) }), "is not what was signed"},
		"contribution to another":       {transaction(health, "job.contribute", func(tx *ledger.Transaction) { tx.Chaincode = "forger" }), "was not told to the contract"},
		"results of another batch":      {transaction(health, "job.contribute", func(tx *ledger.Transaction) { tx.Result = []byte(`[]`) }), "0 outcomes for 1 operations"},
		"department changed hands":      {versions(exchange.NounDepartment, "health", `"msp":"`+health, `"msp":"`+labor), "became one of"},
		"mask altered":                  {replace(exchange.NounMask, "", masked, contributed), "the mask of job " + c.Job + " is not what was signed"},
		"mask by another":               {transaction(census, "job.mask", func(tx *ledger.Transaction) { tx.Creator.MSP = health }), "the mask of job " + c.Job + " was not signed by census"},
		"mask after contributions":      {transaction(census, "job.mask", func(tx *ledger.Transaction) { tx.Block = 1 << 20 }), "the mask of job " + c.Job + " is in block 1048576"},
		"requester after others":        {transaction(census, "job.contribute", func(tx *ledger.Transaction) { tx.Block = 1 << 20 }), "the contribution of the requester census is in block 1048576"},
		"contribution before the mask":  {transaction(health, "job.contribute", func(tx *ledger.Transaction) { tx.Block = 0 }), "the contribution of health in block 0 was not after it"},
		"mask of two transactions":      {versionTx(exchange.NounMask), "the mask of job " + c.Job + " was written by transaction between too"},
		"contribution of two":           {versionTx(exchange.NounContribution), "was written by transaction between too"},
		"evaluation's digest":           {replace(exchange.NounEvaluation, "", `"digest":"`, `"digest":"0`), "the recorded evaluation"},
		"evaluation's ciphertexts":      {evaluation(contributed), "the recorded evaluation"},
		"approval without the own peer": {transaction(labor, "ApproveJob", func(tx *ledger.Transaction) { tx.Endorsers = tx.Endorsers[:2] }), "was not endorsed by the peer of labor"},
		"approval by another":           {transaction(health, "ApproveJob", func(tx *ledger.Transaction) { tx.Creator.MSP = labor }), "was not signed by health"},
		"approval by a worker":          {transaction(health, "ApproveJob", func(tx *ledger.Transaction) { tx.Creator.Cert = c.Certificate("health", "worker") }), "whose role is worker"},
		"approval by another's officer": {transaction(health, "ApproveJob", func(tx *ledger.Transaction) { tx.Creator.Cert = c.Certificate("labor", "officer") }), "officer of labor"},
		"approval of another spec":      {transaction(health, "ApproveJob", func(tx *ledger.Transaction) { tx.Args[1] = strings.Replace(tx.Args[1], `"spec":"`, `"spec":"0`, 1) }), "what was signed as job.approve is none"},
		"another transaction approved":  {job(func(j *exchange.Job) { j.Parties[1].ApprovedTx = j.Parties[1].ContributedTx }), "whose role is worker"},
		"spec altered":                  {replace(exchange.NounJob, "", `"weight":1`, `"weight":2`), "has the digest"},
		"spec and digest altered":       {job(func(j *exchange.Job) { j.Spec.Inputs[0].Weight = 2 }), "is not what census signed"},
		"purpose and digest altered":    {job(func(j *exchange.Job) { j.Spec.Purpose = "resale" }), "is not what census signed"},
		"fewer contributors":            {job(func(j *exchange.Job) { j.Spec.MinContributors = 1 }), "2 are the least"},
		"more contributors":             {job(func(j *exchange.Job) { j.Spec.MinContributors = 3 }), "3 are needed"},
		"too few contributors":          {job(func(j *exchange.Job) { j.Spec.Sources[1].Provider = "census" }), "data of 1 departments besides the requester"},
		"parties added":                 {job(func(j *exchange.Job) { j.Parties = append(j.Parties, exchange.JobParty{Department: "police"}) }), "take part in it"},
		"requester holds the key":       {job(func(j *exchange.Job) { j.Spec.Requester, j.Requester = "labor", "labor" }), "holds the key"},
		"another requester":             {job(func(j *exchange.Job) { j.Requester = "health" }), "was opened by health for census"},
		"another keyholder":             {job(func(j *exchange.Job) { j.Spec.Keyholder = "health" }), "its keyholder is health"},
		"another keyring":               {job(func(j *exchange.Job) { j.Spec.Keyring = exchange.KeyringID(labor, "others") }), "there is no keyring"},
		"another key in the keyring":    {replace(exchange.NounKeyring, "", `"keyholder":"labor"`, `"keyholder":"census"`), "is under the key"},
		"no key in the keyring":         {replace(exchange.NounKeyring, "", "paillier-public", "paillier-private"), "cannot be used"},
		"grant revoked":                 {replace(exchange.NounGrant, "", `"state":"given"`, `"state":"revoked"`), "is revoked"},
		"grant revoked and taken back":  {versions(exchange.NounGrant, "", `"state":"given"`, `"state":"revoked"`), "was revoked in transaction"},
		"grant altered":                 {versionTx(exchange.NounGrant), "was altered in transaction"},
		"grant of another job":          {replace(exchange.NounGrant, "", `"job":"j-`, `"job":"x-`), "is not one to compute job"},
		"grant for longer":              {replace(exchange.NounGrant, "", `"notAfter":"2026`, `"notAfter":"2027`), "does not end with job"},
		"grants left out":               {job(func(j *exchange.Job) { j.Parties[1].Grants = nil }), "has the grants []"},
		"recipient changed":             {recipient(t), "names another recipient key than census has now"},
		"recipient that is none":        {replace(exchange.NounDepartment, "census", `"recipient":"age1`, `"recipient":"age1nothing`), "cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			client := c.Client("labor", "worker")
			lie.tell(client)
			err := wake(t, c, holder(c, vault, client, c.Now))
			if !workers.Rejected(err) || !strings.Contains(err.Error(), lie.want) {
				t.Errorf("verdict %v, want %q", err, lie.want)
			}
			if j := c.Look(t); j.State != exchange.JobComputed {
				t.Fatalf("the job is %s", j.State)
			}
		})
	}
}

// vaultOf is a fresh vault with labor's key: nothing was opened from it yet.
func vaultOf(t *testing.T, c *workertest.Computation) *workertest.Vault {
	t.Helper()
	vault := workertest.NewVault(t)
	vault.Identity(t, keystore.Department)
	c.HoldKey(t, &workertest.Member{Vault: vault}, c.Keyring)
	return vault
}

func versions(noun exchange.Noun, id, from, to string) func(*workertest.Client) {
	return func(client *workertest.Client) {
		client.Versions = func(n exchange.Noun, of string, list []exchange.HistoryEntry) []exchange.HistoryEntry {
			if n != noun || (id != "" && of != id) {
				return list
			}
			between := list[0]
			between.Tx = "between"
			between.Record = json.RawMessage(strings.ReplaceAll(string(between.Record), from, to))
			return append(list, between)
		}
	}
}

func versionTx(noun exchange.Noun) func(*workertest.Client) { return versions(noun, "", "", "") }

// evaluation puts another ciphertext into the evaluation and keeps its digest.
func evaluation(other string) func(*workertest.Client) {
	return func(client *workertest.Client) {
		client.Record = func(n exchange.Noun, _ string, record json.RawMessage) json.RawMessage {
			var e exchange.Evaluation
			if n != exchange.NounEvaluation || json.Unmarshal(record, &e) != nil {
				return record
			}
			e.Ciphertexts[0] = other
			record, _ = exchange.Encode(e)
			return record
		}
	}
}

// recipient gives census another recipient key.
func recipient(t *testing.T) func(*workertest.Client) {
	thief, err := envelope.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return func(client *workertest.Client) {
		client.Record = func(n exchange.Noun, id string, record json.RawMessage) json.RawMessage {
			var d exchange.Department
			if n != exchange.NounDepartment || id != "census" || json.Unmarshal(record, &d) != nil {
				return record
			}
			d.Recipient = thief.Recipient().String()
			record, _ = exchange.Encode(d)
			return record
		}
	}
}

// TestServed posts one share, however often it is asked, for a keyring that was
// retired since too; what it holds opens for the requester alone and encrypts to
// the evaluation.
func TestServed(t *testing.T) {
	c := workertest.NewComputed(t, begin, "1", "2")
	c.Client("labor", "officer").Must(t, "", exchange.OpKeyringRetire, &exchange.RetireKeyring{Keyring: c.Keyring, Reason: "a new one is there"})
	var said []string
	away := true
	c.Labor.Answer = func(op exchange.Operation, next func() (exchange.Outcome, error)) (exchange.Outcome, error) {
		said = append(said, string(op.Body))
		if away {
			return exchange.Outcome{}, ledger.ErrUnreachable
		}
		return next()
	}
	if err := wake(t, c, holder(c, c.Labor.Vault, c.Labor.Client, c.Now)); !workers.Retried(err) {
		t.Errorf("the ledger is away: %v", err)
	}
	away = false
	for range 3 {
		if err := wake(t, c, holder(c, c.Labor.Vault, c.Labor.Client, c.Now)); err != nil {
			t.Fatal(err)
		}
	}
	if len(said) != 2 || said[0] != said[1] {
		t.Fatalf("said %d times, the same: %t", len(said), said[0] == said[len(said)-1])
	}
	var share exchange.Share
	var evaluated exchange.Evaluation
	if err := c.Census.Get(t.Context(), exchange.NounShare, c.Job+"/labor", &share); err != nil {
		t.Fatal(err)
	}
	if err := c.Census.Get(t.Context(), exchange.NounEvaluation, c.Job, &evaluated); err != nil {
		t.Fatal(err)
	}
	sealed, err := base64.StdEncoding.DecodeString(share.Sealed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := envelope.OpenRecord(sealed, c.Health.Vault.Identity(t, keystore.Department)); err == nil {
		t.Error("another department opens the share")
	}
	plain, err := envelope.OpenRecord(sealed, c.Census.Vault.Identity(t, keystore.Department))
	if err != nil {
		t.Fatal(err)
	}
	var opening exchange.Opening
	if err := exchange.Decode(plain, &opening); err != nil || opening.Job != c.Job || opening.Digest != evaluated.Digest || len(opening.Plaintexts) != len(evaluated.Ciphertexts) {
		t.Errorf("it opens %+v, %v", opening, err)
	}
}

// TestOnce refuses a second evaluation of a job of which one was opened.
func TestOnce(t *testing.T) {
	c := workertest.NewComputed(t, begin, "1", "2")
	c.Labor.Answer = func(exchange.Operation, func() (exchange.Outcome, error)) (exchange.Outcome, error) {
		return exchange.Outcome{}, ledger.ErrUnreachable
	}
	if err := wake(t, c, holder(c, c.Labor.Vault, c.Labor.Client, c.Now)); !workers.Retried(err) {
		t.Fatalf("verdict %v", err)
	}
	files, err := filepath.Glob(filepath.Join(c.Labor.Vault.Dir, "journal", "jobs", "*-share.age"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the journal holds %v, %v", files, err)
	}
	record, err := exchange.Encode(map[string]string{"digest": strings.Repeat("0", 64), "sealed": "AAAA"})
	if err != nil {
		t.Fatal(err)
	}
	other, err := envelope.SealRecord(record, c.Labor.Vault.Identity(t, keystore.Department).Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], other, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := wake(t, c, holder(c, c.Labor.Vault, c.Labor.Client, c.Now)); !workers.Rejected(err) || !strings.Contains(err.Error(), "was opened before") {
		t.Errorf("verdict %v", err)
	}
}

// TestKeys looks for the private key where it is not, or is another.
func TestKeys(t *testing.T) {
	c := workertest.NewComputed(t, begin, "1", "2")
	none := workertest.NewVault(t)
	none.Identity(t, keystore.Department)
	if err := wake(t, c, holder(c, none, c.Labor.Client, c.Now)); !workers.Rejected(err) || !strings.Contains(err.Error(), "has no key of keyring") {
		t.Errorf("without the key: %v", err)
	}
	if _, err := none.Keys.CreatePaillierKey(t.Context(), c.Keyring, paillier.KeyOptions{Bits: paillier.MinBits}); err != nil {
		t.Fatal(err)
	}
	if err := wake(t, c, holder(c, none, c.Labor.Client, c.Now)); !workers.Rejected(err) || !strings.Contains(err.Error(), "in this department's keystore is") {
		t.Errorf("with another key: %v", err)
	}
}

// TestLeftAlone are jobs that are not served, and that nobody need look at; and
// others that come right by themselves.
func TestLeftAlone(t *testing.T) {
	c := workertest.NewComputed(t, begin, "1", "2")
	over := func() time.Time { return c.Plan.Deadline }
	if err := wake(t, c, holder(c, vaultOf(t, c), c.Labor.Client, over)); err != nil {
		t.Errorf("expired: %v", err)
	}
	behind := c.Client("labor", "worker")
	replace(exchange.NounJob, "", `"state":"computed"`, `"state":"contributed"`)(behind)
	if err := wake(t, c, holder(c, vaultOf(t, c), behind, c.Now)); !workers.Retried(err) {
		t.Errorf("behind: %v", err)
	}
	foreign := decrypt.New(decrypt.Config{Department: "health", Ledger: c.Health, Keys: c.Health.Vault.Keys, Journal: c.Health.Vault.Journal})
	if err := wake(t, c, foreign); err != nil {
		t.Errorf("of another keyholder: %v", err)
	}
	withdrawn := c.Client("labor", "worker")
	withdrawn.Answer = func(op exchange.Operation, next func() (exchange.Outcome, error)) (exchange.Outcome, error) {
		c.Census.Must(t, "", exchange.OpJobWithdraw, &exchange.EndJob{Job: c.Job, Reason: "asked too much"})
		return next()
	}
	for i := range 2 {
		if err := wake(t, c, holder(c, vaultOf(t, c), withdrawn, c.Now)); err != nil {
			t.Errorf("withdrawn, %d: %v", i, err)
		}
	}
	if j := c.Look(t); j.State != exchange.JobWithdrawn {
		t.Errorf("the job is %s", j.State)
	}
}

// TestRefusedByTheLedger are answers that no repeat changes.
func TestRefusedByTheLedger(t *testing.T) {
	c := workertest.NewComputed(t, begin, "1", "2")
	for _, code := range []exchange.Code{exchange.Revoked, exchange.Denied, exchange.Invalid} {
		client := c.Client("labor", "worker")
		client.Answer = func(op exchange.Operation, _ func() (exchange.Outcome, error)) (exchange.Outcome, error) {
			return exchange.Outcome{Op: op.Op, Code: code, Message: fmt.Sprintf("it is %s", code)}, nil
		}
		if err := wake(t, c, holder(c, vaultOf(t, c), client, c.Now)); !workers.Rejected(err) || !strings.Contains(err.Error(), "it is "+string(code)) {
			t.Errorf("%s: %v", code, err)
		}
	}
}
