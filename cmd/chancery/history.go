package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

func newHistoryCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "history ID",
		Short: "Show every version of a record, and who made each",
		Long: `Show every version of a record, oldest first, and who made each.

The id of a dataset, object, request, grant, officer, keyring or job says what it
is; another record is named NOUN/ID: department/census, redemption/g-…/0.`,
		Example: `  chancery history g-4xw7cqk2yqv7rdzv5m6ud2kq3e
  chancery history department/census --json`,
		Args: takes("an ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runHistory(cmd.Context(), a, args[0])
		},
	}
}

func runHistory(ctx context.Context, a *app, arg string) error {
	noun, id, err := nounOf(arg)
	if err != nil {
		return err
	}
	var entries []exchange.HistoryEntry
	err = a.read(ctx, func(ctx context.Context, client *ledger.Client) (err error) {
		entries, err = client.History(ctx, noun, id)
		return err
	})
	if err != nil {
		return err
	}
	t := newTable("TIME", "OPERATION", "BY", "STATE", "REASON", "TRANSACTION")
	for _, e := range entries {
		v, err := versionOf(e)
		if err != nil {
			return fmt.Errorf("history of %s %s: %w", noun, id, err)
		}
		t.add(clock(e.Time), v.Change.Op, signer(v.Change), v.state(), v.Change.Reason, e.Tx)
	}
	return a.result(entries, func(w io.Writer) { t.write(w) })
}

// nounOf tells what kind of record an id names.
func nounOf(arg string) (exchange.Noun, string, error) {
	for _, noun := range []exchange.Noun{exchange.NounDataset, exchange.NounObject, exchange.NounRequest, exchange.NounGrant,
		exchange.NounOfficer, exchange.NounKeyring, exchange.NounJob} {
		if exchange.ValidID(noun, arg) {
			return noun, arg, nil
		}
	}
	noun, id, found := strings.Cut(arg, "/")
	if found && id != "" && slices.Contains(exchange.Listed, exchange.Noun(noun)) {
		return exchange.Noun(noun), id, nil
	}
	return "", "", usagef("%q is neither an id nor NOUN/ID, with a noun of %s", arg, joined(exchange.Listed))
}

// recordVersion is what every record has in common: where it stands, under one
// of four names, and who put it there.
type recordVersion struct {
	State   string          `json:"state"`
	Status  string          `json:"status"`
	Verdict string          `json:"verdict"`
	Code    string          `json:"code"` // of an operation
	Change  exchange.Change `json:"change"`

	// An operation has no change: it is one.
	Op         string `json:"op"`
	Department string `json:"department"`
}

func versionOf(e exchange.HistoryEntry) (recordVersion, error) {
	if e.Deleted {
		return recordVersion{State: "deleted"}, nil
	}
	var v recordVersion
	err := json.Unmarshal(e.Record, &v)
	if v.Change.Op == "" {
		v.Change.Op, v.Change.By = v.Op, v.Department
	}
	return v, err
}

func (v recordVersion) state() string { return v.State + v.Status + v.Verdict + v.Code }
