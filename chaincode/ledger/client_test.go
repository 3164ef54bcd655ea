package ledger

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"chancery/chaincode/exchange"
)

// contract is a [network] of which every transaction commits; answer is what
// the contract says.
type contract struct {
	answer func(chaincode, function string, args []string) ([]byte, error)

	mu    sync.Mutex
	calls []string
}

func (c *contract) endorse(ctx context.Context, function string, args []string) (endorsed, error) {
	result, err := c.evaluate(ctx, "chancery", function, args)
	return committed(result), err
}

func (c *contract) evaluate(_ context.Context, chaincode, function string, args []string) ([]byte, error) {
	c.mu.Lock()
	c.calls = append(c.calls, function)
	c.mu.Unlock()
	return c.answer(chaincode, function, args)
}

type committed []byte

func (c committed) id() string                   { return "tx" }
func (c committed) result() []byte               { return c }
func (c committed) submit(context.Context) error { return nil }
func (c committed) commit(context.Context) (peer.TxValidationCode, error) {
	return peer.TxValidationCode_VALID, nil
}

func testClient(t *testing.T, answer func(chaincode, function string, args []string) ([]byte, error)) (*Client, *contract) {
	cfg := Config{Department: "census", MSP: "CensusMSP", Channel: "chancery", Chaincode: "chancery"}
	cfg.complete()
	net := &contract{answer: answer}
	c := newClient(cfg, net, nil, func() error { return nil })
	c.engine.rest = func(ctx context.Context, _ time.Duration) error { return rest(ctx, time.Millisecond) }
	t.Cleanup(func() { c.Close() })
	return c, net
}

// each answers Apply as the contract does: an outcome for each operation.
func each(args []string, outcome func(exchange.Operation) exchange.Outcome) ([]byte, error) {
	list, err := exchange.DecodeBatch([]byte(args[0]))
	if err != nil {
		return nil, err
	}
	outcomes := make([]exchange.Outcome, len(list))
	for i, op := range list {
		outcomes[i] = outcome(op)
	}
	return exchange.Encode(outcomes)
}

func TestSubmitGivesEachItsOutcome(t *testing.T) {
	const operations = 200
	all := make(chan struct{}) // closed when every operation waits or is in flight
	c, net := testClient(t, func(_, _ string, args []string) ([]byte, error) {
		<-all
		return each(args, func(op exchange.Operation) exchange.Outcome {
			out := exchange.Outcome{Command: op.Command, Op: op.Op, Code: exchange.OK, ID: "r-" + op.Command}
			if op.Command == "bad" {
				out.Code, out.Message = exchange.Conflict, "no"
			}
			return out
		})
	})
	var wg sync.WaitGroup
	for i := range operations {
		wg.Go(func() {
			command := fmt.Sprintf("c%d", i)
			if i == 77 {
				command = "bad"
			}
			out, err := c.Submit(t.Context(), open(command))
			if err != nil || out.ID != "r-"+command || (out.Code == exchange.OK) != (i != 77) {
				t.Errorf("%s: %+v, %v", command, out, err)
			}
		})
	}
	for held := 0; held < operations; {
		c.batcher.mu.Lock()
		held = len(c.batcher.queue) + len(c.batcher.busy) // each keeps one key busy
		c.batcher.mu.Unlock()
		runtime.Gosched()
	}
	close(all)
	wg.Wait()
	if most := c.cfg.InFlight + operations/c.cfg.BatchOperations + 1; len(net.calls) > most {
		t.Errorf("%d transactions for %d operations: %d in flight and the rest together are enough", len(net.calls), operations, most)
	}
}

func TestSubmitKeepsTheUnreadableFromTheOthers(t *testing.T) {
	c, net := testClient(t, nil)
	for _, body := range []string{"", "{", "{} {}", `{"a":"` + "\xff" + `"}`, `"` + strings.Repeat("x", exchange.MaxBody) + `"`} {
		out, err := c.Submit(t.Context(), exchange.Operation{Command: "c", Op: exchange.OpRequestOpen, Body: []byte(body)})
		if err != nil || !errors.Is(out.Err(), exchange.ErrInvalid) || out.Tx != "" {
			t.Errorf("body of %d bytes: %+v, %v", len(body), out, err)
		}
	}
	if out, err := c.Invoke(t.Context(), exchange.Operation{Op: "no.such", Body: []byte("{}")}); err != nil || out.Code != exchange.Invalid {
		t.Errorf("unknown operation: %+v, %v", out, err)
	}
	if len(net.calls) != 0 {
		t.Errorf("calls %v", net.calls)
	}
}

func TestSubmitRefusedAsAWhole(t *testing.T) {
	c, _ := testClient(t, func(_, _ string, _ []string) ([]byte, error) { return nil, refusedHere })
	out, err := c.Submit(t.Context(), open("c"))
	if err != nil || !errors.Is(out.Err(), exchange.ErrDenied) || out.Command != "c" || out.Op != exchange.OpRequestOpen || out.Message != "not an officer" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestSubmitUnreadableAnswer(t *testing.T) {
	for _, answer := range []string{"", "[]", "{}"} {
		c, _ := testClient(t, func(_, _ string, _ []string) ([]byte, error) { return []byte(answer), nil })
		if _, err := c.Submit(t.Context(), open("c")); !errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("answer %q: %v", answer, err)
		}
	}
}

func TestInvoke(t *testing.T) {
	c, _ := testClient(t, func(_, function string, args []string) ([]byte, error) {
		if function != "GiveGrant" || len(args) != 2 || args[0] != "c" || args[1] != `{"request":"r"}` {
			t.Errorf("%s %q", function, args)
		}
		return exchange.Encode(exchange.Outcome{Command: "c", Op: exchange.OpGrantGive, Code: exchange.OK, ID: "g-1", Tx: "tx"})
	})
	out, err := c.Invoke(t.Context(), exchange.Operation{Command: "c", Op: exchange.OpGrantGive, Body: []byte(`{"request":"r"}`)})
	if err != nil || out.ID != "g-1" || out.Err() != nil {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestQueries(t *testing.T) {
	notFound := grpcError(2, "evaluate call to endorser returned error: chaincode response 500, not-found: there is no request r-1",
		"chaincode response 500, not-found: there is no request r-1")
	tries := 0
	c, _ := testClient(t, func(_, function string, args []string) ([]byte, error) {
		if tries++; tries%2 == 1 {
			return nil, unavailable
		}
		switch function {
		case "Get":
			if args[1] == "r-1" {
				return nil, notFound
			}
			return []byte(`{"id":"r-2","purpose":"p","later":1}`), nil
		case "List":
			return []byte(`{"records":[{"id":"r-2"}],"bookmark":"b"}`), nil
		}
		return []byte(`[{"tx":"t","time":"2026-01-01T00:00:00Z","record":{}}]`), nil
	})
	var r exchange.Request
	if err := c.Get(t.Context(), exchange.NounRequest, "r-1", &r); !errors.Is(err, exchange.ErrNotFound) {
		t.Errorf("get what is not there: %v", err)
	}
	if err := c.Get(t.Context(), exchange.NounRequest, "r-2", &r); err != nil || r.Purpose != "p" {
		t.Errorf("get: %+v, %v", r, err)
	}
	page, err := c.List(t.Context(), exchange.Query{Noun: exchange.NounRequest})
	if err != nil || len(page.Records) != 1 || page.Bookmark != "b" {
		t.Errorf("list: %+v, %v", page, err)
	}
	history, err := c.History(t.Context(), exchange.NounRequest, "r-2")
	if err != nil || len(history) != 1 || history[0].Tx != "t" {
		t.Errorf("history: %+v, %v", history, err)
	}
}

func TestHeightAndTransaction(t *testing.T) {
	officer := newPerson(t, "CensusMSP")
	data, id := call{creator: officer, endorsers: []*person{officer}, function: "GiveGrant"}.make(t)
	c, _ := testClient(t, func(chaincode, function string, args []string) ([]byte, error) {
		switch {
		case chaincode != "qscc" || args[0] != "chancery":
			t.Errorf("%s %s %q", chaincode, function, args)
		case function == "GetChainInfo":
			return marshal(t, &common.BlockchainInfo{Height: 42}), nil
		case args[1] == id:
			return marshal(t, makeBlock(5, nil, [][]byte{data}, nil)), nil
		case args[1] == "forged":
			return marshal(t, makeBlock(5, nil, [][]byte{data[:len(data)-3]}, nil)), nil
		}
		text := fmt.Sprintf("chaincode response 500, Failed to get block for txID %s, error no such transaction ID [%s] in index", args[1], args[1])
		return nil, grpcError(2, "evaluate call to endorser returned error: "+text, text)
	})
	if n, err := c.Height(t.Context()); n != 42 || err != nil {
		t.Errorf("height %d, %v", n, err)
	}
	if tx, err := c.Transaction(t.Context(), id); err != nil || tx.Block != 5 || !tx.EndorsedBy(officer.cert) {
		t.Errorf("transaction %+v, %v", tx, err)
	}
	if _, err := c.Transaction(t.Context(), "none"); !errors.Is(err, exchange.ErrNotFound) {
		t.Errorf("no transaction: %v", err)
	}
	if _, err := c.Transaction(t.Context(), "forged"); !errors.Is(err, ErrFault) {
		t.Errorf("forged transaction: %v", err)
	}
}

func TestCallsEndWithContextAndClient(t *testing.T) {
	c, _ := testClient(t, func(_, _ string, _ []string) ([]byte, error) { return nil, unavailable })
	calls := map[string]func(context.Context) error{
		"submit": func(ctx context.Context) error { _, err := c.Submit(ctx, open("c")); return err },
		"invoke": func(ctx context.Context) error { _, err := c.Invoke(ctx, open("c")); return err },
		"get":    func(ctx context.Context) error { return c.Get(ctx, exchange.NounGrant, "g", new(exchange.Grant)) },
	}
	for name, f := range calls {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := f(ctx); !errors.Is(err, ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("%s, deadline: %v", name, err)
		}
	}
	c.Close()
	for name, f := range calls {
		if err := f(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("%s, closed: %v", name, err)
		}
	}
}
