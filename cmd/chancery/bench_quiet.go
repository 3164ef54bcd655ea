package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"chancery/events"
	"chancery/events/bus"
	"chancery/workers"
)

// quietLimit bounds how long workers may still be at work on what a turn left
// them.
const quietLimit = 5 * time.Minute

// quiet waits until every department's workers have done what is on their
// buses: who takes the next turn shall find the machine as the last one did. The
// workers that are stopped here are not waited for.
func (b *bench) quiet(ctx context.Context) error {
	start := time.Now()
	limited, cancel := context.WithTimeoutCause(ctx, quietLimit, errBusy)
	defer cancel()
	for _, name := range b.everyone() {
		if b.frozen[name] > 0 {
			continue
		}
		err := b.quietAt(limited, name)
		if errors.Is(err, errBusy) && ctx.Err() == nil {
			note := fmt.Sprintf("the workers of %s were still busy with earlier turns after %s", name, quietLimit)
			if !slices.Contains(b.report.Notes, note) {
				b.report.Notes = append(b.report.Notes, note)
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
	if waited := time.Since(start); waited > 5*time.Second {
		b.say("waited %s for workers that were still at work", waited.Round(time.Second))
	}
	return nil
}

var errBusy = errors.New("workers are busy")

func (b *bench) quietAt(ctx context.Context, department string) error {
	profile, err := workers.LoadProfile(b.network.DepartmentDir(department))
	if err != nil {
		return err
	}
	conn, js, err := plainBus(profile.Bus, bus.UserAdmin)
	if err != nil {
		return fmt.Errorf("bus of %s: %w", department, err)
	}
	defer conn.Close()
	return poll(ctx, quietPoll, func() (bool, error) {
		for _, stream := range []string{events.StreamCommands, events.StreamLedger, events.StreamWork} {
			if busy, err := waiting(ctx, js, stream); busy || err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

const quietPoll = 100 * time.Millisecond

// waiting reports whether a stream holds what a worker has not done.
func waiting(ctx context.Context, js jetstream.JetStream, name string) (bool, error) {
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return false, err
	}
	list := stream.ListConsumers(ctx)
	busy := false
	for info := range list.Info() {
		busy = busy || info.Config.AckPolicy == jetstream.AckExplicitPolicy && (info.NumPending > 0 || info.NumAckPending > 0)
	}
	return busy, list.Err()
}
