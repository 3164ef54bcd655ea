package chaincode

import (
	"slices"
	"time"

	"chancery/chaincode/exchange"
	"chancery/crypto/paillier"
)

// maskJob records the requester's mask, one ciphertext for each plaintext that
// the spec's keys can take. It is fixed before the first contribution is there:
// a mask made of another's ciphertext would open that one's values.
func maskJob(a *act, b *exchange.MaskJob) (subject, error) {
	j, s, err := a.job(b.Job)
	if err != nil {
		return s, err
	}
	was, found, err := find[exchange.Mask](a.transaction, exchange.MaskKey(j.ID))
	s.done = a.doneBefore(was.Change)
	s.change = func() error {
		if found {
			return exchange.Errorf(exchange.Conflict, "job %s has another mask", j.ID)
		}
		if err := a.checkInTime(j); err != nil {
			return err
		}
		if err := a.checkCiphertexts(j, len(j.Spec.Keys), b.Ciphertexts); err != nil {
			return err
		}
		j.Masked = true
		j.State = aligned(j)
		m := exchange.Mask{Job: j.ID, Requester: j.Requester, Ciphertexts: b.Ciphertexts, Change: a.change("")}
		return firstError(a.put(exchange.MaskKey(j.ID), m), a.putJob(j, m.Change))
	}
	return s, err
}

// contribute records a provider's encrypted values for all of its inputs.
func contribute(a *act, b *exchange.Contribute) (subject, error) {
	j, s, err := a.job(b.Job)
	if err != nil {
		return s, err
	}
	self := a.caller.department.Name
	was, found, err := find[exchange.Contribution](a.transaction, exchange.ContributionKey(j.ID, self))
	s.done = a.doneBefore(was.Change)
	s.change = func() error {
		if found {
			return exchange.Errorf(exchange.Conflict, "%s has contributed other ciphertexts to job %s", self, j.ID)
		}
		own := a.own(&j)
		if err := firstError(a.checkInTime(j), checkTurn(j, self), a.checkContribution(j, *own, b)); err != nil {
			return err
		}
		own.ContributedTx = a.id
		j.State = contributed(j)
		c := exchange.Contribution{Job: j.ID, Department: self, Inputs: b.Inputs, Change: a.change("")}
		return firstError(a.put(exchange.ContributionKey(j.ID, self), c), a.putJob(j, c.Change))
	}
	return s, err
}

// checkTurn lets a requester that provides data contribute before all others, so
// that it cannot make its own contribution of theirs. That it has not yet is a
// [exchange.Conflict], since it may.
func checkTurn(j exchange.Job, self string) error {
	if p, provides := j.Party(j.Requester); provides && p.ContributedTx == "" && self != j.Requester {
		return exchange.Errorf(exchange.Conflict, "the requester %s contributes to job %s before others do", j.Requester, j.ID)
	}
	return nil
}

// contributed is a job's state once it has every contribution.
func contributed(j exchange.Job) exchange.JobState {
	if every(j, func(p exchange.JobParty) bool { return p.ContributedTx != "" }) {
		return exchange.JobContributed
	}
	return j.State
}

// checkContribution holds a contribution to the grants that its own department
// gave, and to the job's keys.
func (a *act) checkContribution(j exchange.Job, own exchange.JobParty, b *exchange.Contribute) error {
	var inputs []int
	var lists [][]string
	for _, in := range b.Inputs {
		inputs, lists = append(inputs, in.Input), append(lists, in.Ciphertexts)
	}
	if want := j.Spec.InputsOf(own.Department); !slices.Equal(inputs, want) {
		return exchange.Errorf(exchange.Invalid, "inputs are %v: %s contributes %v to job %s", inputs, own.Department, want, j.ID)
	}
	grants, err := a.grants(own)
	for _, g := range grants {
		err = firstError(err, a.checkComputable(g))
	}
	if err != nil {
		return err
	}
	return a.checkCiphertexts(j, len(j.Keys()), lists...)
}

// grants are those that a provider's approval of a job gave.
func (a *act) grants(p exchange.JobParty) ([]exchange.Grant, error) {
	list := make([]exchange.Grant, len(p.Grants))
	var err error
	for i, id := range p.Grants {
		if list[i], err = need[exchange.Grant](a.transaction, exchange.GrantKey(id), id); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// checkComputable decides whether the version that a job's grant is for may be
// computed with now.
func (a *act) checkComputable(g exchange.Grant) error {
	if err := checkNotRevoked(g); err != nil {
		return err
	}
	if a.time.Before(g.NotBefore) || !a.time.Before(g.NotAfter) {
		return exchange.Errorf(exchange.Expired, "grant %s is from %s to %s", g.ID, g.NotBefore.Format(time.RFC3339), g.NotAfter.Format(time.RFC3339))
	}
	o, err := a.granted(g)
	if err != nil {
		return err
	}
	return firstError(a.checkAttested(o, g.Attestations), a.checkCertified(o, g.Certified))
}

// checkCiphertexts demands of each list one usable ciphertext under the job's key
// for every plaintext that so many keys take.
func (a *act) checkCiphertexts(j exchange.Job, keys int, lists ...[]string) error {
	pk, err := a.publicKey(j)
	if err != nil {
		return err
	}
	packing, err := j.Spec.Packing(pk.Bits())
	if err != nil {
		return err
	}
	for _, list := range lists {
		if _, err := exchange.DecodeCiphertexts(pk, list, packing.Plaintexts(keys)); err != nil {
			return err
		}
	}
	return nil
}

// publicKey is that of a job's keyring.
func (a *act) publicKey(j exchange.Job) (*paillier.PublicKey, error) {
	k, err := need[exchange.Keyring](a.transaction, exchange.KeyringKey(j.Spec.Keyring), j.Spec.Keyring)
	if err != nil {
		return nil, err
	}
	return a.keys.of(k)
}
