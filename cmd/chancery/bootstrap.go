package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/compose/native"
	"chancery/workers"
)

// firstOfficers are enrolled in every department of a new network, each under
// the name of its role.
var firstOfficers = []exchange.Role{exchange.Officer, exchange.Worker, exchange.Policy, exchange.Auditor}

// bootstrap registers the departments of a new network and enrols their first
// officers, signed by each department's own admin. Repeating it changes
// nothing.
func bootstrap(ctx context.Context, network *native.Network) error {
	var enrolments []func() error
	for _, d := range network.Topology().Departments {
		profile, err := workers.LoadProfile(network.DepartmentDir(d.Name))
		if err != nil {
			return err
		}
		admin, err := ledger.Dial(ctx, ledgerConfig(profile, filepath.Join(profile.Identities, string(exchange.Admin))))
		if err != nil {
			return fmt.Errorf("admin of %s: %w", d.Name, err)
		}
		defer admin.Close()
		// One after the other: all registrations write the list of departments.
		if err := register(ctx, admin, profile); err != nil {
			return fmt.Errorf("register %s: %w", d.Name, err)
		}
		for _, role := range firstOfficers {
			enrolments = append(enrolments, func() error { return enrol(ctx, admin, profile, role) })
		}
	}
	return together(enrolments)
}

// together calls functions at once and returns all their errors.
func together(calls []func() error) error {
	errs := make([]error, len(calls))
	var group sync.WaitGroup
	for i, call := range calls {
		group.Go(func() { errs[i] = call() })
	}
	group.Wait()
	return errors.Join(errs...)
}

func register(ctx context.Context, admin *ledger.Client, profile workers.Profile) error {
	recipient, err := ownRecipient(profile.Keystore)
	if err != nil {
		return err
	}
	return perform(ctx, admin, exchange.OpDepartmentRegister, &exchange.RegisterDepartment{
		Name: profile.Department, Title: firstTitle(profile.Department), Recipient: recipient,
	})
}

func enrol(ctx context.Context, admin *ledger.Client, profile workers.Profile, role exchange.Role) error {
	certificate, err := os.ReadFile(filepath.Join(profile.Identities, string(role), "cert.pem"))
	if err != nil {
		return fmt.Errorf("enrol %s of %s: %w", role, profile.Department, err)
	}
	err = perform(ctx, admin, exchange.OpOfficerEnrol, &exchange.EnrolOfficer{
		Name: string(role), Role: role, Certificate: string(certificate),
	})
	if err != nil {
		return fmt.Errorf("enrol %s of %s: %w", role, profile.Department, err)
	}
	return nil
}

// perform signs one operation in a transaction of its own.
func perform(ctx context.Context, client *ledger.Client, op exchange.Op, body exchange.Body) error {
	operation, err := exchange.NewOperation("", op, body)
	if err != nil {
		return err
	}
	outcome, err := client.Invoke(ctx, operation)
	if err != nil {
		return err
	}
	return outcome.Err()
}

// firstTitle is a department's until its admin says another.
func firstTitle(name string) string { return "Department " + name }
