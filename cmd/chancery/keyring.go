package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

func newKeyringCommand(a *app) *cobra.Command {
	return newNoun("keyring", "Keys under which jobs compute on encrypted values",
		newKeyringCreateCommand(a), newKeyringRetireCommand(a), newKeyringListCommand(a), newKeyringShowCommand(a))
}

func newKeyringListCommand(a *app) *cobra.Command {
	return newListCommand(a, listing[exchange.Keyring]{
		noun:  exchange.NounKeyring,
		short: "List the keyrings of every department",
		example: `  chancery keyring list
  chancery keyring list --state active --party labor --json`,
		head: []string{"KEYRING", "BITS", "FINGERPRINT", "STATE", "SINCE", "ID"},
		row: func(k exchange.Keyring) []string {
			return []string{keyringName(k), fmt.Sprint(k.Bits), short(k.Fingerprint), string(k.State), clock(k.Since), k.ID}
		},
	})
}

// keyringName is what people call a keyring.
func keyringName(k exchange.Keyring) string { return k.Keyholder + "/" + k.Name }

// checkKeyring refuses an argument that names no keyring: neither
// KEYHOLDER/NAME nor an id.
func checkKeyring(ref string) error {
	if _, _, named := exchange.DatasetName(ref); named || exchange.ValidID(exchange.NounKeyring, ref) {
		return nil
	}
	return usagef("%q names no keyring: use KEYHOLDER/NAME, as in labor/statistics, or its id: `chancery keyring list` shows them", ref)
}

// keyringOf reads a keyring at any department.
func (a *app) keyringOf(ctx context.Context, ref string) (k exchange.Keyring, err error) {
	if err := checkKeyring(ref); err != nil {
		return k, err
	}
	err = a.read(ctx, func(ctx context.Context, client *ledger.Client) error {
		return client.Get(ctx, exchange.NounKeyring, ref, &k)
	})
	return k, err
}

// keyholderLearns says what the one department that holds a keyring's private
// half can find out by it, and what it cannot.
func keyholderLearns(keyholder string) (can, cannot string) {
	can = fmt.Sprintf("%s alone has the private half. With it %s can open every contribution to every job under this keyring, "+
		"and so each value in it, and add them up itself: that it opens nothing but results is its promise, not a matter of mathematics.",
		keyholder, keyholder)
	cannot = fmt.Sprintf("What %s is asked to open is the result plus the requester's mask, a number drawn anew for each job: "+
		"from that alone it learns nothing of the result. It cannot be the requester, and it cannot change a result unnoticed.", keyholder)
	return can, cannot
}
