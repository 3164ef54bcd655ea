// Package chaincode is the contract: the one set of rules that every department's
// peer applies to every operation of a share.
//
// What is allowed is one table, [exchange.Transitions]. The engine (act.go)
// decodes an operation strictly, finds who calls, and lets the operation's row
// decide the department, the role and the state that it needs; one file for
// each noun adds what only that noun knows. An operation is written whole or
// not at all, and the transaction's one event lists every fact in order.
//
// The package trusts Fabric for three things: that the caller's certificate
// was issued by the MSP that it names and is not revoked, that a committed
// transaction was endorsed by a majority of departments, and that a transaction
// whose reads have changed since is not committed. It trusts nothing in an
// argument. It reads no clock but the one given to [New], and that one only to
// refuse a transaction whose own timestamp is far from it, so that endorsers
// never write different things.
package chaincode

import (
	"fmt"
	"time"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"
	"github.com/hyperledger/fabric-contract-api-go/v2/metadata"

	"chancery/chaincode/exchange"
)

// Name of the contract within the chaincode. It is the default contract, so
// that callers need not name it.
const Name = "chancery"

// Context is what contractapi hands to every function.
type Context = contractapi.TransactionContextInterface

// Contract holds the functions of the ledger. Every exported method but those of
// the embedded contract is a function that a transaction can call.
//
// A function that changes a record takes a command id, which may be empty where
// the record's key follows from the body, and the operation's body as JSON. It
// answers with an [exchange.Outcome] as JSON, or with an error
// "code: message" of [exchange.ParseError], in which case nothing is written.
//
// It holds no state but keys that it has checked before; any number of
// transactions may call it at once.
type Contract struct {
	contractapi.Contract
	clock func() time.Time
	keys  publicKeys
}

// New makes the contract of an endorser with the given clock.
func New(clock func() time.Time) *Contract {
	c := &Contract{clock: clock}
	c.Name = Name
	c.Info = metadata.InfoMetadata{
		Title:       "Chancery",
		Description: "Requests, grants, uses and verdicts of data shared between departments.",
		Version:     "1",
		License:     &metadata.LicenseMetadata{Name: "Apache-2.0"},
	}
	c.UnknownTransaction = unknownFunction
	return c
}

// NewChaincode makes the contract ready to be called by a peer.
func NewChaincode(clock func() time.Time) (*contractapi.ContractChaincode, error) {
	c := New(clock)
	cc, err := contractapi.NewChaincode(c)
	if err != nil {
		return nil, fmt.Errorf("make chaincode: %w", err)
	}
	cc.Info = c.Info
	return cc, nil
}

// GetEvaluateTransactions tells contractapi which functions only read.
func (c *Contract) GetEvaluateTransactions() []string { return []string{"Get", "List", "History"} }

func unknownFunction(ctx Context) error {
	name, _ := ctx.GetStub().GetFunctionAndParameters()
	return exchange.Errorf(exchange.Invalid, "the contract has no function %.64q", name)
}

// RegisterDepartment makes the caller's MSP a department and the caller, an
// administrator of the MSP, its first admin.
func (c *Contract) RegisterDepartment(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpDepartmentRegister, command, body)
}

// SuspendDepartment stops everything that the caller's department may sign.
func (c *Contract) SuspendDepartment(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpDepartmentSuspend, command, body)
}

// ReinstateDepartment ends the suspension of the caller's department.
func (c *Contract) ReinstateDepartment(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpDepartmentReinstate, command, body)
}

// EnrolOfficer lets a certificate of the caller's MSP sign in a role.
func (c *Contract) EnrolOfficer(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpOfficerEnrol, command, body)
}

// SuspendOfficer stops what another officer of the caller's department may sign.
func (c *Contract) SuspendOfficer(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpOfficerSuspend, command, body)
}

// ReinstateOfficer ends the suspension of an officer of the caller's department.
func (c *Contract) ReinstateOfficer(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpOfficerReinstate, command, body)
}

// RegisterDataset names data of the caller's department and sets its terms.
func (c *Contract) RegisterDataset(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpDatasetRegister, command, body)
}

// SetTerms replaces the terms of a dataset.
func (c *Contract) SetTerms(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpDatasetSetTerms, command, body)
}

// WithdrawDataset ends requests, grants and redemptions of a dataset.
func (c *Contract) WithdrawDataset(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpDatasetWithdraw, command, body)
}

// RegisterObject adds a sealed version to a dataset.
func (c *Contract) RegisterObject(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpObjectRegister, command, body)
}

// AttestObject states the caller's verdict on another department's object.
func (c *Contract) AttestObject(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpObjectAttest, command, body)
}

// CertifyObject puts an officer's word for a version of the caller's department
// on record.
func (c *Contract) CertifyObject(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpObjectCertify, command, body)
}

// OpenRequest asks for a dataset under its terms.
func (c *Contract) OpenRequest(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpRequestOpen, command, body)
}

// WithdrawRequest takes back the caller's own open request.
func (c *Contract) WithdrawRequest(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpRequestWithdraw, command, body)
}

// RefuseRequest answers an open request with no.
func (c *Contract) RefuseRequest(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpRequestRefuse, command, body)
}

// GiveGrant answers an open request with a grant, no wider than it.
func (c *Contract) GiveGrant(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpGrantGive, command, body)
}

// RevokeGrant ends a grant: nothing is redeemed or released under it any more.
func (c *Contract) RevokeGrant(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpGrantRevoke, command, body)
}

// RedeemGrant claims one use of a grant.
func (c *Contract) RedeemGrant(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpGrantRedeem, command, body)
}

// ReleaseKey puts the wrapped key of a redeemed use on record.
func (c *Contract) ReleaseKey(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpKeyRelease, command, body)
}

// RefuseKey refuses a redeemed use and frees its slot.
func (c *Contract) RefuseKey(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpKeyRefuse, command, body)
}

// FileReceipt confirms that what arrived is what was registered.
func (c *Contract) FileReceipt(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpReceiptFile, command, body)
}

// OpenDispute states that something else arrived.
func (c *Contract) OpenDispute(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpDisputeOpen, command, body)
}

// CreateKeyring puts a public key on record, whose private half the caller's
// department holds.
func (c *Contract) CreateKeyring(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpKeyringCreate, command, body)
}

// RetireKeyring keeps a keyring from new jobs.
func (c *Contract) RetireKeyring(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpKeyringRetire, command, body)
}

// OpenJob asks for a computation over several departments' datasets.
func (c *Contract) OpenJob(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpJobOpen, command, body)
}

// WithdrawJob takes back the caller's own job, as long as nothing is opened.
func (c *Contract) WithdrawJob(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpJobWithdraw, command, body)
}

// ApproveJob gives a grant for each input of the caller's department, for this
// job alone.
func (c *Contract) ApproveJob(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpJobApprove, command, body)
}

// RefuseJob ends a job that takes the caller's data.
func (c *Contract) RefuseJob(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpJobRefuse, command, body)
}

// FailJob ends a job for which the caller's data cannot be used.
func (c *Contract) FailJob(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpJobFail, command, body)
}

// AlignJob says which of a job's keys the caller's tables lack.
func (c *Contract) AlignJob(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpJobAlign, command, body)
}

// MaskJob puts the requester's encrypted mask on record.
func (c *Contract) MaskJob(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpJobMask, command, body)
}

// ContributeJob puts the caller's encrypted values on record.
func (c *Contract) ContributeJob(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpJobContribute, command, body)
}

// EvaluateJob computes a job's weighted sums on the ciphertexts.
func (c *Contract) EvaluateJob(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpJobEvaluate, command, body)
}

// ShareJob puts the keyholder's opening on record, sealed to the requester.
func (c *Contract) ShareJob(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpJobShare, command, body)
}

// CloseJob commits the requester to the result.
func (c *Contract) CloseJob(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpJobClose, command, body)
}

// ContestJob states that the keyholder's opening is wrong.
func (c *Contract) ContestJob(ctx Context, command, body string) (string, error) {
	return c.direct(ctx, exchange.OpJobContest, command, body)
}
