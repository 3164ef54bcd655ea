package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"chancery/chaincode/exchange"
	"chancery/events"
	"chancery/workers"
)

const shareWhat = "share, command → delivered file, p50"

func benchShare() benchmark {
	return benchmark{
		name:  "share",
		about: "from a request to the delivered file, against the raw latency of its commits",
		lines: func(BenchOptions) []benchLine { return []benchLine{{What: shareWhat, Target: atMost(1.2)}} },
		run:   func(ctx context.Context, b *bench) error { return b.share(ctx) },
	}
}

// shareCommits are those between a request's command and its file: request,
// grant, redemption, release. The receipt follows the file.
const shareCommits = 4

// share measures one share after another, each beside as many raw commits, one
// after another, as it waits for. An officer of the owner gives at once what is
// asked.
func (b *bench) share(ctx context.Context) error {
	if err := b.ready(ctx); err != nil {
		return err
	}
	stop, err := b.hear(ctx)
	if err != nil {
		return err
	}
	defer stop()
	file, err := b.prepareShare(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(b.quiet(ctx), b.level(ctx)); err != nil {
		return err
	}
	var ours, raw []float64
	shares := 0
	for round := range b.opts.Rounds {
		var mine, theirs timings
		for start := time.Now(); len(mine) == 0 || time.Since(start) < b.opts.turn(); {
			took, err := b.shareOnce(ctx, file)
			if err != nil {
				return err
			}
			commits := time.Duration(0)
			for range shareCommits {
				one, err := b.put(ctx, b.name("share", shares))
				if err != nil {
					return fmt.Errorf("raw Fabric: %w", err)
				}
				commits, shares = commits+one, shares+1
			}
			mine, theirs = append(mine, took), append(theirs, commits)
		}
		ours, raw = append(ours, mine.at(50)), append(raw, theirs.at(50))
		b.say("share, round %d of %d: %d shares, p50 %s ms; %d raw commits %s ms", round+1, b.opts.Rounds,
			len(mine), number(mine.at(50)), shareCommits, number(theirs.at(50)))
	}
	b.report.fill(benchLine{
		Benchmark: "share", What: shareWhat, Ours: figureOf("ms", ours),
		Than: fmt.Sprintf("%d raw commits, one after the other", shareCommits), Baseline: figureOf("ms", raw),
		Detail: fmt.Sprintf("%d shares of a file of %d bytes; request, grant, redemption and release are each a commit that the next waits for", shares/shareCommits, len(shareContent)),
	})
	return nil
}

var shareContent = bytes.Repeat([]byte("chancery "), 114)[:1024]

// prepareShare publishes the file that is shared.
func (b *bench) prepareShare(ctx context.Context) (name string, err error) {
	name = b.run + "-share.bin"
	if err := os.WriteFile(b.owner.source(name), shareContent, 0o600); err != nil {
		return "", err
	}
	_, err = b.publishAndWait(ctx, shareDataset, name)
	return name, err
}

// shareOnce is one share, from the command to the file in the asker's inbox.
func (b *bench) shareOnce(ctx context.Context, file string) (time.Duration, error) {
	id := commandID("")
	request := exchange.NewID(exchange.NounRequest, b.asker.profile.MSP, id)
	opened := b.told.expect(exchange.RequestOpened, request)
	refused := b.heard.expect(exchange.CommandRejected, id)
	body := b.request(shareDataset, 1)
	start := time.Now()
	if err := b.asker.send(ctx, events.RequestOpen, id, body); err != nil {
		return 0, err
	}
	if _, err := b.told.wait(ctx, opened, refused); err != nil {
		return 0, fmt.Errorf("request %s: %w", request, err)
	}
	given, err := b.owner.sign(ctx, exchange.OpGrantGive, &exchange.GiveGrant{Request: request})
	if err != nil {
		return 0, fmt.Errorf("grant for %s: %w", request, err)
	}
	delivered := filepath.Join(b.asker.profile.Inbox, given.ID, "0", file)
	filed := b.heard.expect(exchange.ReceiptFiled, given.ID)
	limited, cancel := context.WithTimeoutCause(ctx, earLimit, faultf(errUnreachable, "%s was not delivered within %s", delivered, earLimit))
	defer cancel()
	err = poll(limited, 2*time.Millisecond, func() (bool, error) {
		_, err := os.Stat(delivered)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	})
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	content, err := os.ReadFile(delivered)
	if err != nil {
		return 0, err
	}
	if !bytes.Equal(content, shareContent) {
		return 0, fmt.Errorf("%s: %w", delivered, errDigest)
	}
	_, err = b.heard.wait(ctx, filed, nil) // the next share shall find the network quiet
	return took, err
}

// publishAndWait publishes a file of the owner's spool and waits until its
// version is on the ledger.
func (b *bench) publishAndWait(ctx context.Context, dataset, file string) (exchange.Object, error) {
	command := commandID("")
	object := exchange.NewID(exchange.NounObject, b.owner.profile.MSP, command)
	registered := b.told.expect(exchange.ObjectRegistered, object)
	refused := b.told.expect(exchange.CommandRejected, command)
	if err := b.owner.publishFile(ctx, command, dataset, file); err != nil {
		return exchange.Object{}, err
	}
	if _, err := b.told.wait(ctx, registered, refused); err != nil {
		return exchange.Object{}, fmt.Errorf("publish %s: %w", file, err)
	}
	var o exchange.Object
	return o, workers.Fault(b.owner.worker.Get(ctx, exchange.NounObject, object, &o))
}
