package chaincode_test

import (
	"encoding/pem"
	"testing"

	"chancery/chaincode/contracttest"
	"chancery/chaincode/exchange"
)

// TestOfficerSignsWithEitherForm: the certificate that was enrolled and the one
// that Fabric's own tools show differ in the form of the issuer's signature, and
// are the same officer's.
func TestOfficerSignsWithEitherForm(t *testing.T) {
	d := desk{t, newLedger(t)}
	shown, err := d.Issue("census", "ada")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(shown))
	other, err := contracttest.OtherForm(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	enrolled := string(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: other}))
	if enrolled == shown {
		t.Fatal("the forms do not differ")
	}
	d.must("census", "admin", exchange.OpOfficerEnrol, "", &exchange.EnrolOfficer{Name: "ada", Role: exchange.Admin, Certificate: enrolled})
	out, err := d.do("census", "ada", exchange.OpOfficerEnrol, "", &exchange.EnrolOfficer{Name: "ada", Role: exchange.Admin, Certificate: shown})
	if err != nil || out.Code != exchange.Exists {
		t.Errorf("the other form makes another officer: %v, %v", out.Code, err)
	}
}
