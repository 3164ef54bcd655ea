package chaincode

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"chancery/chaincode/exchange"
)

// Reading is open to every member of the channel: each holds the whole ledger at
// its own peer, and a department that is not registered yet, or is suspended,
// must be able to see why it is refused. What may not be read by all is never
// written to the ledger unsealed.

const (
	scanLimit = 2000    // keys that one call of List reads at most
	scanPage  = 500     // keys read from the peer at a time,
	scanLarge = 25      // or so many where records are large
	pageBytes = 2 << 20 // of records in one page, and what the last of them is more
)

func read(ctx Context) *transaction {
	return &transaction{stub: ctx.GetStub(), id: ctx.GetStub().GetTxID(), read: make(map[string][]byte)}
}

// Get returns one record as JSON, or not-found. The id of a record that belongs
// to another is joined with "/": "o-…/health" for an attestation, "g-…/0" for a
// redemption, release, receipt or dispute, "census/<command>" for an
// operation. A dataset is also found by "owner/name".
func (c *Contract) Get(ctx Context, noun, id string) (string, error) {
	t := read(ctx)
	k, err := t.recordKey(exchange.Noun(noun), id)
	if err != nil {
		return "", err
	}
	record, err := need[json.RawMessage](t, k, id)
	return string(record), err
}

// List returns an [exchange.Page] of the records that match an
// [exchange.Query], in the order of their keys. One call reads a bounded number
// of keys, so that a page may be short, or empty, and still have a successor.
func (c *Contract) List(ctx Context, query string) (string, error) {
	var q exchange.Query
	if err := exchange.Decode([]byte(query), &q); err != nil {
		return "", err
	}
	if err := q.Validate(); err != nil {
		return "", err
	}
	page, err := list(ctx.GetStub(), q)
	if err != nil {
		return "", err
	}
	answer, err := exchange.Encode(page)
	return string(answer), err
}

// History returns the versions of a record, oldest first, as a JSON array of
// [exchange.HistoryEntry]: the newest [exchange.MaxHistory] where there are more.
// It needs a peer that keeps the history database.
func (c *Contract) History(ctx Context, noun, id string) (string, error) {
	t := read(ctx)
	k, err := t.recordKey(exchange.Noun(noun), id)
	if err != nil {
		return "", err
	}
	key, err := composite(k)
	if err != nil {
		return "", err
	}
	entries, err := history(t.stub, key)
	if err != nil {
		return "", err
	}
	if len(entries) == 0 {
		return "", exchange.Errorf(exchange.NotFound, "there is no %s %s", noun, id)
	}
	answer, err := exchange.Encode(entries)
	return string(answer), err
}

func history(stub shim.ChaincodeStubInterface, key string) (entries []exchange.HistoryEntry, err error) {
	versions, err := stub.GetHistoryForKey(key)
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	defer func() { err = firstError(err, versions.Close()) }()
	for versions.HasNext() && len(entries) < exchange.MaxHistory {
		v, err := versions.Next()
		if err != nil {
			return nil, fmt.Errorf("read the history: %w", err)
		}
		entries = append(entries, exchange.HistoryEntry{
			Tx: v.TxId, Time: v.Timestamp.AsTime(), Deleted: v.IsDelete, Record: v.Value,
		})
	}
	slices.Reverse(entries) // the ledger keeps the newest first
	return entries, nil
}

func list(stub shim.ChaincodeStubInterface, q exchange.Query) (exchange.Page, error) {
	g := gathering{q: q, page: exchange.Page{Records: []json.RawMessage{}}}
	var err error
	if g.match, err = matcher(q); err != nil {
		return g.page, err
	}
	from, err := resumeAt(q)
	if err != nil {
		return g.page, err
	}
	for scanned := 0; scanned < scanLimit; {
		seen, next, err := g.scan(stub, from)
		if err != nil {
			return g.page, err
		}
		if scanned, from = scanned+seen, next; from == "" || g.full() {
			break
		}
	}
	g.page.Bookmark = base64.RawURLEncoding.EncodeToString([]byte(from))
	return g.page, nil
}

// gathering is the page of one query while it grows: to the size that was asked
// for, or to [pageBytes].
type gathering struct {
	q     exchange.Query
	match func([]byte) (bool, error)
	page  exchange.Page
	bytes int
}

func (g *gathering) full() bool { return len(g.page.Records) == g.q.PageSize || g.bytes >= pageBytes }

// scan reads some keys from the peer and adds the records that match. It
// returns how many it read and the key to go on from, "" at the end.
func (g *gathering) scan(stub shim.ChaincodeStubInterface, from string) (seen int, next string, err error) {
	size := int32(scanPage)
	if kinds[g.q.Noun].large {
		size = scanLarge
	}
	records, meta, err := stub.GetStateByPartialCompositeKeyWithPagination(string(g.q.Noun), prefix(g.q), size, from)
	if err != nil {
		return 0, "", fmt.Errorf("read the ledger: %w", err)
	}
	defer func() { err = firstError(err, records.Close()) }()
	for records.HasNext() {
		kv, err := records.Next()
		if err != nil {
			return seen, "", fmt.Errorf("read the ledger: %w", err)
		}
		if g.full() {
			return seen, kv.Key, nil
		}
		seen++
		matches, err := g.match(kv.Value)
		if err != nil {
			return seen, "", err
		}
		if matches {
			g.page.Records, g.bytes = append(g.page.Records, kv.Value), g.bytes+len(kv.Value)
		}
	}
	return seen, meta.GetBookmark(), nil
}

// prefix is what the parent alone tells of the keys: less to scan.
func prefix(q exchange.Query) []string {
	if q.Parent != "" && kinds[q.Noun].under {
		return []string{q.Parent}
	}
	return nil
}

// resumeAt decodes a bookmark: the key of the next record to read.
func resumeAt(q exchange.Query) (string, error) {
	if q.Bookmark == "" {
		return "", nil
	}
	key, err := base64.RawURLEncoding.DecodeString(q.Bookmark)
	start, keyErr := shim.CreateCompositeKey(string(q.Noun), prefix(q))
	if err != nil || keyErr != nil || !strings.HasPrefix(string(key), start) || !utf8.Valid(key) {
		return "", exchange.Errorf(exchange.Invalid, "bookmark is not one of this query")
	}
	return string(key), nil
}

// matcher checks a query's filters against the noun and returns the test that
// a record must pass.
func matcher(q exchange.Query) (func([]byte) (bool, error), error) {
	kind := kinds[q.Noun]
	if q.State != "" && !kind.stateful {
		return nil, exchange.Errorf(exchange.Invalid, "records of the noun %s have no state to filter by", q.Noun)
	}
	return func(record []byte) (bool, error) {
		v, err := kind.view(record)
		if err != nil {
			return false, fmt.Errorf("decode %s record: %w", q.Noun, err)
		}
		return (q.Department == "" || slices.Contains(v.departments, q.Department)) &&
			(q.State == "" || v.state == q.State) &&
			(q.Parent == "" || slices.Contains(v.parents, q.Parent)) &&
			(q.From.IsZero() || !v.since.Before(q.From)) &&
			(q.To.IsZero() || v.since.Before(q.To)), nil
	}, nil
}
