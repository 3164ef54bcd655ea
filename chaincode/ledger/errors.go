package ledger

import "errors"

var (
	// ErrUnreachable says that the peer, the orderer or enough endorsers could
	// not be reached, so nothing was ordered.
	ErrUnreachable = errors.New("ledger is out of reach")
	// ErrUnknownOutcome says that a transaction may or may not have been
	// committed. Saying the operation again finds out.
	ErrUnknownOutcome = errors.New("outcome is not known")
	// ErrFault says that the ledger answered with something that trying again
	// does not mend: endorsers that disagree, a broken chain of blocks, an
	// answer that cannot be read.
	ErrFault = errors.New("ledger fault")
	// ErrClosed says that the client was closed.
	ErrClosed = errors.New("ledger client is closed")
)

// Away reports whether an error says that the ledger could not be reached or
// that an outcome is not known, which passes: saying the same again is
// harmless.
func Away(err error) bool {
	return errors.Is(err, ErrUnreachable) || errors.Is(err, ErrUnknownOutcome)
}
