package chaincode

import (
	"slices"

	"chancery/chaincode/exchange"
)

// approveJob gives a grant for each input of the caller's department. The
// grants are for this job alone, and can be revoked as any other.
func approveJob(a *act, b *exchange.ApproveJob) (subject, error) {
	j, s, err := a.job(b.Job)
	own := a.own(&j)
	if own.ApprovedTx != "" && b.Spec == j.Digest {
		s.done = done{yes: true, tx: own.ApprovedTx}
	}
	s.change = func() error {
		if b.Spec != j.Digest {
			return exchange.Errorf(exchange.Conflict, "job %s has the spec %s, not %s", j.ID, j.Digest, b.Spec)
		}
		if err := a.checkInTime(j); err != nil {
			return err
		}
		grantee, err := a.activeDepartment(j.Requester)
		if err != nil {
			return err
		}
		for _, i := range j.Spec.InputsOf(own.Department) {
			g, err := a.newJobGrant(j, i, grantee)
			if err != nil {
				return err
			}
			if err := a.put(exchange.GrantKey(g.ID), g); err != nil {
				return err
			}
			own.Grants = append(own.Grants, g.ID)
		}
		own.ApprovedTx = a.id
		if every(j, func(p exchange.JobParty) bool { return p.ApprovedTx != "" }) {
			j.State = exchange.JobApproved
		}
		return a.putJob(j, a.change(""))
	}
	return s, err
}

// newJobGrant makes the token for one input of a job, under the terms as they
// are now.
func (a *act) newJobGrant(j exchange.Job, input int, grantee exchange.Department) (exchange.Grant, error) {
	owner, in := a.caller.department, j.Spec.Inputs[input]
	g := exchange.Grant{
		ID: exchange.JobGrantID(j.ID, input), Job: j.ID,
		Owner: owner.Name, OwnerMSP: owner.MSP, Grantee: grantee.Name, GranteeMSP: grantee.MSP,
		Recipient: exchange.RecipientFingerprint(grantee.Recipient),
		Dataset:   in.Dataset, Version: j.Spec.Sources[input].SealedDigest, Object: in.Object,
		Actions: []exchange.Action{exchange.Compute}, Spec: j.Digest, Purpose: j.Spec.Purpose, LegalBasis: j.Spec.LegalBasis,
		NotBefore: a.time, NotAfter: j.Spec.Deadline, MaxUses: 1,
		State: exchange.GrantGiven, GivenTx: a.id, Since: a.time, Change: a.change(""),
	}
	d, err := a.openDataset(in.Dataset)
	if err != nil {
		return g, err
	}
	g.Attestations, g.Certified, g.Obligations = d.Terms.Attestations, d.Terms.Certified, d.Terms.Obligations
	return g, a.checkJobTerms(d, j.Spec)
}

// endJob ends a job before its result: the requester withdraws or contests it,
// a provider refuses it or cannot take part.
func endJob(a *act, b *exchange.EndJob) (subject, error) {
	j, s, err := a.job(b.Job)
	s.done = a.doneBefore(j.Change)
	s.change = func() error {
		j.State = exchange.JobState(a.row.To)
		return a.putJob(j, a.change(b.Reason))
	}
	return s, err
}

// alignJob takes a provider's word for the keys that its tables lack. The last
// provider's fixes the keys of the job, or ends it where none is left.
func alignJob(a *act, b *exchange.AlignJob) (subject, error) {
	j, s, err := a.job(b.Job)
	own := a.own(&j)
	s.done = done{yes: own.Aligned && slices.Equal(own.Missing, b.Missing)}
	s.change = func() error {
		if own.Aligned {
			return exchange.Errorf(exchange.Conflict, "%s has said of job %s that its tables lack %d keys, other ones", own.Department, j.ID, len(own.Missing))
		}
		if err := firstError(a.checkInTime(j), checkMissing(j, b.Missing)); err != nil {
			return err
		}
		own.Aligned, own.Missing = true, b.Missing
		if len(j.Keys()) == 0 && every(j, func(p exchange.JobParty) bool { return p.Aligned }) {
			j.State, j.Change = exchange.JobFailed, a.change("no key of the job is in every table")
			return firstError(a.putJob(j, j.Change), a.tellOf(exchange.JobWasFailed, exchange.ToAll, j.ID, j))
		}
		j.State = aligned(j)
		return a.putJob(j, a.change(""))
	}
	return s, err
}

// aligned is a job's state once everything is fixed before which no provider
// encrypts: the keys and the requester's mask.
func aligned(j exchange.Job) exchange.JobState {
	if j.State == exchange.JobApproved && j.Masked && every(j, func(p exchange.JobParty) bool { return p.Aligned }) {
		return exchange.JobAligned
	}
	return j.State
}

// checkMissing demands keys of the job, in their order.
func checkMissing(j exchange.Job, missing []string) error {
	rest := j.Spec.Keys
	for _, key := range missing {
		at := slices.Index(rest, key)
		if at < 0 {
			return exchange.Errorf(exchange.Invalid, "missing names %.64q, which is no key of job %s, or out of their order", key, j.ID)
		}
		rest = rest[at+1:]
	}
	return nil
}
