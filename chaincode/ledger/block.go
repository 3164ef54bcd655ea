package ledger

import (
	"time"

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
	ID        string
	Index     int       // in the block, from 0
	Code      string    // validation code by Fabric's name, [Valid] or why not
	Creator   string    // MSP
	Chaincode string    // name; empty for a configuration
	Time      time.Time // as the creator set it
	// Events is what our contract said happened, in order; empty unless the
	// transaction is valid.
	Events []exchange.Event
}
