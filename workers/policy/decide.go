package policy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"chancery/chaincode/exchange"
)

// decisionLimit bounds the evaluation of all rules for one request, in time.
const decisionLimit = 2 * time.Second

var errNoHistory = errors.New("the history is not known")

// Decision is what the rules say of a request, or of an input of a job, and how
// they came to it.
type Decision struct {
	Verdict Verdict             `json:"decision"`
	Rule    string              `json:"rule,omitempty"`   // that decided; none: no rule did
	Reason  string              `json:"reason,omitempty"` // of the rule, or what went wrong with it
	Fault   bool                `json:"fault,omitempty"`  // something went wrong with the rule
	Grant   *exchange.GiveGrant `json:"grant,omitempty"`  // of [Give], for data
	Steps   []Step              `json:"rules"`
}

// Step is what one rule came to.
type Step struct {
	Rule   string  `json:"rule"`
	Line   int     `json:"line"`
	Decide Verdict `json:"decide"`
	Result Result  `json:"result"`
	Error  string  `json:"error,omitempty"`
}

// Result is what a rule's condition came to.
type Result string

const (
	Holds   Result = "holds"
	HoldNot Result = "does not hold"
	Fails   Result = "fails"     // it could not be evaluated
	Unasked Result = "not asked" // an earlier rule had decided
)

// AskHistory reports whether any rule asks for the history.
func (r *Rules) AskHistory() bool {
	for _, rule := range r.List {
		if rule.condition.history {
			return true
		}
	}
	return false
}

// Decide finds the first rule whose condition holds. A condition that cannot be
// evaluated (a division by zero, too high a cost, a history that is not known)
// leaves the request to an officer, and so does a grant of which nothing is
// left: what comes after such a rule is not asked, since it might have been
// decided before.
func (r *Rules) Decide(ctx context.Context, f Facts) Decision {
	ctx, cancel := context.WithTimeout(ctx, decisionLimit)
	defer cancel()
	d := Decision{Verdict: ToOfficer}
	values := f.values()
	decided := false
	for _, rule := range r.List {
		step := Step{Rule: rule.Name, Line: rule.Line, Decide: rule.Decide, Result: Unasked}
		if !decided {
			holds, err := rule.condition.holds(ctx, values)
			switch {
			case err != nil:
				step.Result, step.Error = Fails, exchange.Visible(err.Error(), exchange.MaxReason)
				d.leave(rule, fmt.Errorf("when: %w", err))
			case holds:
				step.Result = Holds
				d.follow(rule, f)
			default:
				step.Result = HoldNot
			}
			decided = err != nil || holds
		}
		d.Steps = append(d.Steps, step)
	}
	return d
}

// follow decides as a rule says whose condition holds.
func (d *Decision) follow(rule Rule, f Facts) {
	d.Verdict, d.Rule, d.Reason = rule.Decide, rule.Name, rule.Reason
	switch {
	case rule.Decide != Give:
		return
	case f.Job != nil:
		if err := rule.Narrow.whole(f); err != nil {
			d.leave(rule, err)
		}
		return
	}
	grant, err := rule.Narrow.grant(f)
	if err != nil {
		d.leave(rule, err)
		return
	}
	d.Grant = grant
}

// leave leaves the request to an officer, because of something that went wrong
// with a rule.
func (d *Decision) leave(rule Rule, err error) {
	d.Verdict, d.Rule, d.Fault = ToOfficer, rule.Name, true
	d.Reason = exchange.Visible(err.Error(), exchange.MaxReason)
}
