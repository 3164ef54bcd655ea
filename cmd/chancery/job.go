package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/paillier"

	"github.com/spf13/cobra"
)

func newJobCommand(a *app) *cobra.Command {
	return newNoun("job", "Compute over several departments' data while it stays encrypted",
		newJobOpenCommand(a), newJobApproveCommand(a), newJobRefuseCommand(a), newJobWithdrawCommand(a),
		newJobListCommand(a), newJobShowCommand(a), newJobWatchCommand(a))
}

func newJobListCommand(a *app) *cobra.Command {
	return newListCommand(a, listing[exchange.Job]{
		noun:  exchange.NounJob,
		short: "List jobs of every department",
		example: `  chancery job list --state open --party census
  chancery job list --state expired --since -7d --json`,
		parent: "dataset",
		head:   []string{"JOB", "FROM", "OVER DATA OF", "KEYHOLDER", "PURPOSE", "KEYS", "DEADLINE", "STATE"},
		row: func(j exchange.Job) []string {
			return []string{j.ID, j.Requester, strings.Join(j.Spec.Providers(), ", "), j.Spec.Keyholder, j.Spec.Purpose,
				fmt.Sprint(len(j.Spec.Keys)), clock(j.Spec.Deadline), jobState(j, time.Now())}
		},
		expired: jobExpired,
	})
}

// jobExpired tells a job that its deadline stopped. What was shared in time may
// still be closed or contested.
func jobExpired(j exchange.Job, now time.Time) bool {
	return !j.State.Over() && j.State != exchange.JobShared && j.Expired(now)
}

// jobState is where a job stands, for people.
func jobState(j exchange.Job, now time.Time) string {
	if jobExpired(j, now) {
		return string(j.State) + ", " + stateExpired
	}
	return string(j.State)
}

// jobOf reads a job at any department.
func (a *app) jobOf(ctx context.Context, id string) (j exchange.Job, err error) {
	err = a.read(ctx, func(ctx context.Context, client *ledger.Client) error {
		return client.Get(ctx, exchange.NounJob, id, &j)
	})
	return j, err
}

// jobShape is how a job's values lie in ciphertexts.
type jobShape struct {
	Least      string `json:"least"`      // value, in decimals
	Greatest   string `json:"greatest"`   // value, in decimals
	Slots      int    `json:"slots"`      // values in a ciphertext
	Plaintexts int    `json:"plaintexts"` // ciphertexts that every key takes
}

func newJobShape(spec exchange.Spec) (jobShape, error) {
	packing, err := spec.Packing(spec.Bits)
	if err != nil {
		return jobShape{}, err
	}
	least, greatest := packing.Range()
	return jobShape{
		Least: paillier.FormatDecimal(least, spec.Scale), Greatest: paillier.FormatDecimal(greatest, spec.Scale),
		Slots: packing.Slots(), Plaintexts: packing.Plaintexts(len(spec.Keys)),
	}, nil
}

func (s jobShape) add(f *fields) {
	f.add("values from", "%s to %s, each input's", s.Least, s.Greatest)
	f.add("packing", "%s a ciphertext, %s for all keys", count(s.Slots, "value"), count(s.Plaintexts, "ciphertext"))
}

// valueText says which numbers an input is made of.
func valueText(in exchange.Input) string {
	text := in.Value
	if in.Reduction != exchange.Only && in.Reduction != "" {
		text = fmt.Sprintf("%s of %s", in.Reduction, text)
	}
	if in.Shift != 0 {
		text += fmt.Sprintf(" · 10^%d", in.Shift)
	}
	return text
}

// keyText says which column tells the key of a row.
func keyText(in exchange.Input) string {
	if in.Divisor == 0 {
		return in.Key
	}
	return fmt.Sprintf("⌊%s / %d⌋", in.Key, in.Divisor)
}

// sourceText names an input's dataset as people do.
func sourceText(s exchange.Source) string { return s.Provider + "/" + s.Dataset }
