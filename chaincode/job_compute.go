package chaincode

import "chancery/chaincode/exchange"

// evaluateJob is the computation itself: the contract adds up what the
// departments contributed, without opening anything. What it computes follows
// from the records alone.
func evaluateJob(a *act, b *exchange.EvaluateJob) (subject, error) {
	j, s, err := a.job(b.Job)
	if err != nil {
		return s, err
	}
	was, found, err := find[exchange.Evaluation](a.transaction, exchange.EvaluationKey(j.ID))
	s.done = done{yes: found, tx: was.Change.Tx}
	s.change = func() error {
		if err := firstError(a.checkInTime(j), a.checkGrants(j)); err != nil {
			return err
		}
		ciphertexts, err := a.evaluate(j)
		if err != nil {
			return err
		}
		e := exchange.Evaluation{
			Job: j.ID, Ciphertexts: ciphertexts, Digest: exchange.CiphertextsDigest(ciphertexts), Change: a.change(""),
		}
		j.State = exchange.JobComputed
		return firstError(a.put(exchange.EvaluationKey(j.ID), e), a.putJob(j, e.Change))
	}
	return s, err
}

func (a *act) evaluate(j exchange.Job) ([]string, error) {
	pk, err := a.publicKey(j)
	if err != nil {
		return nil, err
	}
	mask, err := need[exchange.Mask](a.transaction, exchange.MaskKey(j.ID), j.ID)
	if err != nil {
		return nil, err
	}
	var contributions []exchange.Contribution
	for _, p := range j.Parties {
		c, err := need[exchange.Contribution](a.transaction, exchange.ContributionKey(j.ID, p.Department), j.ID+"/"+p.Department)
		if err != nil {
			return nil, err
		}
		contributions = append(contributions, c)
	}
	return exchange.Evaluate(pk, j, contributions, mask)
}

// checkGrants demands that no provider has revoked what its approval gave.
func (a *act) checkGrants(j exchange.Job) error {
	for _, p := range j.Parties {
		grants, err := a.grants(p)
		for _, g := range grants {
			err = firstError(err, checkNotRevoked(g))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkRecipient demands that the requester may receive a result, under the
// very key for which the providers gave their grants.
func (a *act) checkRecipient(j exchange.Job) error {
	requester, err := a.activeDepartment(j.Requester)
	if err != nil {
		return err
	}
	for _, p := range j.Parties {
		grants, err := a.grants(p)
		if err != nil {
			return err
		}
		for _, g := range grants {
			if g.Recipient != exchange.RecipientFingerprint(requester.Recipient) {
				return exchange.Errorf(exchange.Denied, "grant %s names another recipient key than %s has now: open the job anew", g.ID, j.Requester)
			}
		}
	}
	return nil
}

// postShare records what the keyholder opened. It is sealed: the contract sees
// only that it is for the evaluation on record.
func postShare(a *act, b *exchange.PostShare) (subject, error) {
	j, s, err := a.job(b.Job)
	if err != nil {
		return s, err
	}
	key := exchange.ShareKey(j.ID, j.Spec.Keyholder)
	was, _, err := find[exchange.Share](a.transaction, key)
	s.done = a.doneBefore(was.Change)
	s.change = func() error {
		if err := firstError(a.checkInTime(j), a.checkGrants(j), a.checkRecipient(j)); err != nil {
			return err
		}
		e, err := need[exchange.Evaluation](a.transaction, exchange.EvaluationKey(j.ID), j.ID)
		if err != nil {
			return err
		}
		if b.Digest != e.Digest {
			return exchange.Errorf(exchange.Conflict, "the share opens ciphertexts of digest %s: the evaluation of job %s has %s", b.Digest, j.ID, e.Digest)
		}
		share := exchange.Share{
			Job: j.ID, Department: j.Spec.Keyholder, Requester: j.Requester, Digest: b.Digest, Sealed: b.Sealed, Change: a.change(""),
		}
		j.State, j.Change = exchange.JobShared, share.Change
		return firstError(
			a.put(key, share),
			a.put(exchange.JobKey(j.ID), j),
			a.tell(j.Requester, j.ID, share))
	}
	return s, err
}

// closeJob commits the requester to the result. It goes through after the
// deadline, since nothing is opened any more.
func closeJob(a *act, b *exchange.CloseJob) (subject, error) {
	j, s, err := a.job(b.Job)
	if err != nil {
		return s, err
	}
	was, _, err := find[exchange.Result](a.transaction, exchange.ResultKey(j.ID))
	s.done = a.doneBefore(was.Change)
	s.change = func() error {
		r := exchange.Result{Job: j.ID, Requester: j.Requester, Commitment: b.Commitment, Change: a.change("")}
		j.State, j.Change = exchange.JobClosed, r.Change
		return firstError(
			a.put(exchange.ResultKey(j.ID), r),
			a.put(exchange.JobKey(j.ID), j),
			a.tell(exchange.ToAll, j.ID, r))
	}
	return s, err
}
