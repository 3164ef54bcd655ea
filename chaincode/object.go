package chaincode

import "chancery/chaincode/exchange"

// registerObject adds a version. The dataset counts its versions, so two of
// one dataset never fit in one transaction.
func registerObject(a *act, b *exchange.RegisterObject) (subject, error) {
	id := exchange.NewID(exchange.NounObject, a.caller.msp, b.Command)
	d, err := need[exchange.Dataset](a.transaction, exchange.DatasetKey(b.Dataset), b.Dataset)
	if err != nil {
		return subject{}, err
	}
	o, found, err := find[exchange.Object](a.transaction, exchange.ObjectKey(id))
	s := subject{id: id, party: d.Owner}
	if found {
		s.state, s.done = string(o.State), a.doneBefore(o.Change)
	}
	s.change = func() error {
		d, err := a.openDataset(b.Dataset)
		if err != nil {
			return err
		}
		d.Versions++
		d.Latest, d.Change = id, a.change("")
		o := exchange.Object{
			ID: id, Dataset: d.ID, Owner: d.Owner, Version: d.Versions,
			CID: b.CID, Size: b.Size, SealedDigest: b.SealedDigest, ContentDigest: b.ContentDigest,
			Rows: b.Rows, FileName: b.FileName, Source: b.Source, DerivedFrom: b.DerivedFrom,
			State: exchange.Registered, Since: a.time, Change: d.Change,
		}
		return firstError(
			a.put(exchange.ObjectKey(id), o),
			a.put(exchange.DatasetKey(d.ID), d),
			a.tell(exchange.ToAll, id, o))
	}
	return s, err
}

// attestObject records the caller's latest verdict in place of the one before.
func attestObject(a *act, b *exchange.AttestObject) (subject, error) {
	o, err := need[exchange.Object](a.transaction, exchange.ObjectKey(b.Object), b.Object)
	if err != nil {
		return subject{}, err
	}
	by := a.caller.department.Name
	was, found, err := find[exchange.Attestation](a.transaction, exchange.AttestationKey(o.ID, by))
	s := subject{id: o.ID + "/" + by, party: o.Owner}
	if found {
		s.state, s.done = string(was.Verdict), a.doneBefore(was.Change)
	}
	s.change = func() error {
		now := exchange.Attestation{Object: o.ID, By: by, Verdict: b.Verdict, Found: b.Found, Reason: b.Reason, Change: a.change(b.Reason)}
		return firstError(a.put(exchange.AttestationKey(o.ID, by), now), a.tell(o.Owner, o.ID, now))
	}
	return s, err
}

// certifyObject records the word of an officer of the owner, once for a version.
func certifyObject(a *act, b *exchange.CertifyObject) (subject, error) {
	o, err := need[exchange.Object](a.transaction, exchange.ObjectKey(b.Object), b.Object)
	if err != nil {
		return subject{}, err
	}
	was, found, err := find[exchange.Certification](a.transaction, exchange.CertificationKey(o.ID))
	s := subject{id: o.ID, party: o.Owner}
	if found {
		s.state, s.done = certified, a.doneBefore(was.Change)
	}
	s.change = func() error {
		if _, err := a.openDataset(o.Dataset); err != nil {
			return err
		}
		now := exchange.Certification{
			Object: o.ID, Dataset: o.Dataset, Owner: o.Owner, SealedDigest: o.SealedDigest, Statement: b.Statement, Change: a.change(""),
		}
		return firstError(a.put(exchange.CertificationKey(o.ID), now), a.tell(exchange.ToAll, o.ID, now))
	}
	return s, err
}

// certified stands for the state of a certification that is there: it has no
// other.
const certified = "certified"

// versionOf finds a version of a dataset by its id, or its newest where none is
// named.
func (t *transaction) versionOf(d exchange.Dataset, id string) (exchange.Object, error) {
	if id == "" {
		id = d.Latest
	}
	if id == "" {
		return exchange.Object{}, exchange.Errorf(exchange.NotFound, "dataset %s has no version yet", d.Name)
	}
	return t.objectOf(d, id)
}

// objectOf finds a version of a dataset by its id.
func (t *transaction) objectOf(d exchange.Dataset, id string) (exchange.Object, error) {
	o, err := need[exchange.Object](t, exchange.ObjectKey(id), id)
	if err == nil && o.Dataset != d.ID {
		err = exchange.Errorf(exchange.Invalid, "object %s is no version of dataset %s", id, d.Name)
	}
	return o, err
}

// checkAttested demands that at least so many departments other than the owner
// found the object good. It reads one key for each department, never a range.
// Too few are a [exchange.Conflict], since more may come.
func (t *transaction) checkAttested(o exchange.Object, least int) error {
	names, err := t.departments()
	if err != nil {
		return err
	}
	good := 0
	for _, name := range names {
		if good >= least {
			return nil
		}
		if name == o.Owner {
			continue
		}
		attestation, found, err := find[exchange.Attestation](t, exchange.AttestationKey(o.ID, name))
		if err != nil {
			return err
		}
		if found && attestation.Verdict == exchange.Good {
			good++
		}
	}
	if good < least {
		return exchange.Errorf(exchange.Conflict, "version %d (%s) has %d good attestations: %d are needed before it is redeemed", o.Version, o.ID, good, least)
	}
	return nil
}

// checkCertified demands, where the terms do, that an officer of the owner has
// certified the version. That none has is a [exchange.Conflict], since one may.
func (t *transaction) checkCertified(o exchange.Object, needed bool) error {
	if !needed {
		return nil
	}
	_, found, err := find[exchange.Certification](t, exchange.CertificationKey(o.ID))
	if err == nil && !found {
		err = exchange.Errorf(exchange.Conflict, "version %d (%s) is not certified: an officer of %s does that with %s before it is redeemed",
			o.Version, o.ID, o.Owner, function(exchange.OpObjectCertify))
	}
	return err
}
