package combine_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/envelope"
	"chancery/crypto/keystore"
	"chancery/test/workertest"
	"chancery/workers"
	"chancery/workers/combine"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// opening is what labor's worker would open, by its key.
func opening(t *testing.T, c *workertest.Computation) exchange.Opening {
	t.Helper()
	var e exchange.Evaluation
	if err := c.Labor.Get(t.Context(), exchange.NounEvaluation, c.Job, &e); err != nil {
		t.Fatal(err)
	}
	sk, err := c.Labor.Vault.Keys.PaillierKey(c.Keyring)
	if err != nil {
		t.Fatal(err)
	}
	list, err := exchange.DecodeCiphertexts(sk.Public(), e.Ciphertexts, len(e.Ciphertexts))
	if err != nil {
		t.Fatal(err)
	}
	plaintexts, randomness, err := sk.OpenBatch(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	o := exchange.Opening{Job: c.Job, Digest: e.Digest}
	for i := range plaintexts {
		o.Plaintexts = append(o.Plaintexts, plaintexts[i].String())
		o.Randomness = append(o.Randomness, randomness[i].String())
	}
	return o
}

// post posts a share of labor's.
func post(t *testing.T, c *workertest.Computation, digest string, plain []byte, to *workertest.Member) {
	t.Helper()
	sealed, err := envelope.SealRecord(plain, to.Vault.Identity(t, keystore.Department).Recipient())
	if err != nil {
		t.Fatal(err)
	}
	c.Labor.Must(t, "", exchange.OpJobShare, &exchange.PostShare{Job: c.Job, Digest: digest, Sealed: base64.StdEncoding.EncodeToString(sealed)})
}

func encoded(t *testing.T, o exchange.Opening) []byte {
	t.Helper()
	plain, err := exchange.Encode(o)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func inbox(c *workertest.Computation) string { return filepath.Join(c.Census.Vault.Dir, "inbox") }

// wake tells census's worker that the share was posted.
func wake(t *testing.T, c *workertest.Computation, client *workertest.Client) error {
	t.Helper()
	w := combine.New(combine.Config{
		Department: "census", Inbox: inbox(c), Keys: c.Census.Vault.Keys, Journal: c.Census.Vault.Journal, Ledger: client,
	})
	return workertest.Wake(t, w, c.Last(t, exchange.JobSharePosted))
}

func open(t *testing.T, c *workertest.Computation) (combine.Result, error) {
	t.Helper()
	return combine.Open(t.Context(), c.Census, "census", inbox(c), c.Job)
}

// TestWrongShares are contested, and nothing is delivered.
func TestWrongShares(t *testing.T) {
	plus := func(text string) string {
		n, _ := new(big.Int).SetString(text, 10)
		return n.Add(n, big.NewInt(1)).String()
	}
	for name, share := range map[string]struct {
		alter func(o *exchange.Opening)
		want  string
	}{
		"another plaintext":  {func(o *exchange.Opening) { o.Plaintexts[0] = plus(o.Plaintexts[0]) }, "do not encrypt to it"},
		"another randomness": {func(o *exchange.Opening) { o.Randomness[0] = plus(o.Randomness[0]) }, "do not encrypt to it"},
		"randomness of 0":    {func(o *exchange.Opening) { o.Randomness[0] = "0" }, "are out of range"},
		"below 0":            {func(o *exchange.Opening) { o.Plaintexts[0] = "-" + o.Plaintexts[0] }, "are none"},
		"no number":          {func(o *exchange.Opening) { o.Plaintexts[0] = "0x10" }, "are none"},
		"not canonical":      {func(o *exchange.Opening) { o.Plaintexts[0] = "0" + o.Plaintexts[0] }, "are none"},
		"too few":            {func(o *exchange.Opening) { o.Plaintexts = nil }, "opens 0 ciphertexts"},
		"of another job":     {func(o *exchange.Opening) { o.Job = exchange.NewID(exchange.NounJob, "x", "y") }, "not 1 of"},
		"of another digest":  {func(o *exchange.Opening) { o.Digest = strings.Repeat("0", 64) }, "not 1 of"},
	} {
		t.Run(name, func(t *testing.T) {
			c := workertest.NewComputed(t, begin, "2", "7", "1")
			o := opening(t, c)
			digest := o.Digest
			share.alter(&o)
			post(t, c, digest, encoded(t, o), c.Census)
			contested(t, c, share.want)
		})
	}
	t.Run("sealed to another", func(t *testing.T) {
		c := workertest.NewComputed(t, begin, "2", "7", "1")
		o := opening(t, c)
		post(t, c, o.Digest, encoded(t, o), c.Health)
		contested(t, c, "cannot be unsealed: sealed to another recipient")
	})
	t.Run("no opening", func(t *testing.T) {
		c := workertest.NewComputed(t, begin, "2", "7", "1")
		post(t, c, opening(t, c).Digest, []byte(`{"job":1}`), c.Census)
		contested(t, c, "holds no opening")
	})
}

func contested(t *testing.T, c *workertest.Computation, want string) {
	t.Helper()
	for range 2 { // and a repeat finds it over
		if err := wake(t, c, c.Census.Client); err != nil {
			t.Fatal(err)
		}
	}
	if j := c.Look(t); j.State != exchange.JobDisputed || !strings.Contains(j.Change.Reason, want) {
		t.Errorf("the job is %s: %s, want %q", j.State, j.Change.Reason, want)
	}
	if _, err := open(t, c); !errors.Is(err, exchange.ErrConflict) {
		t.Errorf("opened: %v", err)
	}
	if _, err := os.Stat(inbox(c)); !os.IsNotExist(err) {
		t.Errorf("something was delivered: %v", err)
	}
}

// TestRecordsThatDiffer are not computed with either.
func TestRecordsThatDiffer(t *testing.T) {
	c := workertest.NewComputed(t, begin, "2", "7", "1")
	o := opening(t, c)
	post(t, c, o.Digest, encoded(t, o), c.Census)
	var mask exchange.Mask
	if err := c.Census.Get(t.Context(), exchange.NounMask, c.Job, &mask); err != nil {
		t.Fatal(err)
	}
	for noun, lie := range map[exchange.Noun]struct{ from, to, want string }{
		exchange.NounMask:         {mask.Ciphertexts[0], mask.Ciphertexts[0] + "A", "is not the one that census made"},
		exchange.NounEvaluation:   {`"digest":"`, `"digest":"0`, "the recorded evaluation"},
		exchange.NounShare:        {`"digest":"`, `"digest":"0`, "the share is of the evaluation"},
		exchange.NounContribution: {`"input":0`, `"input":1`, "cannot be evaluated"},
	} {
		client := c.Client("census", "worker")
		client.Record = func(n exchange.Noun, _ string, record json.RawMessage) json.RawMessage {
			if n == noun {
				return json.RawMessage(strings.ReplaceAll(string(record), lie.from, lie.to))
			}
			return record
		}
		var said []exchange.Operation
		client.Answer = func(op exchange.Operation, _ func() (exchange.Outcome, error)) (exchange.Outcome, error) {
			said = append(said, op)
			return exchange.Outcome{Op: op.Op, Code: exchange.OK}, nil
		}
		if err := wake(t, c, client); err != nil || len(said) != 1 || said[0].Op != exchange.OpJobContest || !strings.Contains(string(said[0].Body), lie.want) {
			t.Errorf("%s: %v, said %v, want %q", noun, err, said, lie.want)
		}
	}
}

// TestDelivered stops the worker between commitment and delivery, and alters what
// was delivered.
func TestDelivered(t *testing.T) {
	c := workertest.NewComputed(t, begin, "2", "7", "1")
	o := opening(t, c)
	post(t, c, o.Digest, encoded(t, o), c.Census)
	c.Until(c.Plan.Deadline.Add(time.Hour)) // closing needs no deadline
	c.Census.Answer = func(_ exchange.Operation, next func() (exchange.Outcome, error)) (exchange.Outcome, error) {
		if _, err := next(); err != nil {
			return exchange.Outcome{}, err
		}
		return exchange.Outcome{}, ledger.ErrUnknownOutcome
	}
	if err := wake(t, c, c.Census.Client); !workers.Retried(err) {
		t.Fatalf("verdict %v", err)
	}
	if _, err := open(t, c); !errors.Is(err, combine.ErrNotDelivered) {
		t.Errorf("before the delivery: %v", err)
	}
	if err := wake(t, c, c.Census.Client); err != nil {
		t.Fatal(err)
	}
	r, err := open(t, c)
	want := []combine.Value{{Key: "2", Value: "-6.75"}, {Key: "1", Value: "4.50"}}
	if err != nil || !slices.Equal(r.Values, want) {
		t.Fatalf("%v, %v", r.Values, err)
	}
	if len(r.Summary.Missing) != 3 || !slices.Equal(r.Summary.Missing[1].Keys, []string{"7"}) {
		t.Errorf("missing: %+v", r.Summary.Missing)
	}
	dir := filepath.Join(inbox(c), c.Job)
	for name, alter := range map[string]struct{ file, from, to string }{
		"value":      {combine.TableFile, "4.50", "4.51"},
		"row":        {combine.TableFile, "1,4.50\n", ""},
		"salt":       {combine.SummaryFile, `"salt":"`, `"salt":"00`},
		"no salt":    {combine.SummaryFile, `"salt":"`, `"salt":"x`},
		"missing":    {combine.SummaryFile, `["7"]`, `[]`},
		"other text": {combine.SummaryFile, `"job"`, `"Job"`},
	} {
		file := filepath.Join(dir, alter.file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), alter.from, alter.to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, c); !errors.Is(err, combine.ErrAltered) {
			t.Errorf("%s altered: %v", name, err)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := combine.Open(t.Context(), c.Health, "health", inbox(c), c.Job); !errors.Is(err, exchange.ErrDenied) {
		t.Errorf("for another department: %v", err)
	}
	for job, want := range map[string]error{"../x": exchange.ErrInvalid, exchange.NewID(exchange.NounJob, "x", "y"): exchange.ErrNotFound} {
		if _, err := combine.Open(t.Context(), c.Census, "census", inbox(c), job); !errors.Is(err, want) {
			t.Errorf("job %q: %v", job, err)
		}
	}
}

// TestWithoutMask cannot read the result, and does not blame anybody for it.
func TestWithoutMask(t *testing.T) {
	c := workertest.NewComputed(t, begin, "2", "7", "1")
	o := opening(t, c)
	post(t, c, o.Digest, encoded(t, o), c.Census)
	files, err := filepath.Glob(filepath.Join(c.Census.Vault.Dir, "journal", "jobs", "*-mask.age"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the journal holds %v, %v", files, err)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	if err := wake(t, c, c.Census.Client); workertest.Verdict(err) != "failed" {
		t.Errorf("verdict %v", err)
	}
	if j := c.Look(t); j.State != exchange.JobShared {
		t.Errorf("the job is %s", j.State)
	}
}
