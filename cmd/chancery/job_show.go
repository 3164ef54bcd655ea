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
)

func newJobShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show JOB",
		Short: "Show a job: what it computes, how far each department is, what comes next",
		Long: `Show a job: what it computes, how far each department is, which keys whose tables
lack, how long each phase took by the ledger's history, what comes next and whom
it waits for.`,
		Example: `  chancery job show j-4xw7cqk2yqv7rdzv5m6ud2kq3e
  chancery job show j-4xw7cqk2yqv7rdzv5m6ud2kq3e --json | jq '.phases, .next'`,
		Args: takes("a JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runJobShow(cmd.Context(), a, args[0])
		},
	}
}

// shownJob is a job with what follows from it and from its history.
type shownJob struct {
	exchange.Job
	Expired bool     `json:"expired"`
	Shape   jobShape `json:"shape"`
	Phases  []phase  `json:"phases"`
	Next    awaited  `json:"next"`
	Revoked []string `json:"revoked,omitempty"` // grants of approvals that were revoked: the job stays where it is

	now time.Time
}

func runJobShow(ctx context.Context, a *app, id string) error {
	if err := checkID(exchange.NounJob, id); err != nil {
		return err
	}
	shown := shownJob{now: time.Now()}
	err := a.read(ctx, func(ctx context.Context, client *ledger.Client) error {
		if err := client.Get(ctx, exchange.NounJob, id, &shown.Job); err != nil {
			return err
		}
		history, err := client.History(ctx, exchange.NounJob, id)
		if err != nil {
			return err
		}
		if shown.Phases, err = phasesOf(history); err != nil {
			return err
		}
		shown.Revoked, err = revoked(ctx, client, shown.Job)
		return err
	})
	if err != nil {
		return err
	}
	if shown.Shape, err = newJobShape(shown.Spec); err != nil {
		return err
	}
	shown.Expired, shown.Next = jobExpired(shown.Job, shown.now), awaits(shown.Job, shown.now)
	return a.result(shown, shown.write)
}

// revoked are those grants of the job's approvals that were revoked. Of a job
// that is over it makes no difference.
func revoked(ctx context.Context, client *ledger.Client, j exchange.Job) (ids []string, err error) {
	if j.State.Over() {
		return nil, nil
	}
	for _, p := range j.Parties {
		for _, id := range p.Grants {
			var g exchange.Grant
			if err := client.Get(ctx, exchange.NounGrant, id, &g); err != nil {
				return nil, err
			}
			if g.State == exchange.GrantRevoked {
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

func (j shownJob) write(w io.Writer) {
	spec := j.Spec
	var f fields
	f.add("job", "%s", j.ID)
	f.add("state", "%s", jobState(j.Job, j.now))
	f.add("requester", "%s (%s)", j.Requester, j.RequesterMSP)
	f.add("purpose", "%s", spec.Purpose)
	f.add("legal basis", "%s", spec.LegalBasis)
	f.add("computes", "%s for %s", spec.Operation, count(len(spec.Keys), "key"))
	j.Shape.add(&f)
	f.add("keyholder", "%s (keyring %s, %d bits, %s)", spec.Keyholder, spec.Keyring, spec.Bits, short(spec.Fingerprint))
	f.add("needs", "%d departments besides the requester", spec.MinContributors)
	f.add("masked", "%s", yesNo(j.Masked))
	f.add("opened", "%s", clock(j.Since))
	f.add("deadline", "%s", clock(spec.Deadline))
	f.add("spec digest", "%s", j.Digest)
	addChange(&f, j.Change)
	f.write(w)
	j.writeInputs(w)
	j.writeParties(w)
	fmt.Fprintln(w)
	writePhases(w, j.Phases)
	fmt.Fprintf(w, "\nnext  %s\n", j.Next.text(j.Job, j.now))
	for _, id := range j.Revoked {
		fmt.Fprintf(w, "      grant %s was revoked: nothing more is contributed, evaluated or opened\n", id)
	}
}

func (j shownJob) writeInputs(w io.Writer) {
	fmt.Fprintln(w)
	t := newTable("INPUT", "DATASET", "VERSION", "KEY", "VALUE", "WEIGHT")
	for i, in := range j.Spec.Inputs {
		t.add(fmt.Sprint(i), sourceText(j.Spec.Sources[i]), in.Object, keyText(in), valueText(in), fmt.Sprint(in.Weight))
	}
	t.write(w)
}

func (j shownJob) writeParties(w io.Writer) {
	fmt.Fprintln(w)
	t := newTable("DEPARTMENT", "APPROVED", "ALIGNED", "KEYS MISSING", "CONTRIBUTED", "GRANTS")
	for _, p := range j.Parties {
		missing := ""
		if p.Aligned {
			missing = fmt.Sprint(len(p.Missing))
		}
		t.add(p.Department, yesNo(p.ApprovedTx != ""), yesNo(p.Aligned), missing, yesNo(p.ContributedTx != ""), strings.Join(p.Grants, ", "))
	}
	t.write(w)
	for _, p := range j.Parties {
		if len(p.Missing) > 0 {
			fmt.Fprintf(w, "%s lacks %s\n", p.Department, someOf(p.Missing))
		}
	}
}

// namedAtMost is how many keys a text names; JSON has them all.
const namedAtMost = 20

// someOf lists words, and counts what is left out.
func someOf(list []string) string {
	if len(list) <= namedAtMost {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more (--json has them all)", strings.Join(list[:namedAtMost], ", "), len(list)-namedAtMost)
}
