package exchange

import "time"

// RequestState is where a request stands.
type RequestState string

const (
	RequestOpen      RequestState = "open"
	RequestGranted   RequestState = "granted"
	RequestRefused   RequestState = "refused"
	RequestWithdrawn RequestState = "withdrawn"
)

// Latest, as a request's or grant's version, means the dataset's newest object
// at the time of redemption.
const Latest = "latest"

// Request is one department asking another for a dataset.
type Request struct {
	ID           string       `json:"id"`
	Requester    string       `json:"requester"`
	RequesterMSP string       `json:"requesterMsp"`
	Provider     string       `json:"provider"`
	Dataset      string       `json:"dataset"`
	Version      string       `json:"version"` // sealed digest, or [Latest]
	Object       string       `json:"object,omitempty"`
	Purpose      string       `json:"purpose"`
	LegalBasis   string       `json:"legalBasis"`
	Actions      []Action     `json:"actions"`
	Spec         string       `json:"spec,omitempty"` // hash of the job, where the action is compute
	NotBefore    time.Time    `json:"notBefore"`
	NotAfter     time.Time    `json:"notAfter"`
	Uses         int          `json:"uses"`
	State        RequestState `json:"state"`
	Grant        string       `json:"grant,omitempty"`
	Since        time.Time    `json:"since"`
	Change       Change       `json:"change"`
}

// OpenRequest is the body of [OpRequestOpen]. It says when its grant would end
// by NotAfter or by ValidFor, one of the two.
type OpenRequest struct {
	Dataset    string    `json:"dataset"`          // id, or "<owner>/<name>"
	Object     string    `json:"object,omitempty"` // id of an exact version; none: latest
	Purpose    string    `json:"purpose"`
	LegalBasis string    `json:"legalBasis"`
	Actions    []Action  `json:"actions"`
	Spec       string    `json:"spec,omitempty"`
	NotBefore  time.Time `json:"notBefore,omitzero"` // none: the transaction's time
	NotAfter   time.Time `json:"notAfter,omitzero"`
	ValidFor   int64     `json:"validFor,omitempty"` // seconds after the beginning, to [MaxDuration]
	Uses       int       `json:"uses"`
}

// Validate checks the body by itself and normalises its times to UTC.
func (b *OpenRequest) Validate() error {
	b.NotBefore, b.NotAfter = utc(b.NotBefore), utc(b.NotAfter)
	err := first(
		checkDataset("dataset", b.Dataset),
		checkLine("purpose", b.Purpose, 1, 200),
		checkLine("legalBasis", b.LegalBasis, 1, 500),
		checkActions("actions", b.Actions),
		checkSpec(b.Actions, b.Spec),
		checkPeriod(b.NotBefore, b.NotAfter),
		checkRange("validFor", b.ValidFor, 0, MaxDuration),
		checkRange("uses", int64(b.Uses), 1, MaxUses))
	if b.NotAfter.IsZero() == (b.ValidFor == 0) {
		err = first(err, Errorf(Invalid, "give either notAfter or validFor"))
	}
	if b.Object != "" {
		err = first(err, checkID("object", NounObject, b.Object))
	}
	return err
}

// Period is when the grant would begin and end, for a request opened now.
func (b *OpenRequest) Period(now time.Time) (from, to time.Time) {
	from, to = b.NotBefore, b.NotAfter
	if from.IsZero() {
		from = now
	}
	if to.IsZero() {
		to = from.Add(time.Duration(b.ValidFor) * time.Second)
	}
	return from, to
}

// utc leaves the zero time alone.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// EndRequest is the body of [OpRequestWithdraw] and [OpRequestRefuse].
type EndRequest struct {
	Request string `json:"request"`
	Reason  string `json:"reason"`
}

// Validate checks the body by itself.
func (b *EndRequest) Validate() error {
	return first(checkID("request", NounRequest, b.Request), CheckReason(b.Reason))
}

// GrantState is where a grant stands. That it is over time or used up is a
// predicate, never a state.
type GrantState string

const (
	GrantGiven   GrantState = "given"
	GrantRevoked GrantState = "revoked"
)

// Grant is the authorization token. It is no bearer secret: the ledger is its
// state and the grantee's signature its proof.
type Grant struct {
	ID           string      `json:"id"`
	Request      string      `json:"request,omitempty"` // it answers, or
	Job          string      `json:"job,omitempty"`     // it approves
	Owner        string      `json:"owner"`
	OwnerMSP     string      `json:"ownerMsp"`
	Grantee      string      `json:"grantee"`
	GranteeMSP   string      `json:"granteeMsp"`
	Recipient    string      `json:"recipient"` // SHA-256 of the grantee's age recipient
	Dataset      string      `json:"dataset"`
	Version      string      `json:"version"` // sealed digest, or [Latest] as of redemption
	Object       string      `json:"object,omitempty"`
	Actions      []Action    `json:"actions"`
	Spec         string      `json:"spec,omitempty"`
	Purpose      string      `json:"purpose"`
	LegalBasis   string      `json:"legalBasis"`
	NotBefore    time.Time   `json:"notBefore"`
	NotAfter     time.Time   `json:"notAfter"` // exclusive
	MaxUses      int         `json:"maxUses"`
	Attestations int         `json:"attestations"`        // of the terms when it was given
	Certified    bool        `json:"certified,omitempty"` // of the terms when it was given
	Obligations  Obligations `json:"obligations"`
	Delegation   bool        `json:"delegation,omitempty"`
	Parent       string      `json:"parent,omitempty"` // grant it was delegated from
	Depth        int         `json:"depth"`            // 0: given by the owner
	State        GrantState  `json:"state"`
	GivenTx      string      `json:"givenTx"` // the transaction that made it; the provider checks its endorsers
	Since        time.Time   `json:"since"`
	Change       Change      `json:"change"`
}

// GiveGrant is the body of [OpGrantGive]. What it leaves out is taken from the
// request and the terms, whichever is narrower; what it names may be narrower
// still, never wider.
type GiveGrant struct {
	Request     string       `json:"request"`
	Actions     []Action     `json:"actions,omitempty"`
	Object      string       `json:"object,omitempty"`
	NotBefore   time.Time    `json:"notBefore,omitzero"`
	NotAfter    time.Time    `json:"notAfter,omitzero"`
	MaxUses     int          `json:"maxUses,omitempty"`
	Obligations *Obligations `json:"obligations,omitempty"`
}

// Validate checks the body by itself and normalises its times to UTC.
func (b *GiveGrant) Validate() error {
	b.NotBefore, b.NotAfter = utc(b.NotBefore), utc(b.NotAfter)
	err := first(
		checkID("request", NounRequest, b.Request),
		checkPeriod(b.NotBefore, b.NotAfter),
		checkRange("maxUses", int64(b.MaxUses), 0, MaxUses))
	if len(b.Actions) > 0 {
		err = first(err, checkActions("actions", b.Actions))
	}
	if b.Object != "" {
		err = first(err, checkID("object", NounObject, b.Object))
	}
	if b.Obligations != nil {
		err = first(err, b.Obligations.validate("obligations"))
	}
	return err
}

// RevokeGrant is the body of [OpGrantRevoke]. It stops every release that has
// not happened yet; it cannot recall a key that was released.
type RevokeGrant struct {
	Grant  string `json:"grant"`
	Reason string `json:"reason"`
}

// Validate checks the body by itself.
func (b *RevokeGrant) Validate() error {
	return first(checkID("grant", NounGrant, b.Grant), CheckReason(b.Reason))
}
