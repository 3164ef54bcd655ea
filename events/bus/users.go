package bus

import (
	"fmt"

	"chancery/chaincode/exchange"
	"chancery/events"
)

// The users of a department's bus that are no worker.
const (
	UserAdmin     = "admin"     // creates and purges streams
	UserSystem    = "system"    // the department's systems: commands, and what became of them
	UserDashboard = "dashboard" // reads
)

// Account is a closed space of subjects on the server.
//
// The streams and the workers live in one account. Systems and dashboards have
// accounts of their own into which only their subjects are imported, because
// permissions alone do not hold them: a server sends its answer to whatever
// reply subject a request names, so within one account a publisher could have
// an acknowledgement, or a message read back, written into LEDGER. An answer
// that crosses accounts goes to the asker's account and nowhere else. Workers
// trust one another that far; listen still checks what its stream holds. Guests
// of one account could fool one another's plain subscriptions: what counts is
// read from the stream, see [Conn.Follow].
type Account string

const (
	AccountBus        Account = "BUS"
	AccountSystems    Account = "SYSTEMS"
	AccountDashboards Account = "DASHBOARDS"
)

// UserSpec is a user and the subjects that it may publish and subscribe to;
// what is not named is refused.
type UserSpec struct {
	Name      string
	Account   Account
	Publish   []string
	Subscribe []string // and its own inbox
	Responds  bool     // may answer each request that it hears, once, within two minutes
}

// inbox is the prefix of the subjects on which a user gets its answers: one of
// its own, so that no user reads another's.
func inbox(user string) string { return "_INBOX_" + user }

// inboxes are the subjects of a user's answers. Guests may use those of
// clients that know nothing of ours.
func (u UserSpec) inboxes() []string {
	own := []string{inbox(u.Name) + ".>"}
	if u.Account != AccountBus {
		own = append(own, "_INBOX.>")
	}
	return own
}

// Users are the standard users of a department's bus: one for each worker
// role, the systems, the dashboards and the administrator.
func Users(department string) []UserSpec {
	list := []UserSpec{admin(), system(department), dashboard()}
	for _, r := range roles {
		list = append(list, r.spec(department))
	}
	return list
}

// admin manages streams and consumers, reads everything, has what became a dead
// letter tried again, and makes letters of what has none. It may not publish what
// the ledger said; but who has all of the JetStream API can bring messages into
// any stream, so it is trusted as the server itself is.
func admin() UserSpec {
	return UserSpec{
		Name: UserAdmin, Account: AccountBus,
		Publish:   []string{"$JS.API.>", "$SRV.>", events.RetrySpace(), events.DeadSpace("*")},
		Subscribe: []string{events.Everything(), "$JS.EVENT.>"},
	}
}

// system sends its department's commands, by either door, and sees what became
// of them.
func system(department string) UserSpec {
	return UserSpec{
		Name: UserSystem, Account: AccountSystems,
		Publish: append(reads(events.StreamLedger), events.CommandSpace(department), events.AskSpace(department), accountInfo),
		Subscribe: []string{
			events.LedgerSpace(),
			events.WorkSpace(events.CommandAccepted, ""),
			events.WorkSpace(exchange.CommandRejected, ""),
		},
	}
}

func dashboard() UserSpec {
	spec := UserSpec{
		Name: UserDashboard, Account: AccountDashboards,
		Publish:   []string{accountInfo},
		Subscribe: []string{events.Everything()},
	}
	for _, s := range events.Streams() {
		spec.Publish = append(spec.Publish, reads(s.Name)...)
	}
	return spec
}

// accountInfo asks for the state of JetStream. A guest's account must import
// it: else the server answers all of JetStream's subjects there by itself, with
// the word that JetStream is not enabled in that account.
const accountInfo = "$JS.API.INFO"

// reads is what reading a stream without a consumer takes.
func reads(stream string) []string {
	return []string{streamInfo(stream), directGet(stream), directGet(stream) + ".>"}
}

func streamInfo(stream string) string { return "$JS.API.STREAM.INFO." + stream }
func directGet(stream string) string  { return "$JS.API.DIRECT.GET." + stream }

// role is a worker's: the events it may consume, each by one durable consumer,
// and the work events it may publish for its own department.
type role struct {
	name     string
	listens  bool // publishes LEDGER
	commands bool // consumes COMMANDS and answers at the synchronous door
	ledger   []exchange.EventType
	own      []exchange.EventType // of the ledger, as far as they are to the department
	work     []exchange.EventType
	says     []exchange.EventType
}

var roles = []role{
	{name: "listen", listens: true},
	{
		name: "intake", commands: true,
		says: []exchange.EventType{events.ObjectStaged, events.CommandAccepted, exchange.CommandRejected},
	},
	{
		name: "encrypt", work: []exchange.EventType{events.ObjectStaged},
		says: []exchange.EventType{events.ObjectSealed, exchange.CommandRejected},
	},
	{
		name: "pin", work: []exchange.EventType{events.ObjectSealed},
		says: []exchange.EventType{exchange.CommandRejected},
	},
	{name: "verify", ledger: []exchange.EventType{exchange.ObjectRegistered, exchange.ObjectAttested}},
	{name: "policy", own: []exchange.EventType{exchange.RequestOpened}, ledger: []exchange.EventType{exchange.JobOpened}},
	{name: "release", ledger: []exchange.EventType{exchange.GrantWasGiven, exchange.GrantWasRevoked, exchange.GrantRedeemed}},
	{name: "receive", ledger: []exchange.EventType{
		exchange.GrantWasGiven, exchange.GrantWasRevoked, exchange.GrantRedeemed, exchange.KeyReleased, exchange.KeyRefused,
	}},
	{name: "compute", ledger: []exchange.EventType{
		exchange.JobOpened, exchange.JobWasApproved, exchange.JobWasAligned, exchange.JobWasMasked, exchange.JobWasContributed,
	}},
	{name: "decrypt", ledger: []exchange.EventType{exchange.JobWasComputed}},
	{name: "combine", ledger: []exchange.EventType{exchange.JobSharePosted}},
}

// Workers names the worker roles that have a user.
func Workers() []string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = r.name
	}
	return names
}

func (r role) spec(department string) UserSpec {
	spec := UserSpec{Name: r.name, Account: AccountBus, Publish: []string{events.DeadSpace(r.name)}}
	if r.listens {
		spec.Publish = append(append(spec.Publish, reads(events.StreamLedger)...), events.LedgerSpace())
	}
	if r.commands {
		spec.Publish = append(spec.Publish, consumes(r.name, events.CommandsFilter())...)
		spec.Subscribe = append(spec.Subscribe, events.AskSpace(department), "$SRV.>")
		spec.Responds = true
	}
	for _, t := range r.ledger {
		spec.Publish = append(spec.Publish, consumes(r.name, events.LedgerFilter(t, "", ""))...)
	}
	for _, t := range r.own {
		spec.Publish = append(spec.Publish, consumes(r.name, events.LedgerFilter(t, "", department))...)
	}
	for _, t := range r.work {
		spec.Publish = append(spec.Publish, consumes(r.name, events.WorkFilter(t, "", ""))...)
	}
	if r.commands || len(r.ledger)+len(r.own)+len(r.work) > 0 {
		spec.Publish = append(spec.Publish, consumes(r.name, events.RetryFilter(r.name))...)
	}
	for _, t := range r.says {
		spec.Publish = append(spec.Publish, events.WorkSpace(t, department))
	}
	return spec
}

// consumes is what keeping and reading one durable consumer takes. The filter
// is part of the subject on which a consumer is created, so that a worker
// cannot read more than its role.
func consumes(worker string, f events.Filter) []string {
	name := events.Durable(worker, f)
	return []string{
		consumerCreate(f.Stream, name, f.Subject),
		fmt.Sprintf("$JS.API.CONSUMER.INFO.%s.%s", f.Stream, name),
		fmt.Sprintf("$JS.API.CONSUMER.MSG.NEXT.%s.%s", f.Stream, name),
		fmt.Sprintf("$JS.ACK.%s.%s.>", f.Stream, name),
	}
}

func consumerCreate(stream, name, filter string) string {
	return fmt.Sprintf("$JS.API.CONSUMER.CREATE.%s.%s.%s", stream, name, filter)
}
