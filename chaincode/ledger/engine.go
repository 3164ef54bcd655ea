package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"chancery/chaincode/exchange"
)

// engine carries transactions through endorsement, submission and commit by
// the rules of retry.go.
type engine struct {
	net  network
	rest func(context.Context, time.Duration) error
}

// progress is how far a transaction has come, for the words of whoever stops
// waiting for it.
type progress struct {
	divisible bool // the caller can come back with less in one transaction

	mu        sync.Mutex
	submitted bool  // some bytes went to the orderer and may yet commit
	last      error // of the latest stage that failed
}

func (p *progress) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = err
}

func (p *progress) ordered(submitted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.submitted = submitted
}

// stopped is the error of one who stopped waiting for this cause.
func (p *progress) stopped(cause error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	is := ErrUnreachable
	if p.submitted {
		is = ErrUnknownOutcome
	}
	if p.last == nil {
		return fmt.Errorf("%w: %w", is, cause)
	}
	return fmt.Errorf("%w: %w (%s)", is, cause, inWords(p.last))
}

// transact runs a function of the contract as one transaction and returns its
// result and transaction id once that is committed. A refusal is an
// [*exchange.Error]. It goes on until the context ends; the package says
// which other errors there are.
func (e *engine) transact(ctx context.Context, p *progress, function string, args ...string) ([]byte, string, error) {
	renewals := 0
	for {
		tx, err := e.endorse(ctx, p, function, args)
		if err != nil {
			return nil, "", err
		}
		code, err := e.order(ctx, p, tx)
		if err != nil {
			return nil, "", err
		}
		if code == peer.TxValidationCode_VALID {
			return tx.result(), tx.id(), nil
		}
		p.ordered(false)
		invalid := fmt.Errorf("transaction %s is not valid: %s", tx.id(), code)
		p.failed(invalid)
		renewals++
		switch r := remedyOfCode(code); {
		case r == renew && renewals < maxRenewals, r == renewOne && renewals < 2:
			if err := e.rest(ctx, backoff(renewals)); err != nil {
				return nil, "", p.stopped(err)
			}
		case r == renew:
			return nil, "", exchange.Errorf(exchange.Again, "%d transactions in a row met another on the same records: %s", renewals, code)
		default:
			return nil, "", fmt.Errorf("%w: %w", ErrFault, invalid)
		}
	}
}

// errTooMuch says that endorsers did not get through a transaction in time,
// which may be too much for them. Nothing was ordered.
var errTooMuch = errors.New("endorsement takes too long")

// maxOverdue is how many endorsements in a row may take too long before what
// can be divided is.
const maxOverdue = 2

// endorse proposes until the endorsers agree. What can be divided it gives up
// with errTooMuch where they take too long again and again.
func (e *engine) endorse(ctx context.Context, p *progress, function string, args []string) (endorsed, error) {
	disagreements, overdue := 0, 0
	for try := 1; ; try++ {
		tx, err := e.net.endorse(ctx, function, args)
		if err == nil {
			return tx, nil
		}
		if ctx.Err() != nil {
			return nil, p.stopped(context.Cause(ctx))
		}
		r, err := afterEndorse(err)
		p.failed(err)
		pause := backoff(try)
		switch r {
		case refused:
			return nil, err
		case broken:
			return nil, fmt.Errorf("%w: endorse %s: %s", ErrFault, function, inWords(err))
		case disagree:
			if disagreements++; disagreements >= maxDisagreements {
				return nil, disagreement(function, err)
			}
			pause = longPause / 2 * time.Duration(disagreements)
		case repeat:
			if overdue = overdueAfter(err, overdue); p.divisible && overdue >= maxOverdue {
				return nil, fmt.Errorf("%w: %w: %s", ErrUnreachable, errTooMuch, inWords(err))
			}
		}
		if err := e.rest(ctx, pause); err != nil {
			return nil, p.stopped(err)
		}
	}
}

func disagreement(function string, err error) error {
	var refusal *exchange.Error
	if errors.As(err, &refusal) {
		return refusal
	}
	return fmt.Errorf("%w: endorsers of %s disagree: %s", ErrFault, function, inWords(err))
}

// order submits the same bytes until an orderer took them, and asks until it
// is known what became of them. A wait that ran out of time submits the bytes
// again first, since an orderer may lose what it took; a second copy does no
// harm, for its id is taken.
func (e *engine) order(ctx context.Context, p *progress, tx endorsed) (peer.TxValidationCode, error) {
	for tries := 1; ; tries++ {
		if err := e.submit(ctx, p, tx, tries > 1); err != nil {
			return 0, err
		}
		code, err := e.await(ctx, p, tx)
		if !errors.Is(err, errOverdue) {
			return code, err
		}
	}
}

// submit hands the bytes over. That an earlier copy may have arrived (again)
// decides what an orderer's no means.
func (e *engine) submit(ctx context.Context, p *progress, tx endorsed, again bool) error {
	for try := 1; ; try++ {
		p.ordered(true)
		err := tx.submit(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return p.stopped(context.Cause(ctx))
		}
		p.failed(err)
		if afterSubmit(err) == broken {
			is := ErrUnknownOutcome
			if try == 1 && !again {
				p.ordered(false)
				is = ErrFault
			}
			return fmt.Errorf("%w: submit %s: %s", is, tx.id(), inWords(err))
		}
		if err := e.rest(ctx, backoff(try)); err != nil {
			return p.stopped(err)
		}
	}
}

// errOverdue says that a transaction did not come within the time for its
// commit.
var errOverdue = errors.New("commit is overdue")

// await asks what became of a submitted transaction.
func (e *engine) await(ctx context.Context, p *progress, tx endorsed) (peer.TxValidationCode, error) {
	inquiries := 0
	for try := 1; ; try++ {
		code, err := tx.commit(ctx)
		if err == nil {
			if remedyOfCode(code) != inquire {
				return code, nil
			}
			if inquiries++; inquiries > maxInquiries {
				return 0, fmt.Errorf("%w: transaction %s is called the copy of another", ErrUnknownOutcome, tx.id())
			}
			err = fmt.Errorf("transaction %s: %s", tx.id(), code)
		}
		if ctx.Err() != nil {
			return 0, p.stopped(context.Cause(ctx))
		}
		p.failed(err)
		switch {
		case status.Code(err) == codes.DeadlineExceeded:
			return 0, errOverdue
		case afterStatus(err) == broken:
			return 0, fmt.Errorf("%w: ask for %s: %s", ErrUnknownOutcome, tx.id(), inWords(err))
		}
		if err := e.rest(ctx, backoff(try)); err != nil {
			return 0, p.stopped(err)
		}
	}
}
