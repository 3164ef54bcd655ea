package ledger

import (
	"bytes"
	"context"
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/rs/zerolog"
)

func (c *Client) layout() layout { return layout{channel: c.cfg.Channel, chaincode: c.cfg.Chaincode} }

// Blocks reads every block from number from on, without a gap and each joined
// to the one before by its hash, waits for new ones and hands each to yield.
// When the connection ends it asks for the next block again, after a pause,
// and says why in the context's log.
//
// It returns yield's error, the cause of the context's end, or an [ErrFault]
// when the peer's chain has a gap, a wrong hash or a valid transaction that
// cannot be read: trying again would not mend it.
func (c *Client) Blocks(ctx context.Context, from uint64, yield func(Block) error) error {
	ctx, cancel := c.during(ctx)
	defer cancel()
	chain := &chain{layout: c.layout(), next: from, yield: yield}
	for try := 1; ; try++ {
		before := chain.next
		err := c.blocks.deliver(ctx, chain.next, chain.add)
		switch {
		case chain.failed != nil:
			return chain.failed
		case ctx.Err() != nil:
			return fmt.Errorf("blocks from %d: %w", chain.next, context.Cause(ctx))
		case chain.next != before:
			try = 1
		}
		pause := backoff(try)
		zerolog.Ctx(ctx).Warn().Err(err).Uint64("block", chain.next).Dur("ms", pause).Msg("blocks ended, asking again")
		if err := c.engine.rest(ctx, pause); err != nil {
			return fmt.Errorf("blocks from %d: %w", chain.next, err)
		}
	}
}

// chain checks that blocks follow one another, over any number of connections.
type chain struct {
	layout layout
	next   uint64
	hash   []byte // of the block before next, once one was read
	yield  func(Block) error
	failed error // why no further block may follow
}

func (c *chain) add(raw *common.Block) error {
	c.failed = c.join(raw)
	return c.failed
}

func (c *chain) join(raw *common.Block) error {
	if n := raw.GetHeader().GetNumber(); n != c.next {
		return fmt.Errorf("%w: block %d where %d follows", ErrFault, n, c.next)
	}
	b, err := c.layout.read(raw)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFault, err)
	}
	if c.hash != nil && !bytes.Equal(b.Previous, c.hash) {
		return fmt.Errorf("%w: block %d follows another block %d than the one that was read", ErrFault, b.Number, b.Number-1)
	}
	if err := c.yield(b); err != nil {
		return err
	}
	c.next, c.hash = b.Number+1, b.Hash
	return nil
}
