package bus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
)

// Config says how to reach a department's bus, and as whom.
type Config struct {
	URL   string // tls://host:port
	CA    string // file: certificate authority of the server, PEM
	NKeys string // directory that holds <user>.nk, the seed of each user's key
	User  string // one of [Users]

	// Timeout bounds one request, in time. Default 5 s.
	Timeout time.Duration
	// Patient makes [Connect] succeed while the server is away and keeps
	// trying for ever; otherwise that is ErrUnreachable. Either way a lost
	// connection is sought again without end. Default false.
	Patient bool
}

// DefaultTimeout bounds one request to the bus.
const DefaultTimeout = 5 * time.Second

const reconnectWait = 500 * time.Millisecond

// Conn is a user's connection to the bus. Safe for concurrent use.
type Conn struct {
	cfg     Config
	nc      *nats.Conn
	js      jetstream.JetStream
	denials denials
}

// Connect opens a connection. Its comings and goings are logged to the
// context's logger. It returns ErrUnreachable when the server is away (unless
// Patient) and ErrPermission when it does not know the user's key.
func Connect(ctx context.Context, cfg Config) (*Conn, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	c := &Conn{cfg: cfg}
	options, err := c.options(*zerolog.Ctx(ctx))
	if err != nil {
		return nil, fmt.Errorf("connect to the bus as %s: %w", cfg.User, err)
	}
	if c.nc, err = nats.Connect(cfg.URL, options...); err != nil {
		return nil, fmt.Errorf("connect to the bus at %s as %s: %w", cfg.URL, cfg.User, connectError(err))
	}
	if c.js, err = jetstream.New(c.nc, jetstream.WithDefaultTimeout(cfg.Timeout)); err != nil {
		c.nc.Close()
		return nil, fmt.Errorf("connect to the bus as %s: %w", cfg.User, err)
	}
	return c, nil
}

// connectError counts everything that is no refusal as unreachable: refused
// connections and failed handshakes have no sentinel of their own.
func connectError(err error) error {
	if err = classify(err); errors.Is(err, ErrPermission) || errors.Is(err, ErrUnreachable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

func (c *Conn) options(log zerolog.Logger) ([]nats.Option, error) {
	pem, err := os.ReadFile(c.cfg.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", c.cfg.CA)
	}
	key, err := nats.NkeyOptionFromSeed(filepath.Join(c.cfg.NKeys, c.cfg.User+".nk"))
	if err != nil {
		return nil, err
	}
	log = log.With().Str("user", c.cfg.User).Logger()
	return []nats.Option{
		key,
		nats.Secure(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}),
		nats.Name(c.cfg.User),
		nats.CustomInboxPrefix(inbox(c.cfg.User)),
		nats.Timeout(c.cfg.Timeout),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.RetryOnFailedConnect(c.cfg.Patient),
		nats.ReconnectBufSize(-1), // nothing is kept while the server is away: a publisher learns it at once
		nats.IgnoreAuthErrorAbort(),
		nats.PermissionErrOnSubscribe(true),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { log.Warn().Err(err).Msg("bus connection lost") }),
		nats.ReconnectHandler(func(nc *nats.Conn) { log.Info().Str("url", nc.ConnectedUrl()).Msg("bus connected again") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			c.denials.tell(err)
			log.Warn().Err(err).Msg("bus error")
		}),
	}, nil
}

// User is the name under which the connection is known.
func (c *Conn) User() string { return c.cfg.User }

// Flush waits until the server has what was sent.
func (c *Conn) Flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	return classify(c.nc.FlushWithContext(ctx))
}

// Close ends the connection. Whoever opened it closes it.
func (c *Conn) Close() { c.nc.Close() }

// bound gives a request its deadline.
func (c *Conn) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.cfg.Timeout)
}
