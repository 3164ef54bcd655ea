package provenance

import (
	"encoding/json"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

// Said is what a transaction's creator asked of the contract by one operation,
// and was not refused: the bodies, in their order, of a call of the operation's
// own function or of Apply. The creator's signature binds them, whatever those
// who endorsed it wrote. Errors: [*Refusal].
func Said[T any](tx ledger.Transaction, op exchange.Op) ([]T, error) {
	row, known := exchange.TransitionOf(op)
	if !known || tx.Code != ledger.Valid {
		return nil, nil
	}
	switch {
	case tx.Function == "Apply" && len(tx.Args) == 1:
		return applied[T](tx, op)
	case tx.Function == row.Function && len(tx.Args) == 2:
		body, err := decode[T](op, []byte(tx.Args[1]))
		if err != nil {
			return nil, err
		}
		return []T{body}, nil
	}
	return nil, nil
}

// applied reads one operation out of a batch, whose result has an outcome for
// each.
func applied[T any](tx ledger.Transaction, op exchange.Op) ([]T, error) {
	ops, err := exchange.DecodeBatch([]byte(tx.Args[0]))
	if err != nil {
		return nil, Refusef("transaction %s is no batch: %v", tx.ID, err)
	}
	var outcomes []exchange.Outcome
	if err := json.Unmarshal(tx.Result, &outcomes); err != nil {
		return nil, Refusef("the result of transaction %s cannot be read: %v", tx.ID, err)
	}
	if len(outcomes) != len(ops) {
		return nil, Refusef("transaction %s has %d outcomes for %d operations", tx.ID, len(outcomes), len(ops))
	}
	var said []T
	for i, o := range ops {
		if o.Op != op || outcomes[i].Code != exchange.OK {
			continue
		}
		body, err := decode[T](op, o.Body)
		if err != nil {
			return nil, err
		}
		said = append(said, body)
	}
	return said, nil
}

// decode reads a body as the contract did, defaults filled in.
func decode[T any](op exchange.Op, data []byte) (T, error) {
	var none T
	body, err := exchange.DecodeBody(op, data)
	if err != nil {
		return none, Refusef("what was signed as %s is none: %v", op, err)
	}
	typed, ok := any(body).(*T)
	if !ok {
		return none, Refusef("the body of %s is not a %T", op, none)
	}
	return *typed, nil
}
