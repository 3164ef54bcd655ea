package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/compose/native"
)

// DemoOptions say what the demo does besides showing a share.
type DemoOptions struct {
	Keep bool
}

func newDemoCommand(a *app) *cobra.Command {
	var opts DemoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show a share between departments, from nothing, on real parts",
		Long: `Start a network of its own, have three departments publish public tables, let
health ask census for one, and show that it arrives, that a grant gives no more
than it says, that rules and people decide, and that altered bytes are noticed.
Then stop and remove it all.

The first run builds Fabric and kubo, which takes some minutes.`,
		Example: `  chancery demo
  chancery demo --json
  chancery demo --keep --data /tmp/demo`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("data") {
				a.data = ""
			}
			return runDemo(cmd.Context(), a, opts)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&opts.Keep, "keep", false, "leave the network running until interrupted, and keep its directory")
	a.addSettings(cmd, buildSettings...)
	return cmd
}

func runDemo(ctx context.Context, a *app, opts DemoOptions) (err error) {
	began := time.Now()
	if a.data == "" {
		if a.data, err = os.MkdirTemp("", "chancery-demo-"); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	} else if entries, _ := os.ReadDir(a.data); len(entries) > 0 {
		return usagef("%s is not empty: the demo makes a network of its own", a.data)
	}
	if !opts.Keep {
		defer func() { err = errors.Join(err, os.RemoveAll(a.data)) }()
	}
	network, err := a.start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, network.Stop(context.WithoutCancel(ctx))) }()
	d := &demo{app: a, network: network, desks: map[string]*desk{}}
	d.report.Data, d.report.Start = network.Dir(), millis(time.Since(began))
	defer d.close()
	if err := d.run(ctx); err != nil {
		return err
	}
	d.report.Kept = opts.Keep
	d.report.Total = millis(time.Since(began))
	if err := a.result(&d.report, d.report.write); err != nil {
		return err
	}
	if !d.report.good() {
		return errors.New("not everything held that had to: see NO above")
	}
	if opts.Keep {
		a.say("the network keeps running at %s: look around with --data %s, stop it with Ctrl-C", a.data, a.data)
		network.Wait(ctx)
	}
	return nil
}

// demo is one run of the demo.
type demo struct {
	app     *app
	network *native.Network
	desks   map[string]*desk
	oneUse  string // id of the grant that was given for one use
	report  demoReport
}

func (d *demo) close() {
	for _, desk := range d.desks {
		desk.close()
	}
}

// run is the demo after the network is up.
func (d *demo) run(ctx context.Context) error {
	for _, t := range d.network.Topology().Departments {
		desk, err := d.app.openDesk(ctx, d.network, t.Name)
		if desk != nil {
			d.desks[t.Name] = desk
		}
		if err != nil {
			return fmt.Errorf("department %s: %w", t.Name, err)
		}
		d.report.Departments = append(d.report.Departments, t.Name)
	}
	for _, name := range []string{"census", "health", "labor"} {
		if d.desks[name] == nil {
			return usagef("the demo plays with the departments census, health and labor: this network has no %s", name)
		}
	}
	for _, act := range []struct {
		title string
		play  func(context.Context) error
	}{
		{"publishing the tables", d.publishAll},
		{"one request, one narrower grant, one delivery", d.share},
		{"a second use of a one-use grant", d.useTwice},
		{"a use of a revoked grant", d.useRevoked},
		{"three requests, decided by rules and by a person", d.decide},
		{"altered bytes at a kubo node", d.alter},
		{"computing on what nobody shows", d.compute},
		{"measuring the network's own commit latency", d.measureCommits},
	} {
		d.app.say("%s", act.title)
		if err := act.play(ctx); err != nil {
			return fmt.Errorf("%s: %w", act.title, err)
		}
	}
	return nil
}

// step puts an event into the report; since is when it was set off.
func (d *demo) step(what string, since time.Time, f fact) time.Time {
	d.report.Steps = append(d.report.Steps, demoStep{
		What: what, Event: string(f.Address.Event()),
		Department: f.change.By, Signer: f.change.Name, Officer: f.change.Officer,
		Block: f.Position.Block, Tx: f.Position.Tx, Took: millis(f.heard.Sub(since)),
	})
	return f.heard
}

func (d *demo) check(what string, good bool, format string, args ...any) {
	d.report.Checks = append(d.report.Checks, demoCheck{What: what, Good: good, Found: fmt.Sprintf(format, args...)})
}

// commitSamples is how many lone transactions are measured.
const commitSamples = 9

// measureCommits times transactions that change nothing: what the network itself
// takes from submit to commit.
func (d *demo) measureCommits(ctx context.Context) error {
	census := d.desks["census"]
	dataset, err := datasetOf("census")
	if err != nil {
		return err
	}
	op, err := exchange.NewOperation("", exchange.OpDatasetRegister, &dataset)
	if err != nil {
		return err
	}
	var took []time.Duration
	for range commitSamples {
		start := time.Now()
		outcome, err := census.worker.Invoke(ctx, op)
		if err := errors.Join(err, outcome.Err()); err != nil {
			return err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	d.report.Commit, d.report.Commits = millis(took[len(took)/2]), len(took)
	return nil
}

// source is the path of a published table in its department's spool.
func (d *desk) source(file string) string { return filepath.Join(d.profile.Spool, file) }
