package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"chancery/events"
	"chancery/events/bus"
)

// bury puts a dead letter of a worker on the bus; bytes is the size of its body.
func (o *office) bury(worker string, sequence uint64, bytes int) {
	o.t.Helper()
	e, err := events.NewDead("health", events.Failed{
		Worker: worker, Consumer: worker + "-commands", Reason: "it would not\nwork", Attempts: 3,
		Subject: "chancery.cmd.health.request.open", Stream: events.StreamCommands, Sequence: sequence,
		Header: map[string][]string{"ce-id": {"c-1"}}, Body: []byte(`{"a":"` + strings.Repeat("x", bytes) + `"}`), Time: time.Now(),
	})
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := o.bus.Connect(o.t, worker).Publish(o.t.Context(), e); err != nil {
		o.t.Fatal(err)
	}
}

// settled runs a verb and says what became of which letters.
func (o *office) settled(args ...string) (code int, outcomes []string, stderr string) {
	o.t.Helper()
	code, stdout, stderr := o.run(append(append([]string{"dead"}, args...), "--json")...)
	var list []settledLetter
	if stdout != "" {
		if err := json.Unmarshal([]byte(stdout), &list); err != nil {
			o.t.Fatal(err)
		}
	}
	for _, l := range list {
		outcomes = append(outcomes, fmt.Sprintf("%d %s %s", l.ID, l.Worker, l.Outcome))
	}
	return code, outcomes, stderr
}

// retries is the letters of which the bus holds a retry, in order.
func (o *office) retries() (ids []string) {
	o.t.Helper()
	err := o.bus.Connect(o.t, bus.UserDashboard).Read(o.t.Context(), events.RetryFilter(""), 0, func(m *bus.Message) error {
		ids = append(ids, m.Address.Worker+" "+m.Address.ID)
		return m.Err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return ids
}

func TestDeadLetters(t *testing.T) {
	o := newOffice(t)
	code, stdout, stderr := o.run("dead", "list")
	if code != 0 || !strings.HasPrefix(stdout, "ID ") || strings.Count(stdout, "\n") != 1 {
		t.Errorf("none: exit code %d, %q, %q", code, stdout, stderr)
	}
	o.bury("intake", 1, 10)
	o.bury("pin", 2, 10)
	o.bury("intake", 3, events.MaxDeadBody) // cut
	o.bury("intake", 4, 10)

	code, stdout, _ = o.run("dead", "show", "2")
	for _, line := range []string{"worker    pin", "attempts  3", "reason    it would not work", "state     open", "origin    COMMANDS 2", "ce-id     c-1", `{"a":"xxxxxxxxxx"}`} {
		if code != 0 || !strings.Contains(stdout, line+"\n") {
			t.Errorf("exit code %d, no %q in\n%s", code, line, stdout)
		}
	}
	steps := []struct {
		args   []string
		code   int
		want   []string
		stderr string
	}{
		{[]string{"retry", "1"}, 0, []string{"1 intake retried"}, ""},
		{[]string{"retry", "1"}, 0, []string{"1 intake retried before"}, ""},
		{[]string{"retry", "1", "99"}, exitNotFound, nil, "there is no dead letter 99"},
		{[]string{"retry", "--worker", "intake"}, exitUsage, []string{"4 intake retried"}, "dead letter 3 holds 393216 of the"},
		{[]string{"retry", "--all"}, exitUsage, []string{"2 pin retried"}, "dead letter 3"},
		{[]string{"drop", "3"}, 0, []string{"3 intake dropped"}, ""},
		{[]string{"drop", "3"}, exitNotFound, nil, "there is no dead letter 3"},
		{[]string{"show", "3"}, exitNotFound, nil, "there is no dead letter 3"},
		{[]string{"retry", "--all"}, 0, nil, ""},
		{[]string{"drop", "--worker", "pin"}, 0, []string{"2 pin dropped"}, ""},
	}
	for _, s := range steps {
		code, got, stderr := o.settled(s.args...)
		if code != s.code || !slices.Equal(got, s.want) || !strings.Contains(stderr, s.stderr) {
			t.Errorf("%v: exit code %d, %q, %s", s.args, code, got, stderr)
		}
	}
	if got := o.retries(); !slices.Equal(got, []string{"intake 1", "intake 4", "pin 2"}) {
		t.Errorf("retries of %q", got)
	}
	code, stdout, _ = o.run("dead", "list", "--worker", "intake")
	if lines := strings.Split(stdout, "\n"); code != 0 || len(lines) != 4 || !strings.HasPrefix(lines[1], "1 ") || !strings.Contains(lines[2], "retried") {
		t.Errorf("exit code %d, %s", code, stdout)
	}
	if code, stdout, _ = o.run("dead", "list", "--open", "--json"); code != 0 || stdout != "[]\n" {
		t.Errorf("open ones: exit code %d, %s", code, stdout)
	}
	o.bus.Stop()
	if code, _, _ = o.run("dead", "list"); code != exitUnreachable {
		t.Errorf("without the bus: exit code %d", code)
	}
}

// TestDeadListAdopts: a message that was ended behind the workers' backs is
// listed.
func TestDeadListAdopts(t *testing.T) {
	o := newOffice(t)
	if code, _, stderr := o.run("request", "withdraw", "r-"+strings.Repeat("a", 26), "--reason", "r", "--no-wait"); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	js, err := jetstream.New(o.bus.Plain(t, "intake", nats.CustomInboxPrefix("_INBOX_intake")))
	if err != nil {
		t.Fatal(err)
	}
	filter := events.CommandsFilter()
	consumer, err := js.CreateOrUpdateConsumer(t.Context(), filter.Stream, jetstream.ConsumerConfig{
		Durable: events.Durable("intake", filter), AckPolicy: jetstream.AckExplicitPolicy, FilterSubject: filter.Subject,
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := consumer.Next()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.TermWithReason("by hand"); err != nil {
		t.Fatal(err)
	}
	admin := o.bus.Connect(t, bus.UserAdmin)
	limited, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	heard := errors.New("heard")
	err = admin.Follow(limited, events.AdvisoryFilter(), 0, func(*bus.Message) error { return heard })
	if !errors.Is(err, heard) {
		t.Fatalf("no advisory: %v", err)
	}
	code, stdout, stderr := o.run("dead", "list")
	if code != 0 || !strings.Contains(stdout, "by hand") || !strings.Contains(stderr, "1 messages that the server gave up on") {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
	if _, again, stderr := o.run("dead", "list"); again != stdout || stderr != "" {
		t.Errorf("once more: %s%s", again, stderr)
	}
}
