package listen

import "errors"

var (
	// ErrShortLedger says that the stream tells of a block that the peer does
	// not have. A peer that is still catching up mends it by itself; a ledger
	// that was made anew does not: then LEDGER belongs to the old one and must
	// be purged.
	ErrShortLedger = errors.New("ledger is shorter than the stream LEDGER says: if it was made anew, run `chancery ledger rebuild`")
	// ErrOtherLedger says that the stream tells of another transaction than
	// the one that stands at that place of the ledger.
	ErrOtherLedger = errors.New("stream LEDGER tells of another ledger: run `chancery ledger rebuild`")
	// ErrForeign says that the stream ends with a message that no listener
	// wrote.
	ErrForeign = errors.New("stream LEDGER holds what is no event of the ledger: run `chancery ledger rebuild`")

	// errMoved says that the stream ends before the place that was reached: go
	// on from what is left.
	errMoved = errors.New("stream LEDGER was purged, deleted or cut")
)
