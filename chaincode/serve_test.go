package chaincode_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"chancery/chaincode"
)

const packageID = "chancery:0123456789abcdef"

// keys is an authority that signs for both ends of a connection.
type keys struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

func newKeys(t *testing.T) *keys {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k := &keys{key: key}
	k.certificate = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tlsca"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	k.pem, _ = k.sign(t, k.certificate, key)
	return k
}

// sign returns certificate and key as PEM.
func (k *keys) sign(t *testing.T, template *x509.Certificate, key *ecdsa.PrivateKey) (certificate, private []byte) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, k.certificate, key.Public(), k.key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

func (k *keys) issue(t *testing.T) (certificate, private []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, key)
}

// config writes a server's files.
func (k *keys) config(t *testing.T) chaincode.ServerConfig {
	t.Helper()
	dir := t.TempDir()
	certificate, private := k.issue(t)
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return chaincode.ServerConfig{PackageID: packageID, Address: "127.0.0.1:0", TLS: chaincode.ServerTLS{
		Cert: write("cert.pem", certificate), Key: write("key.pem", private), ClientCA: write("ca.pem", k.pem),
	}}
}

// client is a peer's side of the TLS connection; with no certificate of its own
// when authority is nil.
func (k *keys) client(t *testing.T, authority *keys) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(k.pem)
	cfg := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	if authority != nil {
		pair, err := tls.X509KeyPair(authority.issue(t))
		if err != nil {
			t.Fatal(err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg
}

// addresses is a log writer that passes on the address in a server's first line.
type addresses chan string

func (a addresses) Write(line []byte) (int, error) {
	var said struct{ Address string }
	if json.Unmarshal(line, &said) == nil && said.Address != "" {
		a <- said.Address
	}
	return len(line), nil
}

// serve starts a server and returns its address and a function that stops it
// and returns what Serve returned.
func serve(t *testing.T, cfg chaincode.ServerConfig) (address string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	said, done := make(addresses, 1), make(chan error, 1)
	go func() { done <- chaincode.Serve(ctx, cfg, zerolog.New(said)) }()
	stop = func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(10 * time.Second):
			t.Fatal("the server does not stop")
			return nil
		}
	}
	select {
	case address = <-said:
	case err := <-done:
		t.Fatalf("the server ended: %v", err)
	case <-time.After(10 * time.Second):
		t.Fatal("the server does not start")
	}
	return address, stop
}

// register connects as a peer does and returns the first message.
func register(t *testing.T, address string, security *tls.Config) (*peer.ChaincodeMessage, error) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(security)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	stream, err := peer.NewChaincodeClient(conn).Connect(ctx)
	if err != nil {
		return nil, err
	}
	return stream.Recv()
}

func TestServe(t *testing.T) {
	own, foreign := newKeys(t), newKeys(t)
	address, stop := serve(t, own.config(t))

	message, err := register(t, address, own.client(t, own))
	if err != nil {
		t.Fatal(err)
	}
	var id peer.ChaincodeID
	if err := proto.Unmarshal(message.GetPayload(), &id); err != nil || message.GetType() != peer.ChaincodeMessage_REGISTER || id.GetName() != packageID {
		t.Errorf("registers as %s %q (%v)", message.GetType(), id.GetName(), err)
	}
	for name, authority := range map[string]*keys{"no certificate": nil, "another authority's": foreign} {
		if _, err := register(t, address, own.client(t, authority)); err == nil {
			t.Errorf("%s: connected", name)
		}
	}
	busy := own.config(t)
	busy.Address = address
	if err := chaincode.Serve(t.Context(), busy, zerolog.Nop()); err == nil {
		t.Error("two servers listen on one address")
	}
	if err := stop(); err != nil {
		t.Errorf("stopped: %v", err)
	}
}

func TestServeConfig(t *testing.T) {
	own := newKeys(t)
	for name, change := range map[string]func(*chaincode.ServerConfig){
		"no package":      func(c *chaincode.ServerConfig) { c.PackageID = "" },
		"no address":      func(c *chaincode.ServerConfig) { c.Address = "" },
		"no certificate":  func(c *chaincode.ServerConfig) { c.TLS.Cert = "" },
		"no authority":    func(c *chaincode.ServerConfig) { c.TLS.ClientCA = "" },
		"empty authority": func(c *chaincode.ServerConfig) { c.TLS.ClientCA = c.TLS.Key },
		"bad address":     func(c *chaincode.ServerConfig) { c.Address = "127.0.0.1:http:1" },
	} {
		cfg := own.config(t)
		change(&cfg)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if err := chaincode.Serve(ctx, cfg, zerolog.Nop()); err == nil {
			t.Errorf("%s: served", name)
		}
		cancel()
	}
}
