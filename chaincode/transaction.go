package chaincode

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"chancery/chaincode/exchange"
)

// clockSkew is how far a transaction's timestamp, which its client sets, may be
// from the endorser's clock. It bounds how long a signed proposal can be kept
// back, not when the transaction is committed.
const clockSkew = 5 * time.Minute

// transaction is one writing call: what was read of the ledger, which keys the
// operations so far have written, and what they will tell.
type transaction struct {
	stub    shim.ChaincodeStubInterface
	id      string
	time    time.Time // its timestamp, UTC
	caller  *caller
	keys    *publicKeys
	read    map[string][]byte // committed values; nil: not there
	decoded map[string]any    // records among them that were decoded; nobody changes what a record points to
	written map[string]bool
	events  []exchange.Event
}

// begin checks the clock, once for the whole transaction, and finds the caller.
func (c *Contract) begin(ctx Context) (*transaction, error) {
	stub := ctx.GetStub()
	stamp, err := stub.GetTxTimestamp()
	if err != nil {
		return nil, fmt.Errorf("read the transaction's time: %w", err)
	}
	t := &transaction{
		stub:    stub,
		id:      stub.GetTxID(),
		time:    stamp.AsTime(),
		keys:    &c.keys,
		read:    make(map[string][]byte),
		written: make(map[string]bool),
	}
	if off := t.time.Sub(c.clock()).Abs(); off > clockSkew {
		return nil, exchange.Errorf(exchange.Expired,
			"the transaction's time %s is more than %s from this peer's clock: sign it anew with a correct clock",
			t.time.Format(time.RFC3339), clockSkew)
	}
	t.caller, err = t.findCaller()
	return t, err
}

// end sets the transaction's one event and sends what is buffered.
func (t *transaction) end() error {
	if len(t.events) > 0 {
		payload, err := exchange.Encode(exchange.Events{Events: t.events})
		if err != nil {
			return err
		}
		if err := t.stub.SetEvent(exchange.EventName, payload); err != nil {
			return fmt.Errorf("set event: %w", err)
		}
	}
	if err := t.stub.FinishWriteBatch(); err != nil {
		return fmt.Errorf("send writes: %w", err)
	}
	return nil
}

// get returns the committed value of a key, nil when there is none. Fabric
// would answer with the committed value even after this transaction has
// written another, so a key that it has written answers [exchange.Again].
func (t *transaction) get(key string) ([]byte, error) {
	if t.written[key] {
		return nil, again()
	}
	if value, ok := t.read[key]; ok {
		return value, nil
	}
	value, err := t.stub.GetState(key)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	t.read[key] = value
	return value, nil
}

// fetch reads keys in one call to the peer, for get to find them.
func (t *transaction) fetch(keys []string) error {
	values, err := t.stub.GetMultipleStates(keys...)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	if len(values) != len(keys) {
		return errors.New("read the ledger: the peer answered another number of keys")
	}
	for i, key := range keys {
		t.read[key] = values[i]
	}
	return nil
}

func again() error {
	return exchange.Errorf(exchange.Again, "a record of this operation was written by the same transaction: submit it in another")
}

// composite is a key as Fabric stores it.
func composite(k exchange.Key) (string, error) {
	key, err := shim.CreateCompositeKey(k.Type, k.Parts)
	if err != nil {
		return "", exchange.Errorf(exchange.Invalid, "%s key: %v", k.Type, err)
	}
	return key, nil
}

// find reads a record; false when it is not there. The operations of a batch
// that speak of the same record decode it once.
func find[T any](t *transaction, k exchange.Key) (T, bool, error) {
	var record T
	key, err := composite(k)
	if err != nil {
		return record, false, err
	}
	value, err := t.get(key)
	if err != nil || value == nil {
		return record, false, err
	}
	if known, ok := t.decoded[key].(T); ok {
		return known, true, nil
	}
	if err := json.Unmarshal(value, &record); err != nil {
		return record, false, fmt.Errorf("decode %s record: %w", k.Type, err)
	}
	if t.decoded == nil {
		t.decoded = make(map[string]any)
	}
	t.decoded[key] = record
	return record, true, nil
}

// need reads a record that must be there, else [exchange.NotFound].
func need[T any](t *transaction, k exchange.Key, id string) (T, error) {
	record, ok, err := find[T](t, k)
	if err == nil && !ok {
		err = exchange.Errorf(exchange.NotFound, "there is no %s %s", k.Type, id)
	}
	return record, err
}
