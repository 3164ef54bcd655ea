package exchange

import (
	"encoding/json"
	"time"
)

// Op names an operation: noun and verb, as in the subjects of commands.
type Op string

const (
	OpDepartmentRegister  Op = "department.register"
	OpDepartmentSuspend   Op = "department.suspend"
	OpDepartmentReinstate Op = "department.reinstate"
	OpOfficerEnrol        Op = "officer.enrol"
	OpOfficerSuspend      Op = "officer.suspend"
	OpOfficerReinstate    Op = "officer.reinstate"
	OpDatasetRegister     Op = "dataset.register"
	OpDatasetSetTerms     Op = "dataset.set-terms"
	OpDatasetWithdraw     Op = "dataset.withdraw"
	OpObjectRegister      Op = "object.register"
	OpObjectAttest        Op = "object.attest"
	OpObjectCertify       Op = "object.certify"
	OpRequestOpen         Op = "request.open"
	OpRequestWithdraw     Op = "request.withdraw"
	OpRequestRefuse       Op = "request.refuse"
	OpGrantGive           Op = "grant.give"
	OpGrantRevoke         Op = "grant.revoke"
	OpGrantRedeem         Op = "grant.redeem"
	OpKeyRelease          Op = "key.release"
	OpKeyRefuse           Op = "key.refuse"
	OpReceiptFile         Op = "receipt.file"
	OpDisputeOpen         Op = "dispute.open"
	OpKeyringCreate       Op = "keyring.create"
	OpKeyringRetire       Op = "keyring.retire"
	OpJobOpen             Op = "job.open"
	OpJobWithdraw         Op = "job.withdraw"
	OpJobApprove          Op = "job.approve"
	OpJobRefuse           Op = "job.refuse"
	OpJobFail             Op = "job.fail"
	OpJobAlign            Op = "job.align"
	OpJobMask             Op = "job.mask"
	OpJobContribute       Op = "job.contribute"
	OpJobEvaluate         Op = "job.evaluate"
	OpJobShare            Op = "job.share"
	OpJobClose            Op = "job.close"
	OpJobContest          Op = "job.contest"
)

// MaxOperations bounds one call of Apply.
const MaxOperations = 500

// Operation is one thing to do. Command, where given, is the caller's own id
// for it: the outcome is recorded under it, refusals too, and saying it again
// answers with that record. Operations whose record's key follows from what
// they are about (an attestation, a redemption …) need none.
type Operation struct {
	Command string          `json:"command,omitempty"`
	Op      Op              `json:"op"`
	Body    json.RawMessage `json:"body"`
}

// Outcome is what became of an operation.
type Outcome struct {
	Command  string `json:"command,omitempty"`
	Op       Op     `json:"op"`
	Code     Code   `json:"code"`
	ID       string `json:"id,omitempty"` // of the record it made, changed or found
	Message  string `json:"message,omitempty"`
	Tx       string `json:"tx,omitempty"`       // the transaction that did it first
	Repeated bool   `json:"repeated,omitempty"` // answered from the record of an earlier time
}

// Err is nil when the thing is done ([OK] or [Exists]), else an [*Error].
func (o Outcome) Err() error { return o.Code.Err(o.Message) }

// OperationRecord is the recorded outcome of a department's command. Digest is
// the [BodyDigest] of the body; of a body that was not accepted as one, the
// SHA-256 of its bytes as they came.
type OperationRecord struct {
	Department string    `json:"department"`
	Command    string    `json:"command"`
	Op         Op        `json:"op"`
	Digest     string    `json:"digest"`
	Code       Code      `json:"code"`
	Message    string    `json:"message,omitempty"`
	ID         string    `json:"id,omitempty"`
	Tx         string    `json:"tx"`
	Time       time.Time `json:"time"`
}

// Body is what every operation's body offers.
type Body interface{ Validate() error }

// Withdraw is the body of [OpDatasetWithdraw].
type Withdraw struct {
	Dataset string `json:"dataset"`
	Reason  string `json:"reason"`
}

// Validate checks the body by itself.
func (b *Withdraw) Validate() error {
	return first(checkID("dataset", NounDataset, b.Dataset), CheckReason(b.Reason))
}

// NewBody returns an empty body for an operation, nil for an unknown one.
func NewBody(op Op) Body {
	if t, ok := TransitionOf(op); ok {
		return t.body()
	}
	return nil
}

// DecodeBody reads and checks an operation's body.
func DecodeBody(op Op, data []byte) (Body, error) {
	b := NewBody(op)
	if b == nil {
		return nil, Errorf(Invalid, "unknown operation %q", clip(string(op)))
	}
	if err := Decode(data, b); err != nil {
		return nil, err
	}
	if err := b.Validate(); err != nil {
		return nil, err
	}
	return b, nil
}

// NewOperation makes an operation of a checked body.
func NewOperation(command string, op Op, body Body) (Operation, error) {
	if command != "" {
		if err := CheckCommand(command); err != nil {
			return Operation{}, err
		}
	}
	if err := body.Validate(); err != nil {
		return Operation{}, err
	}
	data, err := Encode(body)
	return Operation{Command: command, Op: op, Body: data}, err
}
