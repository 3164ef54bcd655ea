package chaincode

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"time"

	"chancery/chaincode/exchange"
)

// enrolOfficer lets a certificate sign. The contract holds no root certificates,
// so it compares issuers: the certificate must name the same issuer and issuer
// key as the admin's own, which Fabric has verified. One that only pretends to
// can be enrolled but never sign, since Fabric verifies the chain of every
// signer; and it cannot be taken for another, since the officer's id is the
// digest of what the issuer signed.
func enrolOfficer(a *act, b *exchange.EnrolOfficer) (subject, error) {
	certificate, err := parseCertificate(b.Certificate)
	if err != nil {
		return subject{}, err
	}
	id := exchange.OfficerID(certificate.RawTBSCertificate)
	o, found, err := find[exchange.OfficerRecord](a.transaction, exchange.OfficerKey(id))
	s := subject{id: id, party: a.caller.department.Name}
	if found {
		s.party, s.state = o.Department, string(o.Status)
		if o.Status == exchange.Active && o.Name == b.Name && o.Role == b.Role {
			s.done = done{yes: true}
		}
	}
	s.change = func() error {
		if err := checkIssuer(certificate, a.caller.certificate); err != nil {
			return err
		}
		if err := checkValidity(certificate, a.time); err != nil {
			return err
		}
		o := exchange.OfficerRecord{
			ID: id, Department: a.caller.department.Name, Name: b.Name, Role: b.Role,
			Certificate: encodePEM(certificate), Status: exchange.Active, Since: a.time, Change: a.change(""),
		}
		return firstError(a.put(exchange.OfficerKey(id), o), a.tell(exchange.ToAll, id, o))
	}
	return s, err
}

// changeOfficer suspends or reinstates. Nobody suspends themselves, so that a
// department always keeps an active admin: two who suspend each other at once
// read each other's records, and Fabric commits one of them.
func changeOfficer(a *act, b *exchange.ChangeOfficer) (subject, error) {
	o, err := need[exchange.OfficerRecord](a.transaction, exchange.OfficerKey(b.Officer), b.Officer)
	s := subject{id: o.ID, party: o.Department, state: string(o.Status)}
	if s.state == a.row.To {
		s.done = a.doneBefore(o.Change)
	}
	s.change = func() error {
		if o.ID == a.caller.officer.ID {
			return exchange.Errorf(exchange.Denied, "%s of %s cannot suspend themselves: another admin does that", o.Name, o.Department)
		}
		o.Status, o.Change = exchange.Status(a.row.To), a.change(b.Reason)
		return firstError(a.put(exchange.OfficerKey(o.ID), o), a.tell(exchange.ToAll, o.ID, o))
	}
	return s, err
}

const pemCertificate = "CERTIFICATE"

// parseCertificate takes exactly one PEM block.
func parseCertificate(text string) (*x509.Certificate, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != pemCertificate || len(bytes.TrimSpace(rest)) > 0 {
		return nil, exchange.Errorf(exchange.Invalid, "certificate is not one PEM block of type %s", pemCertificate)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, exchange.Errorf(exchange.Invalid, "certificate: %v", err)
	}
	if certificate.IsCA {
		return nil, exchange.Errorf(exchange.Invalid, "certificate %q belongs to an authority, which signs certificates only", certificate.Subject.CommonName)
	}
	return certificate, nil
}

func encodePEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: c.Raw}))
}

func checkIssuer(c, own *x509.Certificate) error {
	if bytes.Equal(c.RawIssuer, own.RawIssuer) && bytes.Equal(c.AuthorityKeyId, own.AuthorityKeyId) {
		return nil
	}
	return exchange.Errorf(exchange.Denied, "certificate is issued by %q, yours by %q: only a certificate of your own authority can be enrolled",
		c.Issuer.String(), own.Issuer.String())
}

func checkValidity(c *x509.Certificate, at time.Time) error {
	if at.After(c.NotAfter) {
		return exchange.Errorf(exchange.Expired, "certificate %q expired at %s", c.Subject.CommonName, c.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}
