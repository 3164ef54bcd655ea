package ledger

import (
	"errors"
	"fmt"
	"net"
	"time"

	"chancery/chaincode/exchange"
)

// Config says how to reach a department's own peer and as whom. Fields
// without a default must be given.
type Config struct {
	Department string // name on the ledger
	MSP        string // the department's Fabric id
	Channel    string
	Chaincode  string

	Address    string // host:port of the peer
	TLSCA      string // file, PEM: who signed the peer's TLS certificate
	ServerName string // name in that certificate
	Cert       string // file, PEM: the caller's own certificate
	Key        string // file, PEM: its private key, PKCS 8 or SEC 1

	EvaluateTimeout time.Duration // for one query; default 15 s
	EndorseTimeout  time.Duration // for the endorsements of one transaction; default 30 s
	SubmitTimeout   time.Duration // for handing it to the orderer; default 15 s
	CommitTimeout   time.Duration // for one wait for its commit; default 10 s, then the same bytes are submitted again

	BatchOperations int           // most operations in one Apply, 1 to exchange.MaxOperations; default the latter
	BatchBytes      int           // most bytes of operations in one Apply, twice exchange.MaxBody to exchange.MaxBatch; default the latter
	BatchWait       time.Duration // how long an operation waits for company, for each batch in flight, at least; default 2 ms
	InFlight        int           // most Apply transactions at once, 1 to 64; default 4
}

func orDefault[T ~int | ~int64](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

func (c *Config) complete() {
	orDefault(&c.EvaluateTimeout, 15*time.Second)
	orDefault(&c.EndorseTimeout, 30*time.Second)
	orDefault(&c.SubmitTimeout, 15*time.Second)
	orDefault(&c.CommitTimeout, 10*time.Second)
	orDefault(&c.BatchOperations, exchange.MaxOperations)
	orDefault(&c.BatchBytes, exchange.MaxBatch)
	orDefault(&c.BatchWait, 2*time.Millisecond)
	orDefault(&c.InFlight, 4)
}

// validate reports every field that cannot be right.
func (c *Config) validate() error {
	var errs []error
	given := []struct{ field, value string }{
		{"Department", c.Department}, {"MSP", c.MSP}, {"Channel", c.Channel}, {"Chaincode", c.Chaincode},
		{"TLSCA", c.TLSCA}, {"ServerName", c.ServerName}, {"Cert", c.Cert}, {"Key", c.Key},
	}
	for _, g := range given {
		if g.value == "" {
			errs = append(errs, fmt.Errorf("%s is empty", g.field))
		}
	}
	if _, port, err := net.SplitHostPort(c.Address); err != nil || port == "" {
		errs = append(errs, fmt.Errorf("address %q is not host:port", c.Address))
	}
	ranges := []struct {
		field          string
		n, least, most int64
	}{
		{"EvaluateTimeout", int64(c.EvaluateTimeout), int64(time.Millisecond), int64(time.Hour)},
		{"EndorseTimeout", int64(c.EndorseTimeout), int64(time.Millisecond), int64(time.Hour)},
		{"SubmitTimeout", int64(c.SubmitTimeout), int64(time.Millisecond), int64(time.Hour)},
		{"CommitTimeout", int64(c.CommitTimeout), int64(time.Millisecond), int64(time.Hour)},
		{"BatchOperations", int64(c.BatchOperations), 1, exchange.MaxOperations},
		{"BatchBytes", int64(c.BatchBytes), 2 * exchange.MaxBody, exchange.MaxBatch},
		{"BatchWait", int64(c.BatchWait), 0, int64(time.Second)},
		{"InFlight", int64(c.InFlight), 1, 64},
	}
	for _, r := range ranges {
		if r.n < r.least || r.n > r.most {
			errs = append(errs, fmt.Errorf("%s is %d: %d to %d are allowed", r.field, r.n, r.least, r.most))
		}
	}
	return errors.Join(errs...)
}
