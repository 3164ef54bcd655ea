package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	gatewaypb "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"chancery/chaincode/contracttest"
	"chancery/compose/native"
	"chancery/workers"
)

// TestContract holds the contract to its table over real Fabric, on a network
// whose workers stand still, as the suite asks. It ends by killing the launcher.
func TestContract(t *testing.T) {
	n := newNetwork(t, "contract")
	n.up(t)
	for _, d := range departments {
		n.signal(t, d+"-workers", syscall.SIGSTOP)
	}
	fabric := newFabric(t, n)
	contracttest.Run(t, func(*testing.T) contracttest.Network { return fabric })
	fabric.close(t)
	if err := syscall.Kill(n.status(t).Launcher, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	leavesNothing(t, n.dir, 5*time.Second)
}

// fabric is a running network as a [contracttest.Network], by Fabric's own
// client library and nothing of ours. Any number of goroutines may use it at
// once.
type fabric struct {
	dir      string
	profiles map[string]workers.Profile
	peers    map[string]*grpc.ClientConn

	mu       sync.Mutex // guards gateways
	gateways map[string]*client.Gateway
}

func newFabric(t *testing.T, n network) *fabric {
	t.Helper()
	f := &fabric{
		dir: n.dir, profiles: map[string]workers.Profile{},
		peers: map[string]*grpc.ClientConn{}, gateways: map[string]*client.Gateway{},
	}
	for _, d := range departments {
		p := n.profile(t, d)
		pem, err := os.ReadFile(p.Peer.TLSCA)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		secure := credentials.NewTLS(&tls.Config{RootCAs: roots, ServerName: p.Peer.ServerName})
		if f.peers[d], err = grpc.NewClient(p.Peer.Address, grpc.WithTransportCredentials(secure)); err != nil {
			t.Fatal(err)
		}
		f.profiles[d] = p
	}
	return f
}

func (f *fabric) close(t *testing.T) {
	t.Helper()
	for _, g := range f.gateways {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, c := range f.peers {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// gateway is an identity's, made at its first use.
func (f *fabric) gateway(department, name string) (*client.Gateway, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := department + "/" + name
	if g := f.gateways[key]; g != nil {
		return g, nil
	}
	p := f.profiles[department]
	dir := filepath.Join(p.Identities, name)
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		return nil, err
	}
	id, err := identity.NewX509Identity(p.MSP, pair.Leaf)
	if err != nil {
		return nil, err
	}
	sign, err := identity.NewPrivateKeySign(pair.PrivateKey)
	if err != nil {
		return nil, err
	}
	g, err := client.Connect(id, client.WithSign(sign), client.WithClientConnection(f.peers[department]),
		client.WithEvaluateTimeout(patience), client.WithEndorseTimeout(patience),
		client.WithSubmitTimeout(patience), client.WithCommitStatusTimeout(patience))
	if err == nil {
		f.gateways[key] = g
	}
	return g, err
}

func (f *fabric) contract(department, name string) (*client.Contract, error) {
	g, err := f.gateway(department, name)
	if err != nil {
		return nil, err
	}
	p := f.profiles[department]
	return g.GetNetwork(p.Channel).GetContract(p.Chaincode), nil
}

// Submit implements [contracttest.Network].
func (f *fabric) Submit(department, name, function string, args ...string) (string, error) {
	contract, err := f.contract(department, name)
	if err != nil {
		return "", err
	}
	for {
		answer, commit, err := contract.SubmitAsync(function, client.WithArguments(args...))
		if err != nil {
			return "", spelled(err)
		}
		outcome, err := commit.Status()
		if err != nil {
			return "", spelled(err)
		}
		switch outcome.Code {
		case peer.TxValidationCode_VALID:
			return string(answer), f.everywhere(department, commit)
		case peer.TxValidationCode_MVCC_READ_CONFLICT, peer.TxValidationCode_PHANTOM_READ_CONFLICT:
		default:
			return "", fmt.Errorf("transaction %s: %s", outcome.TransactionID, outcome.Code)
		}
	}
}

// everywhere waits until the other departments' peers have committed too, whom
// the signed question of its creator is put to.
func (f *fabric) everywhere(department string, commit *client.Commit) error {
	question, err := commit.Bytes()
	if err != nil {
		return err
	}
	for _, other := range departments {
		if other == department {
			continue
		}
		g, err := f.gateway(other, "auditor")
		if err != nil {
			return err
		}
		there, err := g.NewCommit(question)
		if err != nil {
			return err
		}
		if _, err := there.Status(); err != nil {
			return spelled(err)
		}
	}
	return nil
}

// Evaluate implements [contracttest.Network].
func (f *fabric) Evaluate(department, name, function string, args ...string) (string, error) {
	contract, err := f.contract(department, name)
	if err != nil {
		return "", err
	}
	answer, err := contract.EvaluateTransaction(function, args...)
	return string(answer), spelled(err)
}

// spelled is a gateway's error with the words of the peers, which it keeps in
// its details.
func spelled(err error) error {
	if err == nil {
		return nil
	}
	var words []string
	for _, detail := range status.Convert(err).Details() {
		if d, ok := detail.(*gatewaypb.ErrorDetail); ok {
			words = append(words, d.GetMessage())
		}
	}
	if len(words) == 0 {
		return err
	}
	return errors.New(strings.Join(words, "; "))
}

// Issue implements [contracttest.Network].
func (f *fabric) Issue(department, name string) (string, error) {
	if err := native.IssueIdentity(filepath.Join(f.dir, department), name); err != nil {
		return "", err
	}
	certificate, err := os.ReadFile(filepath.Join(f.profiles[department].Identities, name, "cert.pem"))
	return string(certificate), err
}

// MSP implements [contracttest.Network].
func (f *fabric) MSP(department string) string { return f.profiles[department].MSP }

// Now implements [contracttest.Network].
func (f *fabric) Now() time.Time { return time.Now() }

// Until implements [contracttest.Network].
func (f *fabric) Until(at time.Time) { <-time.After(time.Until(at) + time.Millisecond) }
