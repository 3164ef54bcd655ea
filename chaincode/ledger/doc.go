// Package ledger is a department's client of the contract: it submits
// operations, asks for records and reads blocks, all by the gateway of the
// department's own Fabric peer.
//
// It trusts that peer for what is committed and valid, and nobody else: a
// refusal comes from the contract as that peer hands it on, and [Transaction]
// checks signatures itself, so that a worker can demand its own department's
// creator and its own peer's endorsement before it moves a key.
//
// # Outcomes and errors
//
// [Client.Submit] and [Client.Invoke] return an [exchange.Outcome] and a nil
// error whenever it is known what became of the operation, refusals included:
// look at Outcome.Err. An error means that the outcome is not known or that
// the ledger could not be reached; it wraps [ErrUnreachable] or
// [ErrUnknownOutcome], and the context's error where the context ended.
// Saying the same operation again is then harmless: the contract answers
// [exchange.Exists] when it had been done.
//
// Every call tries again for as long as its context lasts while the peer, the
// orderer or the endorsers cannot be reached; a caller who will not wait sets
// a deadline. The rules of what is tried again are those of [the Fabric
// Gateway API], in retry.go as one table.
//
// [the Fabric Gateway API]: https://pkg.go.dev/github.com/hyperledger/fabric-gateway/pkg/client
package ledger
