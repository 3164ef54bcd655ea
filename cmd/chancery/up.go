package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"chancery/compose"
	"chancery/compose/native"
)

// UpOptions say how to start the network.
type UpOptions struct {
	Detach bool

	readyFile string // made when the network is up, for the launcher's starter
}

func newUpCommand(a *app) *cobra.Command {
	var opts UpOptions
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start the network and keep it running",
		Long: `Start a network of departments on this machine and keep it running until
interrupted: for each a Fabric peer, a chaincode server, a kubo node, a bus and
workers, and one orderer. What is missing is built first, once.

On a data directory that was used before it goes on with the same ledger.`,
		Example: `  chancery up
  chancery up --detach --data /tmp/exchange
  chancery up --bin-dir ~/fabric/bin`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runUp(cmd.Context(), a, opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&opts.Detach, "detach", false, "leave the network running in the background")
	a.addSettings(cmd, buildSettings...)
	flags.StringVar(&opts.readyFile, "ready-file", "", "make this file when the network is up")
	flags.MarkHidden("ready-file")
	return cmd
}

// buildSettings are those of every verb that starts a network.
var buildSettings = []string{"bin-dir", "cache-dir", "topology"}

func runUp(ctx context.Context, a *app, opts UpOptions) error {
	if opts.Detach {
		return a.detach(ctx)
	}
	network, err := a.start(ctx)
	if err != nil {
		return err
	}
	err = a.keepUp(ctx, network, opts.readyFile)
	return errors.Join(err, network.Stop(context.WithoutCancel(ctx)))
}

// keepUp says that the network is up and waits until it is interrupted.
func (a *app) keepUp(ctx context.Context, network *native.Network, readyFile string) error {
	if readyFile != "" {
		if err := os.WriteFile(readyFile, nil, 0o600); err != nil {
			return fmt.Errorf("ready file: %w", err)
		}
	} else if err := a.announce(ctx, "stop it with Ctrl-C or `chancery down`"); err != nil {
		return err
	}
	network.Wait(ctx)
	return ctx.Err()
}

// start starts the network in this process.
func (a *app) start(ctx context.Context) (*native.Network, error) {
	options := native.Options{
		BinDir: a.binDir, CacheDir: a.cacheDir,
		Progress: a.err, Bootstrap: bootstrap,
	}
	if a.topology != "" {
		data, err := readSmall(a.topology)
		if err != nil {
			return nil, usagef("%s: %w", a.nameOf("topology"), err)
		}
		if options.Topology, err = compose.Parse(data); err != nil {
			return nil, usagef("%s: %w", a.topology, err)
		}
	}
	return native.Up(ctx, a.data, options)
}

// statusLimit bounds how long a status is asked for after a start.
const statusLimit = 10 * time.Second

// announce prints what now runs, and how to stop it.
func (a *app) announce(ctx context.Context, stop string) error {
	ctx, cancel := context.WithTimeout(ctx, statusLimit)
	defer cancel()
	report, err := native.Status(ctx, a.data)
	if err != nil {
		return err
	}
	a.say("the network at %s is up: look around with `chancery department list`, %s", report.DataDir, stop)
	return a.result(report, func(w io.Writer) { writeReport(w, report) })
}
