package ledger

import (
	"context"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// gateway is the [network] of the own peer's gateway service.
type gateway struct {
	cfg     Config
	channel *client.Network
}

func (g *gateway) endorse(ctx context.Context, function string, args []string) (endorsed, error) {
	proposal, err := g.channel.GetContract(g.cfg.Chaincode).NewProposal(function, client.WithArguments(args...))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, g.cfg.EndorseTimeout)
	defer cancel()
	tx, err := proposal.EndorseWithContext(ctx)
	if err != nil {
		return nil, err
	}
	return &gatewayTx{tx: tx, submitTimeout: g.cfg.SubmitTimeout, commitTimeout: g.cfg.CommitTimeout}, nil
}

// evaluate asks the own department's peers only: another's answer would be
// that department's word.
func (g *gateway) evaluate(ctx context.Context, chaincode, function string, args []string) ([]byte, error) {
	proposal, err := g.channel.GetContract(chaincode).NewProposal(function,
		client.WithArguments(args...), client.WithEndorsingOrganizations(g.cfg.MSP))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, g.cfg.EvaluateTimeout)
	defer cancel()
	return proposal.EvaluateWithContext(ctx)
}

type gatewayTx struct {
	tx            *client.Transaction
	submitTimeout time.Duration
	commitTimeout time.Duration
	pending       *client.Commit
}

func (t *gatewayTx) id() string     { return t.tx.TransactionID() }
func (t *gatewayTx) result() []byte { return t.tx.Result() }

// submit signs at the first call only, so that every call sends the same bytes.
func (t *gatewayTx) submit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.submitTimeout)
	defer cancel()
	pending, err := t.tx.SubmitWithContext(ctx)
	if err != nil {
		return err
	}
	t.pending = pending
	return nil
}

func (t *gatewayTx) commit(ctx context.Context) (peer.TxValidationCode, error) {
	ctx, cancel := context.WithTimeout(ctx, t.commitTimeout)
	defer cancel()
	status, err := t.pending.StatusWithContext(ctx)
	if err != nil {
		return peer.TxValidationCode_NOT_VALIDATED, err
	}
	return status.Code, nil
}
