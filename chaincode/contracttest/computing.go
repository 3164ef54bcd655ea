package contracttest

import (
	_ "embed" // keys of testdata
	"encoding/base64"
	"fmt"
	"math/big"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/crypto/paillier"
)

// The private keys of testdata are published: they protect nothing.
var (
	//go:embed testdata/TEST-KEY-NOT-SECRET-a.txt
	firstKey []byte
	//go:embed testdata/TEST-KEY-NOT-SECRET-b.txt
	secondKey []byte
)

// computing is what all jobs of a run share: labor's keyring, a dataset of every
// department, and ciphertexts made once, since they take milliseconds each.
type computing struct {
	key     *paillier.PrivateKey
	foreign *paillier.PrivateKey // of no keyring
	keyring string
	name    string // of the keyring and the datasets

	dataset, object map[string]string // by department
	inputs          map[string]string // ciphertext of each department's values
	mask            string            // ciphertext of maskNumber
	other           string            // ciphertext of 1
}

// values of the departments for the keys of a plan, as scaled integers.
var values = map[string][]int64{provider: {105, -20, 70000}, third: {33, 12, -1}}

// weights of the departments in a plan.
var weights = map[string]int64{provider: 3, third: -2}

// providers of the jobs in the order of their inputs, when nothing else is said.
var providers = []string{provider, third}

var maskNumber = new(big.Int).Lsh(big.NewInt(987654321), 2900)

func (s *suite) compute(t *testing.T) *computing {
	t.Helper()
	f := &computing{
		key: parsed(t, firstKey), foreign: parsed(t, secondKey), name: s.fresh(),
		dataset: make(map[string]string), object: make(map[string]string), inputs: make(map[string]string),
	}
	f.keyring = s.must(t, holder(exchange.Officer), exchange.OpKeyringCreate, "", &exchange.CreateKeyring{Name: f.name, PublicKey: publicText(t, f.key)}).ID
	for _, d := range Departments {
		c := s.stage(t)
		c.name, c.terms.Actions = f.name, []exchange.Action{exchange.Compute}
		worker := actor{d, string(exchange.Worker)}
		c.dataset = s.must(t, worker, exchange.OpDatasetRegister, "", c.table()).ID
		f.object[d] = s.must(t, worker, exchange.OpObjectRegister, "", c.versionOf(s.fresh())).ID
		f.dataset[d] = c.dataset
	}
	plan := f.plan(s.net.Now())
	packing, err := plan.Packing(f.key.Bits())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range providers {
		packed, err := packing.Pack(nil, values[d])
		if err != nil || len(packed) != 1 {
			t.Fatalf("%d plaintexts: %v", len(packed), err)
		}
		f.inputs[d] = encrypted(t, f.key, packed[0])
	}
	f.mask, f.other = encrypted(t, f.key, maskNumber), encrypted(t, f.key, big.NewInt(1))
	return f
}

func parsed(t *testing.T, text []byte) *paillier.PrivateKey {
	t.Helper()
	sk, err := paillier.ParsePrivateKeyText(text)
	if err != nil {
		t.Fatal(err)
	}
	return sk
}

func publicText(t *testing.T, sk *paillier.PrivateKey) string {
	t.Helper()
	text, err := sk.Public().MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func encrypted(t *testing.T, sk *paillier.PrivateKey, m *big.Int) string {
	t.Helper()
	c, err := sk.Encrypt(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// table is the registration of a dataset that jobs can compute with.
func (c *stage) table() *exchange.RegisterDataset {
	b := c.registration()
	b.Columns = []exchange.Column{
		{Name: "state", Type: exchange.Integer}, {Name: "name", Type: exchange.String}, {Name: "people", Type: exchange.Integer}, {Name: "rate", Type: exchange.Number},
	}
	return b
}

// plan asks for the weighted sum of census and labor for three keys.
func (f *computing) plan(now time.Time) *exchange.OpenJob {
	b := &exchange.OpenJob{Plan: exchange.Plan{
		Operation: exchange.WeightedSum, Keyring: f.keyring, Purpose: "planning", LegalBasis: "Statistics Act, section 5",
		Keys: []string{"1", "2", "17"}, Scale: 1, ValueBits: 32, MinContributors: 2,
		Deadline: now.UTC().Truncate(time.Second).Add(24 * time.Hour),
	}}
	for _, d := range providers {
		b.Inputs = append(b.Inputs, exchange.Input{
			Dataset: f.dataset[d], Object: f.object[d], Key: "state", Value: "people", Reduction: exchange.Only, Weight: weights[d],
		})
	}
	return b
}

// holder is an identity of the keyholder.
func holder(role exchange.Role) actor { return actor{third, string(role)} }

// workerOf and officerOf sign for a provider.
func workerOf(d string) actor  { return actor{d, string(exchange.Worker)} }
func officerOf(d string) actor { return actor{d, string(exchange.Officer)} }

func (c *stage) plan() *exchange.OpenJob { return c.computing.plan(c.net.Now()) }

// proposed has a job, changed before it is opened by the functions given.
func (c *stage) proposed(changes ...func(*exchange.Plan)) *stage {
	c.t.Helper()
	b := c.plan()
	for _, change := range changes {
		change(&b.Plan)
	}
	c.planned = c.fresh()
	c.job = c.must(c.t, asker, exchange.OpJobOpen, c.planned, b).ID
	c.spec = c.record().Digest
	return c
}

// record is the stage's job as it stands.
func (c *stage) record() exchange.Job {
	c.t.Helper()
	return get[exchange.Job](c.t, c.suite, exchange.NounJob, c.job)
}

func (c *stage) approval() *exchange.ApproveJob {
	return &exchange.ApproveJob{Job: c.job, Spec: c.spec}
}

// approved has a job that both providers approved.
func (c *stage) approved(changes ...func(*exchange.Plan)) *stage {
	c.t.Helper()
	c.proposed(changes...)
	for _, d := range providers {
		c.must(c.t, officerOf(d), exchange.OpJobApprove, "", c.approval())
	}
	return c
}

// aligned has a job whose mask and keys are fixed.
func (c *stage) aligned() *stage {
	c.t.Helper()
	if c.job == "" {
		c.approved()
	}
	c.must(c.t, asker, exchange.OpJobMask, "", c.masking())
	for _, d := range providers {
		c.must(c.t, workerOf(d), exchange.OpJobAlign, "", &exchange.AlignJob{Job: c.job})
	}
	return c
}

func (c *stage) masking() *exchange.MaskJob {
	return &exchange.MaskJob{Job: c.job, Ciphertexts: []string{c.computing.mask}}
}

func (c *stage) contribution(department string) *exchange.Contribute {
	for i, d := range providers {
		if d == department {
			return &exchange.Contribute{Job: c.job, Inputs: []exchange.Encrypted{{Input: i, Ciphertexts: []string{c.computing.inputs[d]}}}}
		}
	}
	c.t.Fatal(fmt.Errorf("%s contributes nothing", department))
	return nil
}

// contributed has a job that can be evaluated.
func (c *stage) contributed() *stage {
	c.t.Helper()
	if c.job == "" {
		c.aligned()
	}
	for _, d := range providers {
		c.must(c.t, workerOf(d), exchange.OpJobContribute, "", c.contribution(d))
	}
	return c
}

func (c *stage) computed() *stage {
	c.t.Helper()
	if c.job == "" {
		c.contributed()
	}
	c.must(c.t, asker, exchange.OpJobEvaluate, "", &exchange.EvaluateJob{Job: c.job})
	c.digest = get[exchange.Evaluation](c.t, c.suite, exchange.NounEvaluation, c.job).Digest
	return c
}

// sealed looks like an age file.
func sealed(s string) string {
	return base64.StdEncoding.EncodeToString([]byte("age-encryption.org/v1\n" + s))
}

// opening is a share for the evaluation on record.
func (c *stage) opening() *exchange.PostShare {
	return &exchange.PostShare{Job: c.job, Digest: c.digest, Sealed: sealed("opening")}
}

func (c *stage) shared() *stage {
	c.t.Helper()
	if c.job == "" {
		c.computed()
	}
	c.must(c.t, holder(exchange.Worker), exchange.OpJobShare, "", c.opening())
	return c
}

func (c *stage) closing() *exchange.CloseJob {
	return &exchange.CloseJob{Job: c.job, Commitment: digest("result of " + c.job)}
}

func (c *stage) end(reason string) *exchange.EndJob {
	return &exchange.EndJob{Job: c.job, Reason: reason}
}

// jobEnded has a job that someone has ended.
func (c *stage) jobEnded(who actor, op exchange.Op) *stage {
	c.t.Helper()
	c.must(c.t, who, op, "", c.end("not now"))
	return c
}
