// Package bustest starts a department's real bus inside a test: the embedded
// server with TLS, keys and permissions, as the launcher starts it.
package bustest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"github.com/rs/zerolog"

	"chancery/events/bus"
)

// Bus is a running bus. Its methods are for the test's own goroutine.
type Bus struct {
	Department string
	Dir        string // holds ca.pem and nkeys
	config     bus.ServerConfig
	server     *bus.Server
}

// Start starts a department's bus with every standard user and its streams,
// and stops it at the end of the test.
func Start(t testing.TB, department string) *Bus {
	t.Helper()
	b := &Bus{Department: department, Dir: t.TempDir()}
	b.config = bus.ServerConfig{
		Department: department,
		Port:       -1,
		StoreDir:   filepath.Join(b.Dir, "store"),
		Users:      make(map[string]string),
	}
	b.config.TLS.Cert, b.config.TLS.Key = certificate(t, b.Dir)
	for _, u := range bus.Users(department) {
		b.config.Users[u.Name] = b.seed(t, u.Name)
	}
	b.Resume(t)
	t.Cleanup(b.Stop)
	if err := b.Connect(t, bus.UserAdmin).EnsureStreams(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

// Resume starts a stopped bus on the same port and store.
func (b *Bus) Resume(t testing.TB) {
	t.Helper()
	s, err := bus.Start(b.config, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	b.server = s
	_, port, err := net.SplitHostPort(s.URL()[len("tls://"):])
	if err != nil {
		t.Fatal(err)
	}
	if b.config.Port, err = net.LookupPort("tcp", port); err != nil {
		t.Fatal(err)
	}
}

// Stop ends the server; its streams stay on disk.
func (b *Bus) Stop() { b.server.Stop() }

// ServerConfig is how the server was started.
func (b *Bus) ServerConfig() bus.ServerConfig { return b.config }

// URL is where clients connect.
func (b *Bus) URL() string { return b.server.URL() }

// Config is how a user reaches the bus.
func (b *Bus) Config(user string) bus.Config {
	return bus.Config{
		URL: b.URL(), CA: filepath.Join(b.Dir, "ca.pem"), NKeys: filepath.Join(b.Dir, "nkeys"), User: user,
		Timeout: 3 * time.Second,
	}
}

// Connect connects as a user until the end of the test.
func (b *Bus) Connect(t testing.TB, user string) *bus.Conn {
	t.Helper()
	c, err := bus.Connect(t.Context(), b.Config(user))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Plain connects as a user with nothing but the NATS client library, as a
// system of the department would.
func (b *Bus) Plain(t testing.TB, user string, options ...nats.Option) *nats.Conn {
	t.Helper()
	key, err := nats.NkeyOptionFromSeed(filepath.Join(b.Dir, "nkeys", user+".nk"))
	if err != nil {
		t.Fatal(err)
	}
	quiet := nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})
	nc, err := nats.Connect(b.URL(), append(options, key, quiet, nats.RootCAs(filepath.Join(b.Dir, "ca.pem")))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func (b *Bus) seed(t testing.TB, user string) (public string) {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(b.Dir, "nkeys", user+".nk"), seed)
	if public, err = pair.PublicKey(); err != nil {
		t.Fatal(err)
	}
	return public
}

func certificate(t testing.TB, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bus"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "key.pem")
	write(t, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	return cert, key
}

func write(t testing.TB, file string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
