package workers

import (
	"context"
	"errors"
	"fmt"

	"chancery/chaincode/exchange"
)

// ErrContended says that others wrote an operation's records every time that
// it was tried: it is not refused, and comes right by itself.
var ErrContended = errors.New("others were in the way")

// Submitter is the ledger, as workers that tell it something need it.
type Submitter interface {
	Submit(ctx context.Context, op exchange.Operation) (exchange.Outcome, error)
}

// Submit tells the ledger one thing, under a command where there is one. Its
// outcome is final: done, or refused. Errors: [exchange.ErrInvalid] for a body
// that the ledger is not asked about, [ErrContended], and the ledger's own.
func Submit(ctx context.Context, to Submitter, command string, name exchange.Op, body exchange.Body) (exchange.Outcome, error) {
	op, err := exchange.NewOperation(command, name, body)
	if err != nil {
		return exchange.Outcome{}, fmt.Errorf("submit %s: %w", name, err)
	}
	outcome, err := traced(ctx, op, func(ctx context.Context) (exchange.Outcome, error) { return to.Submit(ctx, op) })
	if err != nil {
		return exchange.Outcome{}, fmt.Errorf("submit %s: %w", name, err)
	}
	if outcome.Code == exchange.Again {
		return exchange.Outcome{}, fmt.Errorf("submit %s: %w: %s", name, ErrContended, outcome.Message)
	}
	return outcome, nil
}

// Invoker is the ledger, as workers need it that sign as an identity of their
// own.
type Invoker interface {
	Invoke(ctx context.Context, op exchange.Operation) (exchange.Outcome, error)
}

// Invoke tells the ledger one thing in a transaction of its own.
func Invoke(ctx context.Context, to Invoker, op exchange.Operation) (exchange.Outcome, error) {
	return traced(ctx, op, func(ctx context.Context) (exchange.Outcome, error) { return to.Invoke(ctx, op) })
}
