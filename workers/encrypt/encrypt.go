// Package encrypt is the worker that seals: it streams a file of the spool
// through age into the department's kubo node, in one pass and constant memory,
// checks the table on the way, and says object.sealed once the journal holds
// what it did. A repeat of the same object says the same again.
//
// What is wrong with the file, or with the table in it, is the command's fault
// and answered as command.rejected.
package encrypt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/envelope"
	"chancery/crypto/keystore"
	"chancery/events"
	"chancery/workers"
	"chancery/workers/ipfs"
	"chancery/workers/journal"
	"chancery/workers/table"
)

// Name of the worker.
const Name = "encrypt"

// Node is the department's kubo node.
type Node interface {
	Add(ctx context.Context, r io.Reader) (cid string, size int64, err error)
	Unpin(ctx context.Context, cid string) error
}

// Ledger is what encrypt needs of the ledger client.
type Ledger interface {
	Get(ctx context.Context, noun exchange.Noun, id string, v any) error
}

// Config is what encrypt works with.
type Config struct {
	Department string // own name
	MSP        string // own Fabric MSP
	Spool      string // directory of the files to seal
	Keys       *keystore.Store
	Journal    *journal.Journal
	Node       Node
	Ledger     Ledger
	Bus        workers.Publisher
}

// New returns the worker.
func New(cfg Config) workers.Worker {
	e := &encrypt{cfg}
	return workers.Worker{Name: Name, Subscriptions: []workers.Subscription{
		{Filter: events.WorkFilter(events.ObjectStaged, "", ""), Handle: e.handle, Concurrency: 2},
	}}
}

type encrypt struct{ Config }

func (e *encrypt) handle(ctx context.Context, m *workers.Message) error {
	if m.Address.From != e.Department {
		return workers.Reject(fmt.Errorf("staged by %s on the bus of %s", m.Address.From, e.Department))
	}
	staged, err := events.Payload[events.Staged](m.Envelope)
	if err != nil {
		return workers.Reject(err)
	}
	if staged.Object != exchange.NewID(exchange.NounObject, e.MSP, staged.Command) {
		return workers.Reject(fmt.Errorf("object %s is not of command %s", staged.Object, staged.Command))
	}
	object, err := e.object(ctx, staged)
	if refusal, ok := errors.AsType[*exchange.Error](err); ok {
		return e.refuse(ctx, m, staged, refusal)
	}
	if err != nil {
		return workers.Patient(m, err, ledger.Away, ipfs.Temporary)
	}
	return e.say(ctx, object)
}

// object is what was sealed of a staged file, now or before.
func (e *encrypt) object(ctx context.Context, s events.Staged) (journal.Object, error) {
	object, err := e.Journal.Object(s.Object, s.Dataset)
	if errors.Is(err, journal.ErrNotFound) {
		object, err = e.seal(ctx, s)
	}
	if err != nil {
		return journal.Object{}, err
	}
	if r := object.Registration; r.FileName != s.File || r.Source != s.Source || !slices.Equal(r.DerivedFrom, s.DerivedFrom) {
		return journal.Object{}, exchange.Errorf(exchange.Conflict, "command %s published another file: use a new command id", s.Command)
	}
	return object, nil
}

// refuse tells the command's sender what is wrong with the file.
func (e *encrypt) refuse(ctx context.Context, m *workers.Message, s events.Staged, refusal *exchange.Error) error {
	zerolog.Ctx(ctx).Warn().Str("command", s.Command).Str("id", s.Object).Err(refusal).Msg("file refused")
	c := workers.Command{
		Department: e.Department, MSP: e.MSP, ID: s.Command, Op: string(events.DatasetPublish),
		Cause: Name + "-" + strconv.FormatUint(m.Sequence, 10),
	}
	return workers.Answer(ctx, e.Bus, c, exchange.Outcome{Code: refusal.Code, Message: refusal.Message})
}

func (e *encrypt) say(ctx context.Context, o journal.Object) error {
	payload := events.Sealed{Object: o.ID, RegisterObject: o.Registration}
	ev, err := events.NewWork(events.ObjectSealed, e.Department, exchange.ToAll, o.ID, o.Registration.Command, &payload, time.Now())
	if err != nil {
		return err
	}
	_, err = e.Bus.Publish(ctx, ev)
	return err
}

// seal seals the file and journals the result.
func (e *encrypt) seal(ctx context.Context, s events.Staged) (journal.Object, error) {
	var dataset exchange.Dataset
	if err := e.Ledger.Get(ctx, exchange.NounDataset, s.Dataset, &dataset); err != nil {
		return journal.Object{}, fmt.Errorf("dataset of %s: %w", s.Object, workers.Fault(err))
	}
	identity, err := e.Keys.CreateIdentity(keystore.Dataset(s.Dataset))
	if err != nil {
		return journal.Object{}, err
	}
	file, err := workers.OpenSpool(e.Spool, s.File)
	if err != nil {
		return journal.Object{}, err
	}
	defer file.Close()
	start := time.Now()
	done, err := e.stream(ctx, file, dataset, identity.Recipient())
	if err != nil {
		return journal.Object{}, fmt.Errorf("seal %s: %w", s.File, err)
	}
	zerolog.Ctx(ctx).Info().Str("id", s.Object).Str("cid", done.cid).Int64("bytes", done.ContentSize).
		Int64("rows", done.rows).Dur("ms", time.Since(start)).Msg("sealed")
	return e.record(ctx, s, done)
}

// result of one pass over a file.
type result struct {
	envelope.Sealed
	cid  string
	rows int64
}

// stream runs file → table check → age → kubo, all at once. kubo keeps nothing
// of a file that is refused.
func (e *encrypt) stream(ctx context.Context, file *os.File, d exchange.Dataset, to envelope.Recipient) (result, error) {
	before, err := file.Stat()
	if err != nil {
		return result{}, err
	}
	var (
		done      result
		sealErr   error
		finished  = make(chan struct{})
		out, into = io.Pipe()
	)
	go func() {
		defer close(finished)
		done, sealErr = pour(into, file, before, d, to)
		into.CloseWithError(sealErr)
	}()
	cid, _, err := e.Node.Add(ctx, out)
	out.CloseWithError(err)
	<-finished
	if refusal, ok := errors.AsType[*exchange.Error](sealErr); ok {
		return result{}, refusal
	}
	if err = cmp.Or(err, sealErr); err != nil {
		return result{}, err
	}
	done.cid = cid
	return done, nil
}

// pour seals the file into a writer. A refusal says what is wrong with the
// file, which must still be what it was before.
func pour(into io.Writer, file *os.File, before os.FileInfo, d exchange.Dataset, to envelope.Recipient) (result, error) {
	check, err := table.NewChecker(table.Of(d.Description))
	if err != nil {
		return result{}, err
	}
	in := io.LimitReader(file, before.Size()+1) // of a file that grows, enough to know
	var done result
	done.Sealed, err = envelope.Seal(into, io.TeeReader(in, check), to)
	if _, wrong := errors.AsType[*table.Error](err); err != nil && !wrong {
		return result{}, err
	}
	if err := unchanged(file, before); err != nil {
		return result{}, err
	}
	if done.rows, err = check.Close(); err != nil {
		return result{}, exchange.Errorf(exchange.Invalid, "the file is not the table that dataset %s declares: %v", d.Name, err)
	}
	return done, nil
}

// unchanged refuses a file that was written to while it was read.
func unchanged(file *os.File, before os.FileInfo) error {
	after, err := file.Stat()
	if err != nil {
		return err
	}
	if after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return exchange.Errorf(exchange.Invalid, "file %q changed while it was being sealed: publish it when it is complete", before.Name())
	}
	return nil
}

// record journals the result. Where another copy of this worker was faster,
// its result stands and ours is let go.
func (e *encrypt) record(ctx context.Context, s events.Staged, done result) (journal.Object, error) {
	mine := journal.Object{ID: s.Object, Key: done.Key, Salt: done.Salt, Registration: exchange.RegisterObject{
		Command:       s.Command,
		Dataset:       s.Dataset,
		CID:           done.cid,
		Size:          done.SealedSize,
		SealedDigest:  done.SealedDigest.String(),
		ContentDigest: done.SaltedDigest.String(),
		Rows:          done.rows,
		FileName:      s.File,
		Source:        s.Source,
		DerivedFrom:   s.DerivedFrom,
	}}
	kept, err := e.Journal.PutObject(mine)
	if err != nil {
		return journal.Object{}, err
	}
	if kept.Registration.CID == done.cid {
		return kept, nil
	}
	if err := e.Node.Unpin(ctx, done.cid); err != nil { // costs room on the node, nothing else
		zerolog.Ctx(ctx).Warn().Err(err).Str("cid", done.cid).Msg("another copy sealed the file first, this one stays pinned")
	}
	return kept, nil
}
