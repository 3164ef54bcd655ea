package listen

import (
	"context"
	"fmt"
	"iter"

	"chancery/chaincode/ledger"
	"chancery/events"
)

// envelopes are the events of a block as the stream holds them, in order: those
// of valid transactions. An event that no message can carry ends them with an
// error.
func envelopes(channel string, b ledger.Block) iter.Seq2[events.Envelope, error] {
	return func(yield func(events.Envelope, error) bool) {
		for _, tx := range b.Txs {
			if tx.Code != ledger.Valid {
				continue
			}
			for i, event := range tx.Events {
				p := events.Position{Channel: channel, Block: b.Number, TxIndex: tx.Index, EventIndex: i, Tx: tx.ID, Code: tx.Code}
				e, err := events.NewLedger(event, p, tx.Time)
				if err != nil {
					err = fmt.Errorf("event %d of transaction %s in block %d: %w", i, tx.ID, b.Number, err)
				}
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}

// feed sends blocks from a number on until the context ends or the ledger
// fails.
func feed(ctx context.Context, l Ledger, from uint64, blocks chan<- ledger.Block) error {
	return l.Blocks(ctx, from, func(b ledger.Block) error {
		select {
		case blocks <- b:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}
