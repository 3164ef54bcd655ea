package exchange

import "encoding/json"

// EventType is noun and past participle, the middle of subject and ce-type.
type EventType string

const (
	DepartmentRegistered EventType = "department.registered"
	DepartmentSuspended  EventType = "department.suspended"
	DepartmentReinstated EventType = "department.reinstated"
	OfficerEnrolled      EventType = "officer.enrolled"
	OfficerSuspended     EventType = "officer.suspended"
	OfficerReinstated    EventType = "officer.reinstated"
	DatasetRegistered    EventType = "dataset.registered"
	DatasetTermsSet      EventType = "dataset.terms-set"
	DatasetWithdrawn     EventType = "dataset.withdrawn"
	ObjectRegistered     EventType = "object.registered"
	ObjectAttested       EventType = "object.attested"
	ObjectCertified      EventType = "object.certified"
	RequestOpened        EventType = "request.opened"
	RequestWasWithdrawn  EventType = "request.withdrawn"
	RequestWasRefused    EventType = "request.refused"
	GrantWasGiven        EventType = "grant.given"
	GrantWasRevoked      EventType = "grant.revoked"
	GrantRedeemed        EventType = "grant.redeemed"
	KeyReleased          EventType = "key.released"
	KeyRefused           EventType = "key.refused"
	ReceiptFiled         EventType = "receipt.filed"
	DisputeOpened        EventType = "dispute.opened"
	KeyringActivated     EventType = "keyring.activated"
	KeyringWasRetired    EventType = "keyring.retired"
	JobOpened            EventType = "job.opened"
	JobWasApproved       EventType = "job.approved"
	JobWasRefused        EventType = "job.refused"
	JobWasWithdrawn      EventType = "job.withdrawn"
	JobWasFailed         EventType = "job.failed"
	JobWasAligned        EventType = "job.aligned"
	JobWasMasked         EventType = "job.masked"
	JobWasContributed    EventType = "job.contributed"
	JobWasComputed       EventType = "job.computed"
	JobSharePosted       EventType = "job.share-posted"
	JobWasClosed         EventType = "job.closed"
	JobWasContested      EventType = "job.contested"
	CommandRejected      EventType = "command.rejected"
)

// ToAll is the counterpart of an event that concerns every department.
const ToAll = "all"

// Event is one fact in a transaction's list. Data is the record after the
// transition: [Request] for request.*, [Grant] for grant.given and
// grant.revoked, [Redemption] for grant.redeemed and key.refused, [Release],
// [Receipt], [Dispute], [Attestation], [Certification], [Keyring] for keyring.*,
// [Job] for job.* but [Share] for job.share-posted and [Result] for job.closed,
// [OperationRecord] for command.rejected, and so on.
type Event struct {
	Type    EventType       `json:"type"`
	From    string          `json:"from"`              // department that acted
	To      string          `json:"to"`                // counterpart, or [ToAll]
	ID      string          `json:"id"`                // of the record: department name, officer, dataset, object, request, grant or command
	Command string          `json:"command,omitempty"` // the command that caused it, where the operation named one
	Data    json.RawMessage `json:"data"`
}

// EventName is the name of the one chaincode event of a transaction; its
// payload is [Events] as JSON.
const EventName = "chancery.v1"

// Events is the payload of the chaincode event, in the order of the operations.
type Events struct {
	Events []Event `json:"events"`
}
