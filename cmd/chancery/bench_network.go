package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chancery/chaincode/exchange"
	"chancery/compose/native"
	"chancery/events"
	"chancery/workers"
)

// bench is one run of the benchmarks: a network, two of its departments, and
// what was measured. One goroutine uses it.
type bench struct {
	app       *app
	opts      BenchOptions
	began     time.Time
	report    benchReport
	network   *native.Network
	own       bool // started here, and stopped here
	temporary bool // its directory is removed
	tried     bool // to find or start it
	broken    error

	owner, asker *desk            // hold the data, ask for it
	provider     *desk            // is asked a great deal, and answers nothing
	heard        *ear             // the asker's bus, while b.hear says so
	told         *ear             // the owner's bus, likewise
	raw          *wire            // the asker's worker at its peer, without our client
	wires        map[string]*wire // of other identities, once they are needed
	jobs         *computing       // of the load of contributions
	run          string           // begins the names of what this run makes

	servers []io.Closer    // of the raw chaincode
	frozen  map[string]int // departments whose workers are stopped, and the process

	capacity, rawCapacity float64 // a second; 0: not measured yet
	inFlight              int     // calls of raw Fabric at which it is fastest
}

// open connects to the network that runs.
func (b *bench) open(ctx context.Context) (err error) {
	departments := b.network.Topology().Departments
	if len(departments) < 2 {
		return usagef("the benchmarks play with two departments: this network has %d", len(departments))
	}
	b.run = strings.ToLower(commandID("")[:8])
	if b.owner, err = b.desk(ctx, departments[0].Name); err != nil {
		return err
	}
	if b.asker, err = b.desk(ctx, departments[1].Name); err != nil {
		return err
	}
	if b.provider, err = b.desk(ctx, b.providerName()); err != nil {
		return err
	}
	if b.raw, err = openWire(b.asker.profile, exchange.Worker); err != nil {
		return err
	}
	if err := b.serveRaw(ctx); err != nil {
		return err
	}
	if err := errors.Join(b.register(ctx, b.owner, giveDataset), b.register(ctx, b.provider, benchDataset)); err != nil {
		return err
	}
	return b.level(ctx)
}

// desk opens a department's, with patience for a bus that a busy machine keeps
// waiting.
func (b *bench) desk(ctx context.Context, department string) (d *desk, err error) {
	limited, cancel := context.WithTimeout(ctx, earLimit)
	defer cancel()
	polled := poll(limited, time.Second, func() (bool, error) {
		d, err = b.app.openDesk(ctx, b.network, department)
		if d != nil && err != nil {
			d.close()
			d = nil
		}
		return !errors.Is(err, errUnreachable), nil
	})
	if err == nil {
		err = polled
	}
	return d, err
}

// close ends what open and ready began, in the opposite order.
func (b *bench) close(ctx context.Context) error {
	errs := []error{b.thaw()}
	for _, s := range b.servers {
		errs = append(errs, s.Close())
	}
	if b.raw != nil {
		errs = append(errs, b.raw.close())
	}
	for _, w := range b.wires {
		errs = append(errs, w.close())
	}
	for _, d := range []*desk{b.owner, b.asker, b.provider} {
		if d != nil {
			d.close()
		}
	}
	if b.own {
		errs = append(errs, b.network.Stop(ctx))
	}
	if b.temporary {
		errs = append(errs, os.RemoveAll(b.app.data))
	}
	return errors.Join(errs...)
}

// hear listens to both departments' buses until it is told to stop.
func (b *bench) hear(ctx context.Context) (stop func(), err error) {
	stop = func() {
		for _, e := range []*ear{b.heard, b.told} {
			if e != nil {
				e.close()
			}
		}
		b.heard, b.told = nil, nil
	}
	for _, d := range []struct {
		desk *desk
		to   **ear
	}{{b.asker, &b.heard}, {b.owner, &b.told}} {
		if *d.to, err = listenTo(ctx, d.desk.profile.Bus); err != nil {
			stop()
			return nil, fmt.Errorf("bus of %s: %w", d.desk.name, err)
		}
	}
	return stop, nil
}

func (b *bench) describeNetwork() string {
	t := b.network.Topology()
	return fmt.Sprintf("%s and one Raft orderer on this machine; a block after %s, %d transactions or %s",
		count(len(t.Departments), "department"), t.Orderer.BatchTimeout, t.Orderer.MaxMessages, size(int64(t.Orderer.PreferredBytes)))
}

// Datasets of the benchmarks, the owner's but for the first.
const (
	benchDataset = "bench"        // of the provider; nobody gives it
	giveDataset  = "bench-give"   // given, and never used
	shareDataset = "bench-share"  // shared
	sealDataset  = "bench-object" // sealed
)

const benchPurpose = "benchmark"

// register makes a dataset of a department, unless it is there.
func (b *bench) register(ctx context.Context, d *desk, name string) error {
	body := describeBench(name)
	outcome, err := workers.Submit(ctx, d.worker, "", exchange.OpDatasetRegister, &body)
	if err := errors.Join(err, outcome.Err()); err != nil {
		return fmt.Errorf("register dataset %s: %w", name, err)
	}
	return nil
}

func describeBench(name string) exchange.RegisterDataset {
	return exchange.RegisterDataset{
		Name:        name,
		Description: exchange.Description{Title: "Bytes of a benchmark", Licence: "CC0-1.0", MediaType: "application/octet-stream"},
		Terms: exchange.Terms{
			Actions: []exchange.Action{exchange.Read}, MaxUses: exchange.MaxUses, MaxDuration: exchange.MaxDuration,
		},
	}
}

// request is the body of one request for a dataset.
func (b *bench) request(dataset string, uses int) *exchange.OpenRequest {
	of := b.owner
	if dataset == benchDataset {
		of = b.provider
	}
	return &exchange.OpenRequest{
		Dataset: of.name + "/" + dataset, Purpose: benchPurpose, LegalBasis: "none: this is a benchmark",
		Actions: []exchange.Action{exchange.Read}, Uses: uses, ValidFor: 24 * 3600,
	}
}

// command makes the n-th command of a series that opens a request.
func (b *bench) command(series string, n int, at time.Time) (events.Envelope, error) {
	return events.NewCommand(b.asker.name, events.RequestOpen, b.name(series, n), b.request(benchDataset, 1), at)
}

// name is an id that no other run and no other series has.
func (b *bench) name(series string, n int) string { return fmt.Sprintf("%s-%s-%d", b.run, series, n) }

// send publishes a command of the department's systems under an id.
func (d *desk) send(ctx context.Context, name events.Command, id string, body exchange.Body) error {
	e, err := events.NewCommand(d.name, name, id, body, time.Now())
	if err == nil {
		_, err = d.systems.Publish(ctx, e)
	}
	return err
}

// publishFile has a file of the department's spool published.
func (d *desk) publishFile(ctx context.Context, command, dataset, file string) error {
	return d.send(ctx, events.DatasetPublish, command, &events.PublishDataset{Dataset: describeBench(dataset), File: file})
}

// everyone is every department of the network.
func (b *bench) everyone() (names []string) {
	for _, d := range b.network.Topology().Departments {
		names = append(names, d.Name)
	}
	return names
}

// forget has the owner's kubo node let go of an object, and of all else that
// nothing pins.
func (b *bench) forget(ctx context.Context, cid string) error {
	for _, call := range []string{"pin/rm?arg=" + cid, "repo/gc?quiet=true"} {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.owner.profile.IPFS.API+"/api/v0/"+call, nil)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+b.owner.profile.IPFS.Auth)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return fmt.Errorf("kubo %s: %w", call, err)
		}
		_, err = io.Copy(io.Discard, answer.Body)
		if err = errors.Join(err, answer.Body.Close()); err != nil {
			return fmt.Errorf("kubo %s: %w", call, err)
		}
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("kubo %s: %s", call, answer.Status)
		}
	}
	return nil
}

// scratch is a directory of the benchmarks in the network's.
func (b *bench) scratch(names ...string) (string, error) {
	dir := filepath.Join(append([]string{b.network.Dir(), "bench"}, names...)...)
	return dir, os.MkdirAll(dir, 0o700)
}
