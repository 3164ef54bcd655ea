// Package chaos kills workers with SIGKILL at every point where they touch the
// world outside of their process: before and after each publication on the bus,
// each submission to the orderer, each wait for a commit, each pin on the kubo
// node and each acknowledgement. Meanwhile systems publish, ask, redeem and
// withdraw, and say some of it twice. In the end every command has had its
// effect once, on the ledger and on each department's stream LEDGER, and every
// file has arrived once.
//
// The points lie on the wire and not in the program, which is the one that is
// shipped: between the workers and their bus, peer and kubo node stand proxies
// of the test, to which the departments' profiles lead. A proxy that sees the
// step it waits for holds it back, kills the process, and only then lets go of
// the connection. Before a step nothing of it has left the process; after it the
// step is done, and the process dies without having heard so. What happens
// between two such points leaves no trace outside, but for files, and each file
// that a worker writes lies between two points of its own.
//
// The same proxies lose answers: endorsements that come too late, transactions
// of which nobody knows whether they were ordered or committed. And several
// clients say the same at once, so that their transactions meet.
package chaos
