package ledger

import (
	"errors"
	"fmt"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

// errMalformed says that bytes of a valid transaction or of a block are not
// what Fabric writes.
var errMalformed = errors.New("malformed")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errMalformed, fmt.Sprintf(format, args...))
}

// decode reads one protobuf message.
func decode[T any, P interface {
	*T
	proto.Message
}](what string, data []byte) (P, error) {
	m := P(new(T))
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, malformed("%s: %s", what, err)
	}
	return m, nil
}

// envelope is the outer half of a transaction: who says what kind of thing.
type envelope struct {
	payload   []byte // what the creator signed
	signature []byte
	data      []byte // the inner half
	header    *common.Header
	channel   *common.ChannelHeader
	signed    *common.SignatureHeader
	creator   *msp.SerializedIdentity
}

func readEnvelope(data []byte) (*envelope, error) {
	outer, err := decode[common.Envelope]("envelope", data)
	if err != nil {
		return nil, err
	}
	payload, err := decode[common.Payload]("payload", outer.GetPayload())
	if err != nil {
		return nil, err
	}
	e := &envelope{payload: outer.GetPayload(), signature: outer.GetSignature(), data: payload.GetData(), header: payload.GetHeader()}
	if e.channel, err = decode[common.ChannelHeader]("channel header", e.header.GetChannelHeader()); err != nil {
		return nil, err
	}
	if e.signed, err = decode[common.SignatureHeader]("signature header", e.header.GetSignatureHeader()); err != nil {
		return nil, err
	}
	e.creator, err = decode[msp.SerializedIdentity]("creator", e.signed.GetCreator())
	return e, err
}

func (e *envelope) time() time.Time { return e.channel.GetTimestamp().AsTime() }

func (e *envelope) invokes() bool {
	return common.HeaderType(e.channel.GetType()) == common.HeaderType_ENDORSER_TRANSACTION
}

// invocation is the inner half of a transaction that calls a chaincode.
type invocation struct {
	proposal     []byte // the called function as the proposal's hash covers it
	response     []byte // what the endorsers signed
	hash         []byte // of the proposal, in the response
	endorsements []*peer.Endorsement
	chaincode    string
	args         [][]byte
	action       *peer.ChaincodeAction // result and event
}

// invocation reads the inner half. A transaction calls one chaincode.
func (e *envelope) invocation() (*invocation, error) {
	tx, err := decode[peer.Transaction]("transaction", e.data)
	if err != nil {
		return nil, err
	}
	if n := len(tx.GetActions()); n != 1 {
		return nil, malformed("transaction with %d actions", n)
	}
	payload, err := decode[peer.ChaincodeActionPayload]("action", tx.GetActions()[0].GetPayload())
	if err != nil {
		return nil, err
	}
	in := &invocation{
		proposal:     payload.GetChaincodeProposalPayload(),
		response:     payload.GetAction().GetProposalResponsePayload(),
		endorsements: payload.GetAction().GetEndorsements(),
	}
	response, err := decode[peer.ProposalResponsePayload]("proposal response", in.response)
	if err != nil {
		return nil, err
	}
	in.hash = response.GetProposalHash()
	if in.action, err = decode[peer.ChaincodeAction]("chaincode action", response.GetExtension()); err != nil {
		return nil, err
	}
	in.chaincode = in.action.GetChaincodeId().GetName()
	return in, nil
}

// readCall reads which function was called.
func (in *invocation) readCall() error {
	proposal, err := decode[peer.ChaincodeProposalPayload]("proposal", in.proposal)
	if err != nil {
		return err
	}
	call, err := decode[peer.ChaincodeInvocationSpec]("invocation", proposal.GetInput())
	if err != nil {
		return err
	}
	if name := call.GetChaincodeSpec().GetChaincodeId().GetName(); name != in.chaincode {
		return malformed("proposal for chaincode %q, answered by %q", name, in.chaincode)
	}
	in.args = call.GetChaincodeSpec().GetInput().GetArgs()
	if len(in.args) == 0 {
		return malformed("proposal without a function")
	}
	return nil
}
