package ledger

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
)

// connections is a [blockSource]: each element is what one connection delivers
// before it ends.
type connections struct {
	list  [][]*common.Block
	froms []uint64
}

func (c *connections) deliver(ctx context.Context, from uint64, yield func(*common.Block) error) error {
	c.froms = append(c.froms, from)
	if len(c.list) == 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	for _, b := range next(&c.list, nil) {
		if err := yield(b); err != nil {
			return err
		}
	}
	return errors.New("connection lost")
}

// makeChain makes blocks 0 to n-1.
func makeChain(t *testing.T, n int) []*common.Block {
	worker := newPerson(t, "HealthMSP")
	var blocks []*common.Block
	var previous []byte
	for i := range n {
		data, _ := call{creator: worker, function: "Apply", events: testEvents(1)}.make(t)
		b := makeBlock(uint64(i), previous, [][]byte{data}, nil)
		blocks, previous = append(blocks, b), headerHash(b.Header)
	}
	return blocks
}

func streamClient(t *testing.T, source *connections) *Client {
	c := newClient(Config{Channel: "chancery", Chaincode: "chancery"}, nil, source, func() error { return nil })
	c.engine.rest = func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }
	t.Cleanup(func() { c.Close() })
	return c
}

func TestBlocksReconnects(t *testing.T) {
	chain := makeChain(t, 6)
	source := &connections{list: [][]*common.Block{chain[2:4], {}, chain[4:5], {}, chain[5:]}}
	var numbers []uint64
	enough := errors.New("enough")
	err := streamClient(t, source).Blocks(t.Context(), 2, func(b Block) error {
		if numbers = append(numbers, b.Number); len(b.Txs[0].Events) != 1 {
			t.Errorf("block %+v", b)
		}
		if b.Number == 5 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || len(numbers) != 4 || numbers[0] != 2 {
		t.Errorf("blocks %v, %v", numbers, err)
	}
	if want := []uint64{2, 4, 4, 5, 5}; len(source.froms) != len(want) || source.froms[1] != 4 || source.froms[4] != 5 {
		t.Errorf("asked from %v, want %v", source.froms, want)
	}
}

func TestBlocksFaults(t *testing.T) {
	chain, other := makeChain(t, 5), makeChain(t, 5)
	spoilt := makeChain(t, 2)
	spoilt[1].Data.Data[0][7] ^= 1
	tests := []struct {
		name string
		list [][]*common.Block
		says string
	}{
		{"gap", [][]*common.Block{{chain[0], chain[2]}}, "block 2 where 1 follows"},
		{"repeat", [][]*common.Block{{chain[0], chain[1], chain[1]}}, "block 1 where 2 follows"},
		{"gap over a reconnect", [][]*common.Block{{chain[0]}, {chain[2]}}, "block 2 where 1 follows"},
		{"another chain over a reconnect", [][]*common.Block{{chain[0], chain[1]}, {other[2]}}, "follows another block 1"},
		{"data and hash disagree", [][]*common.Block{spoilt}, "hash"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := streamClient(t, &connections{list: tt.list}).Blocks(t.Context(), 0, func(Block) error { return nil })
			if !errors.Is(err, ErrFault) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want a fault about %q", err, tt.says)
			}
		})
	}
}

func TestBlocksEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := streamClient(t, &connections{})
	done := make(chan error)
	go func() { done <- c.Blocks(ctx, 0, func(Block) error { return nil }) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	go func() { done <- c.Blocks(t.Context(), 0, func(Block) error { return nil }) }()
	c.Close()
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("error %v", err)
	}
}
