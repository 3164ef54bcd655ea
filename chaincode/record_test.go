package chaincode_test

import (
	"encoding/json"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
)

// TestRegister makes a department of an organisation.
func TestRegister(t *testing.T) {
	d := desk{t, newLedger(t)}
	if err := d.Found("archive"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Issue("archive", "worker"); err != nil {
		t.Fatal(err)
	}
	body := &exchange.RegisterDepartment{Name: "archive", Title: "State archive", Recipient: "age1" + strings.Repeat("q", 58)}
	taken := *body
	taken.Name = "census"

	_, err := d.do("archive", "admin", exchange.OpOfficerEnrol, "", &exchange.EnrolOfficer{Name: "x", Role: exchange.Worker, Certificate: "x"})
	if refusal := wantCode(t, err, exchange.Denied); !strings.Contains(refusal.Message, "RegisterDepartment") {
		t.Errorf("%q does not say what to do", refusal.Message)
	}
	_, err = d.do("archive", "worker", exchange.OpDepartmentRegister, "", body)
	wantCode(t, err, exchange.Denied)
	_, err = d.do("archive", "admin", exchange.OpDepartmentRegister, "", &taken)
	wantCode(t, err, exchange.Conflict)

	out := d.must("archive", "admin", exchange.OpDepartmentRegister, "join", body)
	all := d.Committed()
	events := all[len(all)-1].Events
	if out.ID != "archive" || len(events) != 2 || events[0].Type != exchange.DepartmentRegistered || events[1].Type != exchange.OfficerEnrolled {
		t.Errorf("registered as %+v, told %+v", out, events)
	}
	var officer exchange.OfficerRecord
	if err := json.Unmarshal(events[1].Data, &officer); err != nil || officer.Role != exchange.Admin || officer.Name != "admin" ||
		officer.Department != "archive" || officer.Change.Officer != officer.ID || officer.Change.By != "archive" {
		t.Errorf("first officer: %+v (%v)", officer, err)
	}
	if again := d.must("archive", "admin", exchange.OpDepartmentRegister, "join", body); !again.Repeated || again.Code != exchange.Exists || again.ID != "archive" {
		t.Errorf("again: %+v", again)
	}
	if again := d.must("archive", "admin", exchange.OpDepartmentRegister, "", body); again.Code != exchange.Exists {
		t.Errorf("without a command: %+v", again)
	}
	_, err = d.do("archive", "admin", exchange.OpDepartmentRegister, "join", &taken)
	wantCode(t, err, exchange.Conflict)
}

// TestOtherRecipient redeems after the department's key has become another one,
// which no function does yet.
func TestOtherRecipient(t *testing.T) {
	d := desk{t, newLedger(t)}
	grant := d.grant("a")
	text, err := d.Evaluate("health", "worker", "Get", "department", "health")
	if err != nil {
		t.Fatal(err)
	}
	var department exchange.Department
	if err := json.Unmarshal([]byte(text), &department); err != nil {
		t.Fatal(err)
	}
	department.Recipient = "age1" + strings.Repeat("z", 58)
	if err := d.Put(exchange.DepartmentKey("health"), department); err != nil {
		t.Fatal(err)
	}
	_, err = d.do("health", "worker", exchange.OpGrantRedeem, "", &exchange.RedeemGrant{Grant: grant})
	wantCode(t, err, exchange.Denied)
}

// TestUnreadableRecord meets a record that cannot be decoded: a fault, which
// fails the whole transaction and is not taken for a refusal.
func TestUnreadableRecord(t *testing.T) {
	d := desk{t, newLedger(t)}
	grant := d.grant("a")
	if err := d.Put(exchange.GrantKey(grant), []int{1}); err != nil {
		t.Fatal(err)
	}
	body := encode(t, &exchange.RedeemGrant{Grant: grant})
	batch := encode(t, []exchange.Operation{{Command: "c", Op: exchange.OpGrantRedeem, Body: json.RawMessage(body)}})
	for function, args := range map[string][]string{"RedeemGrant": {"", body}, "Apply": {batch}} {
		if _, err := d.Submit("health", "worker", function, args...); err == nil || exchange.ParseError(err.Error()) != nil {
			t.Errorf("%s: %v", function, err)
		}
	}
}

// TestLongList scans more keys than one call may.
func TestLongList(t *testing.T) {
	const count = 4321
	d := desk{t, newLedger(t)}
	for i := range count {
		owner := "health"
		if i%1000 == 0 {
			owner = "census"
		}
		id := exchange.DatasetID("x", strings.Repeat("a", i%60+1)+string(rune('a'+i/60%26))+string(rune('a'+i/60/26)))
		if err := d.Put(exchange.DatasetKey(id), exchange.Dataset{ID: id, Owner: owner}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		query        exchange.Query
		found, pages int
	}{
		{exchange.Query{Noun: exchange.NounDataset, PageSize: exchange.MaxPage}, count, 9},
		{exchange.Query{Noun: exchange.NounDataset, Department: "census"}, 5, 3},
		{exchange.Query{Noun: exchange.NounDataset, Department: "labor"}, 0, 3},
	} {
		found, pages := 0, 0
		for q := tc.query; ; {
			text, err := d.Evaluate("labor", "auditor", "List", encode(t, q))
			var page exchange.Page
			if err != nil || json.Unmarshal([]byte(text), &page) != nil {
				t.Fatalf("%v: %s", err, text)
			}
			found += len(page.Records)
			pages++
			if q.Bookmark = page.Bookmark; q.Bookmark == "" {
				break
			}
		}
		if found != tc.found || pages != tc.pages {
			t.Errorf("%+v: %d records in %d pages, want %d in %d", tc.query, found, pages, tc.found, tc.pages)
		}
	}
}

// TestAdvice reads what the refused are told to do.
func TestAdvice(t *testing.T) {
	d := desk{t, newLedger(t)}
	certificate, err := d.Issue("census", "alice")
	if err != nil {
		t.Fatal(err)
	}
	advised := func(identity, want string) {
		t.Helper()
		_, err := d.do("census", identity, exchange.OpDatasetWithdraw, "", &exchange.Withdraw{Dataset: exchange.DatasetID("m", "n"), Reason: "x"})
		if refusal := wantCode(t, err, exchange.Denied); !strings.Contains(refusal.Message, want) {
			t.Errorf("%q does not say %s", refusal.Message, want)
		}
	}
	advised("alice", "EnrolOfficer")
	alice := d.must("census", "admin", exchange.OpOfficerEnrol, "", &exchange.EnrolOfficer{Name: "alice", Role: exchange.Officer, Certificate: certificate}).ID
	d.must("census", "admin", exchange.OpOfficerSuspend, "", &exchange.ChangeOfficer{Officer: alice, Reason: "on leave"})
	advised("alice", "ReinstateOfficer")
	advised("alice", "on leave")
	advised("worker", "[officer]")
	d.must("census", "admin", exchange.OpDepartmentSuspend, "", &exchange.ChangeDepartment{Name: "census", Reason: "audit"})
	advised("officer", "ReinstateDepartment")
	advised("officer", "audit")
}

// TestAuthority enrols a certificate that signs certificates.
func TestAuthority(t *testing.T) {
	d := desk{t, newLedger(t)}
	_, err := d.do("census", "admin", exchange.OpOfficerEnrol, "", &exchange.EnrolOfficer{
		Name: "ca", Role: exchange.Admin, Certificate: string(newKeys(t).pem)})
	if refusal := wantCode(t, err, exchange.Invalid); !strings.Contains(refusal.Message, "authority") {
		t.Errorf("refused for %q", refusal.Message)
	}
}

// TestKeysKeepApart says things whose names are the same once they are written
// without a gap: every record stays its own.
func TestKeysKeepApart(t *testing.T) {
	d := desk{t, newLedger(t)}
	for _, department := range []string{"a", "a-b", "a-b-c"} {
		if err := d.Populate(department); err != nil {
			t.Fatal(err)
		}
	}
	seen := make(map[string]string)
	for _, who := range []struct{ department, name, command string }{
		{"a", "b-c", "b-c"}, {"a-b", "c", "c"}, {"a", "b", "b.c"}, {"a-b", "b", "b:c"}, {"a-b-c", "c", "c_"}, {"a", "bc", "bc"},
	} {
		out := d.must(who.department, "worker", exchange.OpDatasetRegister, who.command, &exchange.RegisterDataset{
			Name:        who.name,
			Description: exchange.Description{Title: who.department + " and " + who.name, Licence: "CC0-1.0", MediaType: "text/csv"},
			Terms:       exchange.Terms{Actions: []exchange.Action{exchange.Read}, MaxUses: 1, MaxDuration: 60},
		})
		if other := seen[out.ID]; out.Code != exchange.OK || other != "" {
			t.Errorf("%+v: %+v, made by %s before", who, out, other)
		}
		seen[out.ID] = who.department + "/" + who.name
	}
	for id, name := range seen {
		text, err := d.Evaluate("health", "auditor", "Get", "dataset", name)
		var found exchange.Dataset
		if err != nil || json.Unmarshal([]byte(text), &found) != nil || found.ID != id || found.Owner+"/"+found.Name != name {
			t.Errorf("%s is %s (%v), want %s", name, text, err, id)
		}
	}
	for _, id := range []string{"a/b-c", "a-b/c", "a/b.c", "a-b/b:c", "a-b-c/c_", "a/bc"} {
		text, err := d.Evaluate("health", "auditor", "Get", "operation", id)
		var found exchange.OperationRecord
		if err != nil || json.Unmarshal([]byte(text), &found) != nil || found.Department+"/"+found.Command != id {
			t.Errorf("operation %s is %s (%v)", id, text, err)
		}
	}
}
