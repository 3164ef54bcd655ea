package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

// listing describes the list verb of a noun whose records are of type T.
type listing[T any] struct {
	noun    exchange.Noun
	short   string
	example string
	parent  string // flag that names the parent record; "" where there is none
	head    []string
	row     func(T) []string
	expired func(T, time.Time) bool // tells a record that is over by the clock alone; nil: there are none
}

// stateExpired is what --state calls records that are over by the clock alone,
// whatever state is written in them.
const stateExpired = "expired"

// filterStates are what --state takes for a noun.
func filterStates(noun exchange.Noun) []string {
	states := statesOf(noun)
	if noun == exchange.NounJob {
		states = append(states, stateExpired)
	}
	return states
}

// ListOptions are the filters of every list verb.
type ListOptions struct {
	Parent string // see listing.parent
	Party  string // department that takes part in the record, in any role
	State  string
	Since  moment // made at or after
	Until  moment // made before
	Limit  int    // records at most, from 1; 0: all
}

func newListCommand[T any](a *app, l listing[T]) *cobra.Command {
	var opts ListOptions
	cmd := &cobra.Command{
		Use:     "list",
		Short:   l.short,
		Example: l.example,
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runList(cmd.Context(), a, l, opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	if l.parent != "" {
		flags.StringVar(&opts.Parent, l.parent, "", "only of this "+l.parent+" (id)")
	}
	flags.StringVar(&opts.Party, "party", "", "only records in which this department takes part")
	flags.StringVar(&opts.State, "state", "", "only records in this state: "+joined(filterStates(l.noun)))
	flags.Var(&opts.Since, "since", "only records made at or after this time: a date, RFC 3339, -7d")
	flags.Var(&opts.Until, "until", "only records made before this time")
	flags.IntVar(&opts.Limit, "limit", 200, "number of records at most; 0 for all")
	return cmd
}

func runList[T any](ctx context.Context, a *app, l listing[T], opts ListOptions) error {
	if opts.Limit < 0 {
		return usagef("--limit %d is below 0", opts.Limit)
	}
	if states := filterStates(l.noun); opts.State != "" && !slices.Contains(states, opts.State) {
		return usagef("--state %q is no state of %s: use %s", opts.State, withArticle(l.noun), joined(states))
	}
	query := exchange.Query{
		Noun: l.noun, Department: opts.Party, State: opts.State, Parent: opts.Parent,
		From: opts.Since.Time, To: opts.Until.Time,
	}
	if err := query.Validate(); err != nil {
		return err
	}
	byClock := l.expired != nil && opts.State == stateExpired
	if byClock {
		query.State = ""
	}
	var found []json.RawMessage
	var more bool
	err := a.read(ctx, func(ctx context.Context, client *ledger.Client) (err error) {
		if byClock {
			found, more, err = l.over(ctx, client, query, opts.Limit)
			return err
		}
		found, more, err = records(ctx, client, query, opts.Limit)
		return err
	})
	if err != nil {
		return err
	}
	all, err := decodeAll[T](l.noun, found)
	if err != nil {
		return err
	}
	t := newTable(l.head...)
	for _, record := range all {
		t.add(l.row(record)...)
	}
	if more {
		a.say("there are more: raise --limit, or 0 for all")
	}
	return a.result(found, func(w io.Writer) { t.write(w) })
}

// over is [records] of those that are over by the clock alone. The ledger cannot
// tell them, since none of its records says so.
func (l listing[T]) over(ctx context.Context, client *ledger.Client, query exchange.Query, limit int) ([]json.RawMessage, bool, error) {
	all, _, err := records(ctx, client, query, 0)
	if err != nil {
		return nil, false, err
	}
	decoded, err := decodeAll[T](l.noun, all)
	if err != nil {
		return nil, false, err
	}
	found, now := []json.RawMessage{}, time.Now()
	for i, record := range decoded {
		if !l.expired(record, now) {
			continue
		}
		if limit > 0 && len(found) == limit {
			return found, true, nil
		}
		found = append(found, all[i])
	}
	return found, false, nil
}

// records reads pages until there are limit records, or all of them where the
// limit is 0, and says whether there are more.
func records(ctx context.Context, client *ledger.Client, query exchange.Query, limit int) ([]json.RawMessage, bool, error) {
	all := []json.RawMessage{}
	query.PageSize = exchange.MaxPage
	for {
		if limit > 0 {
			query.PageSize = min(exchange.MaxPage, limit-len(all))
		}
		page, err := client.List(ctx, query)
		if err != nil {
			return nil, false, err
		}
		all = append(all, page.Records...)
		query.Bookmark = page.Bookmark
		switch {
		case page.Bookmark == "":
			return all, false, nil
		case limit > 0 && len(all) >= limit:
			return all, true, nil
		}
	}
}

// recordsOf is [records] of a known type, all of them.
func recordsOf[T any](ctx context.Context, client *ledger.Client, query exchange.Query) ([]T, error) {
	raws, _, err := records(ctx, client, query, 0)
	if err != nil {
		return nil, err
	}
	return decodeAll[T](query.Noun, raws)
}

func decodeAll[T any](noun exchange.Noun, raws []json.RawMessage) ([]T, error) {
	all := make([]T, len(raws))
	for i, raw := range raws {
		if err := json.Unmarshal(raw, &all[i]); err != nil {
			return nil, fmt.Errorf("%s from the ledger: %w", noun, err)
		}
	}
	return all, nil
}
