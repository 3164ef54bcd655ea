package ledger

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

func sha(parts ...[]byte) []byte {
	sum := sha256.Sum256(slices.Concat(parts...))
	return sum[:]
}

func TestFindTransaction(t *testing.T) {
	officer, census, labor := newPerson(t, "CensusMSP"), newPerson(t, "CensusMSP"), newPerson(t, "LaborMSP")
	c := call{
		creator: officer, endorsers: []*person{labor, census}, function: "GiveGrant", args: []string{"cmd-1", `{"request":"r"}`},
		result: []byte(`{"code":"ok"}`), events: testEvents(1),
	}
	data, id := c.make(t)
	other, _ := c.make(t)
	codes := []peer.TxValidationCode{peer.TxValidationCode_MVCC_READ_CONFLICT, peer.TxValidationCode_VALID, peer.TxValidationCode_DUPLICATE_TXID}
	tx, err := testLayout.find(makeBlock(12, nil, [][]byte{other, data, data}, codes), id)
	if err != nil {
		t.Fatal(err)
	}
	if tx.ID != id || tx.Code != Valid || tx.Block != 12 || tx.Channel != "chancery" || tx.Chaincode != "chancery" || !tx.Time.Equal(testTime) {
		t.Errorf("transaction %+v", tx)
	}
	if tx.Function != "GiveGrant" || !slices.Equal(tx.Args, c.args) || string(tx.Result) != `{"code":"ok"}` || len(tx.Events) != 1 {
		t.Errorf("call %+v", tx)
	}
	if !tx.CreatedBy("CensusMSP") || tx.CreatedBy("LaborMSP") || !tx.Creator.Cert.Equal(officer.cert) {
		t.Errorf("creator %+v", tx.Creator)
	}
	if !tx.EndorsedBy(census.cert) || !tx.EndorsedBy(labor.cert) || tx.EndorsedBy(officer.cert) || tx.EndorsedBy(nil) {
		t.Errorf("endorsers %+v", tx.Endorsers)
	}
	if tx.Code = "MVCC_READ_CONFLICT"; tx.CreatedBy("CensusMSP") || tx.EndorsedBy(census.cert) {
		t.Error("an invalid transaction counts for nobody")
	}
}

// reshape rewrites a transaction layer by layer.
func reshape(t *testing.T, data []byte, payload func(*common.Payload), action func(*peer.ChaincodeActionPayload), signer *person) []byte {
	t.Helper()
	var env common.Envelope
	var pay common.Payload
	var tx peer.Transaction
	var act peer.ChaincodeActionPayload
	for _, step := range []error{
		proto.Unmarshal(data, &env), proto.Unmarshal(env.Payload, &pay), proto.Unmarshal(pay.Data, &tx),
		proto.Unmarshal(tx.Actions[0].Payload, &act),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	if action != nil {
		action(&act)
		tx.Actions[0].Payload = marshal(t, &act)
		pay.Data = marshal(t, &tx)
	}
	if payload != nil {
		payload(&pay)
	}
	env.Payload = marshal(t, &pay)
	if signer != nil {
		env.Signature = signer.sign(t, env.Payload)
	}
	return marshal(t, &env)
}

func TestFindTransactionRefuses(t *testing.T) {
	officer, census := newPerson(t, "CensusMSP"), newPerson(t, "CensusMSP")
	c := call{creator: officer, endorsers: []*person{census}, function: "GiveGrant", args: []string{"cmd-1", "{}"}, events: testEvents(1)}
	data, id := c.make(t)
	another, _ := call{creator: officer, endorsers: []*person{census}, function: "RevokeGrant", args: []string{"cmd-1", "{}"}}.make(t)
	var foreign *peer.ChaincodeActionPayload
	reshape(t, another, nil, func(a *peer.ChaincodeActionPayload) { foreign = proto.Clone(a).(*peer.ChaincodeActionPayload) }, nil)
	mallory := newPerson(t, "CensusMSP")
	tests := []struct {
		name string
		data []byte
		says string
	}{
		{"creator's signature by another key", reshape(t, data, nil, nil, mallory), "creator: malformed: signature"},
		{"payload changed after signing", reshape(t, data, nil, func(a *peer.ChaincodeActionPayload) { a.Action.Endorsements = nil }, nil), "creator: malformed: signature"},
		{"function replaced", reshape(t, data, nil, func(a *peer.ChaincodeActionPayload) {
			a.ChaincodeProposalPayload = foreign.ChaincodeProposalPayload
		}, officer), "another proposal"},
		{"result of another transaction", reshape(t, data, nil, func(a *peer.ChaincodeActionPayload) { a.Action = foreign.Action }, officer), "another proposal"},
		{"endorsement under another certificate", reshape(t, data, nil, func(a *peer.ChaincodeActionPayload) {
			a.Action.Endorsements[0].Endorser = mallory.serialized(t)
		}, officer), "endorsement 0: malformed: signature"},
		{"endorsement of other bytes", reshape(t, data, nil, func(a *peer.ChaincodeActionPayload) {
			a.Action.Endorsements[0].Signature = census.sign(t, []byte("something"))
		}, officer), "endorsement 0: malformed: signature"},
		{"endorser without a certificate", reshape(t, data, nil, func(a *peer.ChaincodeActionPayload) {
			a.Action.Endorsements[0].Endorser = nil
		}, officer), "not one certificate"},
		{"id of another creator", reshape(t, data, func(p *common.Payload) {
			p.Header.SignatureHeader = marshal(t, &common.SignatureHeader{Creator: mallory.serialized(t), Nonce: []byte("n")})
		}, nil, mallory), "its id"},
		{"not there", another, "does not hold it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := testLayout.find(makeBlock(1, nil, [][]byte{tt.data}, nil), id)
			if !errors.Is(err, errMalformed) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want one about %q", err, tt.says)
			}
		})
	}
	if _, err := (layout{channel: "other", chaincode: "chancery"}).find(makeBlock(1, nil, [][]byte{data}, nil), id); err == nil {
		t.Error("a transaction of another channel was taken")
	}
}
