package chaincode

import (
	"slices"
	"strings"
	"time"

	"chancery/chaincode/exchange"
)

// openJob makes a job. Its id follows from the command, as a request's does.
func openJob(a *act, b *exchange.OpenJob) (subject, error) {
	if err := a.needsCommand(); err != nil {
		return subject{}, err
	}
	id := exchange.NewID(exchange.NounJob, a.caller.msp, a.command)
	s := subject{id: id}
	s.change = func() error {
		j, err := a.newJob(id, b.Plan)
		if err != nil {
			return err
		}
		return a.putJob(j, j.Change)
	}
	return s, nil
}

// newJob resolves a plan and finds the departments that take part.
func (a *act) newJob(id string, plan exchange.Plan) (exchange.Job, error) {
	asker := a.caller.department
	j := exchange.Job{
		ID: id, Requester: asker.Name, RequesterMSP: asker.MSP,
		State: exchange.JobOpen, Since: a.time, Change: a.change(""),
	}
	var err error
	if j.Spec, err = a.resolve(plan); err != nil {
		return j, err
	}
	for _, name := range j.Spec.Providers() {
		if _, err := a.activeDepartment(name); err != nil {
			return j, err
		}
		j.Parties = append(j.Parties, exchange.JobParty{Department: name})
	}
	j.Digest, err = exchange.BodyDigest(j.Spec)
	return j, err
}

// resolve makes a spec of a plan: every name in it becomes the id of the record
// that it stands for now.
func (a *act) resolve(plan exchange.Plan) (exchange.Spec, error) {
	var none exchange.Spec
	if err := checkDeadline(plan.Deadline, a.time); err != nil {
		return none, err
	}
	k, err := a.activeKeyring(plan.Keyring)
	if err != nil {
		return none, err
	}
	spec := exchange.Spec{Plan: plan, Fingerprint: k.Fingerprint, Bits: k.Bits, Requester: a.caller.department.Name, Keyholder: k.Keyholder}
	spec.Keyring, spec.Inputs = k.ID, slices.Clone(plan.Inputs)
	for i := range spec.Inputs {
		source, err := a.resolveInput(&spec.Inputs[i], spec)
		if err != nil {
			return none, err
		}
		spec.Sources = append(spec.Sources, source)
	}
	return spec, firstError(spec.CheckParties(), spec.CheckSize())
}

// resolveInput finds the exact version that an input is computed from and
// refuses what its dataset's terms or columns do not let a job have.
func (a *act) resolveInput(in *exchange.Input, spec exchange.Spec) (exchange.Source, error) {
	var none exchange.Source
	key, err := a.recordKey(exchange.NounDataset, in.Dataset)
	if err != nil {
		return none, err
	}
	d, err := need[exchange.Dataset](a.transaction, key, in.Dataset)
	if err != nil {
		return none, err
	}
	if d, err = a.openDataset(d.ID); err != nil {
		return none, err
	}
	o, err := a.versionOf(d, in.Object)
	if err != nil {
		return none, err
	}
	in.Dataset, in.Object = d.ID, o.ID
	return exchange.Source{Provider: d.Owner, Dataset: d.Name, SealedDigest: o.SealedDigest},
		firstError(a.checkJobTerms(d, spec), checkColumns(d, *in))
}

// checkJobTerms refuses a job that a dataset's terms do not let its requester
// have from now on until its deadline. Nobody needs to be named in the terms of
// their own data.
func (a *act) checkJobTerms(d exchange.Dataset, spec exchange.Spec) error {
	if d.Owner == spec.Requester {
		d.Terms.Requesters = nil
	}
	return firstError(
		checkTerms(d, spec.Requester, spec.Purpose, []exchange.Action{exchange.Compute}),
		checkDuration(d.Terms, a.time, spec.Deadline))
}

// checkColumns refuses columns that a dataset, where it declares any, does not
// have, and a value column that holds no numbers.
func checkColumns(d exchange.Dataset, in exchange.Input) error {
	if len(d.Columns) == 0 {
		return nil
	}
	var has []string
	for _, c := range d.Columns {
		has = append(has, c.Name+" ("+string(c.Type)+")")
	}
	for _, name := range []string{in.Key, in.Value} {
		at := slices.IndexFunc(d.Columns, func(c exchange.Column) bool { return c.Name == name })
		if at < 0 {
			return exchange.Errorf(exchange.Invalid, "dataset %s has no column %q: it has %s", d.Name, name, strings.Join(has, ", "))
		}
		if t := d.Columns[at].Type; name == in.Value && t != exchange.Integer && t != exchange.Number {
			return exchange.Errorf(exchange.Invalid, "column %q of dataset %s is declared as %s, not as numbers: it has %s",
				name, d.Name, t, strings.Join(has, ", "))
		}
	}
	return nil
}

// checkDeadline refuses a deadline that is over, or too far away.
func checkDeadline(deadline, now time.Time) error {
	if !deadline.After(now) {
		return exchange.Errorf(exchange.Expired, "the job would end at %s, which is over", deadline.Format(time.RFC3339))
	}
	if most := time.Duration(exchange.MaxJobDuration) * time.Second; deadline.Sub(now) > most {
		return exchange.Errorf(exchange.Invalid, "the deadline %s is more than %s away", deadline.Format(time.RFC3339), most)
	}
	return nil
}

// job finds a job and what every operation on one says of its subject.
func (a *act) job(id string) (exchange.Job, subject, error) {
	j, err := need[exchange.Job](a.transaction, exchange.JobKey(id), id)
	j.Parties = slices.Clone(j.Parties) // for this act to change
	s := subject{id: j.ID, state: string(j.State)}
	switch a.row.Party {
	case exchange.Asker:
		s.party = j.Requester
	case exchange.Holder:
		s.party = j.Spec.Keyholder
	case exchange.Provider:
		s.among = j.Spec.Providers()
	}
	return j, s, err
}

// own is the caller's part of a job; an empty one where it has none.
func (a *act) own(j *exchange.Job) *exchange.JobParty {
	if p, ok := j.Party(a.caller.department.Name); ok {
		return p
	}
	return new(exchange.JobParty)
}

// putJob puts a job as this act leaves it, and tells it to all.
func (a *act) putJob(j exchange.Job, c exchange.Change) error {
	j.Change = c
	return firstError(a.put(exchange.JobKey(j.ID), j), a.tell(exchange.ToAll, j.ID, j))
}

// checkInTime refuses what comes after a job's deadline.
func (a *act) checkInTime(j exchange.Job) error {
	if j.Expired(a.time) {
		return exchange.Errorf(exchange.Expired, "the deadline of job %s was %s", j.ID, j.Spec.Deadline.Format(time.RFC3339))
	}
	return nil
}

// every reports whether all providers of a job have done something.
func every(j exchange.Job, done func(p exchange.JobParty) bool) bool {
	return !slices.ContainsFunc(j.Parties, func(p exchange.JobParty) bool { return !done(p) })
}
