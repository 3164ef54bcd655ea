// Package exchange is the vocabulary that the contract, the workers and the
// command line share: the records on the ledger, the operations that make and
// change them, the table of every allowed transition, the ledger keys, the
// event names and the closed list of error codes.
//
// It is pure: no clock, no randomness, no input or output, no floating point,
// and the same bytes in give the same bytes out on every machine, because the
// contract's endorsers must agree to the byte. It trusts nothing that it
// decodes: see [Decode].
//
// Departments are named by their short name ("census") everywhere; the
// department's record binds that name to its Fabric MSP.
package exchange
