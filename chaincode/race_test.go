package chaincode_test

import (
	"errors"
	"strings"
	"testing"

	"chancery/chaincode/contracttest"
	"chancery/chaincode/exchange"
)

// endorse runs a proposal without committing it.
func (d desk) endorse(department, identity string, op exchange.Op, command string, body exchange.Body) contracttest.Transaction {
	d.Helper()
	tx, err := d.Endorse(d.Now(), department, identity, function(op), command, encode(d.T, body))
	if err != nil {
		d.Fatal(err)
	}
	return tx
}

// race commits two transactions that were endorsed on the same ledger, in
// both orders, each on a ledger of its own. In the first order the second
// transaction collides where bAfterA says so, in the other where aAfterB does:
// a decision that has read what the other one changes is not committed after
// it, but may well be committed before.
func race(t *testing.T, bAfterA, aAfterB bool, prepare func(d desk) (a, b contracttest.Transaction)) {
	t.Helper()
	raceOn(t, bAfterA, aAfterB, func(t *testing.T) desk { return desk{t, newLedger(t)} }, prepare)
}

// committer is a ledger that a race is on.
type committer interface {
	Commit(tx contracttest.Transaction) error
}

func raceOn[D committer](t *testing.T, bAfterA, aAfterB bool, newDesk func(t *testing.T) D, prepare func(d D) (a, b contracttest.Transaction)) {
	t.Helper()
	for _, swapped := range []bool{false, true} {
		d := newDesk(t)
		a, b := prepare(d)
		collide := bAfterA
		if swapped {
			a, b, collide = b, a, aAfterB
		}
		if err := d.Commit(a); err != nil {
			t.Errorf("%s first: %v", a.Function, err)
		}
		if err := d.Commit(b); errors.Is(err, contracttest.ErrConflict) != collide || err != nil && !collide {
			t.Errorf("%s after %s: %v, want a conflict: %t", b.Function, a.Function, err, collide)
		}
	}
}

func TestRaces(t *testing.T) {
	redeem := func(d desk, grant string, slot int) contracttest.Transaction {
		return d.endorse("health", "worker", exchange.OpGrantRedeem, "", &exchange.RedeemGrant{Grant: grant, Slot: slot})
	}
	t.Run("revoke and redeem", func(t *testing.T) {
		race(t, true, false, func(d desk) (a, b contracttest.Transaction) {
			grant := d.grant("a")
			return d.endorse("census", "officer", exchange.OpGrantRevoke, "", &exchange.RevokeGrant{Grant: grant, Reason: "over"}), redeem(d, grant, 0)
		})
	})
	t.Run("revoke and release", func(t *testing.T) {
		race(t, true, false, func(d desk) (a, b contracttest.Transaction) {
			grant := d.grant("a")
			d.must("health", "worker", exchange.OpGrantRedeem, "", &exchange.RedeemGrant{Grant: grant})
			return d.endorse("census", "officer", exchange.OpGrantRevoke, "", &exchange.RevokeGrant{Grant: grant, Reason: "over"}),
				d.endorse("census", "worker", exchange.OpKeyRelease, "", &exchange.ReleaseKey{
					Grant: grant, WrapCID: "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", WrapDigest: strings.Repeat("c", 64)})
		})
	})
	t.Run("same slot", func(t *testing.T) {
		race(t, true, true, func(d desk) (a, b contracttest.Transaction) {
			grant := d.grant("a")
			return redeem(d, grant, 0), redeem(d, grant, 0)
		})
	})
	t.Run("two slots", func(t *testing.T) {
		race(t, false, false, func(d desk) (a, b contracttest.Transaction) {
			grant := d.grant("a")
			return redeem(d, grant, 0), redeem(d, grant, 1)
		})
	})
	t.Run("give and refuse", func(t *testing.T) {
		race(t, true, true, func(d desk) (a, b contracttest.Transaction) {
			request := d.request("a")
			return d.endorse("census", "officer", exchange.OpGrantGive, "give", &exchange.GiveGrant{Request: request}),
				d.endorse("census", "officer", exchange.OpRequestRefuse, "", &exchange.EndRequest{Request: request, Reason: "no"})
		})
	})
	t.Run("withdraw and give", func(t *testing.T) {
		race(t, true, true, func(d desk) (a, b contracttest.Transaction) {
			request := d.request("a")
			return d.endorse("census", "officer", exchange.OpGrantGive, "give", &exchange.GiveGrant{Request: request}),
				d.endorse("health", "worker", exchange.OpRequestWithdraw, "", &exchange.EndRequest{Request: request, Reason: "no"})
		})
	})
}

func TestOfficerRaces(t *testing.T) {
	t.Run("suspend the signer", func(t *testing.T) {
		race(t, false, true, func(d desk) (a, b contracttest.Transaction) {
			request := d.request("a")
			return d.endorse("census", "officer", exchange.OpRequestRefuse, "", &exchange.EndRequest{Request: request, Reason: "no"}),
				d.endorse("census", "admin", exchange.OpDepartmentSuspend, "", &exchange.ChangeDepartment{Name: "census", Reason: "audit"})
		})
	})
	t.Run("admins suspend each other", func(t *testing.T) {
		race(t, true, true, func(d desk) (a, b contracttest.Transaction) {
			certificate, err := d.Issue("census", "second")
			if err != nil {
				d.Fatal(err)
			}
			second := d.must("census", "admin", exchange.OpOfficerEnrol, "", &exchange.EnrolOfficer{Name: "second", Role: exchange.Admin, Certificate: certificate}).ID
			var first string
			for _, e := range d.Committed()[0].Events {
				if e.Type == exchange.OfficerEnrolled {
					first = e.ID
				}
			}
			return d.endorse("census", "admin", exchange.OpOfficerSuspend, "", &exchange.ChangeOfficer{Officer: second, Reason: "you"}),
				d.endorse("census", "second", exchange.OpOfficerSuspend, "", &exchange.ChangeOfficer{Officer: first, Reason: "no, you"})
		})
	})
}
