package main

import (
	"context"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"time"

	"chancery/chaincode/exchange"
	"chancery/crypto/keystore"
	"chancery/crypto/paillier"
	"chancery/events"
	"chancery/events/bus"
	"chancery/test/data"
	"chancery/workers/combine"
)

// compute is the last act: a need index per state over the tables of all three
// departments, of which none shows a value to another.
func (d *demo) compute(ctx context.Context) error {
	if err := d.makeKeyring(ctx); err != nil {
		return err
	}
	opened, err := d.openJob(ctx)
	if err != nil {
		return err
	}
	job, err := events.Record[exchange.Job](opened.Envelope)
	if err != nil {
		return err
	}
	if err := d.followJob(ctx, job, opened.heard); err != nil {
		return err
	}
	return d.readIndex(ctx, job.ID)
}

// makeKeyring has labor make the key that the job computes under.
func (d *demo) makeKeyring(ctx context.Context) error {
	start, labor := time.Now(), d.desks["labor"]
	plan, err := needIndex()
	if err != nil {
		return err
	}
	_, name, _ := exchange.DatasetName(plan.Keyring)
	store, err := keystore.Open(labor.profile.Keystore)
	if err != nil {
		return err
	}
	id := exchange.KeyringID(labor.profile.MSP, name)
	key, err := store.CreatePaillierKey(ctx, id, paillier.KeyOptions{})
	if err != nil {
		return err
	}
	public, err := key.Public().MarshalText()
	if err != nil {
		return err
	}
	if _, err := labor.sign(ctx, exchange.OpKeyringCreate, &exchange.CreateKeyring{Name: name, PublicKey: string(public)}); err != nil {
		return err
	}
	activated, err := d.desks["health"].hear(ctx, exchange.KeyringActivated, id, nil)
	if err == nil {
		d.step(fmt.Sprintf("labor makes a Paillier key of %d bits, a keyring for others", key.Bits()), start, activated)
	}
	return err
}

// needIndex is the plan of the demo's job.
func needIndex() (plan exchange.Plan, err error) {
	document, err := data.Files.ReadFile("need-index.yaml")
	if err != nil {
		return plan, err
	}
	return plan, parseDocument("need-index.yaml", document, &plan)
}

// openJob has health's systems ask for the index.
func (d *demo) openJob(ctx context.Context) (fact, error) {
	start, health := time.Now(), d.desks["health"]
	plan, err := needIndex()
	if err != nil {
		return fact{}, err
	}
	plan.Deadline = start.Add(time.Hour).UTC().Truncate(time.Second)
	command, err := health.command(ctx, events.JobOpen, &exchange.OpenJob{Plan: plan})
	if err != nil {
		return fact{}, err
	}
	if err := health.answer(ctx, command); err != nil {
		return fact{}, err
	}
	opened, err := d.desks["census"].hear(ctx, exchange.JobOpened, exchange.NewID(exchange.NounJob, health.profile.MSP, command), nil)
	if err == nil {
		d.step(fmt.Sprintf("health asks for a need index of %d states over three tables", len(plan.Keys)), start, opened)
	}
	return opened, err
}

// followJob has the officers approve and hears each step that the workers then
// take by themselves.
func (d *demo) followJob(ctx context.Context, job exchange.Job, since time.Time) error {
	health := d.desks["health"]
	masked, err := health.hear(ctx, exchange.JobWasMasked, job.ID, nil)
	if err != nil {
		return err
	}
	d.step("health adds an encrypted mask, so that labor opens only noise", since, masked)
	since = time.Now()
	for _, provider := range job.Spec.Providers() {
		body := &exchange.ApproveJob{Job: job.ID, Spec: job.Digest}
		if _, err := d.desks[provider].sign(ctx, exchange.OpJobApprove, body); err != nil {
			return err
		}
	}
	for _, phase := range []struct {
		event exchange.EventType
		what  string
		by    []string // whose events end the phase
	}{
		{exchange.JobWasApproved, "an officer of %s approves exactly this", job.Spec.Providers()},
		{exchange.JobWasAligned, "%s says which states its table lacks", job.Spec.Providers()},
		{exchange.JobWasContributed, "%s contributes its column, encrypted", job.Spec.Providers()},
		{exchange.JobWasComputed, "the contract computes on ciphertexts, called by %s", []string{job.Requester}},
		{exchange.JobSharePosted, "%s checks it all, opens the masked result for health alone", []string{job.Spec.Keyholder}},
		{exchange.JobWasClosed, "%s unmasks, unpacks, commits to the result", []string{job.Requester}},
	} {
		if since, err = d.endOf(ctx, job.ID, phase.event, phase.what, phase.by, since); err != nil {
			return err
		}
	}
	return nil
}

// endOf waits for an event of each department and returns when the last was
// heard.
func (d *demo) endOf(ctx context.Context, job string, event exchange.EventType, what string, by []string, since time.Time) (time.Time, error) {
	last := since
	for _, department := range by {
		f, err := d.desks["health"].hear(ctx, event, job, func(m *bus.Message) bool { return m.Address.From == department })
		if err != nil {
			return last, err
		}
		if heard := d.step(fmt.Sprintf(what, department), since, f); heard.After(last) {
			last = heard
		}
	}
	return last, nil
}

// highest is how many states the report shows.
const highest = 10

// readIndex reads what health's worker delivered, and holds it against the
// same calculation in the clear.
func (d *demo) readIndex(ctx context.Context, job string) error {
	health := d.desks["health"]
	result, err := combine.Open(ctx, health.officer, health.name, health.profile.Inbox, job)
	if err != nil {
		return err
	}
	plain, err := data.NeedIndex()
	if err != nil {
		return err
	}
	same := 0
	for _, v := range result.Values {
		if plain[v.Key] == v.Value {
			same++
		}
	}
	d.check("the need index equals the plaintext calculation", same == len(plain) && len(result.Values) == len(plain),
		"%d of %d states, to the last of 6 digits", same, len(plain))
	return d.reportIndex(job, result)
}

// reportIndex puts the highest states and those that are missing into the report.
func (d *demo) reportIndex(job string, result combine.Result) error {
	names, err := data.StateNames()
	if err != nil {
		return err
	}
	d.report.Index = demoIndex{Job: job, States: len(result.Values), File: filepath.Join(d.desks["health"].profile.Inbox, job, combine.TableFile)}
	values := slices.Clone(result.Values)
	slices.SortStableFunc(values, func(a, b combine.Value) int { return decimalOf(b.Value).Cmp(decimalOf(a.Value)) })
	for _, v := range values[:min(highest, len(values))] {
		d.report.Index.Highest = append(d.report.Index.Highest, demoState{State: names[v.Key], Key: v.Key, Index: v.Value})
	}
	left := 0
	for _, m := range result.Summary.Missing {
		for _, key := range m.Keys {
			left++
			d.report.Index.Missing = append(d.report.Index.Missing, demoMissing{State: names[key], Key: key, Department: m.Department})
		}
	}
	asked := len(result.Job.Spec.Keys)
	d.check("states that a table lacks are named, not dropped", left > 0 && left+len(result.Values) == asked,
		"%d named, %d computed, of %d", left, len(result.Values), asked)
	return nil
}

// decimalOf reads a decimal; what is none counts as 0.
func decimalOf(text string) *big.Rat {
	if n, ok := new(big.Rat).SetString(text); ok {
		return n
	}
	return new(big.Rat)
}
