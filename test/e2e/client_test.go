package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"chancery/events"
	"chancery/schemas"
)

// system is one of a department's systems: a NATS client that knows what the
// documentation says, and nothing of ours. Subjects and attributes are written
// out here, as they would be there.
type system struct {
	department string
	nc         *nats.Conn
	denied     chan error
	heard      chan *nats.Msg // what the ledger said, and answers to commands
}

// system connects as the department's user of that name.
func (n network) system(t *testing.T, department string) *system {
	t.Helper()
	p := n.profile(t, department)
	key, err := nats.NkeyOptionFromSeed(filepath.Join(p.Bus.NKeys, "system.nk"))
	if err != nil {
		t.Fatal(err)
	}
	s := &system{department: department, denied: make(chan error, 16), heard: make(chan *nats.Msg, 1024)}
	s.nc, err = nats.Connect(p.Bus.URL, key, nats.RootCAs(p.Bus.CA), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		select {
		case s.denied <- err:
		default:
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.nc.Close)
	for _, subject := range []string{"chancery.ledger.>", "chancery.work.command.accepted.>", "chancery.work.command.rejected.>"} {
		if _, err := s.nc.ChanSubscribe(subject, s.heard); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return s
}

// message is a command in binary mode.
func (s *system) message(name, id, body string) *nats.Msg {
	m := nats.NewMsg("chancery.cmd." + s.department + "." + name)
	for attribute, value := range map[string]string{
		"ce-specversion": "1.0", "ce-id": id, "ce-source": s.department, "ce-type": "chancery." + name + ".v1",
		"ce-time": time.Now().UTC().Format(time.RFC3339), "ce-datacontenttype": "application/json",
	} {
		m.Header[attribute] = []string{value}
	}
	m.Data = []byte(body)
	return m
}

// publish sends a message and waits until the stream has it.
func (s *system) publish(t *testing.T, m *nats.Msg) {
	t.Helper()
	ack, err := s.nc.RequestMsg(m, patience)
	if err != nil || !strings.Contains(string(ack.Data), `"stream":"COMMANDS"`) {
		t.Fatalf("publish %s: %v, %v", m.Subject, ack, err)
	}
}

// command publishes a command.
func (s *system) command(t *testing.T, name, id, body string) {
	t.Helper()
	s.publish(t, s.message(name, id, body))
}

// next waits for a message.
func (s *system) next(t *testing.T, what string, match func(*nats.Msg) bool) *nats.Msg {
	t.Helper()
	limit := time.After(patience)
	for {
		select {
		case m := <-s.heard:
			if match(m) {
				return m
			}
		case <-limit:
			t.Fatalf("%s hears nothing of %s", s.department, what)
		}
	}
}

// reply is what a command was answered with.
type reply struct {
	Department string `json:"department"`
	Command    string `json:"command"`
	Code       string `json:"code"` // of a refusal
	Message    string `json:"message"`
	ID         string `json:"id"`
	Repeated   bool   `json:"repeated"`

	refused bool
}

// answer waits for the answer to a command of the department; a refusal where
// only that is asked for.
func (s *system) answer(t *testing.T, id string, refusal bool) reply {
	t.Helper()
	return s.reply(t, "command "+id, func(r reply) bool { return r.Command == id && (r.refused || !refusal) })
}

// reply waits for an answer to any command.
func (s *system) reply(t *testing.T, what string, match func(reply) bool) reply {
	t.Helper()
	var r reply
	s.next(t, what, func(m *nats.Msg) bool {
		if !strings.HasPrefix(m.Subject, "chancery.work.command.") {
			return false
		}
		r = reply{}
		if err := json.Unmarshal(m.Data, &r); err != nil {
			t.Fatalf("%s: %v", m.Subject, err)
		}
		if err := schemas.Validate(m.Header["ce-type"][0], m.Data); err != nil {
			t.Errorf("%s: %v", m.Subject, err)
		}
		r.refused = strings.HasPrefix(m.Subject, "chancery.work.command.rejected.")
		return match(r)
	})
	return r
}

// asking is the body of a request for a dataset.
func asking(dataset string) string {
	return fmt.Sprintf(`{"dataset":%q,"purpose":"planning","legalBasis":"Statistics Act, section 5","actions":["read"],"uses":1,"validFor":3600}`, dataset)
}

// TestPlainClient asks with a plain NATS client, and hears of it on every bus.
func TestPlainClient(t *testing.T) {
	n := shared(t)
	s, _ := n.publish(t, "census")
	health, census := n.system(t, "health"), n.system(t, "census")
	command := "plain-" + s.name
	m := health.message("request.open", command, asking("census/"+s.name))
	if err := health.nc.PublishMsg(m); err != nil {
		t.Fatal(err)
	}
	opened := func(m *nats.Msg) bool {
		return strings.HasPrefix(m.Subject, "chancery.ledger.request.opened.health.census.r-") && strings.Join(m.Header["ce-correlation"], "") == command
	}
	here, there := health.next(t, "its request", opened), census.next(t, "the request", opened)
	if string(here.Data) != string(there.Data) || here.Subject != there.Subject || here.Header.Get("ce-id") != there.Header.Get("ce-id") {
		t.Errorf("health hears %v, census %v", here, there)
	}
	checkCloudEvent(t, here)
	var request struct {
		Requester, Provider, State, Purpose string
		Change                              struct{ By, Name string }
	}
	if err := json.Unmarshal(here.Data, &request); err != nil {
		t.Fatal(err)
	}
	if request.Requester != "health" || request.Provider != "census" || request.State != "open" || request.Purpose != "planning" ||
		request.Change.By != "health" || request.Change.Name != "worker" {
		t.Errorf("the request is %s", here.Data)
	}
	list := n.settled(t)
	if len(list) == 0 {
		t.Fatal("LEDGER is empty")
	}
	for _, stream := range []string{events.StreamCommands, events.StreamWork} {
		for _, d := range departments {
			for _, e := range n.stream(t, d, stream) {
				if err := schemas.Validate(e.Type, e.Data); err != nil {
					t.Errorf("%s of %s: %v", e.Address, d, err)
				}
			}
		}
	}
}

// checkCloudEvent holds a ledger event to CloudEvents 1.0 in binary mode, and
// its data to the schema that it names.
func checkCloudEvent(t *testing.T, m *nats.Msg) {
	t.Helper()
	get := func(name string) string { return strings.Join(m.Header["ce-"+name], "|") }
	for name, want := range map[string]string{
		"specversion": "1.0", "source": "health", "type": "chancery.request.opened.v1", "datacontenttype": "application/json",
		"dataschema": "urn:chancery:schemas:request.opened.v1", "channel": "chancery", "code": "VALID",
		"id": get("tx") + "." + get("eventindex"), "subject": m.Subject[strings.LastIndexByte(m.Subject, '.')+1:],
	} {
		if got := get(name); got != want {
			t.Errorf("ce-%s is %q, want %q", name, got, want)
		}
	}
	if at, err := time.Parse(time.RFC3339, get("time")); err != nil || time.Since(at).Abs() > 10*time.Minute {
		t.Errorf("ce-time is %q (%v)", get("time"), err)
	}
	for header := range m.Header {
		if strings.EqualFold(header[:min(3, len(header))], "ce-") && header != strings.ToLower(header) {
			t.Errorf("header %q is not in lower case", header)
		}
	}
	if err := schemas.Validate(get("type"), m.Data); err != nil {
		t.Error(err)
	}
}

// TestForeignSubject has a system speak for another department: the bus refuses
// it, and nobody hears it.
func TestForeignSubject(t *testing.T) {
	n := shared(t)
	health := n.system(t, "health")
	before := n.tail(t, "health", events.StreamCommands)
	m := health.message("request.open", "forged", asking("census/population"))
	m.Subject = "chancery.cmd.census.request.open"
	if err := health.nc.PublishMsg(m); err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{"chancery.ledger.grant.given.census.health.g-1", "chancery.work.object.sealed.health.all.o-1"} {
		if err := health.nc.Publish(subject, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		select {
		case err := <-health.denied:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("%v, want %v", err, nats.ErrPermissionViolation)
			}
		case <-time.After(patience):
			t.Fatal("the bus refused nothing")
		}
	}
	if after := n.tail(t, "health", events.StreamCommands); after.Sequence != before.Sequence {
		t.Errorf("COMMANDS went from %d to %d", before.Sequence, after.Sequence)
	}
}
