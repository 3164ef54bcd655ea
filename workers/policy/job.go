package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"chancery/chaincode/exchange"
)

// jobVariable is what a job has besides a request. There is none where data is
// asked for: a condition does not hold by what it says of a job then.
const jobVariable = "job"

// job is the rules' vocabulary of a job, as [request] is of a request.
type job struct {
	Operation       string        `cel:"operation" most:"12"`
	Keyring         string        `cel:"keyring" most:"28"` // id
	Keyholder       string        `cel:"keyholder" most:"64"`
	Providers       []string      `cel:"providers" most:"16" items:"64"`
	MinContributors int           `cel:"minContributors"`
	Keys            int           `cel:"keys"` // number of them
	Scale           int           `cel:"scale"`
	ValueBits       int           `cel:"valueBits"`
	Deadline        time.Time     `cel:"deadline"`
	ValidFor        time.Duration `cel:"validFor"`            // from its opening to its deadline
	Input           input         `cel:"input"`               // that is decided upon
	Inputs          []input       `cel:"inputs" most:"16"`    // the own department's
	AllInputs       []input       `cel:"allInputs" most:"16"` // every department's: what the own values are summed with
}

// input is one input to a job.
type input struct {
	Provider  string `cel:"provider" most:"64"`
	Dataset   string `cel:"dataset" most:"64"` // name
	Key       string `cel:"key" most:"128"`
	Divisor   int    `cel:"divisor"`
	Value     string `cel:"value" most:"128"`
	Reduction string `cel:"reduction" most:"4"`
	Shift     int    `cel:"shift"`
	Weight    int    `cel:"weight"`
}

func newJob(j exchange.Job, at int) job {
	s := j.Spec
	made := job{
		Operation: string(s.Operation), Keyring: s.Keyring, Keyholder: s.Keyholder, Providers: s.Providers(),
		MinContributors: s.MinContributors, Keys: len(s.Keys), Scale: s.Scale, ValueBits: s.ValueBits,
		Deadline: s.Deadline, ValidFor: s.Deadline.Sub(j.Since), Input: newInput(s, at),
	}
	for _, i := range s.InputsOf(s.Sources[at].Provider) {
		made.Inputs = append(made.Inputs, newInput(s, i))
	}
	for i := range s.Inputs {
		made.AllInputs = append(made.AllInputs, newInput(s, i))
	}
	return made
}

func newInput(s exchange.Spec, i int) input {
	in := s.Inputs[i]
	return input{s.Sources[i].Provider, s.Sources[i].Dataset, in.Key, int(in.Divisor), in.Value, string(in.Reduction), in.Shift, int(in.Weight)}
}

// JobRequest is an input of a job as a request for its dataset, which rules
// decide upon: to compute, once, until the job's deadline.
func JobRequest(j exchange.Job, i int) exchange.Request {
	in, source := j.Spec.Inputs[i], j.Spec.Sources[i]
	return exchange.Request{
		ID: j.ID, Requester: j.Requester, RequesterMSP: j.RequesterMSP, Provider: source.Provider,
		Dataset: in.Dataset, Version: source.SealedDigest, Object: in.Object,
		Purpose: j.Spec.Purpose, LegalBasis: j.Spec.LegalBasis, Actions: []exchange.Action{exchange.Compute}, Spec: j.Digest,
		NotBefore: j.Since, NotAfter: j.Spec.Deadline, Uses: 1, State: exchange.RequestOpen, Since: j.Since, Change: j.Change,
	}
}

// GatherJob is [Gather] for each input of a department to a job, in the order of
// the spec.
func GatherJob(ctx context.Context, l Reader, j exchange.Job, department string, history bool, now time.Time) ([]Facts, error) {
	var all []Facts
	for n, i := range j.Spec.InputsOf(department) {
		f, err := Gather(ctx, l, JobRequest(j, i), history && n == 0, now)
		if err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
		if n > 0 { // it is the same two departments'
			f.History = all[0].History
		}
		f.Job, f.Input = &j, i
		all = append(all, f)
	}
	return all, nil
}

// JobDecision is what the rules say of a job, and how they came to it.
type JobDecision struct {
	Verdict Verdict         `json:"decision"` // give: approve
	Rule    string          `json:"rule,omitempty"`
	Reason  string          `json:"reason,omitempty"`
	Fault   bool            `json:"fault,omitempty"` // something went wrong with a rule
	Inputs  []InputDecision `json:"inputs"`
}

// InputDecision is what the rules say of one input.
type InputDecision struct {
	Input   int    `json:"input"` // its place in the spec
	Dataset string `json:"dataset"`
	Decision
}

// DecideJob decides each of a department's inputs to a job as if it were a
// request. A job is approved where a rule gives every one of them, refused where
// a rule refuses any, and else left to an officer. There is no approval of a
// part, and none that is narrower than the job.
func (r *Rules) DecideJob(ctx context.Context, inputs []Facts) JobDecision {
	d := JobDecision{Verdict: ToOfficer, Inputs: []InputDecision{}}
	for n, f := range inputs {
		one := r.Decide(ctx, f)
		d.Inputs = append(d.Inputs, InputDecision{f.Input, f.Dataset.Name, one})
		if n == 0 || stronger(one.Verdict, d.Verdict) {
			d.Verdict, d.Rule, d.Reason, d.Fault = one.Verdict, one.Rule, one.Reason, one.Fault
		}
	}
	return d
}

// stronger says which verdict on an input decides the job: a refusal over all,
// a doubt over an approval.
func stronger(a, b Verdict) bool {
	return slices.Index(byStrength, a) > slices.Index(byStrength, b)
}

var byStrength = []Verdict{Give, ToOfficer, Refuse}

// whole is nil where a rule gives all that a job asks for. An approval carries
// the terms' own obligations and lasts until the deadline.
func (w Narrow) whole(f Facts) error {
	g, err := w.grant(f)
	if err != nil {
		return err
	}
	switch {
	case !g.NotAfter.Equal(f.Request.NotAfter):
		return fmt.Errorf("the rule and the terms would end the grant at %s, before the job's deadline: a job is approved as it is or not at all", g.NotAfter.Format(time.RFC3339))
	case *g.Obligations != f.Dataset.Terms.Obligations:
		return errors.New("the rule adds obligations, which the approval of a job does not carry")
	}
	return nil
}
