package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"chancery/compose/native"
)

// providerName is a department that nothing else is measured at, where there is
// one.
func (b *bench) providerName() string {
	departments := b.network.Topology().Departments
	if len(departments) < 3 {
		return departments[0].Name
	}
	return departments[len(departments)-1].Name
}

// restProvider stops the workers of the department that the loads ask. What they
// would do about each request is done after it is on the ledger, by another
// department, and would go on into the next turn.
func (b *bench) restProvider(ctx context.Context) error {
	if b.provider.name == b.owner.name {
		return nil
	}
	return b.freeze(ctx, b.provider.name)
}

// freeze stops the workers of departments without ending them. Only those of a
// network of our own are: others have other things to do.
func (b *bench) freeze(ctx context.Context, departments ...string) error {
	if !b.own {
		b.say("leaves the workers running, since others use this network: they take part in what is measured")
		return nil
	}
	for _, d := range departments {
		if b.frozen[d] > 0 {
			continue
		}
		pid, err := b.pid(ctx, d, "workers")
		if err != nil {
			return err
		}
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			return fmt.Errorf("stop the workers of %s: %w", d, err)
		}
		if b.frozen == nil {
			b.frozen = map[string]int{}
		}
		b.frozen[d] = pid
	}
	return nil
}

// thaw lets them go on.
func (b *bench) thaw() error {
	var errs []error
	for d, pid := range b.frozen {
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("let the workers of %s go on: %w", d, err))
		}
	}
	b.frozen = nil
	return errors.Join(errs...)
}

// restingNote says whose workers are stopped, for the report.
func (b *bench) restingNote() string {
	if b.frozen[b.provider.name] == 0 {
		return ""
	}
	return " The workers of " + b.provider.name + ", which is asked, are stopped: they come after."
}

// pid is the process of a department's part.
func (b *bench) pid(ctx context.Context, department, role string) (int, error) {
	report, err := native.Status(ctx, b.network.Dir())
	if err != nil {
		return 0, err
	}
	for _, p := range report.Parts {
		if p.Department == department && p.Role == role && p.PID > 0 {
			return p.PID, nil
		}
	}
	return 0, faultf(errUnreachable, "%s of %s do not run", role, department)
}
