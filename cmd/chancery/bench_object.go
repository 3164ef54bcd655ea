package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
)

func objectWhat(size string) string   { return "seal + add + pin, " + size }
func objectMemory(size string) string { return "peak memory of the worker, " + size }
func objectWhole(size string) string  { return "the same, read back and on the ledger, " + size }

// largeObject is the size from which the targets hold, in bytes.
const largeObject = 4 << 30

func benchObject() benchmark {
	return benchmark{
		name:  "object",
		about: "MB/s from a file to a sealed and pinned object, against `ipfs add` of the same bytes and sync",
		lines: func(o BenchOptions) (lines []benchLine) {
			for _, text := range o.Sizes {
				rate, memory := benchLine{What: objectWhat(text)}, benchLine{What: objectMemory(text)}
				if n, err := parseSize(text); err == nil && n >= largeObject {
					rate.Target, memory.Target = atLeast(0.8), atMost(128)
				}
				lines = append(lines, rate, benchLine{What: objectWhole(text)}, memory)
			}
			return lines
		},
		run: func(ctx context.Context, b *bench) error { return b.object(ctx) },
	}
}

// object measures each size, in turns, ours and kubo's own command, on bytes
// that the node does not have. Other departments' workers are stopped, so that
// nobody fetches replicas meanwhile.
func (b *bench) object(ctx context.Context) error {
	if err := b.ready(ctx); err != nil {
		return err
	}
	stop, err := b.hear(ctx)
	if err != nil {
		return err
	}
	defer stop()
	var others []string
	for _, name := range b.everyone() {
		if name != b.owner.name {
			others = append(others, name)
		}
	}
	if err := b.freeze(ctx, others...); err != nil {
		return err
	}
	var errs []error
	for _, text := range b.opts.Sizes {
		err := b.objectOf(ctx, text)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			continue
		}
		for _, what := range []string{objectWhat(text), objectWhole(text), objectMemory(text)} {
			b.report.fill(benchLine{Benchmark: "object", What: what, Failed: err.Error()})
		}
		errs = append(errs, fmt.Errorf("%s: %w", text, err))
	}
	return errors.Join(errs...)
}

// smallObject is the size below which a round takes several files.
const (
	smallObject = 16 << 20
	smallFiles  = 7
)

func (b *bench) objectOf(ctx context.Context, text string) error {
	n, err := parseSize(text)
	if err != nil {
		return err
	}
	files := 1
	if n < smallObject {
		files = smallFiles
	}
	var ours, whole, raw, peaks []float64
	for round := range b.opts.Rounds {
		var sealing, registering, adding []float64
		peak := int64(0)
		for range files {
			s, err := b.sealBeside(ctx, n)
			if err != nil {
				return err
			}
			sealing, registering, adding = append(sealing, megabytes(n, s.sealed)), append(registering, megabytes(n, s.registered)), append(adding, megabytes(n, s.added))
			peak = max(peak, s.peak)
		}
		ours, whole, raw = append(ours, median(sealing)), append(whole, median(registering)), append(raw, median(adding))
		peaks = append(peaks, float64(peak)/(1<<20))
		b.say("object of %s, round %d of %d: ours %s MB/s, ipfs add %s MB/s, peak %s", text, round+1, b.opts.Rounds,
			number(median(sealing)), number(median(adding)), size(peak))
	}
	detail := fmt.Sprintf("%s in each round", count(files, "file"))
	than, baseline := "`ipfs add` to the same node, and sync", figureOf("MB/s", raw)
	b.report.fill(benchLine{Benchmark: "object", What: objectWhat(text), Ours: figureOf("MB/s", ours), Than: than, Baseline: baseline, Detail: detail})
	b.report.fill(benchLine{Benchmark: "object", What: objectWhole(text), Ours: figureOf("MB/s", whole), Than: than, Baseline: baseline})
	b.report.fill(benchLine{Benchmark: "object", What: objectMemory(text), Ours: figureOf("MiB", peaks), Detail: "of the process of all the department's workers"})
	return nil
}

// megabytes is a rate in millions of bytes a second.
func megabytes(n int64, d time.Duration) float64 { return float64(n) / 1e6 / d.Seconds() }

// sealed is one file on its two ways.
type sealed struct {
	sealed     time.Duration // from object.staged to object.sealed
	registered time.Duration // from object.staged to object.registered
	added      time.Duration // by kubo's command, with the sync after it
	peak       int64         // bytes of memory of the workers' process
}

// sealBeside publishes a new file of random bytes and then has kubo add it.
func (b *bench) sealBeside(ctx context.Context, n int64) (s sealed, err error) {
	name := b.run + "-object.bin"
	file := b.owner.source(name)
	if err := writeRandom(ctx, file, n); err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, os.Remove(file)) }()
	pid, err := b.pid(ctx, b.owner.name, "workers")
	if err != nil {
		return s, err
	}
	syscall.Sync() // what was written before is nobody's work here
	if err := resetPeak(pid); err != nil {
		return s, err
	}
	command := commandID("")
	id := exchange.NewID(exchange.NounObject, b.owner.profile.MSP, command)
	refused := b.told.expect(exchange.CommandRejected, command)
	staged, done := b.told.expect(events.ObjectStaged, id), b.told.expect(events.ObjectSealed, id)
	registered := b.told.expect(exchange.ObjectRegistered, id)
	if err := b.owner.publishFile(ctx, command, sealDataset, name); err != nil {
		return s, err
	}
	var at [3]time.Time
	var o exchange.Object
	for i, came := range []<-chan heardEvent{staged, done, registered} {
		h, err := b.told.waitFor(ctx, came, refused, sealLimit)
		if err != nil {
			return s, err
		}
		at[i] = h.at
		if i == 2 {
			if o, err = events.Record[exchange.Object](h.Envelope); err != nil {
				return s, err
			}
		}
	}
	s.sealed, s.registered = at[1].Sub(at[0]), at[2].Sub(at[0])
	if s.peak, err = memoryOf(pid, "VmHWM"); err != nil {
		return s, err
	}
	syscall.Sync()
	cid, took, err := b.ipfsAdd(ctx, file)
	if err != nil {
		return s, err
	}
	s.added = took
	if err := b.forget(ctx, cid); err != nil || !b.own {
		return s, err
	}
	return s, b.forget(ctx, o.CID) // the room is needed, and nobody asks for it
}

// sealLimit bounds how long one file may take to its next step.
const sealLimit = 10 * time.Minute

// ipfsAdd has kubo's own command add a file in the same way, and syncs.
func (b *bench) ipfsAdd(ctx context.Context, file string) (cid string, took time.Duration, err error) {
	host, port, _ := strings.Cut(b.owner.profile.IPFS.API, ":")
	repo, err := b.scratch("ipfs")
	if err != nil {
		return "", 0, err
	}
	cmd := exec.CommandContext(ctx, b.network.IPFSPath(), "--api", "/ip4/"+host+"/tcp/"+port, "--api-auth", "bearer:"+b.owner.profile.IPFS.Auth,
		"add", "--quieter", "--cid-version=1", "--raw-leaves", "--chunker=size-"+strconv.Itoa(1<<20), "--pin", file)
	cmd.Env = append(os.Environ(), "IPFS_PATH="+repo, "IPFS_TELEMETRY=off")
	start := time.Now()
	out, err := cmd.Output()
	if err != nil {
		var ended *exec.ExitError
		if errors.As(err, &ended) {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(ended.Stderr)))
		}
		return "", 0, fmt.Errorf("ipfs add: %w", err)
	}
	syscall.Sync()
	return strings.TrimSpace(string(out)), time.Since(start), nil
}

// writeRandom fills a file with bytes that no node has.
func writeRandom(ctx context.Context, file string, n int64) error {
	var seed [32]byte
	rand.Read(seed[:])
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	_, err = io.CopyN(w, &untilDone{ctx, mathrand.NewChaCha8(seed)}, n)
	return errors.Join(err, w.Flush(), f.Close())
}

// untilDone reads until the context ends.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u *untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
