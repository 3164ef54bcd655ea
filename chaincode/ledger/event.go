package ledger

import (
	"bytes"
	"encoding/json"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"chancery/chaincode/exchange"
)

// readEvents reads what the contract said happened: the one chaincode event of
// a transaction. Another chaincode's says nothing of ours.
func readEvents(in *invocation, chaincode, tx string) ([]exchange.Event, error) {
	if in.chaincode != chaincode || len(in.action.GetEvents()) == 0 {
		return nil, nil
	}
	event, err := decode[peer.ChaincodeEvent]("chaincode event", in.action.GetEvents())
	if err != nil {
		return nil, err
	}
	switch {
	case event.GetChaincodeId() != chaincode:
		return nil, malformed("event of chaincode %q", event.GetChaincodeId())
	case event.GetTxId() != tx:
		return nil, malformed("event of transaction %q", event.GetTxId())
	case event.GetEventName() != exchange.EventName:
		return nil, malformed("event %q: this program knows %q", event.GetEventName(), exchange.EventName)
	}
	return decodeEvents(event.GetPayload())
}

// decodeEvents reads the event's payload strictly: the contract writes it by
// [exchange.Encode], so whatever is not written like that, such as an unknown
// key or the same key twice, is not the contract's.
func decodeEvents(payload []byte) ([]exchange.Event, error) {
	var list exchange.Events
	if err := json.Unmarshal(payload, &list); err != nil {
		return nil, malformed("events: %s", err)
	}
	again, err := exchange.Encode(list)
	if err != nil || !bytes.Equal(again, payload) {
		return nil, malformed("events are not written as the contract writes them")
	}
	return list.Events, nil
}
