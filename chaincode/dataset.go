package chaincode

import (
	"slices"
	"strings"
	"time"

	"chancery/chaincode/exchange"
)

func registerDataset(a *act, b *exchange.RegisterDataset) (subject, error) {
	owner := a.caller.department
	id := exchange.DatasetID(owner.MSP, b.Name)
	d, found, err := find[exchange.Dataset](a.transaction, exchange.DatasetKey(id))
	s := subject{id: id}
	if found {
		s.state = string(d.State)
		same, err := sameDataset(a, b, d)
		if err != nil {
			return s, err
		}
		if same {
			s.done = done{yes: true}
		}
	}
	s.change = func() error {
		d := exchange.Dataset{
			ID: id, Name: b.Name, Owner: owner.Name, Description: b.Description, Terms: b.Terms,
			Said: a.said, State: exchange.Registered, Since: a.time, Change: a.change(""),
		}
		return firstError(a.put(exchange.DatasetKey(id), d), a.tell(exchange.ToAll, id, d))
	}
	return s, err
}

// sameDataset reports whether the registration is the one on record, or the one
// on record with the terms that hold now.
func sameDataset(a *act, b *exchange.RegisterDataset, d exchange.Dataset) (bool, error) {
	if d.State != exchange.Registered || a.said == d.Said {
		return d.State == exchange.Registered, nil
	}
	now, err := exchange.BodyDigest(exchange.RegisterDataset{Name: d.Name, Description: d.Description, Terms: d.Terms})
	return now == a.said, err
}

func setTerms(a *act, b *exchange.SetTerms) (subject, error) {
	d, err := need[exchange.Dataset](a.transaction, exchange.DatasetKey(b.Dataset), b.Dataset)
	s := subject{id: d.ID, party: d.Owner, state: string(d.State), done: a.doneBefore(d.Change)}
	s.change = func() error {
		d.Terms, d.Change = b.Terms, a.change("")
		return firstError(a.put(exchange.DatasetKey(d.ID), d), a.tell(exchange.ToAll, d.ID, d))
	}
	return s, err
}

func withdrawDataset(a *act, b *exchange.Withdraw) (subject, error) {
	d, err := need[exchange.Dataset](a.transaction, exchange.DatasetKey(b.Dataset), b.Dataset)
	s := subject{id: d.ID, party: d.Owner, state: string(d.State), done: a.doneBefore(d.Change)}
	s.change = func() error {
		d.State, d.Change = exchange.Withdrawn, a.change(b.Reason)
		return firstError(a.put(exchange.DatasetKey(d.ID), d), a.tell(exchange.ToAll, d.ID, d))
	}
	return s, err
}

// openDataset finds a dataset that is not withdrawn.
func (t *transaction) openDataset(id string) (exchange.Dataset, error) {
	d, err := need[exchange.Dataset](t, exchange.DatasetKey(id), id)
	if err == nil && d.State != exchange.Registered {
		err = exchange.Errorf(exchange.Conflict, "dataset %s of %s is %s (%s)", d.Name, d.Owner, d.State, d.Change.Reason)
	}
	return d, err
}

// checkTerms refuses what a dataset's terms do not let a department have.
func checkTerms(d exchange.Dataset, asker, purpose string, actions []exchange.Action) error {
	t := d.Terms
	if len(t.Requesters) > 0 && !slices.Contains(t.Requesters, asker) {
		return exchange.Errorf(exchange.Denied, "the terms of %s let only %s ask, not %s", d.Name, strings.Join(t.Requesters, ", "), asker)
	}
	if len(t.Purposes) > 0 && !slices.Contains(t.Purposes, purpose) {
		return exchange.Errorf(exchange.Denied, "the terms of %s do not name the purpose %q but %q", d.Name, purpose, t.Purposes)
	}
	return checkActions("the terms", t.Actions, actions)
}

// checkActions refuses actions that the wider list does not hold.
func checkActions(who string, wider, actions []exchange.Action) error {
	for _, action := range actions {
		if !slices.Contains(wider, action) {
			return exchange.Errorf(exchange.Denied, "%s allow %v, not %s", who, wider, action)
		}
	}
	return nil
}

// checkUses refuses more uses than allowed.
func checkUses(who string, most, uses int) error {
	if uses > most {
		return exchange.Errorf(exchange.Denied, "%s allow %d uses, not %d", who, most, uses)
	}
	return nil
}

// checkDuration refuses a period that is longer than the terms allow.
func checkDuration(t exchange.Terms, from, to time.Time) error {
	if most := time.Duration(t.MaxDuration) * time.Second; to.Sub(from) > most {
		return exchange.Errorf(exchange.Denied, "the terms allow %s, not %s from %s to %s",
			most, to.Sub(from), from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	return nil
}
