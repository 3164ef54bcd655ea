package ledger

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"chancery/chaincode/exchange"
)

var testLayout = layout{channel: "chancery", chaincode: "chancery"}

// person is somebody who signs: a creator or an endorsing peer.
type person struct {
	msp  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newPerson(t testing.TB, mspID string) *person {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: mspID, Organization: []string{mspID}},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames:     []string{"peer.test"},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &person{mspID, key, cert}
}

func (p *person) certPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw})
}

func (p *person) keyPEM(t testing.TB) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (p *person) serialized(t testing.TB) []byte {
	return marshal(t, &msp.SerializedIdentity{Mspid: p.msp, IdBytes: p.certPEM()})
}

func (p *person) sign(t testing.TB, message []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(message)
	signature, err := ecdsa.SignASN1(rand.Reader, p.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// call is a transaction to be made. The hook spoils it before it is signed.
type call struct {
	creator   *person
	endorsers []*person
	channel   string
	chaincode string
	function  string
	args      []string
	result    []byte
	events    []exchange.Event
	payload   []byte // of the chaincode event; nil: events as the contract writes them
	eventName string

	spoil func(*common.Payload)
}

var testTime = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// make builds the envelope as Fabric's gateway and peers do.
func (c call) make(t testing.TB) (data []byte, id string) {
	t.Helper()
	if c.channel == "" {
		c.channel = testLayout.channel
	}
	if c.chaincode == "" {
		c.chaincode = testLayout.chaincode
	}
	nonce := make([]byte, 24)
	rand.Read(nonce)
	creator := c.creator.serialized(t)
	sum := sha256.Sum256(slices.Concat(nonce, creator))
	id = hex.EncodeToString(sum[:])
	header := &common.Header{
		ChannelHeader: marshal(t, &common.ChannelHeader{
			Type: int32(common.HeaderType_ENDORSER_TRANSACTION), TxId: id,
			ChannelId: c.channel, Timestamp: timestamppb.New(testTime),
		}),
		SignatureHeader: marshal(t, &common.SignatureHeader{Creator: creator, Nonce: nonce}),
	}
	proposal := c.proposal(t)
	response := c.response(t, header, proposal, id)
	action := &peer.ChaincodeEndorsedAction{ProposalResponsePayload: response}
	for _, e := range c.endorsers {
		endorser := e.serialized(t)
		action.Endorsements = append(action.Endorsements, &peer.Endorsement{
			Endorser: endorser, Signature: e.sign(t, slices.Concat(response, endorser)),
		})
	}
	tx := &peer.Transaction{Actions: []*peer.TransactionAction{{
		Header:  header.SignatureHeader,
		Payload: marshal(t, &peer.ChaincodeActionPayload{ChaincodeProposalPayload: proposal, Action: action}),
	}}}
	payload := &common.Payload{Header: header, Data: marshal(t, tx)}
	if c.spoil != nil {
		c.spoil(payload)
	}
	raw := marshal(t, payload)
	return marshal(t, &common.Envelope{Payload: raw, Signature: c.creator.sign(t, raw)}), id
}

func (c call) proposal(t testing.TB) []byte {
	args := [][]byte{[]byte(c.function)}
	for _, a := range c.args {
		args = append(args, []byte(a))
	}
	return marshal(t, &peer.ChaincodeProposalPayload{Input: marshal(t, &peer.ChaincodeInvocationSpec{
		ChaincodeSpec: &peer.ChaincodeSpec{
			ChaincodeId: &peer.ChaincodeID{Name: c.chaincode},
			Input:       &peer.ChaincodeInput{Args: args},
		},
	})})
}

func (c call) response(t testing.TB, header *common.Header, proposal []byte, id string) []byte {
	t.Helper()
	action := &peer.ChaincodeAction{
		ChaincodeId: &peer.ChaincodeID{Name: c.chaincode},
		Response:    &peer.Response{Status: 200, Payload: c.result},
	}
	if c.payload == nil && len(c.events) > 0 {
		var err error
		if c.payload, err = exchange.Encode(exchange.Events{Events: c.events}); err != nil {
			t.Fatal(err)
		}
	}
	if c.payload != nil {
		name := c.eventName
		if name == "" {
			name = exchange.EventName
		}
		action.Events = marshal(t, &peer.ChaincodeEvent{ChaincodeId: c.chaincode, TxId: id, EventName: name, Payload: c.payload})
	}
	hash := sha256.Sum256(slices.Concat(header.ChannelHeader, header.SignatureHeader, proposal))
	response := &peer.ProposalResponsePayload{ProposalHash: hash[:], Extension: marshal(t, action)}
	return marshal(t, response)
}

// makeBlock joins transactions to a block; codes are all VALID where nil.
func makeBlock(number uint64, previous []byte, data [][]byte, codes []peer.TxValidationCode) *common.Block {
	flags := make([]byte, len(data))
	for i, c := range codes {
		flags[i] = byte(c)
	}
	digest := sha256.Sum256(slices.Concat(data...))
	return &common.Block{
		Header:   &common.BlockHeader{Number: number, PreviousHash: previous, DataHash: digest[:]},
		Data:     &common.BlockData{Data: data},
		Metadata: &common.BlockMetadata{Metadata: [][]byte{nil, nil, flags, nil, nil}},
	}
}

func testEvents(n int) []exchange.Event {
	events := make([]exchange.Event, n)
	for i := range events {
		events[i] = exchange.Event{
			Type: exchange.RequestOpened, From: "health", To: "census",
			ID: exchange.NewID(exchange.NounRequest, "HealthMSP", string(rune('a'+i))), Data: []byte(`{"purpose":"a < b"}`),
		}
	}
	return events
}
