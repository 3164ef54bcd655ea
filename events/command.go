package events

import "chancery/chaincode/exchange"

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

// commands is every command with its body.
var commands = []struct {
	name Command
	body func() exchange.Body
}{
	{DatasetPublish, func() exchange.Body { return new(PublishDataset) }},
	{RequestOpen, func() exchange.Body { return new(exchange.OpenRequest) }},
	{RequestWithdraw, func() exchange.Body { return new(exchange.EndRequest) }},
	{GrantRedeem, func() exchange.Body { return new(exchange.RedeemGrant) }},
	{JobOpen, func() exchange.Body { return new(exchange.OpenJob) }},
	{JobWithdraw, func() exchange.Body { return new(exchange.EndJob) }},
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
// [PublishDataset], [exchange.OpenRequest], [exchange.EndRequest],
// [exchange.RedeemGrant], [exchange.OpenJob] or [exchange.EndJob]. A body that
// names its sender is refused as having an unknown key: who acts is in the
// subject. Errors have the code [exchange.Invalid].
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
