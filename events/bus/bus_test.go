package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
)

func timeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

// TestPlainClient: one CloudEvent by nothing but the NATS library is stored,
// and what the ledger says of it is heard.
func TestPlainClient(t *testing.T) {
	b := bustest.Start(t, "health")
	nc := b.Plain(t, "system")
	heard, err := nc.SubscribeSync("chancery.ledger.>")
	if err != nil {
		t.Fatal(err)
	}
	m := nats.NewMsg("chancery.cmd.health.request.withdraw")
	m.Header = nats.Header{
		"ce-specversion": {"1.0"}, "ce-id": {"c-1"}, "ce-source": {"health"}, "ce-type": {"chancery.request.withdraw.v1"},
	}
	m.Data = withdraw(t, "health", "c-1").Data
	ack, err := nc.RequestMsg(m, 2*time.Second)
	if err != nil || !strings.Contains(string(ack.Data), `"stream":"COMMANDS"`) {
		t.Fatalf("ack %v, %v", ack, err)
	}
	tail, err := b.Connect(t, "admin").Tail(t.Context(), events.StreamCommands)
	if err != nil || tail.Last == nil || tail.Last.Err != nil || tail.Last.ID != "c-1" {
		t.Fatalf("stored %+v, %v", tail.Last, err)
	}
	if _, err := b.Connect(t, "listen").PublishBatch(t.Context(), []events.Envelope{fact(t, 1, 0), fact(t, 1, 1)}, bus.Tail{}); err != nil {
		t.Fatal(err)
	}
	for want := range 2 {
		got, err := heard.NextMsg(2 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		e, err := events.FromMsg(got)
		if err != nil || e.Position.EventIndex != want {
			t.Errorf("heard %+v, %v", e, err)
		}
	}
}

func TestSaidTwice(t *testing.T) {
	b := bustest.Start(t, "health")
	c := b.Connect(t, "system")
	first, err := c.Publish(t.Context(), withdraw(t, "health", "c-1"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Publish(t.Context(), withdraw(t, "health", "c-1"))
	if err != nil || !again.Duplicate || again.Sequence != first.Sequence {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	other := withdraw(t, "health", "c-1")
	other.Data = []byte(strings.Replace(string(other.Data), "no longer", "never", 1))
	got, err := c.Publish(t.Context(), other)
	if err != nil || got.Duplicate {
		t.Errorf("another thing under the same id must reach intake: %+v, %v", got, err)
	}
}

func TestTooLarge(t *testing.T) {
	b := bustest.Start(t, "health")
	nc := b.Plain(t, "system")
	err := nc.Publish("chancery.cmd.health.request.open", make([]byte, 2<<20))
	if !errors.Is(err, nats.ErrMaxPayload) {
		t.Errorf("2 MB by a plain client: %v", err)
	}
}

// TestFence: of two publishers that both believe to be the only one, each
// sequence is won by one, and nothing is lost, doubled or interleaved.
func TestFence(t *testing.T) {
	const batches, size = 20, 7
	b := bustest.Start(t, "health")
	var wg sync.WaitGroup
	for range 2 {
		c := b.Connect(t, "listen")
		wg.Go(func() { fill(t, c, batches, size) })
	}
	wg.Wait()
	next := 0
	ctx, cancel := timeout(t, 10*time.Second)
	defer cancel()
	err := b.Connect(t, "dashboard").Follow(ctx, events.All(events.StreamLedger), 0, func(m *bus.Message) error {
		if m.Err != nil || m.Position.Block != uint64(next/size+1) || m.Position.EventIndex != next%size {
			return fmt.Errorf("message %d stands at %+v: %v", next, m.Position, m.Err)
		}
		if next++; next == batches*size {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Errorf("after %d messages: %v", next, err)
	}
	tail, err := b.Connect(t, "system").Tail(t.Context(), events.StreamLedger)
	if err != nil || tail.Messages != batches*size || tail.Last.Position.Block != batches {
		t.Errorf("stream ends with %+v, %v", tail, err)
	}
}

var errEnough = errors.New("enough")

// fill publishes one batch for each block, starting where the stream ends, as
// a listener does.
func fill(t *testing.T, c *bus.Conn, batches, size int) {
	for {
		tail, err := c.Tail(t.Context(), events.StreamLedger)
		if err != nil {
			t.Error(err)
			return
		}
		block := uint64(1)
		if tail.Last != nil {
			block = tail.Last.Position.Block + 1
		}
		if block > uint64(batches) {
			return
		}
		var batch []events.Envelope
		for i := range size {
			batch = append(batch, fact(t, block, i))
		}
		_, err = c.PublishBatch(t.Context(), batch, tail)
		if err != nil && !errors.Is(err, bus.ErrSequence) {
			t.Errorf("block %d: %v", block, err)
			return
		}
	}
}

func TestBatchOfOneIsFenced(t *testing.T) {
	b := bustest.Start(t, "health")
	c := b.Connect(t, "listen")
	if last, err := c.PublishBatch(t.Context(), []events.Envelope{fact(t, 1, 0)}, bus.Tail{}); err != nil || last != 1 {
		t.Fatalf("%d, %v", last, err)
	}
	for _, after := range []uint64{0, 2, 7} {
		if _, err := c.PublishBatch(t.Context(), []events.Envelope{fact(t, 2, 0)}, bus.Tail{Sequence: after}); !errors.Is(err, bus.ErrSequence) {
			t.Errorf("after %d: %v", after, err)
		}
	}
	many := make([]events.Envelope, bus.MaxBatch)
	for i := range many {
		many[i] = fact(t, 2, i)
	}
	if last, err := c.PublishBatch(t.Context(), many, bus.Tail{Sequence: 1}); err != nil || last != 1+bus.MaxBatch {
		t.Errorf("a full batch: %d, %v", last, err)
	}
}

// TestFollowAcrossRestart: what was acknowledged is there after the server is
// stopped and started, and connections find it again by themselves.
func TestFollowAcrossRestart(t *testing.T) {
	b := bustest.Start(t, "health")
	listen, reader := b.Connect(t, "listen"), b.Connect(t, "system")
	if _, err := listen.PublishBatch(t.Context(), []events.Envelope{fact(t, 1, 0)}, bus.Tail{}); err != nil {
		t.Fatal(err)
	}
	b.Stop()
	if _, err := listen.PublishBatch(t.Context(), []events.Envelope{fact(t, 2, 0)}, bus.Tail{Sequence: 1}); !errors.Is(err, bus.ErrUnreachable) {
		t.Errorf("while the server is away: %v", err)
	}
	b.Resume(t)
	ctx, cancel := timeout(t, 15*time.Second)
	defer cancel()
	until(t, ctx, func() error {
		_, err := listen.PublishBatch(ctx, []events.Envelope{fact(t, 2, 0)}, bus.Tail{Sequence: 1})
		return err
	})
	var blocks []uint64
	until(t, ctx, func() error {
		blocks = nil
		err := reader.Follow(ctx, events.All(events.StreamLedger), 0, func(m *bus.Message) error {
			if blocks = append(blocks, m.Position.Block); len(blocks) == 2 {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	})
	if blocks[0] != 1 || blocks[1] != 2 {
		t.Errorf("blocks %v", blocks)
	}
}

// until repeats f until it succeeds.
func until(t *testing.T, ctx context.Context, f func() error) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("in vain: %v", err)
		}
	}
}

func TestUnreachable(t *testing.T) {
	b := bustest.Start(t, "health")
	b.Stop()
	if c, err := bus.Connect(t.Context(), b.Config("system")); !errors.Is(err, bus.ErrUnreachable) {
		t.Errorf("got %v", err)
		c.Close()
	}
	cfg := b.Config("system")
	cfg.Patient = true
	c, err := bus.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Publish(t.Context(), withdraw(t, "health", "c-1")); !errors.Is(err, bus.ErrUnreachable) {
		t.Errorf("publish while the server is away: %v", err)
	}
	b.Resume(t)
	ctx, cancel := timeout(t, 15*time.Second)
	defer cancel()
	until(t, ctx, func() error {
		_, err := c.Publish(ctx, withdraw(t, "health", "c-1"))
		return err
	})
}

// TestServe: a busy port and a store that is no directory are told at once; the
// end of the context is no error.
func TestServe(t *testing.T) {
	b := bustest.Start(t, "health")
	busy := b.ServerConfig()
	busy.StoreDir = t.TempDir()
	if err := bus.Serve(t.Context(), busy, zerolog.Nop()); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a busy port: %v", err)
	}
	odd := b.ServerConfig()
	odd.Port, odd.StoreDir = -1, odd.TLS.Cert
	if err := bus.Serve(t.Context(), odd, zerolog.Nop()); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("a store that is a file: %v", err)
	}
	b.Stop()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- bus.Serve(ctx, b.ServerConfig(), zerolog.Nop()) }()
	wait, stop := timeout(t, 15*time.Second)
	defer stop()
	until(t, wait, func() error {
		c, err := bus.Connect(wait, b.Config("system"))
		if err == nil {
			c.Close()
		}
		return err
	})
	cancel()
	if err := <-done; err != nil {
		t.Errorf("at the end: %v", err)
	}
}

func TestServerConfig(t *testing.T) {
	good := bus.ServerConfig{Department: "health", Port: 4222, StoreDir: "x"}
	good.TLS.Cert, good.TLS.Key = "c", "k"
	key := "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
	for name, c := range map[string]struct {
		change func(*bus.ServerConfig)
		want   string
	}{
		"good":      {func(c *bus.ServerConfig) { c.Users = map[string]string{"pin": key} }, ""},
		"port":      {func(c *bus.ServerConfig) { c.Port = 0 }, "port 0"},
		"no store":  {func(c *bus.ServerConfig) { c.StoreDir = "" }, "storeDir"},
		"stranger":  {func(c *bus.ServerConfig) { c.Users = map[string]string{"root": key} }, `no user "root"`},
		"bad key":   {func(c *bus.ServerConfig) { c.Users = map[string]string{"pin": "UX"} }, "public key"},
		"same key":  {func(c *bus.ServerConfig) { c.Users = map[string]string{"pin": key, "listen": key} }, "same key"},
		"max store": {func(c *bus.ServerConfig) { c.MaxStore = -1 }, "maxStore"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			c.change(&cfg)
			err := cfg.Validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
