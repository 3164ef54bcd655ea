package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/crypto/keystore"
)

// DepartmentRegisterOptions describe the department to register.
type DepartmentRegisterOptions struct {
	Command   string
	Title     string
	Recipient string
}

func newDepartmentRegisterCommand(a *app) *cobra.Command {
	var opts DepartmentRegisterOptions
	cmd := &cobra.Command{
		Use:   "register",
		Short: "Register the department on the ledger",
		Long: `Register the department of --department on the ledger, signed by an
administrator of its MSP, who becomes its first enrolled admin.

Keys for the department will be wrapped for its recipient: --recipient, else
that of the identity in its keystore, which is made if there is none.`,
		Example: `  chancery department register -d census --title "Census Bureau"`,
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needFlags(cmd, "title"); err != nil {
				return err
			}
			return runDepartmentRegister(cmd.Context(), a, opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opts.Title, "title", "", "name in full")
	flags.StringVar(&opts.Recipient, "recipient", "", "age recipient (age1…) that keys are wrapped for")
	addCommandFlag(cmd, &opts.Command)
	return cmd
}

func runDepartmentRegister(ctx context.Context, a *app, opts DepartmentRegisterOptions) error {
	profile, err := a.profile()
	if err != nil {
		return err
	}
	if opts.Recipient == "" {
		if opts.Recipient, err = ownRecipient(profile.Keystore); err != nil {
			return err
		}
	}
	body := &exchange.RegisterDepartment{Name: profile.Department, Title: opts.Title, Recipient: opts.Recipient}
	return a.invoke(ctx, exchange.Admin, opts.Command, exchange.OpDepartmentRegister, body)
}

// ownRecipient is that of the department's identity in its keystore.
func ownRecipient(dir string) (string, error) {
	store, err := keystore.Open(dir)
	if err != nil {
		return "", fmt.Errorf("keystore: %w", err)
	}
	identity, err := store.CreateIdentity(keystore.Department)
	if err != nil {
		return "", fmt.Errorf("keystore: %w", err)
	}
	return identity.Recipient().String(), nil
}
