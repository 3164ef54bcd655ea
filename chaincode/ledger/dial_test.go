package ledger

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	gatewaypb "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"chancery/chaincode/exchange"
)

// testPeer is a gateway and delivery service over real gRPC and TLS, whose
// contract answers every call with an outcome OK.
type testPeer struct {
	gatewaypb.UnimplementedGatewayServer
	peer.UnimplementedDeliverServer
	t      *testing.T
	self   *person
	blocks []*common.Block

	mu      sync.Mutex
	submits [][]byte // envelopes
}

func (p *testPeer) Endorse(_ context.Context, r *gatewaypb.EndorseRequest) (*gatewaypb.EndorseResponse, error) {
	var proposal peer.Proposal
	if err := proto.Unmarshal(r.GetProposedTransaction().GetProposalBytes(), &proposal); err != nil {
		return nil, err
	}
	var header common.Header
	if err := proto.Unmarshal(proposal.GetHeader(), &header); err != nil {
		return nil, err
	}
	result, _ := exchange.Encode(exchange.Outcome{Code: exchange.OK, Tx: r.GetTransactionId()})
	response := call{chaincode: "chancery", result: result}.response(p.t, &header, proposal.GetPayload(), r.GetTransactionId())
	tx := &peer.Transaction{Actions: []*peer.TransactionAction{{Payload: marshal(p.t, &peer.ChaincodeActionPayload{
		ChaincodeProposalPayload: proposal.GetPayload(),
		Action:                   &peer.ChaincodeEndorsedAction{ProposalResponsePayload: response},
	})}}}
	payload := marshal(p.t, &common.Payload{Header: &header, Data: marshal(p.t, tx)})
	return &gatewaypb.EndorseResponse{PreparedTransaction: &common.Envelope{Payload: payload}}, nil
}

// Submit loses the first answer, as a connection does that breaks.
func (p *testPeer) Submit(_ context.Context, r *gatewaypb.SubmitRequest) (*gatewaypb.SubmitResponse, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.submits = append(p.submits, marshal(p.t, r.GetPreparedTransaction()))
	if len(p.submits) == 1 {
		return nil, status.Error(codes.Unavailable, "connection lost")
	}
	return &gatewaypb.SubmitResponse{}, nil
}

func (p *testPeer) CommitStatus(context.Context, *gatewaypb.SignedCommitStatusRequest) (*gatewaypb.CommitStatusResponse, error) {
	return &gatewaypb.CommitStatusResponse{Result: peer.TxValidationCode_VALID, BlockNumber: 3}, nil
}

func (p *testPeer) Evaluate(_ context.Context, r *gatewaypb.EvaluateRequest) (*gatewaypb.EvaluateResponse, error) {
	if orgs := r.GetTargetOrganizations(); len(orgs) != 1 || orgs[0] != "CensusMSP" {
		p.t.Errorf("asked of %v", orgs)
	}
	return &gatewaypb.EvaluateResponse{Result: &peer.Response{Payload: []byte(`{"id":"g-1"}`)}}, nil
}

// Deliver checks the signature of the request and ends after the blocks.
func (p *testPeer) Deliver(s peer.Deliver_DeliverServer) error {
	request, err := s.Recv()
	if err != nil {
		return err
	}
	var payload common.Payload
	var seek orderer.SeekInfo
	if err := errors.Join(proto.Unmarshal(request.GetPayload(), &payload), proto.Unmarshal(payload.GetData(), &seek)); err != nil {
		return err
	}
	if !signed(p.self.cert.PublicKey, request.GetPayload(), request.GetSignature()) {
		return status.Error(codes.PermissionDenied, "signature")
	}
	for _, b := range p.blocks[seek.GetStart().GetSpecified().GetNumber():] {
		if err := s.Send(&peer.DeliverResponse{Type: &peer.DeliverResponse_Block{Block: b}}); err != nil {
			return err
		}
	}
	return s.Send(&peer.DeliverResponse{Type: &peer.DeliverResponse_Status{Status: common.Status_SERVICE_UNAVAILABLE}})
}

// startPeer serves a test peer and returns how to reach it.
func startPeer(t *testing.T, p *testPeer) Config {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pair := tls.Certificate{Certificate: [][]byte{p.self.cert.Raw}, PrivateKey: p.self.key}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}})))
	gatewaypb.RegisterGatewayServer(server, p)
	peer.RegisterDeliverServer(server, p)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return testConfig(t, p.self, listener.Addr().String())
}

func testConfig(t *testing.T, p *person, address string) Config {
	t.Helper()
	dir := t.TempDir()
	files := map[string][]byte{"cert.pem": p.certPEM(), "key.pem": p.keyPEM(t)}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Config{
		Department: "census", MSP: "CensusMSP", Channel: "chancery", Chaincode: "chancery", Address: address, ServerName: "peer.test",
		TLSCA: filepath.Join(dir, "cert.pem"), Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"),
	}
}

func TestOverRealConnection(t *testing.T) {
	p := &testPeer{t: t, self: newPerson(t, "CensusMSP"), blocks: makeChain(t, 4)}
	c, err := Dial(t.Context(), startPeer(t, p))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()

	out, err := c.Invoke(t.Context(), exchange.Operation{Command: "c", Op: exchange.OpGrantGive, Body: []byte("{}")})
	if err != nil || out.Code != exchange.OK || out.Tx == "" {
		t.Errorf("invoke: %+v, %v", out, err)
	}
	if len(p.submits) != 2 || string(p.submits[0]) != string(p.submits[1]) {
		t.Errorf("submitted %d envelopes, want the same bytes twice", len(p.submits))
	}
	var g exchange.Grant
	if err := c.Get(t.Context(), exchange.NounGrant, "g-1", &g); err != nil || g.ID != "g-1" {
		t.Errorf("get: %+v, %v", g, err)
	}
	var numbers []uint64
	enough := errors.New("enough")
	err = c.Blocks(t.Context(), 1, func(b Block) error {
		if numbers = append(numbers, b.Number); b.Number == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || len(numbers) != 3 {
		t.Errorf("blocks %v, %v", numbers, err)
	}
}

func TestDialDoesNotWait(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	c, err := Dial(t.Context(), testConfig(t, newPerson(t, "CensusMSP"), address))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := c.Height(ctx); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("height of a peer that is away: %v", err)
	}
}

func TestDialRefuses(t *testing.T) {
	good := testConfig(t, newPerson(t, "CensusMSP"), "127.0.0.1:7051")
	other := testConfig(t, newPerson(t, "CensusMSP"), "127.0.0.1:7051")
	tests := []struct {
		name  string
		spoil func(*Config)
		says  string
	}{
		{"empty", func(c *Config) { *c = Config{} }, "MSP is empty"},
		{"address", func(c *Config) { c.Address = "peer" }, "host:port"},
		{"too many operations", func(c *Config) { c.BatchOperations = exchange.MaxOperations + 1 }, "BatchOperations"},
		{"negative time", func(c *Config) { c.CommitTimeout = -1 }, "CommitTimeout"},
		{"no TLS authority", func(c *Config) { c.TLSCA += "x" }, "no such file"},
		{"TLS authority is no certificate", func(c *Config) { c.TLSCA = c.Key }, "no certificate"},
		{"no key", func(c *Config) { c.Key += "x" }, "no such file"},
		{"key of another certificate", func(c *Config) { c.Key = other.Key }, "does not match"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := good
			tt.spoil(&cfg)
			if _, err := Dial(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want one about %q", err, tt.says)
			}
		})
	}
}
