package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"chancery/chaincode/exchange"
)

// Get reads a record into v. The own peer's contract is trusted, and a field
// that a newer contract added is left out. The id of a record with a key of several parts
// has them joined by "/": "o-…/health", "g-…/0", "census/<command>". It
// returns [exchange.ErrNotFound] where there is none.
func (c *Client) Get(ctx context.Context, noun exchange.Noun, id string, v any) error {
	answer, err := c.ask(ctx, c.cfg.Chaincode, "Get", string(noun), id)
	if err == nil {
		err = json.Unmarshal(answer, v)
	}
	if err != nil {
		return fmt.Errorf("get %s %s: %w", noun, id, err)
	}
	return nil
}

// List reads a page of records.
func (c *Client) List(ctx context.Context, q exchange.Query) (exchange.Page, error) {
	query, err := exchange.Encode(q)
	if err != nil {
		return exchange.Page{}, err
	}
	var page exchange.Page
	answer, err := c.ask(ctx, c.cfg.Chaincode, "List", string(query))
	if err == nil {
		err = json.Unmarshal(answer, &page)
	}
	if err != nil {
		return exchange.Page{}, fmt.Errorf("list %s: %w", q.Noun, err)
	}
	return page, nil
}

// History reads every version of a record, in the order in which the contract
// tells it.
func (c *Client) History(ctx context.Context, noun exchange.Noun, id string) ([]exchange.HistoryEntry, error) {
	var entries []exchange.HistoryEntry
	answer, err := c.ask(ctx, c.cfg.Chaincode, "History", string(noun), id)
	if err == nil {
		err = json.Unmarshal(answer, &entries)
	}
	if err != nil {
		return nil, fmt.Errorf("history of %s %s: %w", noun, id, err)
	}
	return entries, nil
}

// ask evaluates a function at the own department's peers until one answers.
func (c *Client) ask(ctx context.Context, chaincode, function string, args ...string) ([]byte, error) {
	ctx, cancel := c.during(ctx)
	defer cancel()
	var p progress
	for try := 1; ; try++ {
		answer, err := c.net.evaluate(ctx, chaincode, function, args)
		if err == nil {
			return answer, nil
		}
		if ctx.Err() != nil {
			return nil, p.stopped(context.Cause(ctx))
		}
		r, err := afterEndorse(err)
		switch r {
		case refused:
			return nil, err
		case broken:
			return nil, fmt.Errorf("%w: %s", ErrFault, inWords(err))
		}
		p.failed(err)
		if err := c.engine.rest(ctx, backoff(try)); err != nil {
			return nil, p.stopped(err)
		}
	}
}
