package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
	"chancery/test/bustest"
	"chancery/workers"
)

// office is the command line at a department whose bus runs and whose ledger does
// not: what it says over the bus can be seen.
type office struct {
	t    *testing.T
	bus  *bustest.Bus
	data string
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, bus: bustest.Start(t, "health"), data: t.TempDir()}
	dir := filepath.Join(o.data, "health")
	if err := os.MkdirAll(filepath.Join(dir, "spool"), 0o700); err != nil {
		t.Fatal(err)
	}
	at := o.bus.Config(bus.UserSystem)
	err := workers.Profile{
		Department: "health", MSP: "HealthMSP", Channel: "chancery", Chaincode: "chancery",
		Peer:            workers.PeerProfile{Address: "127.0.0.1:1", TLSCA: "none.pem", ServerName: "peer.health"},
		PeerCertificate: "none.pem", Identities: "identities", Keystore: "keystore",
		Bus:   workers.BusProfile{URL: at.URL, CA: at.CA, NKeys: at.NKeys},
		IPFS:  workers.IPFSProfile{API: "127.0.0.1:1"},
		Spool: "spool", Inbox: "inbox", Journal: "journal",
	}.Save(dir)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// run runs a command line to its end.
func (o *office) run(args ...string) (code int, stdout, stderr string) {
	return o.runUntil(o.t.Context(), args...)
}

func (o *office) runUntil(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, err buffer
	a := newApp(strings.NewReader(""), &out, &err, func(name string) (string, bool) {
		return o.data, name == "CHANCERY_DATA"
	})
	code = execute(ctx, a, append([]string{"chancery"}, args...))
	return code, out.String(), err.String()
}

// answer plays intake: it answers every command until the test ends.
func (o *office) answer(outcome func(events.Envelope) exchange.Outcome) {
	o.t.Helper()
	intake := o.bus.Connect(o.t, "intake")
	admin := o.bus.Connect(o.t, bus.UserAdmin)
	go admin.Follow(o.t.Context(), events.CommandsFilter(), 1, func(m *bus.Message) error {
		return workers.Answer(o.t.Context(), intake, workers.Command{
			Department: "health", MSP: "HealthMSP", ID: m.ID,
			Op: string(m.Address.Command()), Cause: fmt.Sprint(m.Sequence),
		}, outcome(m.Envelope))
	})
}

// buffer may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

var openRequest = []string{"request", "open", "census/population", "--purpose", "planning", "--legal-basis", "an act", "--for", "1d"}

func TestCommandAccepted(t *testing.T) {
	o := newOffice(t)
	id := exchange.NewID(exchange.NounRequest, "HealthMSP", "c1")
	o.answer(func(e events.Envelope) exchange.Outcome {
		return exchange.Outcome{Command: e.ID, Op: exchange.OpRequestOpen, Code: exchange.OK, ID: id, Tx: "ab"}
	})
	code, stdout, stderr := o.run(append(openRequest, "--command", "c1", "--json")...)
	var got commandResult
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, stderr)
	}
	want := commandResult{Outcome: exchange.Outcome{Command: "c1", Op: exchange.OpRequestOpen, Code: exchange.OK, ID: id, Tx: "ab"}}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}

	// The bus drops the same command; its answer is found all the same.
	code, stdout, _ = o.run(append(openRequest, "--command", "c1", "--wait", "5s")...)
	if code != 0 || !strings.Contains(stdout, "outcome      exists") || !strings.Contains(stdout, id) {
		t.Errorf("said again: exit code %d, %s", code, stdout)
	}
}

func TestCommandRefused(t *testing.T) {
	o := newOffice(t)
	codes := map[string]exchange.Code{"denied": exchange.Denied, "absent": exchange.NotFound, "other": exchange.Conflict, "bad": exchange.Invalid}
	o.answer(func(e events.Envelope) exchange.Outcome {
		return exchange.Outcome{Command: e.ID, Code: codes[e.ID], Message: "not so"}
	})
	for command, want := range map[string]int{"denied": exitRefused, "absent": exitNotFound, "other": exitConflict, "bad": exitUsage} {
		code, stdout, stderr := o.run(append(openRequest, "--command", command)...)
		if code != want || stdout != "" || !strings.Contains(stderr, string(codes[command])+": not so") {
			t.Errorf("%s: exit code %d, want %d; stdout %q, stderr %q", command, code, want, stdout, stderr)
		}
	}
}

func TestCommandWithoutAnAnswer(t *testing.T) {
	o := newOffice(t)
	code, stdout, stderr := o.run(append(openRequest, "--command", "c2", "--wait", "1s")...)
	if code != exitUnreachable || stdout != "" || !strings.Contains(stderr, "no outcome of command c2 within 1s") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	code, stdout, _ = o.run(append(openRequest, "--command", "c3", "--no-wait")...)
	if code != 0 || stdout != "command  c3\n" {
		t.Errorf("not waiting: exit code %d, %q", code, stdout)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	code, stdout, stderr = o.runUntil(ctx, append(openRequest, "--command", "c4")...)
	if code != exitInterrupted || stdout != "" || stderr != "" {
		t.Errorf("interrupted: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestPartsThatAreAway(t *testing.T) {
	o := newOffice(t)
	o.bus.Stop()
	code, _, stderr := o.run(openRequest...)
	if code != exitUnreachable || !strings.Contains(stderr, "the bus of health is away") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	code, _, stderr = o.run("dataset", "list")
	if code != exitUnreachable || !strings.Contains(stderr, "the peer of health is away") {
		t.Errorf("the ledger: exit code %d: %s", code, stderr)
	}
}

func TestPublishFollowsTheObject(t *testing.T) {
	o := newOffice(t)
	file := filepath.Join(t.TempDir(), "beds.csv")
	if err := os.WriteFile(file, []byte("county,beds\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dataset := exchange.NewID(exchange.NounDataset, "HealthMSP", "c5")
	object := exchange.NewID(exchange.NounObject, "HealthMSP", "c5")
	listen := o.bus.Connect(t, "listen")
	facts := []exchange.Event{
		event(t, exchange.ObjectRegistered, "health", object, exchange.Object{ID: object, Dataset: dataset, Version: 1}),
		event(t, exchange.ObjectAttested, "labor", object, exchange.Attestation{Object: object, By: "labor", Verdict: exchange.Good}),
	}
	told := make(chan error, 1)
	o.answer(func(e events.Envelope) exchange.Outcome {
		told <- tell(t.Context(), listen, facts)
		return exchange.Outcome{Command: e.ID, Op: exchange.OpDatasetRegister, Code: exchange.OK, ID: dataset, Tx: "ab"}
	})
	code, stdout, stderr := o.run("dataset", "publish", file, "--name", "beds", "--title", "Beds", "--licence", "Public domain",
		"--column", "county:integer", "--column", "beds:integer", "--attestations", "1", "--command", "c5", "--json")
	var got commandResult
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, stderr)
	}
	if err := <-told; err != nil {
		t.Fatal(err)
	}
	if got.ID != object || got.Dataset != dataset || got.Code != exchange.OK {
		t.Errorf("got %+v", got)
	}
	for _, line := range []string{"copied", "registered as version 1 in block 7", "attested good by labor"} {
		if !strings.Contains(stderr, line) {
			t.Errorf("progress lacks %q:\n%s", line, stderr)
		}
	}
	if spooled, err := os.ReadFile(filepath.Join(o.data, "health", "spool", "beds.csv")); err != nil || len(spooled) == 0 {
		t.Errorf("the spool holds %q, %v", spooled, err)
	}
}

func event(t *testing.T, kind exchange.EventType, from, id string, record any) exchange.Event {
	t.Helper()
	data, err := exchange.Encode(record)
	if err != nil {
		t.Fatal(err)
	}
	return exchange.Event{Type: kind, From: from, To: exchange.ToAll, ID: id, Data: data}
}

// say puts events of one transaction in block 7 on the LEDGER stream.
func say(t *testing.T, listen *bus.Conn, list []exchange.Event) {
	t.Helper()
	if err := tell(t.Context(), listen, list); err != nil {
		t.Fatal(err)
	}
}

func tell(ctx context.Context, listen *bus.Conn, list []exchange.Event) error {
	return tellAt(ctx, listen, 7, list)
}

// tellAt puts events of one transaction in a block.
func tellAt(ctx context.Context, listen *bus.Conn, block uint64, list []exchange.Event) error {
	batch := make([]events.Envelope, len(list))
	for i, e := range list {
		p := events.Position{Channel: "chancery", Block: block, EventIndex: i, Tx: "cd", Code: "VALID"}
		envelope, err := events.NewLedger(e, p, time.Unix(1_700_000_000, 0))
		if err != nil {
			return err
		}
		batch[i] = envelope
	}
	tail, err := listen.Tail(ctx, events.StreamLedger)
	if err != nil {
		return err
	}
	_, err = listen.PublishBatch(ctx, batch, tail)
	return err
}

// someEvents are two, in this order.
var someEvents = []exchange.Event{
	{Type: exchange.RequestOpened, From: "health", To: "census", ID: "r-1", Command: "c6", Data: []byte(`{"id":"r-1"}`)},
	{Type: exchange.GrantWasGiven, From: "census", To: "health", ID: "g-1", Data: []byte(`{"id":"g-1"}`)},
}

func TestWatch(t *testing.T) {
	o := newOffice(t)
	say(t, o.bus.Connect(t, "listen"), someEvents)
	for _, test := range []struct {
		args []string
		want []string // types, in order
	}{
		{[]string{"--since", "all"}, []string{"request.opened", "grant.given"}},
		{[]string{"--since", "all", "--type", "request.*"}, []string{"request.opened"}},
		{[]string{"--since", "all", "--type", "*.given"}, []string{"grant.given"}},
		{[]string{"--since", "7", "--from", "census"}, []string{"grant.given"}},
		{[]string{"--since", "all", "--from", "census", "--to", "census"}, nil},
		{[]string{"--since", "8"}, nil},
		{nil, nil},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			code, stdout, stderr := o.runUntil(ctx, append([]string{"watch", "--json"}, test.args...)...)
			if code != exitInterrupted || stderr != "" {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
			var got []string
			for line := range strings.Lines(stdout) {
				var e shownEvent
				if err := json.Unmarshal([]byte(line), &e); err != nil {
					t.Fatal(err)
				}
				got = append(got, e.Type)
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
