package chaincode_test

import (
	"encoding/json"
	"testing"

	"chancery/chaincode/contracttest"
	"chancery/chaincode/exchange"
)

// told are the events that the contract can tell: the record that each carries
// and whom it is told.
var told = map[exchange.EventType]struct {
	record func() any
	to     func(m map[string]any) any
}{
	exchange.DepartmentRegistered: {newRecord[exchange.Department], toAll},
	exchange.DepartmentSuspended:  {newRecord[exchange.Department], toAll},
	exchange.DepartmentReinstated: {newRecord[exchange.Department], toAll},
	exchange.OfficerEnrolled:      {newRecord[exchange.OfficerRecord], toAll},
	exchange.OfficerSuspended:     {newRecord[exchange.OfficerRecord], toAll},
	exchange.OfficerReinstated:    {newRecord[exchange.OfficerRecord], toAll},
	exchange.DatasetRegistered:    {newRecord[exchange.Dataset], toAll},
	exchange.DatasetTermsSet:      {newRecord[exchange.Dataset], toAll},
	exchange.DatasetWithdrawn:     {newRecord[exchange.Dataset], toAll},
	exchange.ObjectRegistered:     {newRecord[exchange.Object], toAll},
	exchange.ObjectAttested:       {newRecord[exchange.Attestation], func(map[string]any) any { return "census" }},
	exchange.ObjectCertified:      {newRecord[exchange.Certification], toAll},
	exchange.RequestOpened:        {newRecord[exchange.Request], toField("provider")},
	exchange.RequestWasWithdrawn:  {newRecord[exchange.Request], toField("provider")},
	exchange.RequestWasRefused:    {newRecord[exchange.Request], toField("requester")},
	exchange.GrantWasGiven:        {newRecord[exchange.Grant], toField("grantee")},
	exchange.GrantWasRevoked:      {newRecord[exchange.Grant], toField("grantee")},
	exchange.GrantRedeemed:        {newRecord[exchange.Redemption], toField("owner")},
	exchange.KeyReleased:          {newRecord[exchange.Release], toField("grantee")},
	exchange.KeyRefused:           {newRecord[exchange.Redemption], toField("grantee")},
	exchange.ReceiptFiled:         {newRecord[exchange.Receipt], toField("owner")},
	exchange.DisputeOpened:        {newRecord[exchange.Dispute], toField("owner")},
	exchange.KeyringActivated:     {newRecord[exchange.Keyring], toAll},
	exchange.KeyringWasRetired:    {newRecord[exchange.Keyring], toAll},
	exchange.JobOpened:            {newRecord[exchange.Job], toAll},
	exchange.JobWasApproved:       {newRecord[exchange.Job], toAll},
	exchange.JobWasRefused:        {newRecord[exchange.Job], toAll},
	exchange.JobWasWithdrawn:      {newRecord[exchange.Job], toAll},
	exchange.JobWasFailed:         {newRecord[exchange.Job], toAll},
	exchange.JobWasAligned:        {newRecord[exchange.Job], toAll},
	exchange.JobWasMasked:         {newRecord[exchange.Job], toAll},
	exchange.JobWasContributed:    {newRecord[exchange.Job], toAll},
	exchange.JobWasComputed:       {newRecord[exchange.Job], toAll},
	exchange.JobSharePosted:       {newRecord[exchange.Share], toField("requester")},
	exchange.JobWasClosed:         {newRecord[exchange.Result], toAll},
	exchange.JobWasContested:      {newRecord[exchange.Job], toAll},
	exchange.CommandRejected:      {newRecord[exchange.OperationRecord], toField("department")},
}

func newRecord[T any]() any { return new(T) }

func toAll(map[string]any) any { return exchange.ToAll }

func toField(name string) func(map[string]any) any {
	return func(m map[string]any) any { return m[name] }
}

// checkEvents looks at every transaction: one event for every change, none for
// anything else, in the order of the operations, each with the record that the
// transaction has written.
func checkEvents(t *testing.T, m *contracttest.Memory) {
	t.Helper()
	seen := make(map[exchange.EventType]bool)
	for _, tx := range m.Committed() {
		want := expectedEvents(t, tx)
		if len(tx.Events) != len(want) {
			t.Errorf("%s has told %d events, want %v", tx.Function, len(tx.Events), want)
			continue
		}
		for i, e := range tx.Events {
			if e.Type != want[i].event || e.Command != want[i].command || e.From != tx.Department {
				t.Errorf("%s has told %s of command %q from %s, want %+v from %s", tx.Function, e.Type, e.Command, e.From, want[i], tx.Department)
			}
			seen[e.Type] = true
			checkEvent(t, tx, e)
		}
	}
	for event := range told {
		if !seen[event] {
			t.Errorf("nothing has told %s", event)
		}
	}
}

func checkEvent(t *testing.T, tx contracttest.Transaction, e exchange.Event) {
	t.Helper()
	kind, ok := told[e.Type]
	if !ok {
		t.Errorf("%s has told the unknown event %s", tx.Function, e.Type)
		return
	}
	if err := exchange.Decode(e.Data, kind.record()); err != nil {
		t.Errorf("%s carries %s: %v", e.Type, e.Data, err)
	}
	if !tx.Wrote(e.Data) {
		t.Errorf("%s carries %s, which %s has not written", e.Type, e.Data, tx.Function)
	}
	var fields map[string]any
	if err := json.Unmarshal(e.Data, &fields); err != nil || kind.to(fields) != e.To {
		t.Errorf("%s is told to %s, want %v", e.Type, e.To, kind.to(fields))
	}
	ids := []any{fields["id"], fields["name"], fields["object"], fields["grant"], fields["job"]}
	if e.Type == exchange.CommandRejected {
		ids = []any{exchange.NewID(exchange.NounOperation, tx.Department+"-msp", fields["command"].(string))}
	}
	for _, id := range ids {
		if id == e.ID {
			return
		}
	}
	t.Errorf("%s has the id %s, none of %v", e.Type, e.ID, ids)
}

// fact is an event as far as an outcome tells.
type fact struct {
	event   exchange.EventType
	command string
}

// expectedEvents are what the outcomes of a transaction call for.
func expectedEvents(t *testing.T, tx contracttest.Transaction) []fact {
	t.Helper()
	outcomes := make([]exchange.Outcome, 1)
	text := []byte(tx.Answer)
	if tx.Function == "Apply" {
		outcomes = nil
		if err := json.Unmarshal(text, &outcomes); err != nil {
			t.Fatal(err)
		}
	} else if err := json.Unmarshal(text, &outcomes[0]); err != nil {
		t.Fatal(err)
	}
	var want []fact
	for _, out := range outcomes {
		row, _ := exchange.TransitionOf(out.Op)
		switch {
		case out.Code == exchange.OK:
			want = append(want, fact{row.Event, out.Command})
			if row.Op == exchange.OpDepartmentRegister {
				want = append(want, fact{exchange.OfficerEnrolled, out.Command})
			}
			if row.Op == exchange.OpJobAlign && tx.Events[len(tx.Events)-1].Type == exchange.JobWasFailed {
				want = append(want, fact{exchange.JobWasFailed, out.Command})
			}
		case out.Code != exchange.Exists && out.Tx == tx.ID: // refused and recorded
			want = append(want, fact{exchange.CommandRejected, out.Command})
		}
	}
	return want
}

// checkUses looks at the whole ledger after the suite: no grant is wider than
// its request, and no use beyond its grant.
func checkUses(t *testing.T, m *contracttest.Memory) {
	t.Helper()
	grants := all[exchange.Grant](t, m, exchange.NounGrant)
	requests := all[exchange.Request](t, m, exchange.NounRequest)
	uses := all[exchange.Redemption](t, m, exchange.NounRedemption)
	if len(grants) == 0 || len(uses) == 0 {
		t.Fatalf("%d grants, %d uses", len(grants), len(uses))
	}
	for _, g := range grants {
		if g.Job != "" {
			continue // see checkJobs
		}
		r := requests[g.Request]
		if g.MaxUses > r.Uses || g.NotBefore.Before(r.NotBefore) || g.NotAfter.After(r.NotAfter) || len(g.Actions) > len(r.Actions) ||
			g.Grantee != r.Requester || g.Purpose != r.Purpose || r.Grant != g.ID || r.State != exchange.RequestGranted {
			t.Errorf("grant %+v of request %+v", g, r)
		}
	}
	for id, u := range uses {
		g := grants[u.Grant]
		if u.Slot >= g.MaxUses || u.Since.Before(g.NotBefore) || !u.Since.Before(g.NotAfter) || u.Grantee != g.Grantee {
			t.Errorf("use %s %+v of grant %+v", id, u, g)
		}
		_, err := m.Evaluate("labor", "auditor", "Get", string(exchange.NounRelease), id)
		released := u.State == exchange.Released || u.State == exchange.Received || u.State == exchange.Disputed
		if (err == nil) != released {
			t.Errorf("use %s is %s, its release: %v", id, u.State, err)
		}
	}
}

// all are the records of a noun, by id.
func all[T any](t *testing.T, m *contracttest.Memory, noun exchange.Noun) map[string]T {
	t.Helper()
	records := make(map[string]T)
	q := exchange.Query{Noun: noun, PageSize: exchange.MaxPage}
	for {
		text, err := m.Evaluate("labor", "auditor", "List", encode(t, q))
		var page exchange.Page
		if err != nil || json.Unmarshal([]byte(text), &page) != nil {
			t.Fatalf("%v: %s", err, text)
		}
		for _, data := range page.Records {
			var record T
			var key struct {
				ID, Grant string
				Slot      json.Number
			}
			if json.Unmarshal(data, &record) != nil || json.Unmarshal(data, &key) != nil {
				t.Fatalf("decode %s", data)
			}
			if key.ID == "" {
				key.ID = key.Grant + "/" + string(key.Slot)
			}
			records[key.ID] = record
		}
		if q.Bookmark = page.Bookmark; q.Bookmark == "" {
			return records
		}
	}
}
