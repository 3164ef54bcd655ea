package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
	"github.com/rs/zerolog"
)

// ServerConfig is the configuration of a department's NATS server.
type ServerConfig struct {
	Department string `json:"department"`
	Host       string `json:"host,omitempty"` // default 127.0.0.1
	Port       int    `json:"port"`           // −1: any free one
	StoreDir   string `json:"storeDir"`       // of JetStream
	TLS        struct {
		Cert string `json:"cert"` // file, PEM
		Key  string `json:"key"`  // file, PEM
	} `json:"tls"`
	// Users are the public keys (U…) of the users of [Users] that are
	// admitted, by name. Nobody else is.
	Users map[string]string `json:"users"`
	// MaxStore bounds the streams, in bytes. Default 1 TiB: the disk decides, as
	// it is at each write and not as it was at the start.
	MaxStore int64 `json:"maxStore,omitempty"`
	// MaxConnections bounds the clients at once. Default 256.
	MaxConnections int `json:"maxConnections,omitempty"`
}

// Limits of the server that are not configured.
const (
	MaxPayload       = 1 << 20  // bytes of a message with its headers
	defaultMaxStore  = 1 << 40  // bytes of the streams
	maxPending       = 64 << 20 // bytes waiting for a slow client before it is cut off
	maxSubscriptions = 1024     // of one client
	maxControlLine   = 4096     // bytes
	writeDeadline    = 10 * time.Second
	readyWithin      = 30 * time.Second
)

// Validate checks the configuration before anything is opened.
func (c *ServerConfig) Validate() error {
	if c.Department == "" || c.StoreDir == "" || c.TLS.Cert == "" || c.TLS.Key == "" {
		return errors.New("bus server: department, storeDir, tls.cert and tls.key are needed")
	}
	if c.Port == 0 || c.Port < -1 || c.Port > 65535 {
		return fmt.Errorf("bus server: port %d: 1 to 65535 are allowed, or -1 for any", c.Port)
	}
	if c.MaxStore < 0 || c.MaxConnections < 0 {
		return errors.New("bus server: maxStore and maxConnections must not be negative")
	}
	known := make(map[string]bool)
	for _, u := range Users(c.Department) {
		known[u.Name] = true
	}
	holder := make(map[string]string, len(c.Users))
	for name, key := range c.Users {
		switch {
		case !known[name]:
			return fmt.Errorf("bus server: there is no user %q", name)
		case !nkeys.IsValidPublicUserKey(key):
			return fmt.Errorf("bus server: key of %s is not the public key of a user", name)
		case holder[key] != "":
			return fmt.Errorf("bus server: %s and %s have the same key", holder[key], name)
		}
		holder[key] = name
	}
	return nil
}

// Server is a running NATS server.
type Server struct {
	ns    *server.Server
	fatal <-chan error
	url   string
}

// Start starts the server and returns when it takes connections. Every
// acknowledged message is on disk: commands have no other copy.
func Start(cfg ServerConfig, log zerolog.Logger) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	opts, err := cfg.options()
	if err != nil {
		return nil, fmt.Errorf("start the bus of %s: %w", cfg.Department, err)
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("start the bus of %s: %w", cfg.Department, err)
	}
	fatal := make(chan error, 1)
	ns.SetLoggerV2(serverLog{log, fatal}, false, false, false)
	ns.Start()
	s := &Server{ns: ns, fatal: fatal}
	if err := s.awaitReady(); err != nil {
		s.Stop()
		return nil, fmt.Errorf("start the bus of %s on %s:%d: %w", cfg.Department, opts.Host, opts.Port, err)
	}
	s.url = "tls://" + ns.Addr().String()
	return s, nil
}

func (s *Server) awaitReady() error {
	for deadline := time.Now().Add(readyWithin); time.Now().Before(deadline); {
		ready := s.ns.ReadyForConnections(50 * time.Millisecond)
		select {
		case err := <-s.fatal:
			return err
		default:
		}
		if ready && s.ns.JetStreamEnabled() {
			return nil
		}
		if ready {
			return errors.New("JetStream did not start")
		}
	}
	return fmt.Errorf("not ready within %s", readyWithin)
}

// URL is where clients connect.
func (s *Server) URL() string { return s.url }

// Stop ends the server and waits until its streams are closed.
func (s *Server) Stop() {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
}

// Serve runs the server until the context ends; that is no error.
func Serve(ctx context.Context, cfg ServerConfig, log zerolog.Logger) error {
	s, err := Start(cfg, log)
	if err != nil {
		return err
	}
	log.Info().Str("url", s.URL()).Msg("bus ready")
	ended := make(chan struct{})
	go func() {
		s.ns.WaitForShutdown()
		close(ended)
	}()
	select {
	case <-ctx.Done():
		s.Stop()
		return nil
	case err := <-s.fatal:
		s.Stop()
		return fmt.Errorf("bus of %s: %w", cfg.Department, err)
	case <-ended:
		return fmt.Errorf("the bus of %s stopped by itself", cfg.Department)
	}
}

func (c *ServerConfig) options() (*server.Options, error) {
	cert, err := tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.StoreDir, 0o700); err != nil {
		return nil, err
	}
	opts := &server.Options{
		ServerName:        "bus-" + c.Department,
		Host:              orString(c.Host, "127.0.0.1"),
		Port:              c.Port,
		NoSigs:            true,
		JetStream:         true,
		StoreDir:          c.StoreDir,
		SyncAlways:        true,
		JetStreamMaxStore: or(c.MaxStore, defaultMaxStore),
		MaxPayload:        MaxPayload,
		MaxPending:        maxPending,
		MaxConn:           or(c.MaxConnections, 256),
		MaxSubs:           maxSubscriptions,
		MaxControlLine:    maxControlLine,
		WriteDeadline:     writeDeadline,
		TLS:               true,
		TLSTimeout:        5, // seconds
		AuthTimeout:       5, // seconds
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13},
	}
	if len(c.Users) == 0 {
		return nil, errors.New("no user is admitted")
	}
	return opts, addAccounts(opts, Users(c.Department), c.Users)
}

func orString(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func or[T int | int64](n, other T) T {
	if n == 0 {
		return other
	}
	return n
}
