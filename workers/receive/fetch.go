package receive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"chancery/chaincode/exchange"
)

// ErrContested says that what a node or the provider handed out is not what was
// registered.
var ErrContested = errors.New("not what was registered")

// Fetched is a use whose content was fetched again.
type Fetched struct {
	Use    exchange.Redemption
	Object exchange.Object
	Rows   int64
}

// Fetch writes the content of a use whose key was released, as the worker did
// when it was delivered: wrap and object are fetched by their addresses and
// held to the ledger. Nothing is put on record. What was written is nothing
// unless the error is nil; else it is [ErrContested], [exchange.ErrNotFound],
// [exchange.ErrDenied] for another department's use, [exchange.ErrConflict] for
// one without a key, or that of the node, the keystore, the ledger or the
// writer.
//
// Of the configuration it needs Department, Keys, Node and Ledger.
func Fetch(ctx context.Context, cfg Config, grant string, slot int, to io.Writer) (Fetched, error) {
	d, err := cfg.look(ctx, grant, slot)
	if err != nil {
		return Fetched{}, err
	}
	f := Fetched{Use: d.use, Object: d.object}
	switch d.use.State {
	case exchange.Released, exchange.Received, exchange.Disputed:
	default:
		return f, exchange.Errorf(exchange.Conflict, "use %s is %s: its key was not released", d.id(), d.use.State)
	}
	if d.use.Grantee != cfg.Department {
		return f, exchange.Errorf(exchange.Denied, "use %s is for %s, not for %s", d.id(), d.use.Grantee, cfg.Department)
	}
	if err := cfg.Ledger.Get(ctx, exchange.NounRelease, d.id(), &d.release); err != nil {
		return f, fmt.Errorf("release %s: %w", d.id(), err)
	}
	p, err := cfg.parcel(ctx, d)
	if err != nil {
		return f, fmt.Errorf("fetch %s: %w", d.id(), err)
	}
	defer p.sealed.Close()
	if f.Rows, err = p.open(to); err != nil {
		return f, fmt.Errorf("fetch %s: %w", d.id(), err)
	}
	return f, nil
}
