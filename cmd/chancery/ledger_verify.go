package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events/bus"
	"chancery/workers"
	"chancery/workers/listen"
)

func newLedgerCommand(a *app) *cobra.Command {
	return newNoun("ledger", "Prove that the bus tells what the ledger says, and make it so",
		newLedgerVerifyCommand(a), newLedgerRebuildCommand(a))
}

func newLedgerVerifyCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Prove that the department's bus tells every event of the ledger",
		Long: `Read the ledger from block 0 through the department's own peer and the stream
LEDGER of its bus side by side, and prove that the stream holds every event, in
the ledger's order, once and unaltered, and nothing else. Else each difference
is named, and the exit code is 6.

What is committed after the start is not judged; a listener that is behind is
waited for while it goes on.`,
		Example: `  chancery ledger verify -d census
  chancery ledger verify -d census --json | jq .findings`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runLedgerVerify(cmd.Context(), a)
		},
	}
}

// settleLimit is how long a listener may be silent that is behind.
const settleLimit = 5 * time.Second

func runLedgerVerify(ctx context.Context, a *app) error {
	profile, err := a.profile()
	if err != nil {
		return err
	}
	conn, err := a.bus(ctx, profile, bus.UserDashboard)
	if err != nil {
		return err
	}
	defer conn.Close()
	client, err := a.openLedger(ctx, profile)
	if err != nil {
		return err
	}
	defer client.Close()
	report, err := a.verifyLedger(ctx, profile, client, conn, settleLimit)
	if err != nil {
		return err
	}
	return a.verified(profile, report)
}

// openLedger opens the department's own peer for a comparison of any length.
// The caller closes it.
func (a *app) openLedger(ctx context.Context, profile workers.Profile) (*ledger.Client, error) {
	if err := a.checkPeer(ctx, profile); err != nil {
		return nil, err
	}
	return a.dial(ctx, profile, exchange.Auditor)
}

// verifyLedger compares, with progress. It has no time limit as a whole: a
// ledger may be long.
func (a *app) verifyLedger(ctx context.Context, profile workers.Profile, client *ledger.Client, conn *bus.Conn, settle time.Duration) (listen.Report, error) {
	return listen.Verify(ctx, listen.VerifyConfig{
		Channel: profile.Channel, Ledger: client, Stream: conn, Settle: settle, Progress: a.verifyProgress(),
	})
}

// sayEvery is how often progress is told.
const sayEvery = 2 * time.Second

func (a *app) verifyProgress() func(listen.Report) {
	said := time.Now()
	return func(r listen.Report) {
		if time.Since(said) < sayEvery {
			return
		}
		said = time.Now()
		a.say("block %d of %d: %d events", r.Blocks, r.Height, r.Events)
	}
}

// verifiedResult is a report as it is printed.
type verifiedResult struct {
	Department string `json:"department"`
	Complete   bool   `json:"complete"`
	listen.Report
}

func (v verifiedResult) write(w io.Writer) {
	if v.Complete {
		fmt.Fprintf(w, "the bus of %s tells all %d events of %d blocks, in order, each once\n", v.Department, v.Events, v.Height)
		return
	}
	for _, f := range v.Findings {
		fmt.Fprintln(w, f)
	}
}

// verified prints a report; what is wrong is an error.
func (a *app) verified(profile workers.Profile, report listen.Report) error {
	v := verifiedResult{profile.Department, report.Complete(), report}
	if err := a.result(v, v.write); err != nil {
		return err
	}
	if v.Complete {
		return nil
	}
	count, cause := fmt.Sprint(len(v.Findings)), ""
	if v.Cut {
		count = "more than " + count
	}
	if v.Behind {
		cause = "; the worker listen may be away, see `chancery status`"
	}
	return faultf(errDigest, "the bus of %s does not tell what the ledger says (differences: %s)%s; `chancery ledger rebuild` fills it anew",
		profile.Department, count, cause)
}
