package events

import (
	"strings"
	"time"

	"chancery/chaincode/exchange"
)

// PublishDataset asks the department's own workers to seal a file of the spool
// and to register it as the next version of a dataset, which is registered
// first where it is new. The dataset's content is said in full every time, so
// that a repeat needs no memory.
type PublishDataset struct {
	Dataset     exchange.RegisterDataset `json:"dataset"`
	File        string                   `json:"file"`             // plain name of a file in the spool
	Source      string                   `json:"source,omitempty"` // where the data comes from
	DerivedFrom []string                 `json:"derivedFrom,omitempty"`
}

// Validate checks the body by itself.
func (b *PublishDataset) Validate() error {
	return firstError(
		b.Dataset.Validate(),
		exchange.CheckFileName("file", b.File),
		exchange.CheckSource(b.Source),
		exchange.CheckDerivedFrom(b.DerivedFrom))
}

// OpenRequest asks another department for a dataset. Unlike the ledger's own
// [exchange.OpenRequest] it may name the dataset as people do and leave its
// beginning open.
type OpenRequest struct {
	Dataset    string            `json:"dataset"`          // id, or "<owner>/<name>"
	Object     string            `json:"object,omitempty"` // id of an exact version; none: latest
	Purpose    string            `json:"purpose"`
	LegalBasis string            `json:"legalBasis"`
	Actions    []exchange.Action `json:"actions"`
	Spec       string            `json:"spec,omitempty"`
	NotBefore  time.Time         `json:"notBefore,omitzero"` // none: when it is taken in
	NotAfter   time.Time         `json:"notAfter,omitzero"`  // this
	ValidFor   int64             `json:"validFor,omitempty"` // or this: seconds after notBefore
	Uses       int               `json:"uses"`
}

// Validate checks the body by itself.
func (b *OpenRequest) Validate() error {
	dataset := b.Dataset
	if _, _, ok := b.DatasetName(); ok {
		dataset = exchange.NewID(exchange.NounDataset, "", "") // any id: the name was checked
	}
	if b.NotAfter.IsZero() == (b.ValidFor == 0) {
		return invalid("give either notAfter or validFor")
	}
	if b.ValidFor < 0 || b.ValidFor > exchange.MaxDuration {
		return invalid("validFor is %d seconds: 1 to %d are allowed", b.ValidFor, exchange.MaxDuration)
	}
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	r := b.Resolve(dataset, start)
	return r.Validate()
}

// DatasetName splits the form "<owner>/<name>" of the dataset; ok is false for
// an id.
func (b *OpenRequest) DatasetName() (owner, name string, ok bool) {
	owner, name, ok = strings.Cut(b.Dataset, "/")
	return owner, name, ok && exchange.ValidName(owner) && exchange.ValidName(name)
}

// Resolve makes the ledger's body: the dataset's id in place of its name, and
// start where the request left its beginning open. A repeat says the same
// thing only if it is resolved with the same start.
func (b *OpenRequest) Resolve(dataset string, start time.Time) exchange.OpenRequest {
	r := exchange.OpenRequest{
		Dataset:    dataset,
		Object:     b.Object,
		Purpose:    b.Purpose,
		LegalBasis: b.LegalBasis,
		Actions:    b.Actions,
		Spec:       b.Spec,
		NotBefore:  b.NotBefore,
		NotAfter:   b.NotAfter,
		Uses:       b.Uses,
	}
	if r.NotBefore.IsZero() {
		r.NotBefore = start.UTC()
	}
	if r.NotAfter.IsZero() {
		r.NotAfter = r.NotBefore.Add(time.Duration(b.ValidFor) * time.Second)
	}
	return r
}

// commands is every command with its body.
var commands = []struct {
	name Command
	body func() exchange.Body
}{
	{DatasetPublish, func() exchange.Body { return new(PublishDataset) }},
	{RequestOpen, func() exchange.Body { return new(OpenRequest) }},
	{RequestWithdraw, func() exchange.Body { return new(exchange.EndRequest) }},
	{GrantRedeem, func() exchange.Body { return new(exchange.RedeemGrant) }},
}

// Commands names every command.
func Commands() []Command {
	names := make([]Command, len(commands))
	for i, c := range commands {
		names[i] = c.name
	}
	return names
}

// DecodeCommand reads strictly and checks the body of a command: a pointer to
// [PublishDataset], [OpenRequest], [exchange.EndRequest] or
// [exchange.RedeemGrant]. A body that names its sender is refused as having an
// unknown key: who acts is in the subject. Errors have the code
// [exchange.Invalid].
func DecodeCommand(e Envelope) (exchange.Body, error) {
	name := e.Address.Command()
	for _, c := range commands {
		if c.name != name {
			continue
		}
		b := c.body()
		if err := exchange.Decode(e.Data, b); err != nil {
			return nil, err
		}
		return b, b.Validate()
	}
	return nil, invalid("there is no command %q: use one of %v", clip(string(name)), Commands())
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
