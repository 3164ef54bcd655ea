package provenance

import (
	"context"
	"fmt"
	"slices"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/envelope"
	"chancery/crypto/paillier"
)

// CheckSpec recomputes the digest that approvals are bound to, and the rules by
// which a result shows no single department's values.
func CheckSpec(j exchange.Job) error {
	digest, err := exchange.BodyDigest(j.Spec)
	if err != nil {
		return err
	}
	var parties []string
	for _, p := range j.Parties {
		parties = append(parties, p.Department)
	}
	switch {
	case digest != j.Digest:
		return Refusef("the spec of job %s has the digest %s, and its record says %s", j.ID, digest, j.Digest)
	case j.Spec.Requester != j.Requester:
		return Refusef("job %s was opened by %s for %s", j.ID, j.Requester, j.Spec.Requester)
	case j.Spec.MinContributors < exchange.LeastContributors:
		return Refusef("job %s asks for %d contributors besides the requester: %d are the least", j.ID, j.Spec.MinContributors, exchange.LeastContributors)
	}
	if err := j.Spec.CheckParties(); err != nil {
		return Refusef("job %s: %v", j.ID, err)
	}
	if !slices.Equal(parties, j.Spec.Providers()) {
		return Refusef("job %s takes data of %v, and %v take part in it", j.ID, j.Spec.Providers(), parties)
	}
	return nil
}

// JobKey is the public key that a job computes under: that of its keyring, by
// the fingerprint in the spec.
func (r Reader) JobKey(ctx context.Context, j exchange.Job) (*paillier.PublicKey, error) {
	var k exchange.Keyring
	if err := r.Ledger.Get(ctx, exchange.NounKeyring, j.Spec.Keyring, &k); err != nil {
		return nil, fmt.Errorf("keyring %s: %w", j.Spec.Keyring, err)
	}
	pk, err := k.Key()
	if err != nil {
		return nil, Refusef("the key of keyring %s cannot be used: %v", k.ID, err)
	}
	if pk.Fingerprint().String() != j.Spec.Fingerprint || pk.Bits() != j.Spec.Bits || k.Keyholder != j.Spec.Keyholder {
		return nil, Refusef("job %s is under the key %s of %s, and keyring %s holds %s of %s",
			j.ID, j.Spec.Fingerprint, j.Spec.Keyholder, k.ID, pk.Fingerprint(), k.Keyholder)
	}
	return pk, nil
}

// CheckApproval reads the transaction by which a provider approved a job, and
// returns the grants that it gave: signed by one of the provider who may decide,
// of this very spec; endorsed by the own peer where the provider is the own
// department; and nothing revoked or altered since.
func (r Reader) CheckApproval(ctx context.Context, j exchange.Job, provider string) ([]exchange.Grant, error) {
	what := fmt.Sprintf("the approval of job %s by %s", j.ID, provider)
	p, ok := j.Party(provider)
	if !ok || p.ApprovedTx == "" {
		return nil, Refusef("%s is not there", what)
	}
	tx, err := r.signed(ctx, p.ApprovedTx, provider, what)
	if err == nil && provider == r.Department {
		err = r.CheckOwn(tx, what)
	}
	if err == nil {
		err = r.checkDecider(ctx, tx, provider, what)
	}
	if err != nil {
		return nil, err
	}
	said, err := Said[exchange.ApproveJob](tx, exchange.OpJobApprove)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(said, exchange.ApproveJob{Job: j.ID, Spec: j.Digest}) {
		return nil, Refusef("%s is not what %s signed: transaction %s says %v", what, provider, tx.ID, said)
	}
	return r.jobGrants(ctx, j, *p)
}

// signed reads a transaction of the contract that a department signed.
func (r Reader) signed(ctx context.Context, id, department, what string) (ledger.Transaction, error) {
	tx, err := r.Transaction(ctx, id, what)
	if err != nil {
		return tx, err
	}
	msp, err := r.mspOf(ctx, department)
	switch {
	case err != nil:
		return tx, err
	case tx.Chaincode != r.Chaincode:
		return tx, Refusef("%s was not told to the contract", what)
	case !tx.CreatedBy(msp):
		return tx, Refusef("%s was not signed by %s but by a member of %s", what, department, tx.Creator.MSP)
	}
	return tx, nil
}

// mspOf is the MSP that a department always had.
func (r Reader) mspOf(ctx context.Context, department string) (string, error) {
	var msp string
	err := EveryVersion(ctx, r.Ledger, exchange.NounDepartment, department, func(was exchange.Department, tx string) error {
		if msp != "" && was.MSP != msp {
			return Refusef("department %s became one of %s in transaction %s", department, was.MSP, tx)
		}
		msp = was.MSP
		return nil
	})
	return msp, err
}

// checkDecider demands that who signed a transaction always had a role that
// approves jobs.
func (r Reader) checkDecider(ctx context.Context, tx ledger.Transaction, department, what string) error {
	if tx.Creator.Cert == nil {
		return Refusef("%s was signed without a certificate", what)
	}
	row, _ := exchange.TransitionOf(exchange.OpJobApprove)
	id := exchange.OfficerID(tx.Creator.Cert.RawTBSCertificate)
	return EveryVersion(ctx, r.Ledger, exchange.NounOfficer, id, func(was exchange.OfficerRecord, _ string) error {
		if was.Department != department || !row.MaySign(was.Role) {
			return Refusef("%s was signed by %s of %s, whose role is %s: it takes one of %v", what, was.Name, was.Department, was.Role, row.Roles)
		}
		return nil
	})
}

// jobGrants reads the grants of an approval. Each has one version, which the
// approval's transaction wrote.
func (r Reader) jobGrants(ctx context.Context, j exchange.Job, p exchange.JobParty) ([]exchange.Grant, error) {
	var list []exchange.Grant
	var want []string
	for _, i := range j.Spec.InputsOf(p.Department) {
		id := exchange.JobGrantID(j.ID, i)
		want = append(want, id)
		var g exchange.Grant
		if err := r.Ledger.Get(ctx, exchange.NounGrant, id, &g); err != nil {
			return nil, fmt.Errorf("grant %s: %w", id, err)
		}
		if err := r.checkJobGrant(ctx, j, i, g, p); err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	if !slices.Equal(want, p.Grants) {
		return nil, Refusef("the approval of job %s by %s has the grants %v, not %v", j.ID, p.Department, p.Grants, want)
	}
	return list, nil
}

func (r Reader) checkJobGrant(ctx context.Context, j exchange.Job, input int, g exchange.Grant, p exchange.JobParty) error {
	in, source := j.Spec.Inputs[input], j.Spec.Sources[input]
	switch {
	case g.State != exchange.GrantGiven:
		return Refusef("grant %s of %s is %s: %s", g.ID, p.Department, g.State, g.Change.Reason)
	case g.Job != j.ID || g.Spec != j.Digest || !slices.Equal(g.Actions, []exchange.Action{exchange.Compute}):
		return Refusef("grant %s is not one to compute job %s", g.ID, j.ID)
	case g.Owner != p.Department || g.Grantee != j.Requester || g.GranteeMSP != j.RequesterMSP:
		return Refusef("grant %s is between %s and %s", g.ID, g.Owner, g.Grantee)
	case g.Dataset != in.Dataset || g.Object != in.Object || g.Version != source.SealedDigest:
		return Refusef("grant %s is for another dataset or version than input %d of job %s", g.ID, input, j.ID)
	case !g.NotAfter.Equal(j.Spec.Deadline):
		return Refusef("grant %s does not end with job %s", g.ID, j.ID)
	}
	return EveryVersion(ctx, r.Ledger, exchange.NounGrant, g.ID, func(was exchange.Grant, tx string) error {
		switch {
		case was.State != exchange.GrantGiven:
			return Refusef("grant %s was %s in transaction %s", g.ID, was.State, tx)
		case tx != p.ApprovedTx:
			return Refusef("grant %s was altered in transaction %s, after its approval", g.ID, tx)
		}
		return nil
	})
}

// Recipient is a department's age recipient, and the one that grants to it name.
func (r Reader) Recipient(ctx context.Context, department string, grants ...exchange.Grant) (envelope.Recipient, error) {
	var d exchange.Department
	if err := r.Ledger.Get(ctx, exchange.NounDepartment, department, &d); err != nil {
		return envelope.Recipient{}, fmt.Errorf("department %s: %w", department, err)
	}
	recipient, err := envelope.ParseRecipient(d.Recipient)
	if err != nil {
		return envelope.Recipient{}, Refusef("the recipient key of %s cannot be used: %v", department, err)
	}
	for _, g := range grants {
		if recipient.Fingerprint() != g.Recipient {
			return envelope.Recipient{}, Refusef("grant %s names another recipient key than %s has now", g.ID, department)
		}
	}
	return recipient, nil
}
