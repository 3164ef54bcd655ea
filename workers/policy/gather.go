package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"chancery/chaincode/exchange"
)

// Reader is what gathering facts needs of the ledger client.
type Reader interface {
	Get(ctx context.Context, noun exchange.Noun, id string, v any) error
	List(ctx context.Context, q exchange.Query) (exchange.Page, error)
}

// maxPages bounds the pages that are read for one noun of a history. The ledger
// is read in the order of its keys, all departments' records among them.
const maxPages = 100

// Gather reads from the ledger what the rules decide a request upon: its
// dataset, its requester and, where history asks for it, what there was between
// the two departments. A history that is longer than can be read stays unknown.
func Gather(ctx context.Context, l Reader, r exchange.Request, history bool, now time.Time) (Facts, error) {
	f := Facts{Request: r, Now: now}
	if err := l.Get(ctx, exchange.NounDataset, r.Dataset, &f.Dataset); err != nil {
		return f, fmt.Errorf("dataset of %s: %w", r.ID, err)
	}
	if err := l.Get(ctx, exchange.NounDepartment, r.Requester, &f.Requester); err != nil {
		return f, fmt.Errorf("requester of %s: %w", r.ID, err)
	}
	if !history {
		return f, nil
	}
	h := History{}
	for _, part := range h.parts(r) {
		all, err := each(ctx, l, part.noun, r.Requester, part.count)
		if err != nil {
			return f, fmt.Errorf("history of %s: %w", r.Requester, err)
		}
		if !all {
			return f, nil
		}
	}
	f.History = &h
	return f, nil
}

// part is one noun of a history, and what counts a record of it.
type part struct {
	noun  exchange.Noun
	count func(record json.RawMessage) error
}

// parts count what was there before a request.
func (h *History) parts(this exchange.Request) []part {
	before := func(owner string, since time.Time) bool {
		return owner == this.Provider && !since.After(this.Since)
	}
	return []part{
		{exchange.NounRequest, counter(func(r exchange.Request) {
			if r.Requester != this.Requester || r.ID == this.ID || !before(r.Provider, r.Since) {
				return
			}
			h.Requests++
			switch r.State {
			case exchange.RequestRefused:
				h.Refusals++
			case exchange.RequestWithdrawn:
				h.Withdrawals++
			}
		})},
		{exchange.NounGrant, counter(func(g exchange.Grant) {
			if g.Grantee != this.Requester || !before(g.Owner, g.Since) {
				return
			}
			h.Grants++
			if g.State == exchange.GrantRevoked {
				h.Revocations++
			}
		})},
		{exchange.NounDispute, counter(func(d exchange.Dispute) {
			if d.Grantee == this.Requester && before(d.Owner, d.Change.Time) {
				h.Disputes++
			}
		})},
	}
}

func counter[T any](count func(T)) func(json.RawMessage) error {
	return func(data json.RawMessage) error {
		var record T
		if err := json.Unmarshal(data, &record); err != nil {
			return err
		}
		count(record)
		return nil
	}
}

// each reads the records of a noun in which a department takes part; all is
// false when there are more than can be read.
func each(ctx context.Context, l Reader, noun exchange.Noun, department string, count func(json.RawMessage) error) (all bool, err error) {
	q := exchange.Query{Noun: noun, Department: department, PageSize: exchange.MaxPage}
	for range maxPages {
		page, err := l.List(ctx, q)
		if err != nil {
			return false, err
		}
		for _, record := range page.Records {
			if err := count(record); err != nil {
				return false, fmt.Errorf("read a %s: %w", noun, err)
			}
		}
		if q.Bookmark = page.Bookmark; q.Bookmark == "" {
			return true, nil
		}
	}
	return false, nil
}
