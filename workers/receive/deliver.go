package receive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"chancery/chaincode/exchange"
	"chancery/crypto/envelope"
	"chancery/crypto/keystore"
	"chancery/workers"
	"chancery/workers/inbox"
	"chancery/workers/ipfs"
	"chancery/workers/journal"
	"chancery/workers/table"
)

// contest is why a delivery is not what was registered: the provider's doing,
// whoever's bytes they are, since an address and a digest name them.
type contest struct {
	cause  exchange.DisputeCause
	found  string
	reason string
}

func (c *contest) Error() string { return c.reason }

func (c *contest) Unwrap() error { return ErrContested }

func contestf(cause exchange.DisputeCause, format string, args ...any) *contest {
	return &contest{cause: cause, reason: fmt.Sprintf(format, args...)}
}

// deliver brings the object's content into the inbox and returns the number of
// its rows. Nothing appears there unless every check passed.
func (r *receive) deliver(ctx context.Context, d delivery) (rows int64, err error) {
	if err := exchange.CheckFileName("file name", d.object.FileName); err != nil {
		return 0, workers.Reject(fmt.Errorf("object %s: %w", d.object.ID, err))
	}
	p, err := r.parcel(ctx, d)
	if err != nil {
		return 0, err
	}
	defer p.sealed.Close()
	file, err := inbox.New(r.Inbox, place(d.release.Grant, d.release.Slot), d.object.FileName)
	if err != nil {
		return 0, err
	}
	defer file.Discard()
	if rows, err = p.open(file); err != nil {
		return 0, err
	}
	return rows, file.Keep()
}

// place is where in the inbox a use is delivered: <grant>/<slot>.
func place(grant string, slot int) string { return filepath.Join(grant, strconv.Itoa(slot)) }

// parcel is a sealed object with what opens it and what it is held to.
type parcel struct {
	object     exchange.Object
	wrap       envelope.Wrap
	commitment envelope.Commitment
	check      *table.Checker
	sealed     io.ReadCloser
}

// parcel fetches the wrap and reaches for the object. The caller closes sealed.
func (c Config) parcel(ctx context.Context, d delivery) (*parcel, error) {
	wrap, err := c.fetchWrap(ctx, d)
	if err != nil {
		return nil, err
	}
	commitment, err := journal.CommitmentOf(d.object)
	if err != nil {
		return nil, err
	}
	check, err := table.NewChecker(table.Of(d.dataset.Description))
	if err != nil {
		return nil, err
	}
	sealed, err := c.Node.Cat(ctx, d.object.CID)
	if noFile(err) {
		return nil, contestf(exchange.CauseSealed, "%v", err)
	}
	if err != nil {
		return nil, err
	}
	return &parcel{d.object, wrap, commitment, check, sealed}, nil
}

// open writes the content and checks it: both digests, the columns, the number
// of rows, which it returns. What was written is nothing unless all is well.
func (p *parcel) open(to io.Writer) (rows int64, err error) {
	_, err = envelope.Open(io.MultiWriter(to, table.Screen(p.check)), p.sealed, p.wrap.FileKey, p.wrap.Salt, p.commitment)
	rows, tableErr := p.check.Close()
	if err := judge(err, p.object); err != nil {
		return 0, err
	}
	if tableErr != nil {
		return 0, contestf(exchange.CauseSchema, "not the table that was declared: %v", tableErr)
	}
	if rows != p.object.Rows {
		return 0, contestf(exchange.CauseSchema, "%d rows arrived, %d are registered", rows, p.object.Rows)
	}
	return rows, nil
}

// judge tells the provider's doing from a fault on the way.
func judge(err error, o exchange.Object) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, envelope.ErrSealedDigest):
		return contestf(exchange.CauseSealed, "%s: %v", o.CID, err)
	case errors.Is(err, envelope.ErrFileKey), errors.Is(err, envelope.ErrContentDigest):
		return contestf(exchange.CauseContent, "%v", err)
	}
	return err
}

// fetchWrap fetches the wrap, checks that it is the recorded one, and opens it.
func (c Config) fetchWrap(ctx context.Context, d delivery) (envelope.Wrap, error) {
	identity, err := c.Keys.Identity(keystore.Department)
	if err != nil {
		return envelope.Wrap{}, err
	}
	stream, err := c.Node.Cat(ctx, d.release.WrapCID)
	if noFile(err) {
		return envelope.Wrap{}, contestf(exchange.CauseWrap, "%v", err)
	}
	if err != nil {
		return envelope.Wrap{}, fmt.Errorf("fetch the wrap: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(stream, envelope.MaxWrap+1))
	if err := errors.Join(err, stream.Close()); err != nil {
		return envelope.Wrap{}, fmt.Errorf("fetch the wrap: %w", err)
	}
	sum := sha256.Sum256(data)
	if found := hex.EncodeToString(sum[:]); found != d.release.WrapDigest {
		return envelope.Wrap{}, &contest{exchange.CauseWrap, found, "the wrap is not the recorded one"}
	}
	wrap, err := envelope.OpenWrap(data, identity)
	if err != nil {
		return envelope.Wrap{}, contestf(exchange.CauseWrap, "%v", err)
	}
	if wrap.Grant != d.release.Grant || wrap.Slot != d.release.Slot || wrap.Object != d.use.Object {
		return envelope.Wrap{}, contestf(exchange.CauseWrap, "the wrap is for object %s, grant %s, slot %d", wrap.Object, wrap.Grant, wrap.Slot)
	}
	return wrap, nil
}

// noFile reports whether an address on record is none, or none of a file.
func noFile(err error) bool {
	return errors.Is(err, ipfs.ErrInvalidCID) || errors.Is(err, ipfs.ErrNotFile)
}
