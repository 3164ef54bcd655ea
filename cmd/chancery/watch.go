package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
)

// WatchOptions select events of the ledger.
type WatchOptions struct {
	Type  string
	From  string
	To    string
	Since string
}

func newWatchCommand(a *app) *cobra.Command {
	var opts WatchOptions
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Show the ledger's events as they come",
		Long: `Show the ledger's events, one a line, as the department's bus carries them, until
interrupted. A bus that is away is waited for; no event is shown twice or left
out.`,
		Example: `  chancery watch -d health
  chancery watch -d census --type 'request.*' --to census --since all
  chancery watch -d census --since 42 --json | jq .type`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runWatch(cmd.Context(), a, opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opts.Type, "type", "*.*", "only events of this type: NOUN.PAST, with * for any of either")
	flags.StringVar(&opts.From, "from", "", "only events in which this department acts")
	flags.StringVar(&opts.To, "to", "", "only events with this department as the counterpart")
	flags.StringVar(&opts.Since, "since", "new", "all, new, or the number of a block")
	return cmd
}

var typePattern = regexp.MustCompile(`^([a-z-]+|\*)\.([a-z-]+|\*)$`)

// filter makes the selection of the options.
func (o WatchOptions) filter() (events.Filter, error) {
	if !typePattern.MatchString(o.Type) {
		return events.Filter{}, usagef("--type %q is not NOUN.PAST, such as request.opened, 'grant.*' or '*.*'", o.Type)
	}
	for flag, name := range map[string]string{"from": o.From, "to": o.To} {
		if name != "" && !exchange.ValidName(name) {
			return events.Filter{}, usagef("--%s %q is not the name of a department", flag, name)
		}
	}
	return events.LedgerFilter(exchange.EventType(o.Type), o.From, o.To), nil
}

// block is the first block to show; for new events it is none.
func (o WatchOptions) block() (first uint64, onlyNew bool, err error) {
	switch o.Since {
	case "all":
		return 0, false, nil
	case "new":
		return 0, true, nil
	}
	first, err = strconv.ParseUint(o.Since, 10, 64)
	if err != nil {
		return 0, false, usagef("--since %q is neither all nor new nor the number of a block", o.Since)
	}
	return first, false, nil
}

func runWatch(ctx context.Context, a *app, opts WatchOptions) error {
	filter, err := opts.filter()
	if err != nil {
		return err
	}
	block, onlyNew, err := opts.block()
	if err != nil {
		return err
	}
	profile, err := a.anyProfile()
	if err != nil {
		return err
	}
	conn, err := a.bus(ctx, profile, bus.UserDashboard)
	if err != nil {
		return err
	}
	defer conn.Close()
	var from uint64
	if onlyNew {
		tail, err := conn.Tail(ctx, events.StreamLedger)
		if err != nil {
			return err
		}
		from = tail.Sequence + 1
	}
	tail := &ledgerTail{app: a, first: block}
	return a.follow(ctx, conn, filter, from, tail.show)
}

// followAgain is how long a bus that is away is left alone.
const followAgain = time.Second

// follow is [bus.Conn.Follow] that waits for a bus that is away.
func (a *app) follow(ctx context.Context, conn *bus.Conn, f events.Filter, from uint64, yield func(*bus.Message) error) error {
	ticker := time.NewTicker(followAgain)
	defer ticker.Stop()
	for away := false; ; {
		err := conn.Follow(ctx, f, from, func(m *bus.Message) error {
			if away {
				a.say("the bus is back")
			}
			from, away = m.Sequence+1, false
			return yield(m)
		})
		if !errors.Is(err, bus.ErrUnreachable) {
			return err
		}
		if !away {
			a.say("the bus is away: waiting for it")
		}
		away = true
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// ledgerTail prints events, each position once and in order, also when the
// stream was filled anew meanwhile.
type ledgerTail struct {
	app   *app
	first uint64 // block
	last  *events.Position
}

// shownEvent is an event of the ledger as watch prints it.
type shownEvent struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"` // NOUN.PAST
	From    string          `json:"from"`
	To      string          `json:"to"`
	About   string          `json:"about"` // id of the record
	Block   uint64          `json:"block"`
	Tx      string          `json:"tx"`
	Time    string          `json:"time"`
	Command string          `json:"command,omitempty"`
	Data    json.RawMessage `json:"data"`
}

func (t *ledgerTail) show(m *bus.Message) error {
	if m.Err != nil {
		t.app.say("message %d of %s: %v", m.Sequence, m.Stream, m.Err)
		return nil
	}
	p := m.Position
	if p.Block < t.first || t.last != nil && p.Compare(*t.last) <= 0 {
		return nil
	}
	t.last = p
	if t.app.json {
		return t.app.line(shownEvent{
			ID: m.ID, Type: string(m.Address.Event()), From: m.Address.From, To: m.Address.To, About: m.About,
			Block: p.Block, Tx: p.Tx, Time: m.Time.UTC().Format("2006-01-02T15:04:05.000Z"), Command: m.Correlation, Data: m.Data,
		})
	}
	_, err := fmt.Fprintf(t.app.out, "%s  %6d  %-21s  %s → %s  %s\n",
		clock(m.Time), p.Block, m.Address.Event(), m.Address.From, m.Address.To, m.About)
	return err
}
