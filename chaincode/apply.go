package chaincode

import (
	"errors"

	"chancery/chaincode/exchange"
)

// Apply runs up to [exchange.MaxOperations] operations, a JSON array of
// [exchange.Operation], in one transaction, and answers with an array of
// [exchange.Outcome] in the same order. It is signed by a worker.
//
// Each operation is atomic by itself: a refused one writes nothing but, where it
// has a command, its recorded outcome, and tells it as command.rejected; the
// others go through. An operation on a record that this transaction has
// written already answers [exchange.Again] and leaves no trace.
func (c *Contract) Apply(ctx Context, operations string) (string, error) {
	ops, err := exchange.DecodeBatch([]byte(operations))
	if err != nil {
		return "", err
	}
	t, err := c.begin(ctx)
	if err != nil {
		return "", err
	}
	if err := t.caller.maySign("Apply", exchange.BatchSigners, false); err != nil {
		return "", err
	}
	if err := t.fetchRecords(ops); err != nil {
		return "", err
	}
	t.stub.StartWriteBatch()
	outcomes := make([]exchange.Outcome, len(ops))
	for i, op := range ops {
		if outcomes[i], err = t.apply(op); err != nil {
			return "", err
		}
	}
	if err := t.end(); err != nil {
		return "", err
	}
	answer, err := exchange.Encode(outcomes)
	return string(answer), err
}

// fetchRecords reads the recorded outcomes of all commands in one call.
func (t *transaction) fetchRecords(ops []exchange.Operation) error {
	keys := make([]string, 0, len(ops))
	for _, op := range ops {
		if !exchange.ValidCommand(op.Command) {
			continue
		}
		key, err := composite(exchange.OperationKey(t.caller.department.Name, op.Command))
		if err != nil {
			return err
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil
	}
	return t.fetch(keys)
}

// apply runs one operation of a batch. Its error fails the whole transaction; a
// refusal is an outcome.
func (t *transaction) apply(op exchange.Operation) (exchange.Outcome, error) {
	a, err := t.prepare(op)
	out := exchange.Outcome{Command: op.Command, Op: op.Op}
	known, found, recordErr := a.recorded()
	switch {
	case found:
		return known, nil
	case recordErr != nil:
		return refuse(out, recordErr)
	case err == nil:
		err = a.mayBeApplied()
	}
	if err == nil {
		out, err = a.perform()
	}
	if err == nil {
		return out, nil
	}
	if out, err = refuse(out, err); err != nil || a.command == "" || out.Code == exchange.Again {
		return out, err
	}
	return a.reject(out)
}

func (a *act) mayBeApplied() error {
	if !a.row.Apply {
		return exchange.Errorf(exchange.Denied, "%s is signed by %v in a transaction of its own: call %s", a.row.Op, a.row.Roles, a.row.Function)
	}
	return a.caller.mayPerform(a.row)
}

// refuse turns the contract's own refusal into an outcome. Any other error is a
// fault of the peer or of this package, which fails the whole transaction.
func refuse(out exchange.Outcome, err error) (exchange.Outcome, error) {
	var e *exchange.Error
	if !errors.As(err, &e) {
		return out, err
	}
	return exchange.Outcome{Command: out.Command, Op: out.Op, Code: e.Code, Message: e.Message}, nil
}

// reject records a refusal under its command and tells it, in place of what the
// act had put before it was refused.
func (a *act) reject(out exchange.Outcome) (exchange.Outcome, error) {
	a.puts, a.facts = nil, nil
	out.Tx = a.id
	if err := a.record(out); err != nil {
		return out, err
	}
	id := exchange.NewID(exchange.NounOperation, a.caller.msp, a.command)
	if err := a.tellOf(exchange.CommandRejected, a.caller.department.Name, id, a.operation(out)); err != nil {
		return out, err
	}
	return out, a.keep()
}
