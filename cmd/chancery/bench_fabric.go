package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// loadLine is one load on the network itself.
type loadLine struct {
	Function    string  `json:"function"`
	Rate        float64 `json:"rate"`        // transactions or queries sent a second
	Operations  int     `json:"operations"`  // in each
	Departments int     `json:"departments"` // that endorse
	Throughput  float64 `json:"throughput"`  // operations that succeeded a second
	Mean        float64 `json:"meanMs"`
	P50         float64 `json:"p50Ms"`
	P99         float64 `json:"p99Ms"`
	Success     float64 `json:"success"` // share of the operations, 0 to 1
	Failed      string  `json:"failed,omitempty"`
}

var loadHead = []string{"FUNCTION", "SENT/S", "OPERATIONS", "DEPARTMENTS", "OPERATIONS/S", "MEAN", "P50", "P99", "SUCCESS"}

func (l *loadLine) name() string {
	return fmt.Sprintf("%s at %s/s, %s, %s", l.Function, number(l.Rate), count(l.Operations, "operation"), count(l.Departments, "department"))
}

func (l *loadLine) cells() []string {
	cells := []string{l.Function, number(l.Rate), fmt.Sprint(l.Operations), fmt.Sprint(l.Departments)}
	if l.Failed != "" {
		return append(cells, "FAILED", "", "", "", "")
	}
	ms := func(v float64) string { return number(v) + " ms" }
	return append(cells, number(l.Throughput), ms(l.Mean), ms(l.P50), ms(l.P99), fmt.Sprintf("%.1f %%", 100*l.Success))
}

// function is one function of the contract under load. A call of it is what is
// sent; done counts the operations of a call that succeeded.
type function struct {
	name       string
	rates      []float64 // sent a second
	operations []int     // in each
	writes     bool      // endorsed by a majority, and by all; a query asks one peer

	// prepare makes what calls calls of so many operations need.
	prepare func(ctx context.Context, b *bench, series string, calls, operations int) (caller, error)
}

// caller makes the n-th call and says how many of its operations succeeded.
type caller func(ctx context.Context, n int, msps []string) (done int, err error)

var (
	writeRates   = []float64{25, 100}
	batchSizes   = []int{1, 10, 100}
	queryRates   = []float64{100, 500}
	oneOperation = []int{1}
)

// functions is every function that is measured, the writing ones first.
func functions() []function {
	return []function{
		{"open", writeRates, batchSizes, true, prepareOpen},
		{"give", writeRates, oneOperation, true, prepareGive},
		{"redeem", writeRates, []int{1, 10}, true, prepareRedeem},
		{contributeName, writeRates, oneOperation, true, prepareContribute},
		{"Get", queryRates, oneOperation, false, prepareQuery("Get")},
		{"List", queryRates, oneOperation, false, prepareQuery("List")},
		{"History", queryRates, oneOperation, false, prepareQuery("History")},
	}
}

const fabricName = "fabric"

func benchFabric() benchmark {
	return benchmark{
		name:  fabricName,
		about: "the network itself: send rate × operations × endorsers → throughput, latency, success",
		lines: func(BenchOptions) []benchLine { return nil },
		run:   func(ctx context.Context, b *bench) error { return b.fabric(ctx) },
	}
}

// fabric sends at steady rates, with all workers stopped: what they would do
// about each event is no part of the network's own figures.
func (b *bench) fabric(ctx context.Context) error {
	rows := b.fabricRows()
	fail := func(err error) error {
		for _, l := range rows {
			l.Failed = err.Error()
			b.report.Loads = append(b.report.Loads, l)
		}
		return err
	}
	if err := b.ready(ctx); err != nil {
		return fail(err)
	}
	rows = b.fabricRows()
	if !b.computes() {
		b.report.Notes = append(b.report.Notes, "fabric, contribute: left out, since it takes a network of the benchmarks' own with three departments, whose workers can be stopped")
	}
	if err := errors.Join(b.register(ctx, b.owner, redeemDataset), b.registerObject(ctx), b.level(ctx)); err != nil {
		return fail(err)
	}
	if err := b.freeze(ctx, b.everyone()...); err != nil {
		return fail(err)
	}
	var errs []error
	byName := map[string]function{}
	for _, f := range functions() {
		byName[f.name] = f
	}
	for i, l := range rows {
		err := b.load(ctx, byName[l.Function], fmt.Sprintf("fabric%d", i), &l)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			l.Failed = err.Error()
			errs = append(errs, fmt.Errorf("%s: %w", l.name(), err))
		}
		b.report.Loads = append(b.report.Loads, l)
		b.say("fabric, %s: %s operations/s, p50 %s ms, success %.1f %%", l.name(), number(l.Throughput), number(l.P50), 100*l.Success)
	}
	return errors.Join(errs...)
}

// fabricRows is every load, without its figures.
func (b *bench) fabricRows() (rows []loadLine) {
	endorsers := []int{2, 3}
	if b.network != nil {
		all := len(b.everyone())
		if endorsers = []int{all/2 + 1, all}; all == all/2+1 {
			endorsers = endorsers[:1]
		}
	}
	for _, f := range functions() {
		if f.name == contributeName && b.network != nil && !b.computes() {
			continue
		}
		by := endorsers
		if !f.writes {
			by = []int{1}
		}
		for _, operations := range f.operations {
			for _, departments := range by {
				for _, rate := range f.rates {
					rows = append(rows, loadLine{Function: f.name, Rate: rate, Operations: operations, Departments: departments})
				}
			}
		}
	}
	return rows
}

// load is one row.
func (b *bench) load(ctx context.Context, f function, series string, l *loadLine) error {
	turn := b.opts.turn() / 2
	call, err := f.prepare(ctx, b, series, int(l.Rate*turn.Seconds())+1, l.Operations)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	// Two are endorsers always: the asker's department, and the owner's.
	msps := []string{b.asker.profile.MSP, b.owner.profile.MSP}
	for _, d := range b.network.Topology().Departments[2:] {
		msps = append(msps, d.MSP)
	}
	var done, sent atomic.Int64
	t := openLoad(ctx, l.Rate, turn, maxInFlight, func(ctx context.Context, n int) error {
		sent.Add(int64(l.Operations))
		n, err := call(ctx, n, msps[:l.Departments])
		done.Add(int64(n))
		return err
	})
	if err := t.err(); err != nil {
		return err
	}
	l.Throughput = float64(done.Load()) / t.elapsed.Seconds()
	l.Mean, l.P50, l.P99 = t.took.mean(), t.took.at(50), t.took.at(99)
	l.Success = float64(done.Load()) / float64(sent.Load())
	if t.failed > 0 {
		b.report.Notes = append(b.report.Notes, fmt.Sprintf("fabric, %s: %d of %d calls failed, the first with: %v", l.name(), t.failed, t.failed+t.done, t.first))
	}
	return nil
}
