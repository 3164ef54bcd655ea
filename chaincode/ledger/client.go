package ledger

import (
	"context"
	"fmt"

	"chancery/chaincode/exchange"
)

// Client speaks with one peer as one identity. Any number of goroutines may
// use it at once.
type Client struct{ cfg Config }

// Dial checks the configuration, reads the identity and prepares the
// connection. It does not wait for the peer: calls do.
func Dial(_ context.Context, cfg Config) (*Client, error) {
	cfg.complete()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("ledger configuration: %w", err)
	}
	return &Client{cfg: cfg}, nil
}

// Close ends every call with [ErrClosed] and closes the connection.
func (c *Client) Close() error { return nil }

// Submit applies an operation, together with those of other callers in one
// transaction, and returns when it is committed. The client's identity must
// be a worker's. Operations on the same record are applied in the order in
// which they were submitted.
func (c *Client) Submit(ctx context.Context, op exchange.Operation) (exchange.Outcome, error) {
	return exchange.Outcome{}, ErrUnreachable
}

// Invoke performs an operation as a transaction of its own, as officers do,
// and returns when it is committed.
func (c *Client) Invoke(ctx context.Context, op exchange.Operation) (exchange.Outcome, error) {
	return exchange.Outcome{}, ErrUnreachable
}

// Get reads a record into v. The id of a record with a key of several parts
// has them joined by "/": "o-…/health", "g-…/0", "census/<command>". It
// returns [exchange.ErrNotFound] where there is none.
func (c *Client) Get(ctx context.Context, noun exchange.Noun, id string, v any) error {
	return ErrUnreachable
}

// List reads a page of records.
func (c *Client) List(ctx context.Context, q exchange.Query) (exchange.Page, error) {
	return exchange.Page{}, ErrUnreachable
}

// History reads every version of a record, oldest first.
func (c *Client) History(ctx context.Context, noun exchange.Noun, id string) ([]exchange.HistoryEntry, error) {
	return nil, ErrUnreachable
}

// Height returns the number of blocks that the own peer holds.
func (c *Client) Height(ctx context.Context) (uint64, error) { return 0, ErrUnreachable }

// Transaction reads a committed transaction from the own peer and checks
// every signature in it. It returns [exchange.ErrNotFound] where there is
// none, and [ErrFault] where a signature or a hash is wrong.
func (c *Client) Transaction(ctx context.Context, id string) (Transaction, error) {
	return Transaction{}, ErrUnreachable
}

// Blocks reads every block from number from on, without a gap and each joined
// to the one before by its hash, waits for new ones and hands each to yield.
// It reconnects by itself. It returns when yield returns an error, the
// context ends, or the chain is broken: that is an [ErrFault].
func (c *Client) Blocks(ctx context.Context, from uint64, yield func(Block) error) error {
	return ErrUnreachable
}
