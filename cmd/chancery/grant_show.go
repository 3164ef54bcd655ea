package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

func newGrantShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show GRANT",
		Short: "Show a grant and every use of it",
		Example: `  chancery grant show g-4xw7cqk2yqv7rdzv5m6ud2kq3e
  chancery grant show g-4xw7cqk2yqv7rdzv5m6ud2kq3e --json | jq '.redemptions | length'`,
		Args: takes("a GRANT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runGrantShow(cmd.Context(), a, args[0])
		},
	}
}

// shownGrant is a grant with its redemptions, in the order of their slots.
type shownGrant struct {
	exchange.Grant
	Redemptions []exchange.Redemption `json:"redemptions"`
}

func runGrantShow(ctx context.Context, a *app, id string) error {
	if err := checkID(exchange.NounGrant, id); err != nil {
		return err
	}
	var shown shownGrant
	err := a.read(ctx, func(ctx context.Context, client *ledger.Client) (err error) {
		if err := client.Get(ctx, exchange.NounGrant, id, &shown.Grant); err != nil {
			return err
		}
		shown.Redemptions, err = recordsOf[exchange.Redemption](ctx, client, exchange.Query{Noun: exchange.NounRedemption, Parent: id})
		return err
	})
	if err != nil {
		return err
	}
	return a.result(shown, shown.write)
}

func (g shownGrant) write(w io.Writer) {
	var f fields
	f.add("grant", "%s", g.ID)
	f.add("state", "%s", g.State)
	f.add("owner", "%s (%s)", g.Owner, g.OwnerMSP)
	f.add("grantee", "%s (%s)", g.Grantee, g.GranteeMSP)
	f.add("recipient", "%s", g.Recipient)
	f.add("request", "%s", g.Request)
	f.add("job", "%s", g.Job)
	f.add("dataset", "%s", g.Dataset)
	f.add("version", "%s", g.Version)
	f.add("object", "%s", g.Object)
	f.add("purpose", "%s", g.Purpose)
	f.add("legal basis", "%s", g.LegalBasis)
	f.add("actions", "%s", joined(g.Actions))
	f.add("spec", "%s", g.Spec)
	f.add("uses", "%d of %d", used(g.Redemptions), g.MaxUses)
	f.add("from", "%s", clock(g.NotBefore))
	f.add("until", "%s", clock(g.NotAfter))
	f.add("needed to redeem", "%s", demandsText(g.Attestations, g.Certified))
	f.add("obligations", "%s", obligationsText(g.Obligations))
	f.add("parent", "%s", g.Parent)
	f.add("given", "%s", clock(g.Since))
	f.add("given in", "%s", g.GivenTx)
	addChange(&f, g.Change)
	f.write(w)
	if len(g.Redemptions) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := newTable("SLOT", "OBJECT", "ATTEMPT", "STATE", "SINCE", "LAST CHANGE", "REASON")
	for _, r := range g.Redemptions {
		t.add(fmt.Sprint(r.Slot), r.Object, fmt.Sprint(r.Attempt), string(r.State), clock(r.Since),
			r.Change.Op+" by "+signer(r.Change), r.Change.Reason)
	}
	t.write(w)
}

// used counts the slots that are taken; a refused release gives its slot back.
func used(redemptions []exchange.Redemption) int {
	n := 0
	for _, r := range redemptions {
		if r.State != exchange.ReleaseDenied {
			n++
		}
	}
	return n
}
