package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"chancery/chaincode/exchange"
)

// Block is one block of the channel.
type Block struct {
	Number   uint64
	Hash     []byte // SHA-256 of the header, 32 bytes
	Previous []byte // Hash of the block before
	Txs      []Tx   // in the block's order, invalid ones too
}

// Tx is one transaction of a block.
type Tx struct {
	// ID is empty for a configuration of the channel and for an invalid
	// transaction that cannot be read.
	ID        string
	Index     int       // in the block, from 0
	Code      string    // validation code by Fabric's name, [Valid] or why not
	Creator   string    // MSP
	Chaincode string    // name; of valid transactions that call one
	Time      time.Time // as the creator set it
	// Events is what our contract said happened, in order; empty unless the
	// transaction is valid.
	Events []exchange.Event
}

// layout is which contract's transactions are read.
type layout struct{ channel, chaincode string }

// read reads a block and checks that its data is what its header says.
func (l layout) read(raw *common.Block) (Block, error) {
	header := raw.GetHeader()
	b := Block{Number: header.GetNumber(), Hash: headerHash(header), Previous: header.GetPreviousHash()}
	digest := sha256.New()
	for _, data := range raw.GetData().GetData() {
		digest.Write(data)
	}
	if !bytes.Equal(digest.Sum(nil), header.GetDataHash()) {
		return Block{}, malformed("block %d: data is not what the header's hash says", b.Number)
	}
	codes, err := validationCodes(raw)
	if err != nil {
		return Block{}, err
	}
	b.Txs = make([]Tx, len(codes))
	for i, data := range raw.GetData().GetData() {
		if b.Txs[i], err = l.readTx(data, i, codes[i]); err != nil {
			return Block{}, malformed("block %d, transaction %d: %s", b.Number, i, err)
		}
	}
	return b, nil
}

// readTx reads one transaction. An invalid one may hold anything at all: what
// cannot be read of it is left out.
func (l layout) readTx(data []byte, index int, code peer.TxValidationCode) (Tx, error) {
	tx := Tx{Index: index, Code: code.String()}
	valid := code == peer.TxValidationCode_VALID
	e, err := readEnvelope(data)
	if err != nil {
		if valid {
			return Tx{}, err
		}
		return tx, nil
	}
	tx.ID, tx.Creator, tx.Time = e.channel.GetTxId(), e.creator.GetMspid(), e.time()
	if !valid || !e.invokes() {
		return tx, nil
	}
	if name := e.channel.GetChannelId(); name != l.channel {
		return Tx{}, malformed("it is of channel %q", name)
	}
	in, err := e.invocation()
	if err != nil {
		return Tx{}, err
	}
	tx.Chaincode = in.chaincode
	tx.Events, err = readEvents(in, l.chaincode, tx.ID)
	return tx, err
}

// validationCodes are the verdicts of the own peer, one for each transaction,
// from the block's metadata. The first block of a channel is its own authority
// and may have none.
func validationCodes(raw *common.Block) ([]peer.TxValidationCode, error) {
	count := len(raw.GetData().GetData())
	var flags []byte
	if list := raw.GetMetadata().GetMetadata(); len(list) > int(common.BlockMetadataIndex_TRANSACTIONS_FILTER) {
		flags = list[common.BlockMetadataIndex_TRANSACTIONS_FILTER]
	}
	number := raw.GetHeader().GetNumber()
	if number == 0 && len(flags) == 0 {
		flags = bytes.Repeat([]byte{byte(peer.TxValidationCode_NOT_VALIDATED)}, count)
	}
	if len(flags) != count {
		return nil, malformed("block %d: %d transactions, %d validation codes", number, count, len(flags))
	}
	codes := make([]peer.TxValidationCode, count)
	for i, f := range flags {
		codes[i] = peer.TxValidationCode(f)
	}
	return codes, nil
}

// headerHash is what the next block names as the hash before it: SHA-256 of
// the header in DER.
func headerHash(h *common.BlockHeader) []byte {
	der, err := asn1.Marshal(struct {
		Number   *big.Int
		Previous []byte
		Data     []byte
	}{new(big.Int).SetUint64(h.GetNumber()), h.GetPreviousHash(), h.GetDataHash()})
	if err != nil {
		return nil // integers and bytes always have a DER form
	}
	sum := sha256.Sum256(der)
	return sum[:]
}
