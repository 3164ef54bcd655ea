package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/compose/native"
	"chancery/workers"
)

// OfficerEnrolOptions say what the officer may sign, and with which
// certificate.
type OfficerEnrolOptions struct {
	Command     string
	Role        string
	Certificate string
}

func newOfficerEnrolCommand(a *app) *cobra.Command {
	var opts OfficerEnrolOptions
	cmd := &cobra.Command{
		Use:   "enrol NAME",
		Short: "Let a certificate sign for the department, in one role",
		Long: `Enrol an officer of the department, signed by its admin.

Without --certificate the identity NAME of the department is enrolled; it is
issued by the department's own CA if there is none, and may then be used with
--as NAME.`,
		Example: `  chancery officer enrol ada -d census --role officer
  chancery officer enrol rules -d census --role policy --certificate rules.pem`,
		Args: takes("a NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needFlags(cmd, "role"); err != nil {
				return err
			}
			return runOfficerEnrol(cmd.Context(), a, args[0], opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opts.Role, "role", "", "one of "+joined(exchange.Roles))
	flags.StringVar(&opts.Certificate, "certificate", "", "file (PEM) of a certificate by the department's MSP")
	addCommandFlag(cmd, &opts.Command)
	return cmd
}

func runOfficerEnrol(ctx context.Context, a *app, name string, opts OfficerEnrolOptions) error {
	body := &exchange.EnrolOfficer{Name: name, Role: exchange.Role(opts.Role), Certificate: "-"}
	if err := body.Validate(); err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	file := opts.Certificate
	if file == "" {
		if file, err = a.issue(profile, name); err != nil {
			return err
		}
	}
	certificate, err := readSmall(file)
	if err != nil {
		return usagef("--certificate: %w", err)
	}
	body.Certificate = strings.TrimSpace(string(certificate)) + "\n"
	return a.invoke(ctx, exchange.Admin, opts.Command, exchange.OpOfficerEnrol, body)
}

// issue makes the identity if there is none, and returns its certificate's
// file.
func (a *app) issue(profile workers.Profile, name string) (string, error) {
	file := filepath.Join(profile.Identities, name, "cert.pem")
	_, err := os.Stat(file)
	if err == nil {
		return file, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("identity %s: %w", name, err)
	}
	if err := native.IssueIdentity(filepath.Join(a.data, profile.Department), name); err != nil {
		return "", err
	}
	a.say("issued the identity %s in %s", name, filepath.Dir(file))
	return file, nil
}
