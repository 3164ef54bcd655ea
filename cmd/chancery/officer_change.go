package main

import (
	"context"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/workers"
)

func newOfficerSuspendCommand(a *app) *cobra.Command {
	var opts EndOptions
	cmd := &cobra.Command{
		Use:   "suspend OFFICER",
		Short: "Stop what an officer of the department may sign",
		Long: `Suspend an officer of the department, named by the name or the id under which they
are enrolled, signed by an admin. Nobody suspends themselves. What they signed before
stands; what they sign from then on counts for nothing.`,
		Example: `  chancery officer suspend ada -d census --reason "On leave"
  chancery officer suspend f-4xw7cqk2yqv7rdzv5m6ud2kq3e -d census --reason "Certificate lost"`,
		Args: takes("an OFFICER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needFlags(cmd, "reason"); err != nil {
				return err
			}
			return runOfficerChange(cmd.Context(), a, args[0], exchange.OpOfficerSuspend, opts)
		},
	}
	addEndFlags(cmd, &opts)
	return cmd
}

func newOfficerReinstateCommand(a *app) *cobra.Command {
	var opts EndOptions
	cmd := &cobra.Command{
		Use:     "reinstate OFFICER",
		Short:   "Let a suspended officer of the department sign again",
		Example: `  chancery officer reinstate ada -d census --reason "Back from leave"`,
		Args:    takes("an OFFICER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needFlags(cmd, "reason"); err != nil {
				return err
			}
			return runOfficerChange(cmd.Context(), a, args[0], exchange.OpOfficerReinstate, opts)
		},
	}
	addEndFlags(cmd, &opts)
	return cmd
}

func runOfficerChange(ctx context.Context, a *app, ref string, op exchange.Op, opts EndOptions) error {
	if !exchange.ValidID(exchange.NounOfficer, ref) && !exchange.ValidName(ref) {
		return usagef("%q is neither the name nor the id of an officer: `chancery officer list` shows them", ref)
	}
	if err := exchange.CheckReason(opts.Reason); err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	officer, err := a.officer(ctx, profile, ref)
	if err != nil {
		return err
	}
	body := &exchange.ChangeOfficer{Officer: officer, Reason: opts.Reason}
	return a.invoke(ctx, exchange.Admin, opts.Command, op, body)
}

// officer finds the id of an officer of the department by their name. Two
// certificates may be enrolled under one name, to be told apart by id.
func (a *app) officer(ctx context.Context, profile workers.Profile, ref string) (string, error) {
	if exchange.ValidID(exchange.NounOfficer, ref) {
		return ref, nil
	}
	var found []exchange.OfficerRecord
	err := a.ask(ctx, profile, exchange.Auditor, func(ctx context.Context, client *ledger.Client) error {
		all, err := recordsOf[exchange.OfficerRecord](ctx, client, exchange.Query{Noun: exchange.NounOfficer, Parent: profile.Department})
		for _, o := range all {
			if o.Name == ref {
				found = append(found, o)
			}
		}
		return err
	})
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", faultf(errNotFound, "%s has no officer %q: `chancery officer list --party %s` shows them", profile.Department, ref, profile.Department)
	case len(found) > 1:
		return "", usagef("%s has %d officers named %q: name one by its id, %s or %s", profile.Department, len(found), ref, found[0].ID, found[1].ID)
	}
	return found[0].ID, nil
}
