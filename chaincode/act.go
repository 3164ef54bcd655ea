package chaincode

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"chancery/chaincode/exchange"
)

// act is one operation under way. What it writes and tells is kept back until
// it has succeeded as a whole.
type act struct {
	*transaction
	row     exchange.Transition
	command string // "": none, or none that can be recorded under
	body    exchange.Body
	said    string // digest of the body
	puts    []put
	facts   []exchange.Event
}

type put struct {
	key   string
	value []byte
}

// subject is what an operation is about, as the ledger holds it.
type subject struct {
	id     string   // of the record
	made   string   // id of the record that it makes, where that is another
	party  string   // the department that the row's party speaks of,
	among  []string // or the several that it speaks of
	state  string   // of the record now; [exchange.Absent] when it is not there
	done   done     // the record says this very thing already
	change func() error
}

// done says whether, and in which transaction, where that is known.
type done struct {
	yes bool
	tx  string
}

// step finds an operation's subject and refuses what only its noun can tell.
type step func(a *act) (subject, error)

// on gives a step its body's type.
func on[B exchange.Body](f func(a *act, b B) (subject, error)) step {
	return func(a *act) (subject, error) {
		b, ok := a.body.(B)
		if !ok {
			return subject{}, fmt.Errorf("%s with a body of type %T", a.row.Op, a.body)
		}
		return f(a, b)
	}
}

var steps = map[exchange.Op]step{
	exchange.OpDepartmentRegister:  on(registerDepartment),
	exchange.OpDepartmentSuspend:   on(changeDepartment),
	exchange.OpDepartmentReinstate: on(changeDepartment),
	exchange.OpOfficerEnrol:        on(enrolOfficer),
	exchange.OpOfficerSuspend:      on(changeOfficer),
	exchange.OpOfficerReinstate:    on(changeOfficer),
	exchange.OpDatasetRegister:     on(registerDataset),
	exchange.OpDatasetSetTerms:     on(setTerms),
	exchange.OpDatasetWithdraw:     on(withdrawDataset),
	exchange.OpObjectRegister:      on(registerObject),
	exchange.OpObjectAttest:        on(attestObject),
	exchange.OpObjectCertify:       on(certifyObject),
	exchange.OpRequestOpen:         on(openRequest),
	exchange.OpRequestWithdraw:     on(withdrawRequest),
	exchange.OpRequestRefuse:       on(refuseRequest),
	exchange.OpGrantGive:           on(giveGrant),
	exchange.OpGrantRevoke:         on(revokeGrant),
	exchange.OpGrantRedeem:         on(redeemGrant),
	exchange.OpKeyRelease:          on(releaseKey),
	exchange.OpKeyRefuse:           on(refuseKey),
	exchange.OpReceiptFile:         on(fileReceipt),
	exchange.OpDisputeOpen:         on(openDispute),
	exchange.OpKeyringCreate:       on(createKeyring),
	exchange.OpKeyringRetire:       on(retireKeyring),
	exchange.OpJobOpen:             on(openJob),
	exchange.OpJobWithdraw:         on(endJob),
	exchange.OpJobApprove:          on(approveJob),
	exchange.OpJobRefuse:           on(endJob),
	exchange.OpJobFail:             on(endJob),
	exchange.OpJobAlign:            on(alignJob),
	exchange.OpJobMask:             on(maskJob),
	exchange.OpJobContribute:       on(contribute),
	exchange.OpJobEvaluate:         on(evaluateJob),
	exchange.OpJobShare:            on(postShare),
	exchange.OpJobClose:            on(closeJob),
	exchange.OpJobContest:          on(endJob),
}

// prepare decodes an operation strictly. It returns an act even with a refusal,
// which can be recorded under the act's command, where it has one.
func (t *transaction) prepare(op exchange.Operation) (*act, error) {
	a := &act{transaction: t}
	var known bool
	if a.row, known = exchange.TransitionOf(op.Op); !known {
		return a, exchange.Errorf(exchange.Invalid, "there is no operation %.64q", op.Op)
	}
	if op.Command != "" {
		if err := exchange.CheckCommand(op.Command); err != nil {
			return a, err
		}
		a.command = op.Command
	}
	var err error
	if a.body, err = exchange.DecodeBody(op.Op, op.Body); err != nil {
		sum := sha256.Sum256(op.Body)
		a.said = hex.EncodeToString(sum[:])
		return a, err
	}
	a.said, err = exchange.BodyDigest(a.body)
	return a, err
}

// run performs an act and keeps what it writes for [act.keep].
func (a *act) run() (exchange.Outcome, error) {
	out := exchange.Outcome{Command: a.command, Op: a.row.Op, Code: exchange.OK, Tx: a.id}
	s, err := steps[a.row.Op](a)
	if err != nil {
		return out, err
	}
	out.ID = cmp.Or(s.made, s.id)
	if err := a.checkParty(s); err != nil {
		return out, err
	}
	if s.done.yes {
		out.Code, out.Tx = exchange.Exists, s.done.tx
		return out, nil
	}
	if !a.row.Allows(s.state) {
		return out, a.wrongState(s)
	}
	return out, s.change()
}

func (a *act) checkParty(s subject) error {
	self := a.caller.department.Name
	switch a.row.Party {
	case exchange.Self, exchange.Owner, exchange.Asker, exchange.Grantee, exchange.Holder:
		if self != s.party {
			return exchange.Errorf(exchange.Denied, "%s of %s %s is for its %s, %s, not for %s",
				a.row.Op, a.row.Noun, s.id, a.row.Party, s.party, self)
		}
	case exchange.Provider:
		if !slices.Contains(s.among, self) {
			return exchange.Errorf(exchange.Denied, "%s of %s %s is for its providers, %s, not for %s",
				a.row.Op, a.row.Noun, s.id, strings.Join(s.among, ", "), self)
		}
	case exchange.Others:
		if self == s.party {
			return exchange.Errorf(exchange.Denied, "%s is for other departments than the owner %s", a.row.Op, self)
		}
	case exchange.Anyone, exchange.Unlisted:
	default:
		return fmt.Errorf("%s is for the unknown party %q", a.row.Op, a.row.Party)
	}
	return nil
}

func (a *act) wrongState(s subject) error {
	switch {
	case s.state == exchange.Absent:
		return exchange.Errorf(exchange.NotFound, "there is no %s %s", a.row.Noun, s.id)
	case a.row.Allows(exchange.Absent):
		return exchange.Errorf(exchange.Conflict, "%s %s is there already (%s) with another content", a.row.Noun, s.id, s.state)
	}
	return exchange.Errorf(exchange.Conflict, "%s %s is %s: %s needs it %s",
		a.row.Noun, s.id, s.state, a.row.Op, strings.Join(a.row.From, " or "))
}

// change is the provenance of a record that this act makes or changes.
func (a *act) change(reason string) exchange.Change {
	return exchange.Change{
		Op:      string(a.row.Op),
		By:      a.caller.department.Name,
		Officer: a.caller.officer.ID,
		Name:    a.caller.officer.Name,
		Tx:      a.id,
		Time:    a.time,
		Said:    a.said,
		Reason:  reason,
	}
}

// doneBefore reports whether a record's last change is this very thing, said by
// the same department.
func (a *act) doneBefore(c exchange.Change) done {
	if c.Op == string(a.row.Op) && c.Said == a.said && c.By == a.caller.department.Name {
		return done{yes: true, tx: c.Tx}
	}
	return done{}
}

// firstError returns the first error, as the one error of an operation.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// put keeps a record to be written.
func (a *act) put(k exchange.Key, record any) error {
	key, err := composite(k)
	if err != nil {
		return err
	}
	if a.written[key] {
		return again()
	}
	value, err := exchange.Encode(record)
	if err != nil {
		return err
	}
	a.puts = append(a.puts, put{key, value})
	return nil
}

// tell keeps the row's event to be told: the record, its id and the counterpart.
func (a *act) tell(to, id string, record any) error {
	return a.tellOf(a.row.Event, to, id, record)
}

func (a *act) tellOf(event exchange.EventType, to, id string, record any) error {
	data, err := exchange.Encode(record)
	if err != nil {
		return err
	}
	a.facts = append(a.facts, exchange.Event{
		Type: event, From: a.caller.department.Name, To: to, ID: id, Command: a.command, Data: data,
	})
	return nil
}

// keep writes what the act has put and told to the transaction.
func (a *act) keep() error {
	for _, p := range a.puts {
		if err := a.stub.PutState(p.key, p.value); err != nil {
			return fmt.Errorf("write the ledger: %w", err)
		}
		a.written[p.key] = true
	}
	a.events = append(a.events, a.facts...)
	return nil
}
