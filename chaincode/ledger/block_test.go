package ledger

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"chancery/chaincode/exchange"
)

func TestReadBlock(t *testing.T) {
	worker := newPerson(t, "HealthMSP")
	say := call{creator: worker, function: "Apply", events: testEvents(3)}
	first, firstID := say.make(t)
	second, secondID := say.make(t)
	foreign, _ := call{creator: worker, chaincode: "_lifecycle", function: "Commit", payload: []byte("theirs"), eventName: "x"}.make(t)
	config := marshal(t, &common.Envelope{Payload: marshal(t, &common.Payload{Header: &common.Header{
		ChannelHeader: marshal(t, &common.ChannelHeader{Type: int32(common.HeaderType_CONFIG), ChannelId: "chancery"}),
	}})})
	raw := makeBlock(7, []byte("before"), [][]byte{first, second, foreign, config, []byte("\xff\xff not protobuf")}, []peer.TxValidationCode{
		peer.TxValidationCode_VALID, peer.TxValidationCode_MVCC_READ_CONFLICT, peer.TxValidationCode_VALID,
		peer.TxValidationCode_VALID, peer.TxValidationCode_BAD_PAYLOAD,
	})
	b, err := testLayout.read(raw)
	if err != nil {
		t.Fatal(err)
	}
	if b.Number != 7 || string(b.Previous) != "before" || len(b.Hash) != 32 || len(b.Txs) != 5 {
		t.Fatalf("block %+v", b)
	}
	tx := b.Txs[0]
	if tx.ID != firstID || tx.Code != Valid || tx.Creator != "HealthMSP" || tx.Chaincode != "chancery" || !tx.Time.Equal(testTime) {
		t.Errorf("first transaction %+v", tx)
	}
	if len(tx.Events) != 3 || tx.Events[2].ID != say.events[2].ID || string(tx.Events[0].Data) != `{"purpose":"a < b"}` {
		t.Errorf("its events %+v", tx.Events)
	}
	if tx = b.Txs[1]; tx.ID != secondID || tx.Index != 1 || tx.Code != "MVCC_READ_CONFLICT" || len(tx.Events) != 0 {
		t.Errorf("an invalid transaction %+v", tx)
	}
	if tx = b.Txs[2]; tx.Chaincode != "_lifecycle" || len(tx.Events) != 0 {
		t.Errorf("another chaincode's %+v", tx)
	}
	if tx = b.Txs[3]; tx.ID != "" || tx.Code != Valid {
		t.Errorf("a configuration %+v", tx)
	}
	if tx = b.Txs[4]; tx.Index != 4 || tx.Code != "BAD_PAYLOAD" {
		t.Errorf("unreadable bytes %+v", tx)
	}
}

func TestFirstBlockNeedsNoCodes(t *testing.T) {
	raw := makeBlock(0, nil, [][]byte{[]byte("\xff")}, nil)
	raw.Metadata = nil
	b, err := testLayout.read(raw)
	if err != nil || b.Txs[0].Code != "NOT_VALIDATED" {
		t.Errorf("%+v, %v", b, err)
	}
	raw.Header.Number = 1
	if _, err := testLayout.read(raw); !errors.Is(err, errMalformed) {
		t.Errorf("block 1 without codes: %v", err)
	}
}

func TestReadBlockRefuses(t *testing.T) {
	worker := newPerson(t, "HealthMSP")
	valid := func(c call) *common.Block {
		c.creator, c.function = worker, "Apply"
		data, _ := c.make(t)
		return makeBlock(1, nil, [][]byte{data}, nil)
	}
	good, _ := exchange.Encode(exchange.Events{Events: testEvents(1)})
	tests := []struct {
		name string
		raw  *common.Block
		says string
	}{
		{"no header", &common.Block{Data: &common.BlockData{Data: [][]byte{{1}}}}, "hash"},
		{"other data", func() *common.Block { b := valid(call{}); b.Data.Data[0][9] ^= 1; return b }(), "hash"},
		{"too few codes", func() *common.Block { b := valid(call{}); b.Metadata.Metadata[2] = nil; return b }(), "0 validation codes"},
		{"valid but unreadable", makeBlock(1, nil, [][]byte{[]byte("\xff")}, nil), "envelope"},
		{"valid on another channel", valid(call{channel: "other"}), `channel "other"`},
		{"no action", valid(call{spoil: func(p *common.Payload) { p.Data = nil }}), "0 actions"},
		{"unknown event name", valid(call{payload: good, eventName: "chancery.v2"}), `"chancery.v2"`},
		{"events are no JSON", valid(call{payload: []byte("{")}), "events"},
		{"unknown key", valid(call{payload: bytes.Replace(good, []byte(`"from"`), []byte(`"extra":1,"from"`), 1)}), "as the contract writes"},
		{"key twice", valid(call{payload: bytes.Replace(good, []byte(`"from"`), []byte(`"from":"labor","from"`), 1)}), "as the contract writes"},
		{"key in capitals", valid(call{payload: bytes.Replace(good, []byte(`"from"`), []byte(`"From"`), 1)}), "as the contract writes"},
		{"bytes after the end", valid(call{payload: append(bytes.Clone(good), ' ')}), "as the contract writes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := testLayout.read(tt.raw)
			if !errors.Is(err, errMalformed) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want one about %q", err, tt.says)
			}
		})
	}
}

// TestHeaderHash spells out the DER that is hashed: number, previous hash, data
// hash.
func TestHeaderHash(t *testing.T) {
	h := &common.BlockHeader{Number: 1 << 63, PreviousHash: []byte{1, 2}, DataHash: []byte{3}}
	der := []byte{0x30, 0x12, 0x02, 0x09, 0x00, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x04, 0x02, 1, 2, 0x04, 0x01, 3}
	if got, want := headerHash(h), sha(der); !bytes.Equal(got, want) {
		t.Errorf("hash %x, want %x", got, want)
	}
}

func FuzzReadBlock(f *testing.F) {
	worker := newPerson(f, "HealthMSP")
	data, id := call{creator: worker, endorsers: []*person{worker}, function: "Apply", args: []string{"[]"}, events: testEvents(2)}.make(f)
	f.Add(marshal(f, makeBlock(3, []byte("p"), [][]byte{data}, nil)), true)
	f.Add(marshal(f, makeBlock(0, nil, [][]byte{data, data}, []peer.TxValidationCode{0, 9})), false)
	f.Add([]byte{}, true)
	f.Fuzz(func(t *testing.T, bytes []byte, mend bool) {
		var raw common.Block
		if proto.Unmarshal(bytes, &raw) != nil {
			return
		}
		if mend && raw.Header != nil { // let the fuzzer through to the transactions
			sum := sha(raw.GetData().GetData()...)
			raw.Header.DataHash = sum
		}
		b, err := testLayout.read(&raw)
		if err != nil && !errors.Is(err, errMalformed) {
			t.Errorf("error without a name: %v", err)
		}
		if err == nil && len(b.Txs) != len(raw.GetData().GetData()) {
			t.Errorf("%d transactions out of %d", len(b.Txs), len(raw.GetData().GetData()))
		}
		if _, err := testLayout.find(&raw, id); err != nil && !errors.Is(err, errMalformed) {
			t.Errorf("error without a name: %v", err)
		}
	})
}
