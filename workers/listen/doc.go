// Package listen is the worker that tells the department's bus what the ledger
// says: every event of the contract in valid transactions, in the ledger's
// order, once, on the stream LEDGER.
//
// It keeps no record of its own progress. The last message of the stream says
// where it stands, and each batch of events is stored as one, right after that
// message or not at all: so the events and the place to go on from commit
// together. Two listeners on one stream cannot interleave; the one that comes
// second lets the other go ahead and takes over when it falls silent. Whatever
// is lost at the stream's end, up to all of it, is read from the ledger again,
// also while the worker runs.
//
// It trusts the own peer for the blocks and the bus's permissions to keep
// every other publisher out. Where the two do not fit together, because the
// ledger is another or shorter than the one that the stream tells of, it
// writes nothing and says so: [ErrOtherLedger], [ErrShortLedger],
// [ErrForeign].
package listen
