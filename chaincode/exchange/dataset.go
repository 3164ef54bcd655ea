package exchange

import "time"

// DatasetState is where a dataset or an object stands.
type DatasetState string

const (
	Registered DatasetState = "registered"
	Withdrawn  DatasetState = "withdrawn"
)

// Column describes one column of a table. The fields follow DCAT and CSVW.
type Column struct {
	Name        string     `json:"name"`
	Type        ColumnType `json:"type"`
	Unit        string     `json:"unit,omitempty"`
	Description string     `json:"description,omitempty"`
}

// ColumnType is the type of a column's values.
type ColumnType string

const (
	String  ColumnType = "string"
	Integer ColumnType = "integer"
	Number  ColumnType = "number"
	Boolean ColumnType = "boolean"
	Date    ColumnType = "date" // YYYY-MM-DD
)

var columnTypes = []ColumnType{String, Integer, Number, Boolean, Date}

// Action is what a grant allows.
type Action string

const (
	Read    Action = "read"    // receive the object's key
	Compute Action = "compute" // take part in one job, by its spec hash
)

var actions = []Action{Read, Compute}

// Obligations bind the grantee. They are promises on record, not force: a key
// once released cannot be recalled.
type Obligations struct {
	DeleteWithin    int64 `json:"deleteWithin,omitempty"` // seconds after the release; 0: none
	NoOnwardSharing bool  `json:"noOnwardSharing,omitempty"`
}

// Covers reports whether o binds at least as much as p.
func (o Obligations) Covers(p Obligations) bool {
	if p.NoOnwardSharing && !o.NoOnwardSharing {
		return false
	}
	return p.DeleteWithin == 0 || (o.DeleteWithin != 0 && o.DeleteWithin <= p.DeleteWithin)
}

// Terms are what a dataset's owner lets anyone ask for: the token's design.
type Terms struct {
	Requesters   []string    `json:"requesters,omitempty"` // departments that may ask; none: any
	Purposes     []string    `json:"purposes,omitempty"`   // purposes that may be named; none: any
	Actions      []Action    `json:"actions"`              // at least one
	MaxUses      int         `json:"maxUses"`              // 1 to [MaxUses]
	MaxDuration  int64       `json:"maxDuration"`          // seconds from notBefore to notAfter, 1 to [MaxDuration]
	Attestations int         `json:"attestations"`         // good attestations by other departments before a redemption, 0 to 100
	Certified    bool        `json:"certified,omitempty"`  // an officer of the owner certified the version before a redemption
	Obligations  Obligations `json:"obligations"`
	Delegation   bool        `json:"delegation,omitempty"`
}

const (
	MaxUses     = 1000
	MaxDuration = 10 * 366 * 24 * 3600 // seconds: ten years
)

// Validate checks terms by themselves.
func (t *Terms) Validate() error {
	err := first(
		checkList("terms.requesters", t.Requesters, 100, func(s string) error { return checkName("terms.requesters", s) }),
		checkList("terms.purposes", t.Purposes, 50, func(s string) error { return checkLine("terms.purposes", s, 1, 200) }),
		checkActions("terms.actions", t.Actions),
		checkRange("terms.maxUses", int64(t.MaxUses), 1, MaxUses),
		checkRange("terms.maxDuration", t.MaxDuration, 1, MaxDuration),
		checkRange("terms.attestations", int64(t.Attestations), 0, 100))
	return first(err, t.Obligations.validate("terms.obligations"))
}

func (o Obligations) validate(field string) error {
	return checkRange(field+".deleteWithin", o.DeleteWithin, 0, MaxDuration)
}

// Description is what a provider says of a dataset once and for all.
type Description struct {
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Keywords    []string `json:"keywords,omitempty"`
	Licence     string   `json:"licence"`
	MediaType   string   `json:"mediaType"`
	Columns     []Column `json:"columns,omitempty"`
}

func (d *Description) validate() error {
	err := first(
		checkLine("title", d.Title, 1, 200),
		checkText("description", d.Description, 0, 4000),
		checkList("keywords", d.Keywords, 50, func(s string) error { return checkLine("keywords", s, 1, 64) }),
		checkLine("licence", d.Licence, 1, 200),
		checkMediaType(d.MediaType),
		checkRange("columns", int64(len(d.Columns)), 0, 500))
	names := make(map[string]bool, len(d.Columns))
	for _, c := range d.Columns {
		if names[c.Name] {
			err = first(err, Errorf(Invalid, "columns names %q twice", c.Name))
		}
		names[c.Name] = true
		err = first(err,
			checkLine("columns.name", c.Name, 1, 128),
			checkOneOf("columns.type", c.Type, columnTypes),
			checkLine("columns.unit", c.Unit, 0, 64),
			checkText("columns.description", c.Description, 0, 1000))
	}
	return err
}

// Dataset is a provider's named data.
type Dataset struct {
	ID    string `json:"id"`   // [DatasetID]
	Name  string `json:"name"` // one of its kind in the department
	Owner string `json:"owner"`
	Description
	Terms    Terms        `json:"terms"`
	Said     string       `json:"said"` // [BodyDigest] of the registration
	State    DatasetState `json:"state"`
	Versions int          `json:"versions"`         // objects registered so far
	Latest   string       `json:"latest,omitempty"` // object id
	Since    time.Time    `json:"since"`
	Change   Change       `json:"change"`
}

// RegisterDataset is the body of [OpDatasetRegister]. The id follows from the
// name: see [DatasetID]. Said again of the same name with the same content, or
// with the terms that an officer has set since, it answers [Exists].
type RegisterDataset struct {
	Name string `json:"name"`
	Description
	Terms Terms `json:"terms"`
}

// Validate checks the body by itself.
func (b *RegisterDataset) Validate() error {
	return first(checkName("name", b.Name), b.Description.validate(), b.Terms.Validate())
}

// SetTerms is the body of [OpDatasetSetTerms]. Grants given before keep theirs.
type SetTerms struct {
	Dataset string `json:"dataset"`
	Terms   Terms  `json:"terms"`
}

// Validate checks the body by itself.
func (b *SetTerms) Validate() error {
	return first(checkID("dataset", NounDataset, b.Dataset), b.Terms.Validate())
}

// Object is one sealed version of a dataset.
type Object struct {
	ID            string       `json:"id"` // of the command that published it
	Dataset       string       `json:"dataset"`
	Owner         string       `json:"owner"`
	Version       int          `json:"version"` // 1, 2, …
	CID           string       `json:"cid"`
	Size          int64        `json:"size"`          // sealed bytes
	SealedDigest  string       `json:"sealedDigest"`  // SHA-256 of the sealed bytes
	ContentDigest string       `json:"contentDigest"` // SHA-256(salt ‖ SHA-256(content))
	Rows          int64        `json:"rows"`          // 0 where the media type has none
	FileName      string       `json:"fileName"`
	Source        string       `json:"source,omitempty"`
	DerivedFrom   []string     `json:"derivedFrom,omitempty"` // digests or ids of what it came from
	State         DatasetState `json:"state"`
	Since         time.Time    `json:"since"`
	Change        Change       `json:"change"`
}

// RegisterObject is the body of [OpObjectRegister]. The object's id is
// [NewID] of the caller's MSP and Command, so no other department can take it.
type RegisterObject struct {
	Command       string   `json:"command"` // the command that published it
	Dataset       string   `json:"dataset"`
	CID           string   `json:"cid"`
	Size          int64    `json:"size"`
	SealedDigest  string   `json:"sealedDigest"`
	ContentDigest string   `json:"contentDigest"`
	Rows          int64    `json:"rows"`
	FileName      string   `json:"fileName"`
	Source        string   `json:"source,omitempty"`
	DerivedFrom   []string `json:"derivedFrom,omitempty"`
}

// Validate checks the body by itself.
func (b *RegisterObject) Validate() error {
	return first(
		CheckCommand(b.Command),
		checkID("dataset", NounDataset, b.Dataset),
		checkCID("cid", b.CID),
		checkRange("size", b.Size, 1, 1<<50),
		checkDigest("sealedDigest", b.SealedDigest),
		checkDigest("contentDigest", b.ContentDigest),
		checkRange("rows", b.Rows, 0, 1<<50),
		CheckFileName("fileName", b.FileName),
		CheckSource(b.Source),
		CheckDerivedFrom(b.DerivedFrom))
}

// CheckSource checks a version's free statement of where it comes from.
func CheckSource(s string) error { return checkText("source", s, 0, 1000) }

// CheckDerivedFrom checks the digests or ids that a version was made from.
func CheckDerivedFrom(list []string) error {
	return checkList("derivedFrom", list, 100, func(s string) error {
		if ValidDigest(s) || idPattern.MatchString(s) {
			return nil
		}
		return Errorf(Invalid, "derivedFrom %q is neither a SHA-256 in hexadecimal nor an id", clip(s))
	})
}
