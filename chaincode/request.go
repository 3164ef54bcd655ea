package chaincode

import (
	"time"

	"chancery/chaincode/exchange"
)

// openRequest makes a request. Its id follows from the command, whose recorded
// outcome has been looked up before: a request that is there has answered.
func openRequest(a *act, b *exchange.OpenRequest) (subject, error) {
	if err := a.needsCommand(); err != nil {
		return subject{}, err
	}
	key, err := a.recordKey(exchange.NounDataset, b.Dataset)
	if err != nil {
		return subject{}, err
	}
	d, err := need[exchange.Dataset](a.transaction, key, b.Dataset)
	if err != nil {
		return subject{}, err
	}
	id := exchange.NewID(exchange.NounRequest, a.caller.msp, a.command)
	s := subject{id: id, party: d.Owner}
	s.change = func() error {
		r, err := a.newRequest(id, d.ID, b)
		if err != nil {
			return err
		}
		return firstError(a.put(exchange.RequestKey(id), r), a.tell(r.Provider, id, r))
	}
	return s, nil
}

// newRequest checks a request against the dataset's terms as they are now.
func (a *act) newRequest(id, dataset string, b *exchange.OpenRequest) (exchange.Request, error) {
	asker := a.caller.department
	from, to := b.Period(a.time)
	r := exchange.Request{
		ID: id, Requester: asker.Name, RequesterMSP: asker.MSP, Dataset: dataset, Version: exchange.Latest, Object: b.Object,
		Purpose: b.Purpose, LegalBasis: b.LegalBasis, Actions: b.Actions, Spec: b.Spec,
		NotBefore: from, NotAfter: to, Uses: b.Uses,
		State: exchange.RequestOpen, Since: a.time, Change: a.change(""),
	}
	d, err := a.openDataset(dataset)
	if err != nil {
		return r, err
	}
	r.Provider = d.Owner
	if b.Object != "" {
		o, err := a.objectOf(d, b.Object)
		if err != nil {
			return r, err
		}
		r.Version = o.SealedDigest
	}
	if !a.time.Before(to) {
		return r, exchange.Errorf(exchange.Expired, "the request would end at %s, which is over", to.Format(time.RFC3339))
	}
	return r, firstError(
		checkTerms(d, asker.Name, b.Purpose, b.Actions),
		checkUses("the terms", d.Terms.MaxUses, b.Uses),
		checkDuration(d.Terms, from, to))
}

func withdrawRequest(a *act, b *exchange.EndRequest) (subject, error) {
	return endRequest(a, b, func(r exchange.Request) (party, other string) { return r.Requester, r.Provider })
}

func refuseRequest(a *act, b *exchange.EndRequest) (subject, error) {
	return endRequest(a, b, func(r exchange.Request) (party, other string) { return r.Provider, r.Requester })
}

func endRequest(a *act, b *exchange.EndRequest, sides func(exchange.Request) (party, other string)) (subject, error) {
	r, err := need[exchange.Request](a.transaction, exchange.RequestKey(b.Request), b.Request)
	party, other := sides(r)
	s := subject{id: r.ID, party: party, state: string(r.State), done: a.doneBefore(r.Change)}
	s.change = func() error {
		r.State, r.Change = exchange.RequestState(a.row.To), a.change(b.Reason)
		return firstError(a.put(exchange.RequestKey(r.ID), r), a.tell(other, r.ID, r))
	}
	return s, err
}
