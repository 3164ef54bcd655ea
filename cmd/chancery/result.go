package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/workers"
	"chancery/workers/combine"
)

func newResultCommand(a *app) *cobra.Command {
	return newNoun("result", "What a job of the department came to", newResultOpenCommand(a))
}

// ResultOpenOptions say how a result is shown.
type ResultOpenOptions struct {
	Top int // highest values only, from 1; 0: all, in the job's order
	CSV bool
}

func newResultOpenCommand(a *app) *cobra.Command {
	var opts ResultOpenOptions
	cmd := &cobra.Command{
		Use:   "open JOB",
		Short: "Check a job's result against the ledger and show it to its requester",
		Long: `Read the result that the department's workers delivered to its inbox, check it
against the commitment on the ledger and show it, key by key. The keys that a
department's tables lack are named.

Exit codes: 3 the job is another department's, 5 there is no result (yet), 4 it is
not in the inbox, 6 it is not what was committed to.`,
		Example: `  chancery result open j-4xw7cqk2yqv7rdzv5m6ud2kq3e -d health --top 10
  chancery result open j-4xw7cqk2yqv7rdzv5m6ud2kq3e -d health --csv > index.csv`,
		Args: takes("a JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runResultOpen(cmd.Context(), a, args[0], opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&opts.Top, "top", 0, "only so many of the highest values, the highest first (default: all, in the job's order)")
	flags.BoolVar(&opts.CSV, "csv", false, "print the table alone, as CSV")
	return cmd
}

func runResultOpen(ctx context.Context, a *app, id string, opts ResultOpenOptions) error {
	if err := checkID(exchange.NounJob, id); err != nil {
		return err
	}
	if opts.Top < 0 {
		return usagef("--top %d is below 0", opts.Top)
	}
	if opts.CSV && a.json {
		return usagef("--csv and --json both say how the result is printed: give one")
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	var r combine.Result
	err = a.ask(ctx, profile, exchange.Auditor, func(ctx context.Context, client *ledger.Client) (err error) {
		r, err = combine.Open(ctx, client, profile.Department, profile.Inbox, id)
		return err
	})
	if err != nil {
		return noResult(err, r.Job, profile, time.Now())
	}
	if opts.Top > 0 {
		r.Values = highestOf(r.Values, opts.Top)
	}
	if opts.CSV {
		_, err := a.out.Write(tableOf(r, opts.Top > 0))
		return err
	}
	opened := newOpenedResult(r)
	return a.result(opened, opened.write)
}

// noResult says what to do about a result that cannot be opened.
func noResult(err error, j exchange.Job, profile workers.Profile, now time.Time) error {
	switch {
	case errors.Is(err, combine.ErrAltered):
		return faultf(errDigest, "%w: %s was changed after it was delivered; restore it from a backup", err, filepath.Join(profile.Inbox, j.ID))
	case errors.Is(err, combine.ErrNotDelivered):
		return faultf(errNotFound, "%w: the worker combine of %s delivers it when the job is closed, once; look at `chancery status`, or where it was moved to", err, profile.Department)
	case errors.Is(err, exchange.ErrConflict) && j.State.Over():
		return exchange.Errorf(exchange.Conflict, "job %s came to no result: it is %s: %s", j.ID, j.State, j.Change.Reason)
	case errors.Is(err, exchange.ErrConflict):
		return exchange.Errorf(exchange.Conflict, "job %s has no result yet, it is %s. Next, %s", j.ID, jobState(j, now), awaits(j, now).text(j, now))
	}
	return err
}

// highestOf are the n highest values, the highest first; equal ones stay in the
// job's order.
func highestOf(values []combine.Value, n int) []combine.Value {
	numbers := make(map[string]*big.Rat, len(values))
	for _, v := range values {
		number, ok := new(big.Rat).SetString(v.Value)
		if !ok {
			number = new(big.Rat) // no table that was checked holds one
		}
		numbers[v.Key] = number
	}
	sorted := slices.Clone(values)
	slices.SortStableFunc(sorted, func(a, b combine.Value) int { return numbers[b.Key].Cmp(numbers[a.Key]) })
	return sorted[:min(n, len(sorted))]
}

// tableOf is the result's table, to the byte as it was committed to unless only a
// part of it is shown.
func tableOf(r combine.Result, part bool) []byte {
	if !part {
		return r.Table
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	rows := [][]string{{"key", "value"}}
	for _, v := range r.Values {
		rows = append(rows, []string{v.Key, v.Value})
	}
	w.WriteAll(rows) //nolint:errcheck // a buffer takes it all
	return out.Bytes()
}

// openedResult is a result as it is shown.
type openedResult struct {
	Job         string            `json:"job"`
	Purpose     string            `json:"purpose"`
	Spec        string            `json:"spec"`        // digest
	Fingerprint string            `json:"fingerprint"` // of the key that it was computed under
	Commitment  string            `json:"commitment"`  // that it was checked against
	Tx          string            `json:"tx"`          // of the commitment
	Closed      time.Time         `json:"closed"`
	Missing     []combine.Missing `json:"missing"` // keys that have no result
	Keys        int               `json:"keys"`    // of the whole result
	Values      []combine.Value   `json:"values"`
}

func newOpenedResult(r combine.Result) openedResult {
	return openedResult{
		Job: r.Job.ID, Purpose: r.Job.Spec.Purpose, Spec: r.Job.Digest, Fingerprint: r.Job.Spec.Fingerprint,
		Commitment: r.Record.Commitment, Tx: r.Record.Change.Tx, Closed: r.Record.Change.Time,
		Missing: r.Summary.Missing, Keys: r.Summary.Keys, Values: r.Values,
	}
}

func (r openedResult) write(w io.Writer) {
	var f fields
	f.add("job", "%s", r.Job)
	f.add("purpose", "%s", r.Purpose)
	f.add("commitment", "%s, which the table keeps", r.Commitment)
	f.add("closed", "%s in %s", clock(r.Closed), r.Tx)
	f.add("keys", "%s", shown(len(r.Values), r.Keys))
	f.write(w)
	for _, m := range r.Missing {
		fmt.Fprintf(w, "no result for %s, which %s lacks\n", someOf(m.Keys), m.Department)
	}
	fmt.Fprintln(w)
	wide := len("VALUE")
	for _, v := range r.Values {
		wide = max(wide, len(v.Value))
	}
	t := newTable("KEY", fmt.Sprintf("%*s", wide, "VALUE"))
	for _, v := range r.Values {
		t.add(v.Key, fmt.Sprintf("%*s", wide, v.Value))
	}
	t.write(w)
}

func shown(n, of int) string {
	if n == of {
		return fmt.Sprint(of)
	}
	return fmt.Sprintf("%d highest of %d", n, of)
}
