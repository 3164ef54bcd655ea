package contracttest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/queryresult"
	"google.golang.org/protobuf/types/known/timestamppb"

	"chancery/chaincode"
	"chancery/chaincode/exchange"
)

// ErrConflict says that a transaction's reads had changed when it was to be
// committed: Fabric's MVCC_READ_CONFLICT.
var ErrConflict = errors.New("MVCC_READ_CONFLICT")

// Memory is a [Network] without peers: the contract over a ledger in memory
// with Fabric's rules for reads, versions, histories and commits. Every
// proposal is run by two endorsers whose clocks differ by a minute, and refused
// unless they agree to the byte. Its clock stands still until it is moved.
//
// Signatures are not checked: an identity is whoever calls by its name. Any
// number of goroutines may use it at once.
type Memory struct {
	mu          sync.Mutex // guards all below
	now         time.Time
	endorsers   []*contractapi.ContractChaincode
	authorities map[string]*authority // by department
	state       map[string]entry
	history     map[string][]*queryresult.KeyModification // oldest first
	proposals   int
	committed   []Transaction
}

type entry struct {
	value   []byte
	version int // number of the transaction that wrote it, from 1
}

// Transaction is a proposal that was endorsed, and perhaps committed.
type Transaction struct {
	ID         string
	Department string
	Function   string
	Args       []string
	Answer     string
	Events     []exchange.Event

	time   time.Time
	reads  map[string]int
	writes map[string][]byte
}

// NewMemory makes an empty ledger at a moment.
func NewMemory(now time.Time) (*Memory, error) {
	m := &Memory{
		now:         now,
		authorities: make(map[string]*authority),
		state:       make(map[string]entry),
		history:     make(map[string][]*queryresult.KeyModification),
	}
	for _, skew := range []time.Duration{0, time.Minute} {
		// Endorsers run under the lock, so they read the clock without it.
		cc, err := chaincode.NewChaincode(func() time.Time { return m.now.Add(skew) })
		if err != nil {
			return nil, err
		}
		m.endorsers = append(m.endorsers, cc)
	}
	return m, nil
}

// Found makes an organisation with an administrator, the identity "admin". It is
// no department before that administrator registers it.
func (m *Memory) Found(department string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, err := newAuthority(department, mspOf(department), m.now)
	if err != nil {
		return err
	}
	m.authorities[department] = a
	_, err = a.issue(string(exchange.Admin), "admin", m.now)
	return err
}

func mspOf(department string) string { return department + "-msp" }

// MSP is the id of a department's MSP.
func (m *Memory) MSP(department string) string { return mspOf(department) }

// Issue makes an identity. See [Network].
func (m *Memory) Issue(department, identity string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.authorities[department]
	if a == nil {
		return "", fmt.Errorf("issue %s: there is no organisation %s", identity, department)
	}
	return a.issue(identity, "client", m.now)
}

// Now is the ledger's clock.
func (m *Memory) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Until moves the clock to a moment, never back.
func (m *Memory) Until(at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at.After(m.now) {
		m.now = at
	}
}

// Submit endorses and commits in one step.
func (m *Memory) Submit(department, identity, function string, args ...string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	tx, err := m.endorse(m.now, department, identity, function, args)
	if err == nil {
		err = m.commit(tx)
	}
	return tx.Answer, err
}

// Endorse runs a proposal that its client dated at a moment, without committing
// it.
func (m *Memory) Endorse(at time.Time, department, identity, function string, args ...string) (Transaction, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.endorse(at, department, identity, function, args)
}

// Commit writes an endorsed transaction, or answers [ErrConflict].
func (m *Memory) Commit(tx Transaction) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.commit(tx)
}

// Evaluate runs a proposal at one endorser and forgets it.
func (m *Memory) Evaluate(department, identity, function string, args ...string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.propose(m.now, department, identity, function, args)
	if err != nil {
		return "", err
	}
	return run(m.endorsers[0], s)
}

// Committed are the transactions so far, in order.
func (m *Memory) Committed() []Transaction {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.committed)
}

// Put writes a record past the contract, to test what it does with a ledger
// that another version of it has written.
func (m *Memory) Put(k exchange.Key, record any) error {
	key, err := shim.CreateCompositeKey(k.Type, k.Parts)
	if err != nil {
		return err
	}
	value, err := exchange.Encode(record)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state[key] = entry{value, len(m.committed) + 1}
	return nil
}

// keys of the state, sorted. The caller holds the lock.
func (m *Memory) keys() []string { return slices.Sorted(maps.Keys(m.state)) }

// propose makes a stub. The caller holds the lock.
func (m *Memory) propose(at time.Time, department, identity, function string, args []string) (*stub, error) {
	a := m.authorities[department]
	if a == nil {
		return nil, fmt.Errorf("propose: there is no organisation %s", department)
	}
	creator := a.creators[identity]
	if creator == nil {
		return nil, fmt.Errorf("propose: %s has no identity %s", department, identity)
	}
	m.proposals++
	id := sha256.Sum256([]byte(strconv.Itoa(m.proposals)))
	return &stub{
		ledger: m, tx: hex.EncodeToString(id[:]), time: at.UTC(), creator: creator,
		args: append([]string{function}, args...), reads: make(map[string]int), writes: make(map[string][]byte),
	}, nil
}

func run(endorser *contractapi.ContractChaincode, s *stub) (string, error) {
	response := endorser.Invoke(s)
	if response.GetStatus() != shim.OK {
		return "", fmt.Errorf("chaincode response %d, %s", response.GetStatus(), response.GetMessage())
	}
	return string(response.GetPayload()), nil
}

// endorse runs a proposal at every endorser. The caller holds the lock.
func (m *Memory) endorse(at time.Time, department, identity, function string, args []string) (Transaction, error) {
	first, err := m.propose(at, department, identity, function, args)
	if err != nil {
		return Transaction{}, err
	}
	answer, err := run(m.endorsers[0], first)
	for _, endorser := range m.endorsers[1:] {
		other := *first
		other.reads, other.writes, other.event = make(map[string]int), make(map[string][]byte), nil
		otherAnswer, otherErr := run(endorser, &other)
		if err == nil && otherErr != nil {
			err = otherErr
		}
		if err == nil && !agree(first, &other, answer, otherAnswer) {
			err = fmt.Errorf("%s: the endorsers do not agree", function)
		}
	}
	tx := Transaction{
		ID: first.tx, Department: department, Function: function, Args: args, Answer: answer,
		time: first.time, reads: first.reads, writes: first.writes,
	}
	if err != nil || first.event == nil {
		return tx, err
	}
	var events exchange.Events
	if err := json.Unmarshal(first.event.GetPayload(), &events); err != nil {
		return tx, fmt.Errorf("%s: decode event: %w", function, err)
	}
	tx.Events = events.Events
	return tx, nil
}

func agree(a, b *stub, answer, other string) bool {
	return answer == other &&
		maps.Equal(a.reads, b.reads) &&
		maps.EqualFunc(a.writes, b.writes, slices.Equal) &&
		a.event.GetEventName() == b.event.GetEventName() &&
		slices.Equal(a.event.GetPayload(), b.event.GetPayload())
}

// commit checks that what was read is still what is there. The caller holds the
// lock.
func (m *Memory) commit(tx Transaction) error {
	for key, version := range tx.reads {
		if m.state[key].version != version {
			return fmt.Errorf("commit %s: %w", tx.Function, ErrConflict)
		}
	}
	m.committed = append(m.committed, tx)
	for key, value := range tx.writes {
		m.state[key] = entry{value, len(m.committed)}
		m.history[key] = append(m.history[key], &queryresult.KeyModification{
			TxId: tx.ID, Value: value, Timestamp: timestamppb.New(tx.time),
		})
	}
	return nil
}

// Populate founds an organisation, registers it as a department and enrols what
// a [Network] has: an identity for each role of [Enrolled].
func (m *Memory) Populate(department string) error {
	if err := m.Found(department); err != nil {
		return err
	}
	admin := string(exchange.Admin)
	err := m.say(department, admin, exchange.OpDepartmentRegister, &exchange.RegisterDepartment{
		Name: department, Title: "Department of " + department, Recipient: "age1" + strings.Repeat("q", 50) + strings.ReplaceAll(department, "-", ""),
	})
	for _, role := range Enrolled {
		if role == exchange.Admin || err != nil {
			continue
		}
		var certificate string
		if certificate, err = m.Issue(department, string(role)); err == nil {
			err = m.say(department, admin, exchange.OpOfficerEnrol, &exchange.EnrolOfficer{
				Name: string(role), Role: role, Certificate: certificate,
			})
		}
	}
	return err
}

func (m *Memory) say(department, identity string, op exchange.Op, body exchange.Body) error {
	data, err := exchange.Encode(body)
	if err != nil {
		return err
	}
	row, _ := exchange.TransitionOf(op)
	_, err = m.Submit(department, identity, row.Function, "", string(data))
	return err
}

// Wrote reports whether the transaction writes a record of these very bytes.
func (tx Transaction) Wrote(record []byte) bool {
	for _, value := range tx.writes {
		if bytes.Equal(value, record) {
			return true
		}
	}
	return false
}
