package chaos

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"chancery/workers"
)

// largest bounds one message to or from the peer, in bytes.
const largest = 100 << 20

// wired puts proxies between a process of workers and its department's parts,
// until the end of the test, and returns the profile that leads through them.
func wired(t *testing.T, site string, f *faults, p workers.Profile) workers.Profile {
	t.Helper()
	ca, served := certificate(t, p.Peer.ServerName)
	bus := &busWire{site: site, faults: f, bus: strings.TrimPrefix(p.Bus.URL, "tls://"), served: served}
	bus.trust = trusting(t, p.Bus.CA, "127.0.0.1")
	p.Bus.URL, p.Bus.CA = "tls://"+bus.serve(t), ca

	p = (&peerWire{site: site, faults: f, owner: make(map[string]string)}).through(t, p)
	p.IPFS.API = newNodeWire(site, f, p.IPFS.API).serve(t)
	return p
}

// serve takes connections on an address until the end of the test.
func (w *busWire) serve(t *testing.T) (address string) {
	door := listener(t)
	go func() {
		for {
			conn, err := door.Accept()
			if err != nil {
				return // the test is over
			}
			go w.take(conn)
		}
	}()
	return door.Addr().String()
}

// through passes on calls to a department's peer until the end of the test, and
// returns the profile that leads through it.
func (w *peerWire) through(t *testing.T, p workers.Profile) workers.Profile {
	trust := trusting(t, p.Peer.TLSCA, p.Peer.ServerName)
	ca, served := certificate(t, p.Peer.ServerName)
	conn, err := grpc.NewClient(p.Peer.Address, grpc.WithTransportCredentials(credentials.NewTLS(trust)),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(largest), grpc.MaxCallSendMsgSize(largest)))
	if err != nil {
		t.Fatal(err)
	}
	w.peer = conn
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(served)), grpc.ForceServerCodec(raw{}),
		grpc.UnknownServiceHandler(w.handle), grpc.MaxRecvMsgSize(largest), grpc.MaxSendMsgSize(largest),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Minute})) // as a peer's
	door := listener(t)
	go server.Serve(door) //nolint:errcheck // ends with the test
	t.Cleanup(func() {
		server.Stop()
		conn.Close()
	})
	p.Peer.Address, p.Peer.TLSCA = door.Addr().String(), ca
	return p
}

// serve passes on calls to a kubo node until the end of the test.
func (w *nodeWire) serve(t *testing.T) (address string) {
	door := listener(t)
	node := &http.Server{Handler: w, ReadHeaderTimeout: dialLimit}
	go node.Serve(door) //nolint:errcheck // ends with the test
	t.Cleanup(func() { node.Close() })
	return door.Addr().String()
}

func listener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// trusting is how to speak to a server of that name.
func trusting(t *testing.T, file, name string) *tls.Config {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatalf("%s holds no certificate", file)
	}
	return &tls.Config{RootCAs: pool, ServerName: name, MinVersion: tls.VersionTLS12}
}

// certificate makes one that is its own authority, for loopback and a name.
func certificate(t *testing.T, name string) (file string, served *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "proxy"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	own := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return file, &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}
}
