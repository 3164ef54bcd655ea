package exchange

import "time"

// Status of a department or officer.
type Status string

const (
	Active    Status = "active"
	Suspended Status = "suspended"
)

// Role says what an officer may sign.
type Role string

const (
	Admin   Role = "admin"   // departments and officers
	Officer Role = "officer" // decisions: terms, grants, refusals, revocations
	Worker  Role = "worker"  // what the department's own processes do
	Policy  Role = "policy"  // decisions by written rule
	Auditor Role = "auditor" // reads
)

// Roles are all of them, in order.
var Roles = []Role{Admin, Officer, Worker, Policy, Auditor}

// Department is an organisation on the channel.
type Department struct {
	Name      string    `json:"name"`
	MSP       string    `json:"msp"`
	Title     string    `json:"title"`
	Recipient string    `json:"recipient"` // age recipient that keys are wrapped for
	Status    Status    `json:"status"`
	Since     time.Time `json:"since"`
	Change    Change    `json:"change"`
}

// OfficerRecord is a certificate that may sign for a department.
type OfficerRecord struct {
	ID          string    `json:"id"` // [OfficerID] of the certificate
	Department  string    `json:"department"`
	Name        string    `json:"name"`
	Role        Role      `json:"role"`
	Certificate string    `json:"certificate"` // PEM
	Status      Status    `json:"status"`
	Since       time.Time `json:"since"`
	Change      Change    `json:"change"`
}

// Change says who last made or changed a record, when, and in which
// transaction: the record's provenance.
type Change struct {
	Op      string    `json:"op"`
	By      string    `json:"by"`      // department
	Officer string    `json:"officer"` // id of the certificate that signed
	Name    string    `json:"name"`    // name under which it was enrolled
	Tx      string    `json:"tx"`
	Time    time.Time `json:"time"`             // of the transaction, UTC
	Said    string    `json:"said"`             // [BodyDigest] of the operation
	Reason  string    `json:"reason,omitempty"` // where one was given
}

// RegisterDepartment is the body of [OpDepartmentRegister]. It is signed by an
// administrator of the MSP (OU=admin), who becomes the first enrolled admin.
type RegisterDepartment struct {
	Name      string `json:"name"`
	Title     string `json:"title"`
	Recipient string `json:"recipient"`
}

// Validate checks the body by itself.
func (b *RegisterDepartment) Validate() error {
	return first(
		checkName("name", b.Name),
		checkLine("title", b.Title, 1, 200),
		checkRecipient(b.Recipient))
}

// ChangeDepartment is the body of [OpDepartmentSuspend] and [OpDepartmentReinstate].
type ChangeDepartment struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Validate checks the body by itself.
func (b *ChangeDepartment) Validate() error {
	return first(checkName("name", b.Name), CheckReason(b.Reason))
}

// EnrolOfficer is the body of [OpOfficerEnrol].
type EnrolOfficer struct {
	Name        string `json:"name"`
	Role        Role   `json:"role"`
	Certificate string `json:"certificate"` // PEM, issued by the department's own MSP
}

// Validate checks the body by itself; the contract also checks the certificate.
func (b *EnrolOfficer) Validate() error {
	return first(
		checkName("name", b.Name),
		checkOneOf("role", b.Role, Roles),
		checkSize("certificate", b.Certificate, 1, 16<<10))
}

// ChangeOfficer is the body of [OpOfficerSuspend] and [OpOfficerReinstate].
type ChangeOfficer struct {
	Officer string `json:"officer"` // id
	Reason  string `json:"reason"`
}

// Validate checks the body by itself.
func (b *ChangeOfficer) Validate() error {
	return first(checkID("officer", NounOfficer, b.Officer), CheckReason(b.Reason))
}
