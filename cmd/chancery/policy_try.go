package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"chancery/workers/policy"
)

// PolicyTestOptions say what a rule file is tried on.
type PolicyTestOptions struct {
	Request   string
	Job       string
	Dataset   string
	Requester string
	History   map[string]int
	Now       moment
}

func newPolicyTestCommand(a *app) *cobra.Command {
	var opts PolicyTestOptions
	cmd := &cobra.Command{
		Use:   "test FILE",
		Short: "Check a file of rules, and try it on a request without deciding it",
		Long: `Check a file of rules as the policy worker does when it starts, and say what it
would decide of a request, rule by rule, with the grant that it would give.
Nothing is signed and nothing changes.

--request is the id of a request on the ledger, or a document (YAML or JSON):
the fields of a request as "request show --json" prints them, or as a command
request.open carries them. A document needs --dataset, and together they need
no network. Without --request and --job the file is only checked.

--job is the id of a job on the ledger, or a document as "job open" takes it, and
the rules decide for the department that --department names. A document needs
--requester, and --dataset where the department's one dataset is in no ledger.
Each of the department's inputs is decided as a request to compute on its dataset;
the job is approved where every one is given.

Conditions are CEL, https://cel.dev, over these:

` + policy.Vocabulary() + `
There is a job only where one is decided: for a request, a condition that comes to
depend on it does not hold.

Exit codes: 0 the rules give (or are sound), 3 they refuse, 8 they leave it to
an officer, 2 the file cannot be used.`,
		Example: `  chancery policy test policy.yaml
  chancery policy test policy.yaml --request r-t3ys2vkk5gkmllm5ffxlqr6b5q -d census
  chancery policy test policy.yaml --request ask.yaml --dataset population.yaml --requester labor
  chancery policy test policy.yaml --request ask.yaml --dataset census/population --history disputes=1
  chancery policy test policy.yaml --job j-4xw7cqk2yqv7rdzv5m6ud2kq3e -d census
  chancery policy test policy.yaml --job need-index.yaml --requester health --dataset population.yaml -d census`,
		Args: takes("a FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, name := range []string{"dataset", "requester", "history", "now"} {
				if opts.Request == "" && opts.Job == "" && cmd.Flags().Changed(name) {
					return usagef("--%s goes with --request or --job", name)
				}
			}
			if opts.Request != "" && opts.Job != "" {
				return usagef("--request and --job are decided one at a time: give one")
			}
			return runPolicyTest(cmd.Context(), a, args[0], opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opts.Request, "request", "", "request to try the rules on: an id, or a file")
	flags.StringVar(&opts.Job, "job", "", "job to try the rules on: an id, or a file")
	flags.StringVar(&opts.Dataset, "dataset", "", "dataset that it asks for: a file, OWNER/NAME or an id (default: the request's, from the ledger)")
	flags.StringVar(&opts.Requester, "requester", "", "department that asks (default: the request's)")
	flags.StringToIntVar(&opts.History, "history", nil, "what there was before, as in grants=2,disputes=1 (default: of a request on the ledger what it says, else nothing)")
	flags.Var(&opts.Now, "now", "time of the decision (default: now)")
	return cmd
}

func runPolicyTest(ctx context.Context, a *app, file string, opts PolicyTestOptions) error {
	rules, err := policy.Load(file)
	if err != nil {
		return usagef("%w", err)
	}
	if opts.Job != "" {
		return a.tryJob(ctx, file, rules, opts)
	}
	if opts.Request == "" {
		return a.result(newRuleList(file, rules), func(w io.Writer) { writeRules(w, file, rules) })
	}
	facts, err := a.gather(ctx, opts, rules.AskHistory())
	if err != nil {
		return err
	}
	decision := rules.Decide(ctx, facts)
	if err := a.result(decision, func(w io.Writer) { writeDecision(w, file, facts, decision) }); err != nil {
		return err
	}
	return decided(decision.Verdict, decision.Reason)
}

// decided makes a verdict the exit code of trying it.
func decided(v policy.Verdict, reason string) error {
	switch v {
	case policy.Refuse:
		return faultf(errRefused, "the rules refuse: %s", reason)
	case policy.ToOfficer:
		return faultf(errOfficer, "the rules leave it to an officer")
	}
	return nil
}

// setHistory counts what the command line says there was.
func setHistory(counts map[string]int) (*policy.History, error) {
	var h policy.History
	fields := map[string]*int{
		"requests": &h.Requests, "grants": &h.Grants, "refusals": &h.Refusals,
		"withdrawals": &h.Withdrawals, "revocations": &h.Revocations, "disputes": &h.Disputes,
	}
	for name, n := range counts {
		field, known := fields[name]
		if !known || n < 0 {
			return nil, usagef("--history %s=%d: use counts of %s", name, n, strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
		}
		*field = n
	}
	return &h, nil
}

// ruleList is a rule file as JSON tells it.
type ruleList struct {
	File   string     `json:"file"`
	Digest string     `json:"digest"`
	Rules  []ruleInfo `json:"rules"`
}

type ruleInfo struct {
	Name   string         `json:"rule"`
	Line   int            `json:"line"`
	When   string         `json:"when"`
	Decide policy.Verdict `json:"decide"`
	Cost   uint64         `json:"maxCost"`
}

func newRuleList(file string, rules *policy.Rules) ruleList {
	list := ruleList{File: file, Digest: rules.Digest, Rules: []ruleInfo{}}
	for _, r := range rules.List {
		list.Rules = append(list.Rules, ruleInfo{r.Name, r.Line, r.When, r.Decide, r.Cost})
	}
	return list
}

func writeRules(w io.Writer, file string, rules *policy.Rules) {
	t := newTable("RULE", "LINE", "DECIDES", "COST AT MOST")
	for _, r := range rules.List {
		t.add(r.Name, fmt.Sprint(r.Line), string(r.Decide), fmt.Sprint(r.Cost))
	}
	t.write(w)
	fmt.Fprintf(w, "\n%s can be used: %s, and what none of them decides goes to an officer.\n", file, count(len(rules.List), "rule"))
}

func writeSteps(w io.Writer, steps []policy.Step) {
	t := newTable("RULE", "LINE", "DECIDES", "CONDITION")
	for _, s := range steps {
		result := string(s.Result)
		if s.Error != "" {
			result += ": " + s.Error
		}
		t.add(s.Rule, fmt.Sprint(s.Line), string(s.Decide), result)
	}
	t.write(w)
	fmt.Fprintln(w)
}

func writeDecision(w io.Writer, file string, f policy.Facts, d policy.Decision) {
	writeSteps(w, d.Steps)
	var rows fields
	rows.add("decision", "%s", d.Verdict)
	if d.Rule == "" {
		rows.add("rule", "none holds")
	} else {
		rows.add("rule", "%s (%s)", d.Rule, file)
	}
	rows.add("reason", "%s", d.Reason)
	if g := d.Grant; g != nil {
		rows.add("actions", "%s, of %s asked for", joined(g.Actions), joined(f.Request.Actions))
		rows.add("uses", "%d, of %d asked for", g.MaxUses, f.Request.Uses)
		rows.add("until", "%s, of %s asked for", clock(g.NotAfter), clock(f.Request.NotAfter))
		rows.add("obligations", "%s", obligationsText(*g.Obligations))
	}
	rows.write(w)
}
