package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"chancery/events"
	"chancery/events/bus"
)

func newDeadCommand(a *app) *cobra.Command {
	return newNoun("dead", "Look at what no retry could do, have it tried again, or drop it",
		newDeadListCommand(a), newDeadShowCommand(a), newDeadRetryCommand(a), newDeadDropCommand(a))
}

// letter is a dead letter as the stream DEAD holds it.
type letter struct {
	ID uint64 `json:"id"` // its sequence in DEAD
	events.Failed
	Retried *time.Time `json:"retried,omitempty"` // when that was asked for
}

// state is what was done about a letter.
func (l letter) state() string {
	if l.Retried == nil {
		return "open"
	}
	return "retried"
}

// readLetters yields the letters from a number on, each with when it was
// retried. What is no letter is told and passed over.
func (a *app) readLetters(ctx context.Context, conn *bus.Conn, from uint64, yield func(letter) error) error {
	retried := make(map[uint64]time.Time)
	err := conn.Read(ctx, events.RetryFilter(""), 0, func(m *bus.Message) error {
		if id, err := strconv.ParseUint(m.Address.ID, 10, 64); err == nil {
			retried[id] = m.Stored
		}
		return nil
	})
	if err != nil {
		return err
	}
	return conn.Read(ctx, events.All(events.StreamDead), from, func(m *bus.Message) error {
		failed, err := events.Record[events.Failed](m.Envelope)
		if err = errors.Join(m.Err, err); err != nil {
			a.say("message %d of %s: %v", m.Sequence, m.Stream, err)
			return nil
		}
		l := letter{ID: m.Sequence, Failed: failed}
		if at, ok := retried[m.Sequence]; ok {
			l.Retried = &at
		}
		return yield(l)
	})
}

// errEnough ends the reading of letters.
var errEnough = errors.New("no more is wanted")

// letterAt reads the letter with a number.
func (a *app) letterAt(ctx context.Context, conn *bus.Conn, id uint64) (found letter, err error) {
	err = a.readLetters(ctx, conn, id, func(l letter) error {
		found = l
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		return letter{}, err
	}
	if found.ID != id {
		return letter{}, faultf(errNotFound, "there is no dead letter %d: `chancery dead list` shows them", id)
	}
	return found, nil
}

// letterNumbers reads the arguments of the verbs that take letters.
func letterNumbers(args []string) ([]uint64, error) {
	ids := make([]uint64, len(args))
	for i, arg := range args {
		id, err := strconv.ParseUint(arg, 10, 64)
		if err != nil || id == 0 {
			return nil, usagef("%q is not the number of a dead letter: `chancery dead list` shows them", arg)
		}
		ids[i] = id
	}
	return ids, nil
}

// ChooseOptions select dead letters: by number, or by one of these.
type ChooseOptions struct {
	Worker string
	All    bool
}

func (o *ChooseOptions) addTo(cmd *cobra.Command, what string) {
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&o.Worker, "worker", "", what+" of this worker")
	cmd.Flags().BoolVar(&o.All, "all", false, what)
}

// choose finds the letters; of a worker or of all, those that keep says.
func (a *app) choose(ctx context.Context, conn *bus.Conn, opts ChooseOptions, args []string, keep func(letter) bool) ([]letter, error) {
	ids, err := letterNumbers(args)
	if err != nil {
		return nil, err
	}
	list := make([]letter, 0, len(ids))
	for _, id := range ids {
		l, err := a.letterAt(ctx, conn, id)
		if err != nil {
			return nil, err
		}
		l.Body = nil
		list = append(list, l)
	}
	if len(ids) > 0 {
		return list, nil
	}
	err = a.readLetters(ctx, conn, 0, func(l letter) error {
		if (opts.All || l.Worker == opts.Worker) && keep(l) {
			l.Body = nil // there may be many
			list = append(list, l)
		}
		return nil
	})
	return list, err
}

// check refuses a selection that is none, or two.
func (o ChooseOptions) check(args []string) error {
	said := 0
	for _, is := range []bool{len(args) > 0, o.Worker != "", o.All} {
		if is {
			said++
		}
	}
	if said != 1 {
		return usagef("say which dead letters: by their numbers, or --worker, or --all")
	}
	_, err := letterNumbers(args)
	return err
}

// asAdmin uses the bus of the department to act as, as its administrator.
func (a *app) asAdmin(ctx context.Context, use func(department string, conn *bus.Conn) error) error {
	profile, err := a.profile()
	if err != nil {
		return err
	}
	conn, err := a.bus(ctx, profile, bus.UserAdmin)
	if err != nil {
		return err
	}
	defer conn.Close()
	return use(profile.Department, conn)
}

// adopt makes letters of what the server gave up on without a worker's word, as
// far as the caller holds the administrator's key.
func (a *app) adopt(ctx context.Context) {
	err := a.asAdmin(ctx, func(department string, conn *bus.Conn) error {
		adopted, err := conn.Adopt(ctx, department)
		if adopted > 0 {
			a.say("%d messages that the server gave up on, and no worker, are dead letters now", adopted)
		}
		return err
	})
	if err != nil {
		a.say("what the server itself may have given up on is not listed: %v", err)
	}
}

// origin is where the message of a letter stands.
func (l letter) origin() string { return fmt.Sprintf("%s %d", l.Stream, l.Sequence) }
