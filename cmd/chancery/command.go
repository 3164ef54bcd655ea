package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/events/bus"
	"chancery/workers"
)

// CommandOptions are those of every verb that asks the department's own workers
// over the bus, where the command line is one of the department's systems.
type CommandOptions struct {
	Command string
	NoWait  bool
}

func (a *app) addCommandFlags(cmd *cobra.Command, o *CommandOptions) {
	flags := cmd.Flags()
	flags.StringVar(&o.Command, "command", "", "id of this command: the same id again answers with the first outcome (default: a random one)")
	a.addSettings(cmd, "wait")
	flags.BoolVar(&o.NoWait, "no-wait", false, "do not wait for the outcome")
}

// commandResult is what became of a command. Its code is empty when nobody
// waited for it.
type commandResult struct {
	exchange.Outcome
	Dataset string `json:"dataset,omitempty"` // of a published object
}

func (r commandResult) write(w io.Writer) {
	var f fields
	f.add("id", "%s", r.ID)
	f.add("dataset", "%s", r.Dataset)
	f.add("outcome", "%s", r.Code)
	f.add("message", "%s", r.Message)
	f.add("command", "%s", r.Command)
	f.add("transaction", "%s", r.Tx)
	f.write(w)
}

// command carries a command and prints its outcome. A refusal is an error with
// its code.
func (a *app) command(ctx context.Context, profile workers.Profile, name events.Command, body exchange.Body, opts CommandOptions) error {
	result, err := a.carry(ctx, profile, name, body, opts)
	if err != nil {
		return err
	}
	return a.result(result, result.write)
}

// carry publishes a command on the department's bus and waits for its outcome,
// unless it is told not to.
func (a *app) carry(ctx context.Context, profile workers.Profile, name events.Command, body exchange.Body, opts CommandOptions) (commandResult, error) {
	id := commandID(opts.Command)
	envelope, err := events.NewCommand(profile.Department, name, id, body, time.Now())
	if err != nil {
		return commandResult{}, err
	}
	conn, err := a.bus(ctx, profile, bus.UserSystem)
	if err != nil {
		return commandResult{}, err
	}
	defer conn.Close()
	if opts.NoWait {
		_, err := conn.Publish(ctx, envelope)
		return newCommandResult(envelope), err
	}
	limited, cancel := context.WithTimeoutCause(ctx, time.Duration(a.wait), faultf(errUnreachable,
		"no outcome of command %s within %s: look at `chancery status`, and ask again with --command %s", id, a.wait.String(), id))
	defer cancel()
	o, err := a.expect(limited, profile, envelope)
	if err != nil {
		return commandResult{}, err
	}
	defer o.close()
	if b, ok := body.(*events.PublishDataset); ok {
		o.needs = b.Dataset.Terms.Attestations
	}
	stored, err := conn.Publish(ctx, envelope)
	if err != nil {
		return commandResult{}, err
	}
	if stored.Duplicate {
		o.recall()
	}
	result, err := o.wait(limited)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		err = context.Cause(limited)
	}
	return result, err
}

func newCommandResult(e events.Envelope) commandResult {
	return commandResult{Outcome: exchange.Outcome{Command: e.ID, Op: exchange.Op(e.Address.Command())}}
}

// bus connects to the department's bus as one of its users.
func (a *app) bus(ctx context.Context, profile workers.Profile, user string) (*bus.Conn, error) {
	conn, err := bus.Connect(ctx, bus.Config{URL: profile.Bus.URL, CA: profile.Bus.CA, NKeys: profile.Bus.NKeys, User: user})
	switch {
	case errors.Is(err, bus.ErrUnreachable):
		return nil, faultf(errUnreachable, "the bus of %s is away (%w): start the network with `chancery up`, or look at `chancery status`", profile.Department, err)
	case err != nil:
		return nil, fmt.Errorf("bus of %s: %w", profile.Department, err)
	}
	return conn, nil
}
