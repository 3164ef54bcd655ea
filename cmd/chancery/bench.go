package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chancery/compose/native"
)

// BenchOptions say what is measured and for how long.
type BenchOptions struct {
	Names    []string // which benchmarks, in the order of benchmarks
	Seconds  int      // of load for each turn of ours or of a baseline
	Rounds   int      // turns of each, alternating; medians are of these
	Events   int      // backlog of the listener; 0: 5,000 for each second
	Sizes    []string // of the files to seal
	SVG      string   // file for the chart
	Markdown string   // file for the report
}

// benchmark is one comparison: what it promises to report, and how it measures.
type benchmark struct {
	name  string
	about string
	// lines are without figures: what is reported also when it fails.
	lines func(BenchOptions) []benchLine
	run   func(context.Context, *bench) error
}

// benchmarks is every benchmark, in the order in which they run: those that
// stop workers come last, each is followed by none that needs more of them.
func benchmarks() []benchmark {
	return []benchmark{
		benchRequests(), benchLatency(), benchListen(), benchShare(), benchPaillier(), benchObject(), benchFabric(),
	}
}

func benchNames() []string {
	names := []string{"all"}
	for _, b := range benchmarks() {
		names = append(names, b.name)
	}
	return names
}

func newBenchCommand(a *app) *cobra.Command {
	var opts BenchOptions
	cmd := &cobra.Command{
		Use:   "bench [BENCHMARK…]",
		Short: "Measure this program against raw Fabric, NATS and IPFS in the same run",
		Long: `Measure what this program adds to its parts: each benchmark takes turns with the
raw part, on the same network, and says how many times as fast, or as slow, it
is. A network is started for it and removed afterwards; with --data, one that
runs there already is used and left running. It is filled with what the
benchmarks write.

` + benchHelp() + `
Figures are medians over the rounds. What could not be measured is reported as
failed, and the exit code is 1; a figure that misses its target is no failure.`,
		Example: `  chancery bench
  chancery bench requests latency --rounds 5 --json
  chancery bench all --svg bench.svg --markdown test/bench/BENCH.md
  chancery bench object --size 1MiB,100MiB
  chancery bench listen --events 1000000 --data /tmp/exchange`,
		ValidArgs: benchNames(),
		Args: func(_ *cobra.Command, args []string) error {
			for _, name := range args {
				if !slices.Contains(benchNames(), name) {
					return usagef("there is no benchmark %q: use %s", name, strings.Join(benchNames(), ", "))
				}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Names = args
			if !cmd.Flags().Changed("data") {
				a.data = ""
			}
			return runBench(cmd.Context(), a, opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&opts.Seconds, "seconds", 10, "load of each turn, in seconds")
	flags.IntVar(&opts.Rounds, "rounds", 3, "turns of ours and of each baseline")
	flags.IntVar(&opts.Events, "events", 0, "events of backlog for the listener (default: 5000 for each second of load)")
	flags.StringSliceVar(&opts.Sizes, "size", []string{"1MiB", "100MiB", "4GiB"}, "sizes of the files to seal, in bytes, KiB, MiB or GiB")
	flags.StringVar(&opts.SVG, "svg", "", "write a chart (SVG) to this file")
	flags.StringVar(&opts.Markdown, "markdown", "", "write the report (Markdown) to this file")
	a.addSettings(cmd, buildSettings...)
	cmd.AddCommand(newBenchRawCommand(a), newBenchAttachedCommand(a))
	return cmd
}

func benchHelp() string {
	var help strings.Builder
	for _, b := range benchmarks() {
		fmt.Fprintf(&help, "  %-9s %s\n", b.name, b.about)
	}
	return help.String()
}

// chosen are the benchmarks that are named; none named, or all: every one.
func (o *BenchOptions) chosen() []benchmark {
	if len(o.Names) == 0 || slices.Contains(o.Names, "all") {
		return benchmarks()
	}
	return slices.DeleteFunc(benchmarks(), func(b benchmark) bool { return !slices.Contains(o.Names, b.name) })
}

// Bounds of the options.
const (
	maxBenchSeconds = 3600
	maxBenchRounds  = 100
	maxBenchEvents  = 10_000_000
)

func (o *BenchOptions) validate() error {
	for _, r := range []struct {
		name        string
		n, from, to int
	}{
		{"seconds", o.Seconds, 1, maxBenchSeconds}, {"rounds", o.Rounds, 1, maxBenchRounds}, {"events", o.Events, 0, maxBenchEvents},
	} {
		if r.n < r.from || r.n > r.to {
			return usagef("--%s is %d: %d to %d are allowed", r.name, r.n, r.from, r.to)
		}
	}
	if o.Events == 0 {
		o.Events = 5000 * o.Seconds
	}
	if len(o.Sizes) == 0 {
		return usagef("--size names no size")
	}
	for _, text := range o.Sizes {
		if _, err := parseSize(text); err != nil {
			return usagef("--size: %w", err)
		}
	}
	return nil
}

// turn is how long one turn of load lasts.
func (o *BenchOptions) turn() time.Duration { return time.Duration(o.Seconds) * time.Second }

func runBench(ctx context.Context, a *app, opts BenchOptions) (err error) {
	if err := opts.validate(); err != nil {
		return err
	}
	b := &bench{app: a, opts: opts, began: time.Now()}
	b.report.begin(opts)
	defer func() { err = errors.Join(err, b.close(context.WithoutCancel(ctx))) }()
	for _, m := range opts.chosen() {
		b.report.promise(m, opts)
	}
	for _, m := range opts.chosen() {
		b.say("%s", m.name)
		if err := b.measure(ctx, m); err != nil {
			return err
		}
	}
	b.report.Elapsed, b.report.Machine.LoadAfter = millis(time.Since(b.began)), loadAverage()
	if err := b.report.save(opts); err != nil {
		return err
	}
	if err := a.result(&b.report, b.report.write); err != nil {
		return err
	}
	if failed := b.report.failed(); len(failed) > 0 {
		return fmt.Errorf("%s not measured: %s", count(len(failed), "figure"), strings.Join(failed, "; "))
	}
	return nil
}

// measure runs one benchmark. What it could not measure is in the report; only
// an interruption ends the whole.
func (b *bench) measure(ctx context.Context, m benchmark) error {
	err := m.run(ctx, b)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		b.say("%s failed: %v", m.name, err)
	}
	b.report.settle(m.name, err)
	return nil
}

// say prints progress with the time since the beginning.
func (b *bench) say(format string, args ...any) {
	b.app.say("[%7.1f s] %s", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// ready starts the network, or finds the one that runs, when a benchmark first
// needs it. What went wrong then is every later benchmark's error too.
func (b *bench) ready(ctx context.Context) error {
	if !b.tried {
		b.tried = true
		b.broken = b.find(ctx)
		if b.broken == nil {
			b.report.Network = b.describeNetwork()
			b.broken = b.open(ctx)
		}
	}
	return b.broken
}

// find makes b.network the one that runs from the data directory, or starts it.
func (b *bench) find(ctx context.Context) error {
	if b.app.data == "" {
		dir, err := os.MkdirTemp("", "chancery-bench-")
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		b.app.data, b.temporary = dir, true
	}
	report, err := native.Status(ctx, b.app.data)
	if err != nil && !errors.Is(err, native.ErrNoNetwork) {
		return err
	}
	if report.Running {
		b.say("uses the network that runs from %s", report.DataDir)
		b.network, err = native.Open(b.app.data)
		return err
	}
	network, err := b.app.start(ctx)
	if err != nil {
		return err
	}
	b.network, b.own = network, true
	return nil
}
