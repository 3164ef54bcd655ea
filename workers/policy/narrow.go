package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"chancery/chaincode/exchange"
)

var actions = []exchange.Action{exchange.Read, exchange.Compute}

// readNarrow reads what a rule narrows its grants to. It can only take away
// from what request and terms allow, and add to obligations.
func (r *Rule) readNarrow(d *document, n *yaml.Node) {
	if r.Decide != Give {
		d.fault(of(n), "narrow goes with %q only", Give)
	}
	var uses, deleteWithin int64
	d.mapping(n, "narrow",
		key{"uses", d.number("uses", 1, exchange.MaxUses, &uses)},
		key{"validFor", d.number("validFor, in seconds,", 1, exchange.MaxDuration, &r.Narrow.ValidFor)},
		key{"actions", func(n *yaml.Node) {
			d.list(n, "actions", r.Narrow.action(d))
			if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
				d.fault(of(n), "actions is empty: use %s", strings.Join(words(actions), ", "))
			}
		}},
		key{"obligations", func(n *yaml.Node) {
			d.mapping(n, "obligations",
				key{"deleteWithin", d.number("deleteWithin, in seconds,", 1, exchange.MaxDuration, &deleteWithin)},
				key{"noOnwardSharing", func(n *yaml.Node) {
					if n.Tag != "!!bool" || n.Value != "true" {
						d.fault(of(n), "noOnwardSharing is %s: a rule can only set it true", kindOf(n))
					}
					r.Narrow.Obligations.NoOnwardSharing = true
				}})
		}})
	r.Narrow.Uses, r.Narrow.Obligations.DeleteWithin = int(uses), deleteWithin
}

func (w *Narrow) action(d *document) func(*yaml.Node) {
	return func(n *yaml.Node) {
		a := exchange.Action(n.Value)
		switch {
		case n.Kind != yaml.ScalarNode || !slices.Contains(actions, a):
			d.fault(of(n), "actions names %s: use %s", kindOf(n), strings.Join(words(actions), ", "))
		case slices.Contains(w.Actions, a):
			d.fault(of(n), "actions names %q twice", a)
		default:
			w.Actions = append(w.Actions, a)
		}
	}
}

// grant is what a rule gives for a request: whatever of request, terms and
// rule is narrowest. It is an error where that leaves nothing, or where the
// terms, which may have changed since the request was opened, forbid it.
func (w Narrow) grant(f Facts) (*exchange.GiveGrant, error) {
	r, t := f.Request, f.Dataset.Terms
	g := &exchange.GiveGrant{Request: r.ID, MaxUses: min(r.Uses, t.MaxUses), NotAfter: r.NotAfter}
	if w.Uses > 0 {
		g.MaxUses = min(g.MaxUses, w.Uses)
	}
	for _, most := range []int64{t.MaxDuration, w.ValidFor} {
		if end := r.NotBefore.Add(seconds(most)); most > 0 && end.Before(g.NotAfter) {
			g.NotAfter = end
		}
	}
	for _, a := range r.Actions {
		if slices.Contains(t.Actions, a) && (len(w.Actions) == 0 || slices.Contains(w.Actions, a)) {
			g.Actions = append(g.Actions, a)
		}
	}
	g.Obligations = stricter(t.Obligations, w.Obligations)
	switch {
	case len(g.Actions) == 0:
		return nil, fmt.Errorf("no action is left of %v: the terms allow %v", r.Actions, t.Actions)
	case !f.Now.Before(g.NotAfter):
		return nil, fmt.Errorf("the grant would end at %s, which is over", g.NotAfter.Format(time.RFC3339))
	case len(t.Requesters) > 0 && !slices.Contains(t.Requesters, r.Requester) && r.Requester != f.Dataset.Owner:
		return nil, fmt.Errorf("the terms let only %s ask", strings.Join(t.Requesters, ", "))
	case len(t.Purposes) > 0 && !slices.Contains(t.Purposes, r.Purpose):
		return nil, fmt.Errorf("the terms do not name the purpose %q", clip(r.Purpose))
	}
	return g, nil
}

// stricter binds to whatever either does.
func stricter(a, b exchange.Obligations) *exchange.Obligations {
	o := exchange.Obligations{DeleteWithin: a.DeleteWithin, NoOnwardSharing: a.NoOnwardSharing || b.NoOnwardSharing}
	if b.DeleteWithin > 0 && (o.DeleteWithin == 0 || b.DeleteWithin < o.DeleteWithin) {
		o.DeleteWithin = b.DeleteWithin
	}
	return &o
}
