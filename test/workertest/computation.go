package workertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/crypto/keystore"
	"chancery/crypto/paillier"
	"chancery/events/bus"
	"chancery/workers"
	"chancery/workers/compute"
)

// Computation is three departments that compute a job together: census asks,
// labor holds the key, and each has a table.
type Computation struct {
	*Channel
	Census, Health, Labor *Member
	Keyring               string // id
	Plan                  exchange.Plan
	Job                   string // id, once opened

	told    int // transactions whose events were handed out
	command int
}

// Input is a table that a department publishes for a job.
type Input struct {
	Member    *Member
	Name      string // of the dataset
	MediaType string
	Content   string
	Columns   []exchange.Column
	exchange.Input
}

// keyOnce generates the one key of a test's process: no test changes it.
var keyOnce = sync.OnceValues(func() ([]byte, error) {
	key, err := paillier.GenerateKey(context.Background(), paillier.KeyOptions{})
	if err != nil {
		return nil, err
	}
	return key.ExportText(), nil
})

// NewComputation is the departments with the keyring and no data.
func NewComputation(t testing.TB, now time.Time) *Computation {
	t.Helper()
	c := &Computation{Channel: NewChannel(t, now)}
	c.Census, c.Health, c.Labor = c.Join(t, "census"), c.Join(t, "health"), c.Join(t, "labor")
	c.Keyring = exchange.KeyringID(c.Labor.MSP, "statistics")
	c.HoldKey(t, c.Labor, c.Keyring)
	key, err := c.Labor.Vault.Keys.PaillierKey(c.Keyring)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.Public().MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	c.Client("labor", "officer").Must(t, "", exchange.OpKeyringCreate, &exchange.CreateKeyring{Name: "statistics", PublicKey: string(public)})
	c.Plan = exchange.Plan{
		Operation: exchange.WeightedSum, Keyring: "labor/statistics", Purpose: "planning", LegalBasis: "Public Health Act, section 12",
		Scale: 6, ValueBits: 32, Deadline: now.Add(24 * time.Hour),
	}
	return c
}

// HoldKey puts the private key into a member's keystore under a keyring's id.
func (c *Computation) HoldKey(t testing.TB, m *Member, keyring string) {
	t.Helper()
	text, err := keyOnce()
	if err != nil {
		t.Fatal(err)
	}
	file, err := m.Vault.Keys.PaillierPath(keyring)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o700)
	}
	if err == nil {
		err = keystore.WriteNew(file, text)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Terms let everyone compute.
func Terms() exchange.Terms {
	return exchange.Terms{Actions: []exchange.Action{exchange.Read, exchange.Compute}, MaxUses: 5, MaxDuration: 30 * 24 * 3600}
}

// Publish registers a department's table and takes it into the plan.
func (c *Computation) Publish(t testing.TB, in Input, terms exchange.Terms) {
	t.Helper()
	dataset := in.Member.Must(t, "register-"+in.Name, exchange.OpDatasetRegister, &exchange.RegisterDataset{
		Name: in.Name, Terms: terms,
		Description: exchange.Description{Title: in.Name, Licence: "CC0-1.0", MediaType: in.MediaType, Columns: in.Columns},
	})
	sealed := in.Member.Vault.Seal(t, in.Member.Node, in.Member.MSP, dataset, "publish-"+in.Name, in.Name+".txt", in.Content, 1)
	in.Member.Must(t, "", exchange.OpObjectRegister, &sealed.Registration)
	in.Input.Dataset = in.Member.Name + "/" + in.Name
	c.Plan.Inputs = append(c.Plan.Inputs, in.Input)
}

// Open opens the job of the plan.
func (c *Computation) Open(t testing.TB) {
	t.Helper()
	c.command++
	c.Job = c.Census.Must(t, fmt.Sprint("open-", c.command), exchange.OpJobOpen, &exchange.OpenJob{Plan: c.Plan})
}

// Approve has a department's officer approve the job as it is.
func (c *Computation) Approve(t testing.TB, department string) {
	t.Helper()
	c.Client(department, "officer").Must(t, "", exchange.OpJobApprove, &exchange.ApproveJob{Job: c.Job, Spec: c.Look(t).Digest})
}

// Look reads the job.
func (c *Computation) Look(t testing.TB) exchange.Job {
	t.Helper()
	var j exchange.Job
	if err := c.Client("census", "worker").Get(t.Context(), exchange.NounJob, c.Job, &j); err != nil {
		t.Fatal(err)
	}
	return j
}

// Last is the latest event of a kind.
func (c *Computation) Last(t testing.TB, kind exchange.EventType) exchange.Event {
	t.Helper()
	list, _ := c.Events(0)
	for _, e := range slices.Backward(list) {
		if e.Type == kind {
			return e
		}
	}
	t.Fatalf("there is no event %s", kind)
	return exchange.Event{}
}

// NewComputed is a job of census over three small tables, which hold 1.50 under
// key 1 and -2.25 under key 2, that the worker compute has brought as far as
// labor's share.
func NewComputed(t testing.TB, now time.Time, keys ...string) *Computation {
	t.Helper()
	c := NewComputation(t, now)
	members := []*Member{c.Census, c.Health, c.Labor}
	var staff []workers.Worker
	for _, m := range members {
		c.Publish(t, Input{
			Member: m, Name: "t", MediaType: "text/csv", Content: "k,v\n1,1.50\n2,-2.25\n", Input: exchange.Input{Key: "k", Value: "v", Weight: 1},
		}, Terms())
		staff = append(staff, compute.New(compute.Config{
			Department: m.Name, MSP: m.MSP, Peer: m.Peer, Chaincode: Chaincode,
			Keys: m.Vault.Keys, Journal: m.Vault.Journal, Node: m.Node, Ledger: m, Now: c.Now,
		}))
	}
	c.Plan.Keys, c.Plan.Scale = keys, 2
	c.Open(t)
	for _, m := range members {
		c.Approve(t, m.Name)
	}
	if verdicts := c.Run(t, staff...); len(verdicts) > 0 {
		t.Fatal(verdicts)
	}
	if j := c.Look(t); j.State != exchange.JobComputed {
		t.Fatalf("the job is %s", j.State)
	}
	return c
}

// Run hands the events of the ledger to workers until there are none left, each
// to each that consumes it, and returns the verdicts that were not "done".
func (c *Computation) Run(t testing.TB, staff ...workers.Worker) (verdicts []error) {
	t.Helper()
	for {
		list, next := c.Events(c.told)
		if next == c.told {
			return verdicts
		}
		c.told = next
		for _, e := range list {
			for _, w := range staff {
				if err := Wake(t, w, e); err != nil {
					verdicts = append(verdicts, err)
				}
			}
		}
	}
}

// Replay starts the ledger's events over.
func (c *Computation) Replay() { c.told = 0 }

// Wake gives a worker one event, if it consumes it, and returns its verdict.
func Wake(t testing.TB, w workers.Worker, e exchange.Event) error {
	t.Helper()
	name := strings.ReplaceAll(string(e.Type), ".", "-")
	for _, s := range w.Subscriptions {
		if s.Filter.Name == name {
			m := &workers.Message{Message: bus.Message{Envelope: OnLedger(t, e), Sequence: 1, Stored: time.Now()}, Attempt: 1}
			return s.Handle(zerolog.Nop().WithContext(t.Context()), m)
		}
	}
	return nil
}
