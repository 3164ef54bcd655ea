package chaincode_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
)

func TestClock(t *testing.T) {
	d := desk{t, newLedger(t)}
	grant := d.grant("a")
	body := encode(t, &exchange.RedeemGrant{Grant: grant})
	batch := encode(t, []exchange.Operation{{Op: exchange.OpGrantRedeem, Body: json.RawMessage(body)}})
	for _, tc := range []struct {
		off time.Duration // of the transaction's time from the first endorser's clock; the second is a minute ahead
		ok  bool
	}{{0, true}, {5 * time.Minute, true}, {-4 * time.Minute, true}, {5*time.Minute + 1, false}, {-4*time.Minute - 1, false}, {-5*time.Minute - 1, false}, {24 * time.Hour, false}} {
		for function, args := range map[string][]string{"RedeemGrant": {"", body}, "Apply": {batch}} {
			_, err := d.Endorse(d.Now().Add(tc.off), "health", "worker", function, args...)
			if tc.ok && err != nil {
				t.Errorf("%s at %s: %v", function, tc.off, err)
			}
			if !tc.ok {
				wantCode(t, err, exchange.Expired)
			}
		}
	}
}

// TestPeriods steps to the very moments at which a grant, a redemption and a
// certificate end.
func TestPeriods(t *testing.T) {
	d := desk{t, newLedger(t)}
	request := d.request("a")
	begin, end := start.Add(time.Hour), start.Add(2*time.Hour)
	grant := d.must("census", "officer", exchange.OpGrantGive, "give", &exchange.GiveGrant{Request: request, NotBefore: begin, NotAfter: end}).ID
	redeem := func(slot int) error {
		_, err := d.do("health", "worker", exchange.OpGrantRedeem, "", &exchange.RedeemGrant{Grant: grant, Slot: slot})
		return err
	}
	release := func(slot int) error {
		_, err := d.do("census", "worker", exchange.OpKeyRelease, "", &exchange.ReleaseKey{Grant: grant, Slot: slot,
			WrapCID: "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", WrapDigest: strings.Repeat("c", 64)})
		return err
	}
	d.Until(begin.Add(-1))
	wantCode(t, redeem(0), exchange.Expired)
	d.Until(begin)
	for slot := range 2 {
		if err := redeem(slot); err != nil {
			t.Error(err)
		}
	}
	d.Until(end.Add(-1))
	if err := redeem(2); err != nil {
		t.Error(err)
	}
	d.Until(end)
	wantCode(t, redeem(3), exchange.Expired)
	d.Until(begin.Add(exchange.ReleaseWindow * time.Second))
	if err := release(0); err != nil {
		t.Error(err)
	}
	d.Until(d.Now().Add(1))
	wantCode(t, release(1), exchange.Expired)
	if err := release(2); err != nil {
		t.Error(err)
	}
	d.Until(start.Add(365 * 24 * time.Hour))
	if _, err := d.do("census", "worker", exchange.OpKeyRefuse, "", &exchange.RefuseKey{Grant: grant, Slot: 1, Attempt: 1, Reason: "late"}); err != nil {
		t.Errorf("on a certificate's last moment: %v", err)
	}
	d.Until(d.Now().Add(time.Second))
	wantCode(t, redeem(1), exchange.Expired)
	if refusal := wantCode(t, redeem(1), exchange.Expired); !strings.Contains(refusal.Message, "certificate") {
		t.Errorf("refused for %q, want the certificate", refusal.Message)
	}
}

// TestExpiredCertificate lets the certificates of those who decide run out
// between request and grant: the request stays open, and nobody but a holder of
// a certificate that is valid decides it.
func TestExpiredCertificate(t *testing.T) {
	d := desk{t, newLedger(t)}
	d.request("a")
	request := d.must("health", "worker", exchange.OpRequestOpen, "long", &exchange.OpenRequest{
		Dataset: "census/a", Purpose: "planning", LegalBasis: "section 5", Actions: []exchange.Action{exchange.Read}, ValidFor: 2 * 366 * 24 * 3600, Uses: 1,
	}).ID
	d.Until(start.Add(364 * 24 * time.Hour))
	certificate, err := d.Issue("census", "successor")
	if err != nil {
		t.Fatal(err)
	}
	d.must("census", "admin", exchange.OpOfficerEnrol, "", &exchange.EnrolOfficer{Name: "successor", Role: exchange.Officer, Certificate: certificate})
	d.Until(start.Add(366 * 24 * time.Hour))

	_, err = d.do("census", "officer", exchange.OpGrantGive, "late", &exchange.GiveGrant{Request: request})
	if refusal := wantCode(t, err, exchange.Expired); !strings.Contains(refusal.Message, "certificate") {
		t.Errorf("refused for %q, want the certificate", refusal.Message)
	}
	_, err = d.do("census", "officer", exchange.OpRequestRefuse, "", &exchange.EndRequest{Request: request, Reason: "no"})
	wantCode(t, err, exchange.Expired)
	_, err = d.do("census", "admin", exchange.OpOfficerEnrol, "", &exchange.EnrolOfficer{Name: "x", Role: exchange.Officer, Certificate: certificate})
	wantCode(t, err, exchange.Expired)
	d.must("census", "successor", exchange.OpGrantGive, "in-time", &exchange.GiveGrant{Request: request})
}
