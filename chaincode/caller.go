package chaincode

import (
	"crypto/x509"
	"slices"

	"github.com/hyperledger/fabric-chaincode-go/v2/pkg/cid"

	"chancery/chaincode/exchange"
)

// caller is who signed the transaction. Fabric has checked the signature and
// that the certificate belongs to the MSP.
type caller struct {
	msp         string
	certificate *x509.Certificate
	id          string                 // exchange.OfficerID of the certificate
	department  exchange.Department    // zero: the MSP has none
	officer     exchange.OfficerRecord // zero: not enrolled
}

// adminUnit is the organisational unit by which Fabric's node classification
// knows an MSP's administrators.
const adminUnit = "admin"

func (t *transaction) findCaller() (*caller, error) {
	identity, err := cid.New(t.stub)
	if err != nil {
		return nil, exchange.Errorf(exchange.Denied, "the signer is not known: %v", err)
	}
	c := new(caller)
	if c.msp, err = identity.GetMSPID(); err != nil {
		return nil, exchange.Errorf(exchange.Denied, "the signer's MSP is not known: %v", err)
	}
	if c.certificate, err = identity.GetX509Certificate(); err != nil || c.certificate == nil {
		return nil, exchange.Errorf(exchange.Denied, "the signer of %s shows no X.509 certificate", c.msp)
	}
	if err := checkValidity(c.certificate, t.time); err != nil {
		return nil, err
	}
	c.id = exchange.OfficerID(c.certificate.RawTBSCertificate)
	name, listed, err := find[string](t, exchange.MSPKey(c.msp))
	if err != nil || !listed {
		return c, err
	}
	if c.department, err = need[exchange.Department](t, exchange.DepartmentKey(name), name); err != nil {
		return nil, err
	}
	c.officer, _, err = find[exchange.OfficerRecord](t, exchange.OfficerKey(c.id))
	return c, err
}

// function names the contract's function for an operation, for advice.
func function(op exchange.Op) string {
	row, _ := exchange.TransitionOf(op)
	return row.Function
}

// mayPerform decides whether the caller may sign a row, as far as that does not
// depend on the record that it is about.
func (c *caller) mayPerform(row exchange.Transition) error {
	if row.Party == exchange.Unlisted {
		if slices.Contains(c.certificate.Subject.OrganizationalUnit, adminUnit) {
			return nil
		}
		return exchange.Errorf(exchange.Denied, "%s is signed by an administrator of the MSP: a certificate with OU=%s", row.Op, adminUnit)
	}
	// A suspended department's own row is left to the state that it needs, or
	// no department could ever be reinstated.
	aboutItself := row.Noun == exchange.NounDepartment && row.Party == exchange.Self
	return c.maySign(string(row.Op), row.Roles, aboutItself)
}

// maySign decides whether the caller is an active officer in one of the roles.
func (c *caller) maySign(what string, roles []exchange.Role, evenSuspended bool) error {
	switch d, o := c.department, c.officer; {
	case d.Name == "":
		return exchange.Errorf(exchange.Denied, "MSP %s is no department yet: one of its administrators registers it with %s",
			c.msp, function(exchange.OpDepartmentRegister))
	case o.Department != d.Name:
		return exchange.Errorf(exchange.Denied, "certificate %s is not enrolled with %s: an admin of %s enrols it with %s",
			c.id, d.Name, d.Name, function(exchange.OpOfficerEnrol))
	case o.Status != exchange.Active:
		return exchange.Errorf(exchange.Denied, "%s of %s is suspended (%s): an admin of %s reinstates officer %s with %s",
			o.Name, d.Name, o.Change.Reason, d.Name, o.ID, function(exchange.OpOfficerReinstate))
	case d.Status != exchange.Active && !evenSuspended:
		return exchange.Errorf(exchange.Denied, "department %s is suspended (%s): one of its admins reinstates it with %s",
			d.Name, d.Change.Reason, function(exchange.OpDepartmentReinstate))
	case !slices.Contains(roles, o.Role):
		return exchange.Errorf(exchange.Denied, "%s of %s has the role %s: %s is signed by %v",
			o.Name, d.Name, o.Role, what, roles)
	}
	return nil
}
