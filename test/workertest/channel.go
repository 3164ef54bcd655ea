package workertest

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"chancery/chaincode/contracttest"
	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/keystore"
)

// Chaincode is the name of the contract on a [Channel].
const Chaincode = "chancery"

// Channel is departments around a ledger in memory that runs the contract, as
// their ledger clients see it: with transactions, creators and endorsers. Every
// department's peer endorses every transaction. Its methods may be called at once.
type Channel struct {
	memory *contracttest.Memory

	mu       sync.Mutex
	creators map[string]ledger.Identity // by "<department>/<identity>"
	peers    []ledger.Identity
	signed   map[string]ledger.Identity // creators by transaction
}

// Member is a department on a [Channel].
type Member struct {
	Name  string
	MSP   string
	Peer  *x509.Certificate
	Vault *Vault
	Node  *Node
	*Client
}

// NewChannel is a channel without departments.
func NewChannel(t testing.TB, now time.Time) *Channel {
	t.Helper()
	memory, err := contracttest.NewMemory(now)
	if err != nil {
		t.Fatal(err)
	}
	return &Channel{memory: memory, creators: make(map[string]ledger.Identity), signed: make(map[string]ledger.Identity)}
}

// Now is the ledger's clock.
func (c *Channel) Now() time.Time { return c.memory.Now() }

// Until moves the ledger's clock to a moment.
func (c *Channel) Until(at time.Time) { c.memory.Until(at) }

// Join founds a department, registers it with the recipient of its own vault, and
// enrols an officer, a worker and a policy. The member signs as its worker.
func (c *Channel) Join(t testing.TB, name string) *Member {
	t.Helper()
	if err := c.memory.Found(name); err != nil {
		t.Fatal(err)
	}
	m := &Member{Name: name, MSP: c.memory.MSP(name), Vault: NewVault(t), Node: NewNode()}
	m.Client = c.Client(name, string(exchange.Worker))
	admin := c.Client(name, string(exchange.Admin))
	admin.Must(t, "", exchange.OpDepartmentRegister, &exchange.RegisterDepartment{
		Name: name, Title: "Department of " + name, Recipient: m.Vault.Identity(t, keystore.Department).Recipient().String(),
	})
	for _, role := range []exchange.Role{exchange.Officer, exchange.Worker, exchange.Policy} {
		text := c.issue(t, name, string(role))
		admin.Must(t, "", exchange.OpOfficerEnrol, &exchange.EnrolOfficer{Name: string(role), Role: role, Certificate: text})
	}
	c.issue(t, name, "peer")
	c.mu.Lock()
	defer c.mu.Unlock()
	peer := c.creators[name+"/peer"]
	m.Peer = peer.Cert
	c.peers = append(c.peers, peer)
	return m
}

func (c *Channel) issue(t testing.TB, department, identity string) string {
	t.Helper()
	text, err := c.memory.Issue(department, identity)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(text))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.creators[department+"/"+identity] = ledger.Identity{MSP: c.memory.MSP(department), Cert: cert}
	return text
}

// Certificate is that of an identity which a member has.
func (c *Channel) Certificate(department, identity string) *x509.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.creators[department+"/"+identity].Cert
}

// Events are those of the transactions from a number on, in their order, and the
// number of the next transaction.
func (c *Channel) Events(from int) (list []exchange.Event, next int) {
	committed := c.memory.Committed()
	for _, tx := range committed[from:] {
		list = append(list, tx.Events...)
	}
	return list, len(committed)
}

// Put writes a record past the contract, and leaves no trace of it.
func (c *Channel) Put(t testing.TB, k exchange.Key, record any) {
	t.Helper()
	if err := c.memory.Put(k, record); err != nil {
		t.Fatal(err)
	}
}

// Client is one identity's way to the ledger. The functions are set before it is
// used: they lie to whoever asks it.
type Client struct {
	channel    *Channel
	department string
	identity   string

	// Answer stands before every operation, and may let it go on.
	Answer func(op exchange.Operation, next func() (exchange.Outcome, error)) (exchange.Outcome, error)
	// Record alters what Get finds.
	Record func(noun exchange.Noun, id string, record json.RawMessage) json.RawMessage
	// Versions alters what History finds.
	Versions func(noun exchange.Noun, id string, versions []exchange.HistoryEntry) []exchange.HistoryEntry
	// Tx alters a transaction.
	Tx func(tx *ledger.Transaction)
}

// Client makes a client for an identity.
func (c *Channel) Client(department, identity string) *Client {
	return &Client{channel: c, department: department, identity: identity}
}

// Submit tells the ledger one thing, in a batch of one where the contract allows.
func (c *Client) Submit(_ context.Context, op exchange.Operation) (exchange.Outcome, error) {
	next := func() (exchange.Outcome, error) { return c.tell(op) }
	if c.Answer != nil {
		return c.Answer(op, next)
	}
	return next()
}

// Must tells the ledger what it must accept, and returns the record's id.
func (c *Client) Must(t testing.TB, command string, name exchange.Op, body exchange.Body) string {
	t.Helper()
	op, err := exchange.NewOperation(command, name, body)
	if err != nil {
		t.Fatalf("%s by %s: %v", name, c.department, err)
	}
	outcome, err := c.tell(op)
	if err == nil {
		err = outcome.Err()
	}
	if err != nil {
		t.Fatalf("%s by %s: %v", name, c.department, err)
	}
	return outcome.ID
}

func (c *Client) tell(op exchange.Operation) (exchange.Outcome, error) {
	row, known := exchange.TransitionOf(op.Op)
	if !known {
		return exchange.Outcome{}, fmt.Errorf("%s is no operation", op.Op)
	}
	function, args := row.Function, []string{op.Command, string(op.Body)}
	if row.Apply {
		batch, err := exchange.Encode([]exchange.Operation{op})
		if err != nil {
			return exchange.Outcome{}, err
		}
		function, args = "Apply", []string{string(batch)}
	}
	answer, err := c.commit(function, args)
	if err != nil {
		if refusal := exchange.ParseError(err.Error()); refusal != nil {
			return exchange.Outcome{Op: op.Op, Code: refusal.Code, Message: refusal.Message}, nil
		}
		return exchange.Outcome{}, err
	}
	if !row.Apply {
		var one exchange.Outcome
		return one, json.Unmarshal([]byte(answer), &one)
	}
	var list []exchange.Outcome
	if err := json.Unmarshal([]byte(answer), &list); err != nil {
		return exchange.Outcome{}, err
	}
	return list[0], nil
}

func (c *Client) commit(function string, args []string) (string, error) {
	for {
		tx, err := c.channel.memory.Endorse(c.channel.memory.Now(), c.department, c.identity, function, args...)
		if err != nil {
			return "", err
		}
		c.channel.mu.Lock()
		c.channel.signed[tx.ID] = c.channel.creators[c.department+"/"+c.identity]
		c.channel.mu.Unlock()
		if err := c.channel.memory.Commit(tx); !errors.Is(err, contracttest.ErrConflict) {
			return tx.Answer, err
		}
	}
}

// Get reads a record.
func (c *Client) Get(_ context.Context, noun exchange.Noun, id string, v any) error {
	answer, err := c.ask("Get", noun, id)
	if err != nil {
		return err
	}
	if c.Record != nil {
		answer = c.Record(noun, id, answer)
	}
	return json.Unmarshal(answer, v)
}

// History is every version of a record.
func (c *Client) History(_ context.Context, noun exchange.Noun, id string) ([]exchange.HistoryEntry, error) {
	answer, err := c.ask("History", noun, id)
	if err != nil {
		return nil, err
	}
	var versions []exchange.HistoryEntry
	if err := json.Unmarshal(answer, &versions); err != nil {
		return nil, err
	}
	if c.Versions != nil {
		versions = c.Versions(noun, id, versions)
	}
	return versions, nil
}

func (c *Client) ask(function string, noun exchange.Noun, id string) ([]byte, error) {
	answer, err := c.channel.memory.Evaluate(c.department, c.identity, function, string(noun), id)
	if err != nil {
		if refusal := exchange.ParseError(err.Error()); refusal != nil {
			return nil, refusal
		}
	}
	return []byte(answer), err
}

// Transaction reads a transaction.
func (c *Client) Transaction(_ context.Context, id string) (ledger.Transaction, error) {
	for i, tx := range c.channel.memory.Committed() {
		if tx.ID != id {
			continue
		}
		found := ledger.Transaction{
			ID: id, Code: ledger.Valid, Block: uint64(i), Channel: "chancery", Chaincode: Chaincode,
			Function: tx.Function, Args: slices.Clone(tx.Args), Result: []byte(tx.Answer), Events: tx.Events,
		}
		c.channel.mu.Lock()
		found.Creator, found.Endorsers = c.channel.signed[id], slices.Clone(c.channel.peers)
		c.channel.mu.Unlock()
		if c.Tx != nil {
			c.Tx(&found)
		}
		return found, nil
	}
	return ledger.Transaction{}, exchange.Errorf(exchange.NotFound, "transaction %s is not on the ledger", id)
}
