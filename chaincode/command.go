package chaincode

import (
	"chancery/chaincode/exchange"
)

// direct runs one operation as a transaction of its own. A refusal is the
// function's error and leaves no trace.
func (c *Contract) direct(ctx Context, op exchange.Op, command, body string) (string, error) {
	t, err := c.begin(ctx)
	if err != nil {
		return "", err
	}
	a, err := t.prepare(exchange.Operation{Command: command, Op: op, Body: []byte(body)})
	if err != nil {
		return "", err
	}
	if err := t.caller.mayPerform(a.row); err != nil {
		return "", err
	}
	out, known, err := a.recorded()
	if err == nil && !known {
		out, err = a.perform()
	}
	if err == nil {
		err = out.Err() // of a refusal that is on record
	}
	if err != nil {
		return "", err
	}
	if err := t.end(); err != nil {
		return "", err
	}
	answer, err := exchange.Encode(out)
	return string(answer), err
}

// perform runs the act and writes it with its outcome.
func (a *act) perform() (exchange.Outcome, error) {
	out, err := a.run()
	if err == nil {
		err = a.record(out)
	}
	if err == nil {
		err = a.keep()
	}
	return out, err
}

// recorded answers a command from its record, false when there is none: the
// same thing said again has the outcome that it had, refused or not; another
// thing under the same command is a conflict.
func (a *act) recorded() (exchange.Outcome, bool, error) {
	if a.command == "" || a.caller.department.Name == "" {
		return exchange.Outcome{}, false, nil
	}
	r, found, err := find[exchange.OperationRecord](a.transaction, exchange.OperationKey(a.caller.department.Name, a.command))
	if err != nil || !found {
		return exchange.Outcome{}, false, err
	}
	if r.Op != a.row.Op || r.Digest != a.said {
		return exchange.Outcome{}, false, exchange.Errorf(exchange.Conflict,
			"command %s of %s was another %s in transaction %s: use a new command id", r.Command, r.Department, r.Op, r.Tx)
	}
	out := exchange.Outcome{Command: r.Command, Op: r.Op, Code: r.Code, ID: r.ID, Message: r.Message, Tx: r.Tx, Repeated: true}
	if r.Code == exchange.OK {
		out.Code = exchange.Exists
	}
	return out, true, nil
}

// record puts the outcome of the act's command, where it has one.
func (a *act) record(out exchange.Outcome) error {
	if a.command == "" {
		return nil
	}
	department := a.caller.department.Name
	return a.put(exchange.OperationKey(department, a.command), a.operation(out))
}

func (a *act) operation(out exchange.Outcome) exchange.OperationRecord {
	return exchange.OperationRecord{
		Department: a.caller.department.Name,
		Command:    a.command,
		Op:         out.Op,
		Digest:     a.said,
		Code:       out.Code,
		Message:    out.Message,
		ID:         out.ID,
		Tx:         out.Tx,
		Time:       a.time,
	}
}

// needsCommand refuses an act without a command, from which its record's id is
// derived.
func (a *act) needsCommand() error {
	if a.command != "" {
		return nil
	}
	return exchange.Errorf(exchange.Invalid, "%s needs a command id: its record's id is derived from it", a.row.Op)
}
