package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"chancery/chaincode/exchange"
)

// systemQuery is the peer's own chaincode for questions about the channel.
const systemQuery = "qscc"

// noSuchTransaction is how the peer's block index says that it has none.
const noSuchTransaction = "no such transaction ID"

// Height returns the number of blocks that the own peer holds.
func (c *Client) Height(ctx context.Context) (uint64, error) {
	answer, err := c.ask(ctx, systemQuery, "GetChainInfo", c.cfg.Channel)
	if err != nil {
		return 0, fmt.Errorf("height of %s: %w", c.cfg.Channel, err)
	}
	var info common.BlockchainInfo
	if err := proto.Unmarshal(answer, &info); err != nil {
		return 0, fmt.Errorf("height of %s: %w: %w", c.cfg.Channel, ErrFault, err)
	}
	return info.GetHeight(), nil
}

// Transaction reads a committed transaction from the own peer, with its block,
// and checks every signature in it. It returns [exchange.ErrNotFound] where
// there is none, and [ErrFault] where a signature or a hash is wrong.
func (c *Client) Transaction(ctx context.Context, id string) (Transaction, error) {
	answer, err := c.ask(ctx, systemQuery, "GetBlockByTxID", c.cfg.Channel, id)
	if err != nil {
		if strings.Contains(err.Error(), noSuchTransaction) {
			err = exchange.Errorf(exchange.NotFound, "transaction %s is not on the ledger", id)
		}
		return Transaction{}, fmt.Errorf("read transaction: %w", err)
	}
	var raw common.Block
	if err := proto.Unmarshal(answer, &raw); err != nil {
		return Transaction{}, fmt.Errorf("transaction %s: %w: %w", id, ErrFault, err)
	}
	tx, err := c.layout().find(&raw, id)
	if errors.Is(err, errMalformed) {
		err = fmt.Errorf("%w: %w", ErrFault, err)
	}
	if err != nil {
		return Transaction{}, fmt.Errorf("transaction %s: %w", id, err)
	}
	return tx, nil
}
