package ledger

import (
	"context"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// network is what the client needs of Fabric, one call a stage, nothing tried
// twice. The gateway is one, the tests have another.
type network interface {
	// endorse proposes a new transaction and collects its endorsements.
	endorse(ctx context.Context, function string, args []string) (endorsed, error)
	// evaluate asks the department's own peers, without a transaction.
	evaluate(ctx context.Context, chaincode, function string, args []string) ([]byte, error)
}

// endorsed is a signed transaction with its endorsements. One goroutine at a
// time may use it.
type endorsed interface {
	id() string
	result() []byte
	// submit hands the transaction to the orderer: the same bytes every time.
	submit(ctx context.Context) error
	// commit waits for its validation code. It follows a submit without error.
	commit(ctx context.Context) (peer.TxValidationCode, error)
}
