package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"chancery/chaincode/exchange"
)

// Client speaks with one peer as one identity. Any number of goroutines may
// use it at once.
type Client struct {
	cfg     Config
	net     network
	blocks  blockSource
	engine  *engine
	batcher *batcher
	ctx     context.Context // ends with Close
	end     context.CancelCauseFunc
	close   func() error
}

func newClient(cfg Config, net network, blocks blockSource, close func() error) *Client {
	ctx, end := context.WithCancelCause(context.Background())
	c := &Client{cfg: cfg, net: net, blocks: blocks, engine: &engine{net: net, rest: rest}, ctx: ctx, end: end, close: close}
	c.batcher = &batcher{
		ctx: ctx, apply: c.apply, busy: make(map[string]struct{}),
		most: cfg.BatchOperations, bytes: cfg.BatchBytes, wait: cfg.BatchWait, inFlight: cfg.InFlight,
	}
	return c
}

// Close ends every call with [ErrClosed] and closes the connection.
func (c *Client) Close() error {
	c.end(ErrClosed)
	return c.close()
}

// during is a context that ends with the caller's or with the client.
func (c *Client) during(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.ctx, func() { cancel(context.Cause(c.ctx)) })
	return ctx, func() { stop(); cancel(nil) }
}

// Submit applies an operation, together with those of other callers in one
// transaction, and returns when it is committed. The client's identity must
// be a worker's. Operations on the same record are applied in the order in
// which they were submitted.
//
// An operation that is no JSON, or too large, is refused before the ledger, so
// that it cannot spoil the others': there is no record of it, and Outcome.Tx
// is empty.
func (c *Client) Submit(ctx context.Context, op exchange.Operation) (exchange.Outcome, error) {
	encoded, err := encode(op)
	if err != nil {
		return refusal(op, err)
	}
	return c.batcher.submit(ctx, op, encoded)
}

// Invoke performs an operation as a transaction of its own, as officers do,
// and returns when it is committed.
func (c *Client) Invoke(ctx context.Context, op exchange.Operation) (exchange.Outcome, error) {
	row, known := exchange.TransitionOf(op.Op)
	if !known {
		return refusal(op, exchange.Errorf(exchange.Invalid, "there is no operation %.64q", op.Op))
	}
	if _, err := encode(op); err != nil {
		return refusal(op, err)
	}
	ctx, cancel := c.during(ctx)
	defer cancel()
	result, tx, err := c.engine.transact(ctx, &progress{}, row.Function, op.Command, string(op.Body))
	if err != nil {
		return refusal(op, err)
	}
	var outcome exchange.Outcome
	return outcome, decodeOutcome(tx, result, &outcome)
}

// encode writes an operation as one of a batch.
func encode(op exchange.Operation) ([]byte, error) {
	if !utf8.Valid(op.Body) || !json.Valid(op.Body) {
		return nil, exchange.Errorf(exchange.Invalid, "body of %d bytes is not JSON in UTF-8", len(op.Body))
	}
	encoded, err := exchange.Encode(op)
	if err == nil && len(encoded) > exchange.MaxBody {
		err = exchange.Errorf(exchange.Invalid, "operation of %d bytes is larger than %d", len(encoded), exchange.MaxBody)
	}
	return encoded, err
}

// refusal turns a refusal into the outcome that it is, and leaves any other
// error alone.
func refusal(op exchange.Operation, err error) (exchange.Outcome, error) {
	var no *exchange.Error
	if !errors.As(err, &no) {
		return exchange.Outcome{}, err
	}
	return exchange.Outcome{Command: op.Command, Op: op.Op, Code: no.Code, Message: no.Message}, nil
}

// apply is the batcher's transaction.
func (c *Client) apply(ctx context.Context, p *progress, entries []*entry) ([]exchange.Outcome, error) {
	ops := make([][]byte, len(entries))
	for i, e := range entries {
		ops[i] = e.encoded
	}
	batch := slices.Concat([]byte("["), bytes.Join(ops, []byte(",")), []byte("]"))
	result, tx, err := c.engine.transact(ctx, p, "Apply", string(batch))
	if err != nil {
		return nil, err
	}
	var said []exchange.Outcome
	if err := decodeOutcome(tx, result, &said); err != nil {
		return nil, err
	}
	if len(said) != len(ops) {
		return nil, fmt.Errorf("%w: transaction %s answers %d operations with %d outcomes", ErrUnknownOutcome, tx, len(ops), len(said))
	}
	return said, nil
}

// decodeOutcome reads into v what a committed transaction returned.
func decodeOutcome(tx string, data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: answer of transaction %s: %w", ErrUnknownOutcome, tx, err)
	}
	return nil
}
