package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/events"
	"chancery/workers"
)

// JobOpenOptions say what is to be computed.
type JobOpenOptions struct {
	CommandOptions
	File string
	For  span
}

func newJobOpenCommand(a *app) *cobra.Command {
	var opts JobOpenOptions
	cmd := &cobra.Command{
		Use:   "open",
		Short: "Ask departments to compute over their data, for a result that only you see",
		Long: `Ask departments to compute a weighted sum over columns of their datasets, key by
key, while the values stay encrypted. The department's worker signs; an officer or
a rule of each department whose data is named decides; the result is the
requester's alone.

--file is a document (YAML or JSON) with these fields and no others:

operation        weighted-sum
keyring          KEYHOLDER/NAME or an id; the keyholder is another department
purpose          one line, and
legalBasis       one line: what allows it
inputs           2 to 16 of: dataset (OWNER/NAME or id), object (id; default: the
                 latest), key and value (columns), weight; and divisor (the key is
                 divided by it), reduction (only, mean or sum), shift (the value
                 is multiplied by 10^shift)
keys             what the result is asked for, in its order: texts, in quotes; or
keysFile         a file with a key a line, relative to the document
scale            decimal digits after the point, 0 to 18
valueBits        values lie within ±2^(valueBits-1) / 10^scale, 2 to 62
minContributors  departments besides the requester that must contribute (2)
deadline         nothing is decided, contributed or opened from then on; or --for

A repeat with the same --command must say the same, so it takes a deadline in the
document.`,
		Example: `  chancery job open --file need-index.yaml -d health --for 2h
  chancery job open --file need-index.yaml -d health --command index-2026-03 --json | jq -r .digest`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needFlags(cmd, "file"); err != nil {
				return err
			}
			return runJobOpen(cmd.Context(), a, opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opts.File, "file", "", "document (YAML or JSON) that says what is computed")
	flags.Var(&opts.For, "for", "how long from now the job may take, where the document has no deadline")
	a.addCommandFlags(cmd, &opts.CommandOptions)
	return cmd
}

// openedJob is what became of the command, and what was opened.
type openedJob struct {
	commandResult
	*openedSpec
}

// openedSpec is what departments are asked to decide upon.
type openedSpec struct {
	Digest    string    `json:"digest"` // of the spec; approvals are bound to it
	Providers []string  `json:"providers"`
	Keyholder string    `json:"keyholder"`
	Keys      int       `json:"keys"`
	Deadline  time.Time `json:"deadline"`
	jobShape
}

func runJobOpen(ctx context.Context, a *app, opts JobOpenOptions) error {
	body, err := readPlan(opts.File, opts.For, time.Now())
	if err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	result, err := a.carry(ctx, profile, events.JobOpen, body, opts.CommandOptions)
	if err != nil {
		return err
	}
	opened := openedJob{commandResult: result}
	if result.ID != "" {
		if opened.openedSpec, err = a.openedSpec(ctx, profile, result.ID); err != nil {
			a.say("the job is open; what it is could not be read (%v): `chancery job show %s` tries again", err, result.ID)
		}
	}
	return a.result(opened, opened.write)
}

// openedSpec reads what the ledger made of the plan.
func (a *app) openedSpec(ctx context.Context, profile workers.Profile, id string) (*openedSpec, error) {
	var j exchange.Job
	err := a.ask(ctx, profile, exchange.Auditor, func(ctx context.Context, client *ledger.Client) error {
		return client.Get(ctx, exchange.NounJob, id, &j)
	})
	if err != nil {
		return nil, err
	}
	shape, err := newJobShape(j.Spec)
	return &openedSpec{
		Digest: j.Digest, Providers: j.Spec.Providers(), Keyholder: j.Spec.Keyholder,
		Keys: len(j.Spec.Keys), Deadline: j.Spec.Deadline, jobShape: shape,
	}, err
}

func (o openedJob) write(w io.Writer) {
	o.commandResult.write(w)
	if o.openedSpec == nil {
		return
	}
	var f fields
	f.add("spec digest", "%s", o.Digest)
	f.add("keys", "%d", o.Keys)
	o.jobShape.add(&f)
	f.add("keyholder", "%s", o.Keyholder)
	f.add("deadline", "%s", clock(o.Deadline))
	f.add("waits for", "%s to approve", strings.Join(o.Providers, ", "))
	fmt.Fprintln(w)
	f.write(w)
}
