package contracttest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/queryresult"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// stub is one endorser's view of one proposal. What it does not override is
// not used by the contract and panics on the nil interface below it.
//
// As in Fabric, it reads what is committed and never its own writes, notes
// the version of every key that it reads, and allows no write after a read by
// pages.
type stub struct {
	shim.ChaincodeStubInterface
	ledger    *Memory
	tx        string
	time      time.Time
	creator   []byte
	args      []string
	reads     map[string]int // version read, 0: not there
	writes    map[string][]byte
	event     *peer.ChaincodeEvent
	paginated bool
}

func (s *stub) GetTxID() string             { return s.tx }
func (s *stub) GetCreator() ([]byte, error) { return s.creator, nil }
func (s *stub) StartWriteBatch()            {}
func (s *stub) FinishWriteBatch() error     { return nil }

func (s *stub) GetTxTimestamp() (*timestamppb.Timestamp, error) { return timestamppb.New(s.time), nil }

func (s *stub) GetFunctionAndParameters() (string, []string) { return s.args[0], s.args[1:] }

func (s *stub) GetState(key string) ([]byte, error) {
	e := s.ledger.state[key]
	s.reads[key] = e.version
	return e.value, nil
}

func (s *stub) GetMultipleStates(keys ...string) ([][]byte, error) {
	values := make([][]byte, len(keys))
	for i, key := range keys {
		values[i], _ = s.GetState(key)
	}
	return values, nil
}

func (s *stub) PutState(key string, value []byte) error {
	if s.paginated {
		return errors.New("a transaction that reads by pages cannot write")
	}
	s.writes[key] = value
	return nil
}

func (s *stub) SetEvent(name string, payload []byte) error {
	s.event = &peer.ChaincodeEvent{EventName: name, Payload: payload}
	return nil
}

func (s *stub) GetStateByPartialCompositeKeyWithPagination(objectType string, parts []string, pageSize int32, bookmark string) (shim.StateQueryIteratorInterface, *peer.QueryResponseMetadata, error) {
	start, err := shim.CreateCompositeKey(objectType, parts)
	if err != nil {
		return nil, nil, err
	}
	if len(s.writes) > 0 {
		return nil, nil, errors.New("a transaction that writes cannot read by pages")
	}
	s.paginated = true
	rows := new(rows)
	var next string
	for _, key := range s.ledger.keys() {
		if !strings.HasPrefix(key, start) || key < bookmark {
			continue
		}
		if len(rows.list) == int(pageSize) {
			next = key
			break
		}
		rows.list = append(rows.list, &queryresult.KV{Key: key, Value: s.ledger.state[key].value})
	}
	return rows, &peer.QueryResponseMetadata{FetchedRecordsCount: int32(len(rows.list)), Bookmark: next}, nil
}

func (s *stub) GetHistoryForKey(key string) (shim.HistoryQueryIteratorInterface, error) {
	list := slices.Clone(s.ledger.history[key])
	slices.Reverse(list)
	return &versions{iterator[*queryresult.KeyModification]{list: list}}, nil
}

// iterator yields a list, as the peer's iterators do.
type iterator[T any] struct{ list []T }

func (i *iterator[T]) HasNext() bool { return len(i.list) > 0 }
func (i *iterator[T]) Close() error  { return nil }

func (i *iterator[T]) Next() (T, error) {
	if len(i.list) == 0 {
		var none T
		return none, fmt.Errorf("nothing left")
	}
	next := i.list[0]
	i.list = i.list[1:]
	return next, nil
}

type (
	rows     struct{ iterator[*queryresult.KV] }
	versions struct {
		iterator[*queryresult.KeyModification]
	}
)
