package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

// JobApproveOptions say which spec the officer decided upon.
type JobApproveOptions struct {
	Command string
	Spec    string // digest; none: of what is shown
}

func newJobApproveCommand(a *app) *cobra.Command {
	var opts JobApproveOptions
	cmd := &cobra.Command{
		Use:   "approve JOB",
		Short: "Approve a job over the department's data, after showing what it is",
		Long: `Approve a job over the department's data, signed by an officer: it gives a grant
for each of the department's inputs, for this very computation and nothing else.

What is approved is shown first, on standard error, and the signature is bound to
the digest of just that. --spec insists on a digest that was looked at before
(chancery job show); where the job has another, nothing is signed (exit code 5).`,
		Example: `  chancery job approve j-4xw7cqk2yqv7rdzv5m6ud2kq3e -d census
  chancery job approve j-4xw7cqk2yqv7rdzv5m6ud2kq3e -d census --as ada --spec "$DIGEST"`,
		Args: takes("a JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runJobApprove(cmd.Context(), a, args[0], opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opts.Spec, "spec", "", "digest of the spec that was decided upon (default: of what is shown)")
	addCommandFlag(cmd, &opts.Command)
	return cmd
}

func runJobApprove(ctx context.Context, a *app, id string, opts JobApproveOptions) error {
	if err := checkID(exchange.NounJob, id); err != nil {
		return err
	}
	if opts.Spec != "" && !exchange.ValidDigest(opts.Spec) {
		return usagef("--spec %q is not a SHA-256 in lower-case hexadecimal", opts.Spec)
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	var j exchange.Job
	err = a.ask(ctx, profile, exchange.Officer, func(ctx context.Context, client *ledger.Client) error {
		return client.Get(ctx, exchange.NounJob, id, &j)
	})
	if err != nil {
		return err
	}
	digest, err := approvable(j, profile.Department, opts.Spec)
	if err != nil {
		return err
	}
	a.showApproval(j, profile.Department)
	return a.invoke(ctx, exchange.Officer, commandID(opts.Command), exchange.OpJobApprove, &exchange.ApproveJob{Job: id, Spec: digest})
}

// approvable is the digest of the spec that is in the job. It refuses what the
// department has no say in, what the officer did not look at, and a job that no
// honest contract would have opened.
func approvable(j exchange.Job, department, insisted string) (string, error) {
	if len(j.Spec.InputsOf(department)) == 0 {
		return "", exchange.Errorf(exchange.Denied, "job %s takes no data of %s: it is for %s to decide", j.ID, department, strings.Join(j.Spec.Providers(), ", "))
	}
	digest, err := exchange.BodyDigest(j.Spec)
	if err != nil {
		return "", err
	}
	if digest != j.Digest {
		return "", faultf(errDigest, "the spec in job %s has the digest %s, and the job says %s: it is not what was opened", j.ID, digest, j.Digest)
	}
	if insisted != "" && insisted != digest {
		return "", exchange.Errorf(exchange.Conflict, "the spec of job %s has the digest %s, not %s as --spec says: look at it with `chancery job show %s`", j.ID, digest, insisted, j.ID)
	}
	if err := j.Spec.CheckParties(); err != nil {
		return "", exchange.Errorf(exchange.Conflict, "job %s must not be approved: %v", j.ID, err)
	}
	return digest, nil
}

// showApproval says on standard error what is about to be approved.
func (a *app) showApproval(j exchange.Job, department string) {
	var text bytes.Buffer
	spec := j.Spec
	var f fields
	f.add("approving", "%s", j.ID)
	f.add("requester", "%s", spec.Requester)
	f.add("purpose", "%s", spec.Purpose)
	f.add("legal basis", "%s", spec.LegalBasis)
	f.add("computes", "%s of %s, for %s", spec.Operation, count(len(spec.Inputs), "input"), count(len(spec.Keys), "key"))
	f.add("over data of", "%s", strings.Join(spec.Providers(), ", "))
	f.add("needs", "%d departments besides the requester", spec.MinContributors)
	f.add("keyholder", "%s (keyring %s, %d bits, %s)", spec.Keyholder, spec.Keyring, spec.Bits, short(spec.Fingerprint))
	f.add("deadline", "%s, in %s", clock(spec.Deadline), time.Until(spec.Deadline).Round(time.Second))
	f.add("spec digest", "%s", j.Digest)
	f.write(&text)
	writeApprovedInputs(&text, spec, department)
	can, cannot := keyholderLearns(spec.Keyholder)
	fmt.Fprintf(&text, "\nWhat the keyholder can learn:\n%s\n\nWhat it cannot:\n%s\n", wrapped(can), wrapped(cannot))
	fmt.Fprintf(&text, "\n%s alone sees the result.\n", spec.Requester)
	a.say("%s", text.String())
}

// writeApprovedInputs lists every input, the department's own marked: what is
// summed with its values says whether the sum hides them.
func writeApprovedInputs(w io.Writer, spec exchange.Spec, department string) {
	fmt.Fprintf(w, "\nThe inputs, those of %s marked:\n", department)
	t := newTable("OWN", "INPUT", "DATASET", "VERSION", "KEY", "VALUE", "WEIGHT")
	for i, in := range spec.Inputs {
		own := ""
		if spec.Sources[i].Provider == department {
			own = "*"
		}
		t.add(own, fmt.Sprint(i), sourceText(spec.Sources[i]), in.Object, keyText(in), valueText(in), fmt.Sprint(in.Weight))
	}
	t.write(w)
	fmt.Fprintf(w, "\nThe sum hides the values of %s only where the others' are not public, not rounded\n"+
		"to nothing (digits after the point: %d), and not so much smaller or larger that\nboth can be read off it.\n", department, spec.Scale)
}
