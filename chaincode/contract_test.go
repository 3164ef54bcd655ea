package chaincode_test

import (
	"testing"
	"time"

	"chancery/chaincode/contracttest"
	"chancery/chaincode/exchange"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// newLedger is a ledger in memory with the departments that the suite needs.
func newLedger(t *testing.T) *contracttest.Memory {
	t.Helper()
	m, err := contracttest.NewMemory(start)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range contracttest.Departments {
		if err := m.Populate(d); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestContract(t *testing.T) {
	contracttest.Run(t, func(t *testing.T) contracttest.Network { return newLedger(t) })
}

var _ = exchange.Admin
