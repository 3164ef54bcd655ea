package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/compose/native"
	"chancery/events"
	"chancery/events/bus"
	"chancery/workers"
)

// desk is one department in the demo: its systems, which publish commands and
// hear events on the department's own bus, its officer, and its worker's
// identity for the measurement of the network.
type desk struct {
	name    string
	dir     string
	profile workers.Profile
	systems *bus.Conn // publishes commands, as the department's systems do
	events  *bus.Conn // hears, as a dashboard does
	officer *ledger.Client
	worker  *ledger.Client
}

func (a *app) openDesk(ctx context.Context, network *native.Network, department string) (*desk, error) {
	dir := network.DepartmentDir(department)
	profile, err := workers.LoadProfile(dir)
	if err != nil {
		return nil, err
	}
	d := &desk{name: department, dir: dir, profile: profile}
	if d.systems, err = a.bus(ctx, profile, bus.UserSystem); err != nil {
		return nil, err
	}
	if d.events, err = a.bus(ctx, profile, bus.UserDashboard); err != nil {
		return d, err
	}
	for _, c := range []struct {
		role exchange.Role
		to   **ledger.Client
	}{{exchange.Officer, &d.officer}, {exchange.Worker, &d.worker}} {
		cfg := ledgerConfig(profile, filepath.Join(profile.Identities, string(c.role)))
		if *c.to, err = ledger.Dial(ctx, cfg); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (d *desk) close() {
	for _, c := range []*bus.Conn{d.systems, d.events} {
		if c != nil {
			c.Close()
		}
	}
	for _, c := range []*ledger.Client{d.officer, d.worker} {
		if c != nil {
			c.Close()
		}
	}
}

// command publishes a command of the department's systems.
func (d *desk) command(ctx context.Context, name events.Command, body exchange.Body) (id string, err error) {
	id = commandID("")
	e, err := events.NewCommand(d.profile.Department, name, id, body, time.Now())
	if err != nil {
		return "", err
	}
	_, err = d.systems.Publish(ctx, e)
	return id, err
}

// sign has the department's officer perform an operation.
func (d *desk) sign(ctx context.Context, op exchange.Op, body exchange.Body) (exchange.Outcome, error) {
	operation, err := exchange.NewOperation(commandID(""), op, body)
	if err != nil {
		return exchange.Outcome{}, err
	}
	outcome, err := d.officer.Invoke(ctx, operation)
	return outcome, errors.Join(err, outcome.Err())
}

// fact is an event of the ledger as a department heard it.
type fact struct {
	*bus.Message
	change exchange.Change // who signed
	heard  time.Time
}

// stepLimit bounds the wait for one event.
const stepLimit = time.Minute

var errHeard = errors.New("heard")

// hear waits for an event of the ledger about a record; where is a further
// condition, or nil.
func (d *desk) hear(ctx context.Context, t exchange.EventType, id string, where func(*bus.Message) bool) (fact, error) {
	return d.follow(ctx, events.LedgerFilter(t, "", ""), func(m *bus.Message) bool {
		return m.About == id && (where == nil || where(m))
	})
}

// answer waits for what became of a command: nil, or the refusal.
func (d *desk) answer(ctx context.Context, command string) error {
	f, err := d.follow(ctx, events.All(events.StreamWork), func(m *bus.Message) bool {
		t := m.Address.Event()
		return m.Correlation == command && (t == events.CommandAccepted || t == exchange.CommandRejected)
	})
	if err != nil || f.Address.Event() == events.CommandAccepted {
		return err
	}
	refusal, err := events.Payload[events.Rejected](f.Envelope)
	if err != nil {
		return err
	}
	return refusal.Code.Err(refusal.Message)
}

func (d *desk) follow(ctx context.Context, f events.Filter, match func(*bus.Message) bool) (fact, error) {
	limited, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	var found fact
	err := d.events.Follow(limited, f, 0, func(m *bus.Message) error {
		if m.Err != nil || !match(m) {
			return nil
		}
		found = fact{Message: m, heard: time.Now()}
		return errHeard
	})
	if !errors.Is(err, errHeard) {
		if ctx.Err() == nil && limited.Err() != nil {
			return found, faultf(errUnreachable, "%s heard nothing on %s within %s: look into %s", d.name, f.Subject, stepLimit, filepath.Join(filepath.Dir(d.dir), "logs"))
		}
		return found, fmt.Errorf("%s follows %s: %w", d.name, f.Subject, err)
	}
	var record struct {
		Change exchange.Change `json:"change"`
	}
	if err := json.Unmarshal(found.Data, &record); err != nil {
		return found, fmt.Errorf("read %s: %w", found.Type, err)
	}
	found.change = record.Change
	return found, nil
}
