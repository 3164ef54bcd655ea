// Package contracttest holds the contract to its table: one suite for every
// network that claims to run it. It is run over [Memory] beside the contract and
// over real Fabric in the end-to-end tests, like testing/fstest for file systems.
//
// The suite walks every row of [exchange.Transitions] from every state that its
// record can have, every role and every department that may not sign it, and
// the rules that the table does not hold: terms, tokens, batches, recorded
// outcomes, queries.
package contracttest

import (
	"testing"
	"time"

	"chancery/chaincode/exchange"
)

// Network is a ledger that runs the contract. The departments of [Departments]
// are registered on it, each with enrolled identities named as the roles admin,
// officer, worker and auditor. None of their workers runs: they would answer what
// the suite says. Any number of goroutines may use it at once.
type Network interface {
	// Submit signs a transaction as one of a department's identities and
	// returns the function's answer once every department's peer has committed
	// it. It submits anew what is not committed for its reads
	// (MVCC_READ_CONFLICT). The text of its error holds the contract's
	// "code: message", where the contract refused.
	Submit(department, identity, function string, args ...string) (string, error)

	// Evaluate signs a proposal and returns the answer of the department's peer.
	Evaluate(department, identity, function string, args ...string) (string, error)

	// Issue makes an identity of the department's own authority, OU=client, that
	// Submit can sign with from then on, and returns its certificate as PEM. The
	// name is at most 32 characters of a-z, 0-9 and hyphens.
	Issue(department, identity string) (string, error)

	// MSP is the id of a department's MSP.
	MSP(department string) string

	// Now is the time with which Submit dates a transaction.
	Now() time.Time

	// Until returns when Now is past a moment.
	Until(at time.Time)
}

// Departments are what the suite needs: a provider, a requester and a third.
var Departments = []string{provider, requester, third}

const (
	provider  = "census"
	requester = "health"
	third     = "labor"
)

// Enrolled are the roles for which each department has an identity of that name.
var Enrolled = []exchange.Role{exchange.Admin, exchange.Officer, exchange.Worker, exchange.Auditor}

// Run holds a network to the contract. What it makes has names of its own in
// every run, so that it can be run again on the same ledger. It suspends and
// reinstates the department labor at its end.
func Run(t *testing.T, open func(t *testing.T) Network) {
	s := newSuite(t, open(t))
	t.Run("share", s.testShare)
	t.Run("job", s.testJob)
	t.Run("parallel", func(t *testing.T) {
		t.Run("transitions", s.parallel(s.testTransitions))
		t.Run("roles", s.parallel(s.testRoles))
		t.Run("parties", s.parallel(s.testParties))
		t.Run("repeats", s.parallel(s.testRepeats))
		t.Run("officers", s.parallel(s.testOfficers))
		t.Run("terms", s.parallel(s.testTerms))
		t.Run("grants", s.parallel(s.testGrants))
		t.Run("decisions", s.parallel(s.testDecisions))
		t.Run("certifications", s.parallel(s.testCertifications))
		t.Run("redemptions", s.parallel(s.testRedemptions))
		t.Run("releases", s.parallel(s.testReleases))
		t.Run("commands", s.parallel(s.testCommands))
		t.Run("batches", s.parallel(s.testBatches))
		t.Run("input", s.parallel(s.testInput))
		t.Run("queries", s.parallel(s.testQueries))
		t.Run("keyrings", s.parallel(s.testKeyrings))
		t.Run("plans", s.parallel(s.testPlans))
		t.Run("approvals", s.parallel(s.testApprovals))
		t.Run("alignments", s.parallel(s.testAlignments))
		t.Run("contributions", s.parallel(s.testContributions))
		t.Run("evaluations", s.parallel(s.testEvaluations))
	})
	t.Run("departments", s.testDepartments)
}
