package main

import (
	"context"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
)

func newKeyringRetireCommand(a *app) *cobra.Command {
	var opts EndOptions
	cmd := &cobra.Command{
		Use:   "retire KEYRING",
		Short: "Take a keyring of the department out of use for new jobs",
		Long: `Take a keyring of the department, KEYHOLDER/NAME or its id, out of use for new
jobs, with a reason, signed by an officer. Jobs that are open go on under it.`,
		Example: `  chancery keyring retire labor/statistics -d labor --reason "Replaced by statistics-2027"`,
		Args:    takes("a KEYRING"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needFlags(cmd, "reason"); err != nil {
				return err
			}
			return runKeyringRetire(cmd.Context(), a, args[0], opts)
		},
	}
	addEndFlags(cmd, &opts)
	return cmd
}

func runKeyringRetire(ctx context.Context, a *app, ref string, opts EndOptions) error {
	if err := checkKeyring(ref); err != nil {
		return err
	}
	if err := exchange.CheckReason(opts.Reason); err != nil {
		return err
	}
	id := ref
	if owner, name, named := exchange.DatasetName(ref); named {
		profile, err := a.profile()
		if err != nil {
			return err
		}
		if owner != profile.Department {
			return exchange.Errorf(exchange.Denied, "keyring %s is %s's to retire, and you act as %s", ref, owner, profile.Department)
		}
		id = exchange.KeyringID(profile.MSP, name)
	}
	body := &exchange.RetireKeyring{Keyring: id, Reason: opts.Reason}
	return a.invoke(ctx, exchange.Officer, commandID(opts.Command), exchange.OpKeyringRetire, body)
}
