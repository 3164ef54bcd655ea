package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
	"chancery/workers/policy"
)

// commandMark begins the id of every command of this test.
const commandMark = "chaos-"

// What a request is for decides what becomes of it.
const (
	given     = "planning"
	refused   = "resale"
	undecided = "later" // until it is withdrawn
)

// command is one thing that a system asked for.
type command struct {
	id, department string
	name           events.Command
	turn           int // in the order of all
	said           int // how often

	dataset string   // of a publication, without the owner
	content []byte   // of its file
	purpose string   // of a request
	about   *command // the publication that a request is for; the request that is withdrawn or redeemed
}

// load is the systems of all departments. What it knows of the ledger it hears
// on one bus, as they would.
type load struct {
	network *network
	systems map[string]*bus.Conn // straight to the bus, by department

	mu       sync.Mutex
	commands map[string]*command // by id
	made     map[string]*command // by the id of the object or request that it makes
	heard    map[string]int      // events by their label
	open     int                 // commands without effect
	datasets []*command          // publications that are on the ledger
	pending  []*command          // requests that wait to be withdrawn
	grants   []*command          // requests whose grant is not redeemed a second time
}

const (
	leastCommands = 250                    // in all
	maxOpen       = 40                     // commands without effect at once
	pause         = 120 * time.Millisecond // between two commands
	tableLines    = 2500                   // of a file: some 40 kB
)

// newLoad connects the systems.
func newLoad(t *testing.T, n *network) *load {
	t.Helper()
	l := &load{
		network: n, systems: make(map[string]*bus.Conn), commands: make(map[string]*command),
		made: make(map[string]*command), heard: make(map[string]int),
	}
	for _, d := range departments {
		l.systems[d] = n.connect(t, d, bus.UserSystem)
	}
	return l
}

// run says commands until the context ends.
func (l *load) run(ctx context.Context) error {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for turn := 0; ; turn++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		c := l.next(turn)
		if c == nil {
			continue
		}
		if err := l.say(context.WithoutCancel(ctx), c); err != nil {
			return fmt.Errorf("%s: %w", c.id, err)
		}
	}
}

// enough says whether the count is of more than a handful.
func (l *load) enough() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.commands) < leastCommands {
		return errNotYet
	}
	return nil
}

// next makes a command, if there is one to make.
func (l *load) next(turn int) *command {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= maxOpen {
		return nil
	}
	c := &command{id: fmt.Sprintf("%s%d", commandMark, turn), turn: turn, department: departments[turn%len(departments)]}
	switch kind := turn / len(departments) % 8; {
	case len(l.pending) > 0:
		c.about, l.pending = l.pending[0], l.pending[1:]
		c.department, c.name = c.about.department, events.RequestWithdraw
	case kind == 3 && len(l.grants) > 0:
		c.about, l.grants = l.grants[0], l.grants[1:]
		c.department, c.name = c.about.department, events.GrantRedeem
	case kind == 0, kind == 4, len(l.datasets) == 0:
		c.publishes()
		l.made[l.objectID(c)] = c
	default:
		c.asks(l.datasets[turn%len(l.datasets)], map[int]string{2: refused, 6: undecided}[kind])
		l.made[l.requestID(c)] = c
	}
	l.commands[c.id] = c
	l.open++
	return c
}

// publishes makes it the publication of a new table.
func (c *command) publishes() {
	c.name, c.dataset = events.DatasetPublish, fmt.Sprintf("t%d", c.turn)
	c.content = []byte("place,people\n")
	for i := range tableLines {
		c.content = fmt.Appendf(c.content, "%s-%d,%d\n", c.dataset, i, i*c.turn)
	}
}

// asks makes it a request for a table of another department.
func (c *command) asks(table *command, purpose string) {
	for i := 0; c.department == table.department; i++ {
		c.department = departments[i]
	}
	c.name, c.about, c.purpose = events.RequestOpen, table, purpose
	if purpose == "" {
		c.purpose = given
	}
}

// say publishes a command, every fourth one twice: the second time in other
// bytes, so that the bus does not take it for the first.
func (l *load) say(ctx context.Context, c *command) error {
	if c.content != nil {
		file := filepath.Join(l.network.profiles[c.department].Spool, c.dataset+".csv")
		if err := os.WriteFile(file, c.content, 0o600); err != nil {
			return err
		}
	}
	e, err := events.NewCommand(c.department, c.name, c.id, l.body(c), time.Now())
	if err != nil {
		return err
	}
	for c.said = 1; ; c.said++ {
		if _, err := l.systems[c.department].Publish(ctx, e); err != nil {
			return err
		}
		if c.said == 2 || c.turn%4 != 1 {
			return nil
		}
		e.Data = append(bytes.Clone(e.Data), ' ')
	}
}

func (l *load) body(c *command) exchange.Body {
	switch c.name {
	case events.DatasetPublish:
		return &events.PublishDataset{File: c.dataset + ".csv", Dataset: exchange.RegisterDataset{
			Name: c.dataset,
			Description: exchange.Description{
				Title: "Table " + c.dataset, Licence: "CC0-1.0", MediaType: "text/csv",
				Columns: []exchange.Column{{Name: "place", Type: exchange.String}, {Name: "people", Type: exchange.Integer}},
			},
			Terms: exchange.Terms{Actions: []exchange.Action{exchange.Read}, MaxUses: 2, MaxDuration: 24 * 3600},
		}}
	case events.RequestOpen:
		return &exchange.OpenRequest{
			Dataset: c.about.department + "/" + c.about.dataset, Purpose: c.purpose, LegalBasis: "Statistics Act, section 5",
			Actions: []exchange.Action{exchange.Read}, ValidFor: 3600, Uses: 2,
		}
	case events.RequestWithdraw:
		return &exchange.EndRequest{Request: l.requestID(c.about), Reason: "no longer needed"}
	}
	return &exchange.RedeemGrant{Grant: l.grantID(c.about), Slot: 1}
}

// listen hears what the ledger says on one department's bus, until the context
// ends.
func (l *load) listen(ctx context.Context, conn *bus.Conn) error {
	from := uint64(0)
	for {
		err := conn.Follow(ctx, events.All(events.StreamLedger), from, func(m *bus.Message) error {
			from = m.Sequence + 1
			if m.Err != nil {
				return m.Err
			}
			l.hear(m.Envelope)
			return nil
		})
		if ctx.Err() != nil {
			return nil
		}
		if !errors.Is(err, bus.ErrUnreachable) {
			return err
		}
	}
}

func (l *load) hear(e events.Envelope) {
	l.mu.Lock()
	defer l.mu.Unlock()
	event := e.Address.Event()
	l.heard[label(event, e.About, e.Data)]++
	switch c := l.made[e.About]; {
	case event == exchange.ObjectRegistered && c != nil:
		l.datasets = append(l.datasets, c)
		l.open--
	case event == exchange.RequestOpened && c != nil:
		if c.purpose == undecided {
			l.pending = append(l.pending, c)
		}
		l.open--
	case event == exchange.GrantWasGiven:
		if g, err := events.Record[exchange.Grant](e); err == nil && l.made[g.Request] != nil {
			l.grants = append(l.grants, l.made[g.Request])
		}
	case event == exchange.RequestWasWithdrawn, event == exchange.GrantRedeemed && l.commands[e.Correlation] != nil:
		l.open--
	}
}

func (l *load) msp(department string) string { return l.network.profiles[department].MSP }

// objectID is what a publication makes, requestID what a request does.
func (l *load) objectID(c *command) string {
	return exchange.NewID(exchange.NounObject, l.msp(c.department), c.id)
}

func (l *load) requestID(c *command) string {
	return exchange.NewID(exchange.NounRequest, l.msp(c.department), c.id)
}

// grantID is the grant that the owner's rules make of a request.
func (l *load) grantID(c *command) string {
	return exchange.NewID(exchange.NounGrant, l.msp(c.about.department), policy.Command(l.requestID(c)))
}
