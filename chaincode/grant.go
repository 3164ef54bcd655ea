package chaincode

import (
	"slices"
	"time"

	"chancery/chaincode/exchange"
)

func giveGrant(a *act, b *exchange.GiveGrant) (subject, error) {
	if err := a.needsCommand(); err != nil {
		return subject{}, err
	}
	r, err := need[exchange.Request](a.transaction, exchange.RequestKey(b.Request), b.Request)
	s := subject{id: r.ID, party: r.Provider, state: string(r.State)}
	s.made = exchange.NewID(exchange.NounGrant, a.caller.msp, a.command)
	s.change = func() error {
		g, err := a.newGrant(s.made, r, b)
		if err != nil {
			return err
		}
		r.State, r.Grant, r.Change = exchange.RequestGranted, g.ID, g.Change
		return firstError(
			a.put(exchange.GrantKey(g.ID), g),
			a.put(exchange.RequestKey(r.ID), r),
			a.tell(g.Grantee, g.ID, g))
	}
	return s, err
}

// newGrant makes the token: what the officer named where that is no wider than
// the request and the terms as they are now, else the narrower of the two.
func (a *act) newGrant(id string, r exchange.Request, b *exchange.GiveGrant) (exchange.Grant, error) {
	owner := a.caller.department
	g := exchange.Grant{
		ID: id, Request: r.ID,
		Owner: owner.Name, OwnerMSP: owner.MSP, Grantee: r.Requester, GranteeMSP: r.RequesterMSP,
		Dataset: r.Dataset, Version: r.Version, Object: r.Object, Purpose: r.Purpose, LegalBasis: r.LegalBasis,
		State: exchange.GrantGiven, GivenTx: a.id, Since: a.time, Change: a.change(""),
	}
	d, err := a.openDataset(r.Dataset)
	if err != nil {
		return g, err
	}
	grantee, err := a.activeDepartment(r.Requester)
	if err != nil {
		return g, err
	}
	g.Recipient = exchange.RecipientFingerprint(grantee.Recipient)
	g.Attestations, g.Certified, g.Delegation = d.Terms.Attestations, d.Terms.Certified, d.Terms.Delegation
	return g, firstError(
		a.narrowVersion(&g, d, b.Object),
		narrowActions(&g, d, r, b.Actions),
		a.narrowPeriod(&g, d.Terms, r, b),
		narrowUses(&g, d.Terms, r, b.MaxUses),
		narrowObligations(&g, d.Terms, b.Obligations))
}

func (a *act) narrowVersion(g *exchange.Grant, d exchange.Dataset, object string) error {
	if object == "" || object == g.Object {
		return nil
	}
	if g.Object != "" {
		return exchange.Errorf(exchange.Denied, "the request asks for version %s, not %s", g.Object, object)
	}
	o, err := a.objectOf(d, object)
	g.Object, g.Version = object, o.SealedDigest
	return err
}

func narrowActions(g *exchange.Grant, d exchange.Dataset, r exchange.Request, named []exchange.Action) error {
	g.Actions = named
	if len(named) == 0 {
		for _, action := range r.Actions {
			if slices.Contains(d.Terms.Actions, action) {
				g.Actions = append(g.Actions, action)
			}
		}
	}
	if len(g.Actions) == 0 {
		return exchange.Errorf(exchange.Denied, "the terms of %s allow %v now, none of what the request asks for: %v", d.Name, d.Terms.Actions, r.Actions)
	}
	if slices.Contains(g.Actions, exchange.Compute) {
		g.Spec = r.Spec
	}
	return firstError(
		checkTerms(d, r.Requester, r.Purpose, g.Actions),
		checkActions("the request's actions", r.Actions, g.Actions))
}

func (a *act) narrowPeriod(g *exchange.Grant, t exchange.Terms, r exchange.Request, b *exchange.GiveGrant) error {
	g.NotBefore, g.NotAfter = r.NotBefore, r.NotAfter
	if !b.NotBefore.IsZero() {
		g.NotBefore = b.NotBefore
	}
	most := g.NotBefore.Add(time.Duration(t.MaxDuration) * time.Second)
	switch {
	case !b.NotAfter.IsZero():
		g.NotAfter = b.NotAfter
	case most.Before(g.NotAfter):
		g.NotAfter = most
	}
	if g.NotBefore.Before(r.NotBefore) || g.NotAfter.After(r.NotAfter) {
		return exchange.Errorf(exchange.Denied, "the request asks for %s to %s, not %s to %s",
			r.NotBefore.Format(time.RFC3339), r.NotAfter.Format(time.RFC3339),
			g.NotBefore.Format(time.RFC3339), g.NotAfter.Format(time.RFC3339))
	}
	if !g.NotAfter.After(g.NotBefore) {
		return exchange.Errorf(exchange.Invalid, "the grant would end at %s, before it begins", g.NotAfter.Format(time.RFC3339))
	}
	if !a.time.Before(g.NotAfter) {
		return exchange.Errorf(exchange.Expired, "the grant would end at %s, which is over", g.NotAfter.Format(time.RFC3339))
	}
	return checkDuration(t, g.NotBefore, g.NotAfter)
}

func narrowUses(g *exchange.Grant, t exchange.Terms, r exchange.Request, named int) error {
	g.MaxUses = named
	if named == 0 {
		g.MaxUses = min(r.Uses, t.MaxUses)
	}
	return firstError(
		checkUses("the terms", t.MaxUses, g.MaxUses),
		checkUses("the request", r.Uses, g.MaxUses))
}

func narrowObligations(g *exchange.Grant, t exchange.Terms, named *exchange.Obligations) error {
	g.Obligations = t.Obligations
	if named == nil {
		return nil
	}
	g.Obligations = *named
	if !named.Covers(t.Obligations) {
		return exchange.Errorf(exchange.Denied, "the terms oblige to more than the grant would: %+v", t.Obligations)
	}
	return nil
}

func revokeGrant(a *act, b *exchange.RevokeGrant) (subject, error) {
	g, err := need[exchange.Grant](a.transaction, exchange.GrantKey(b.Grant), b.Grant)
	s := subject{id: g.ID, party: g.Owner, state: string(g.State), done: a.doneBefore(g.Change)}
	s.change = func() error {
		g.State, g.Change = exchange.GrantRevoked, a.change(b.Reason)
		return firstError(a.put(exchange.GrantKey(g.ID), g), a.tell(g.Grantee, g.ID, g))
	}
	return s, err
}

func checkNotRevoked(g exchange.Grant) error {
	if g.State == exchange.GrantRevoked {
		return exchange.Errorf(exchange.Revoked, "grant %s was revoked by %s at %s: %s",
			g.ID, g.Owner, g.Change.Time.Format(time.RFC3339), g.Change.Reason)
	}
	return nil
}
