package exchange

import (
	"encoding/json"
	"slices"
	"time"
)

// Query asks for a page of records of one noun. Every filter that is set must
// match.
type Query struct {
	Noun       Noun      `json:"noun"`
	Department string    `json:"department,omitempty"` // takes part in the record, in any role
	State      string    `json:"state,omitempty"`      // its state, status or verdict
	Parent     string    `json:"parent,omitempty"`     // dataset of objects, object of attestations, grant of redemptions …
	From       time.Time `json:"from,omitzero"`        // made at or after
	To         time.Time `json:"to,omitzero"`          // made before
	PageSize   int       `json:"pageSize,omitempty"`   // 1 to [MaxPage]; 0: [DefaultPage]
	Bookmark   string    `json:"bookmark,omitempty"`   // of the page before
}

const (
	DefaultPage = 50
	MaxPage     = 500
)

// MaxHistory is how many versions of a record one answer holds, the newest.
// Where there are as many, there may be more.
const MaxHistory = 1000

// Listed are the nouns that a query may ask for.
var Listed = []Noun{NounDepartment, NounOfficer, NounDataset, NounObject, NounAttestation, NounCertification,
	NounRequest, NounGrant, NounRedemption, NounRelease, NounReceipt, NounDispute, NounOperation,
	NounKeyring, NounJob, NounContribution, NounMask, NounEvaluation, NounShare, NounResult}

// Validate checks the query and fills in the page size.
func (q *Query) Validate() error {
	if q.PageSize == 0 {
		q.PageSize = DefaultPage
	}
	err := first(
		checkRange("pageSize", int64(q.PageSize), 1, MaxPage),
		checkSize("bookmark", q.Bookmark, 0, 1024),
		checkLine("parent", q.Parent, 0, 128),
		checkLine("state", q.State, 0, 64))
	if !slices.Contains(Listed, q.Noun) {
		err = first(err, Errorf(Invalid, "noun %q cannot be listed: use one of %v", clip(string(q.Noun)), Listed))
	}
	if q.Department != "" {
		err = first(err, checkName("department", q.Department))
	}
	return err
}

// Page is the answer to a query. Bookmark is empty on the last page. A page may
// hold fewer records than asked for and still not be the last.
type Page struct {
	Records  []json.RawMessage `json:"records"`
	Bookmark string            `json:"bookmark,omitempty"`
}

// HistoryEntry is a version of a record, as the ledger's history holds it.
type HistoryEntry struct {
	Tx      string          `json:"tx"`
	Time    time.Time       `json:"time"`
	Deleted bool            `json:"deleted,omitempty"`
	Record  json.RawMessage `json:"record,omitempty"`
}
