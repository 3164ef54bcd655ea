package exchange

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

const someCID = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"

var (
	someDigest = strings.Repeat("0a", 32)
	noon       = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
)

func goodTerms() Terms {
	return Terms{Requesters: []string{"health"}, Purposes: []string{"planning"}, Actions: []Action{Read}, MaxUses: 1, MaxDuration: 1}
}

// bodies are valid ones, made anew for every case.
func bodies() map[Op]Body {
	dataset, object := DatasetID("m", "n"), NewID(NounObject, "m", "c")
	request, grant, officer := NewID(NounRequest, "m", "c"), NewID(NounGrant, "m", "c"), OfficerID([]byte("c"))
	job := NewID(NounJob, "m", "c")
	return map[Op]Body{
		OpDepartmentRegister:  &RegisterDepartment{Name: "census", Title: "Census", Recipient: "age1" + strings.Repeat("q", 58)},
		OpDepartmentSuspend:   &ChangeDepartment{Name: "census", Reason: "audit"},
		OpDepartmentReinstate: &ChangeDepartment{Name: "census", Reason: "audited"},
		OpOfficerEnrol:        &EnrolOfficer{Name: "alice", Role: Officer, Certificate: "PEM"},
		OpOfficerSuspend:      &ChangeOfficer{Officer: officer, Reason: "leave"},
		OpOfficerReinstate:    &ChangeOfficer{Officer: officer, Reason: "back"},
		OpDatasetRegister: &RegisterDataset{Name: "population", Terms: goodTerms(), Description: Description{
			Title: "Population", Description: "By region.\nEvery year.", Keywords: []string{"people"}, Licence: "CC0-1.0", MediaType: "text/csv",
			Columns: []Column{{Name: "year", Type: Integer}, {Name: "people", Type: Integer, Unit: "persons", Description: "On 1 January."}}}},
		OpDatasetSetTerms: &SetTerms{Dataset: dataset, Terms: goodTerms()},
		OpDatasetWithdraw: &Withdraw{Dataset: dataset, Reason: "superseded"},
		OpObjectRegister: &RegisterObject{Command: "c", Dataset: dataset, CID: someCID, Size: 1, SealedDigest: someDigest, ContentDigest: someDigest,
			FileName: "a.csv", Source: "register", DerivedFrom: []string{someDigest, object}},
		OpObjectAttest:  &AttestObject{Object: object, Verdict: Bad, Found: someDigest, Reason: "other bytes"},
		OpObjectCertify: &CertifyObject{Object: object, Statement: "checked"},
		OpRequestOpen: &OpenRequest{Dataset: dataset, Object: object, Purpose: "planning", LegalBasis: "section 5", Actions: []Action{Read, Compute},
			Spec: someDigest, NotBefore: noon, NotAfter: noon.Add(1), Uses: MaxUses},
		OpRequestWithdraw: &EndRequest{Request: request, Reason: "done"},
		OpRequestRefuse:   &EndRequest{Request: request, Reason: "no"},
		OpGrantGive: &GiveGrant{Request: request, Actions: []Action{Read}, Object: object, NotBefore: noon, NotAfter: noon.Add(time.Hour), MaxUses: 1,
			Obligations: &Obligations{DeleteWithin: 1}},
		OpGrantRevoke: &RevokeGrant{Grant: grant, Reason: "over"},
		OpGrantRedeem: &RedeemGrant{Grant: grant, Slot: MaxUses - 1},
		OpKeyRelease:  &ReleaseKey{Grant: grant, WrapCID: someCID, WrapDigest: someDigest},
		OpKeyRefuse:   &RefuseKey{Grant: grant, Attempt: 1, Reason: "revoked"},
		OpReceiptFile: &FileReceipt{Grant: grant, SealedDigest: someDigest, ContentDigest: someDigest, Rows: 1},
		OpDisputeOpen: &OpenDispute{Grant: grant, Cause: CauseSealed, Found: someDigest, Reason: "other bytes"},

		OpKeyringCreate: &CreateKeyring{Name: "statistics", PublicKey: "paillier-public-1.AVBB-_"},
		OpKeyringRetire: &RetireKeyring{Keyring: KeyringID("m", "n"), Reason: "replaced"},
		OpJobOpen:       &OpenJob{Plan: somePlan()},
		OpJobWithdraw:   &EndJob{Job: job, Reason: "done"},
		OpJobApprove:    &ApproveJob{Job: job, Spec: someDigest},
		OpJobRefuse:     &EndJob{Job: job, Reason: "no"},
		OpJobFail:       &EndJob{Job: job, Reason: "column rate, row 7: not a number"},
		OpJobAlign:      &AlignJob{Job: job, Missing: []string{"72", "78"}},
		OpJobMask:       &MaskJob{Job: job, Ciphertexts: []string{someCiphertext}},
		OpJobContribute: &Contribute{Job: job, Inputs: []Encrypted{
			{Input: 0, Ciphertexts: []string{someCiphertext}}, {Input: 2, Ciphertexts: []string{someCiphertext, someCiphertext}}}},
		OpJobEvaluate: &EvaluateJob{Job: job},
		OpJobShare:    &PostShare{Job: job, Digest: someDigest, Sealed: "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+"},
		OpJobClose:    &CloseJob{Job: job, Commitment: someDigest},
		OpJobContest:  &EndJob{Job: job, Reason: "plaintext 0 is not the ciphertext's"},
	}
}

const someCiphertext = "paillier-ciphertext-1.AUMA-_"

// somePlan is a valid one.
func somePlan() Plan {
	return Plan{
		Operation: WeightedSum, Keyring: KeyringID("m", "n"), Purpose: "planning", LegalBasis: "section 5",
		Inputs: []Input{
			{Dataset: DatasetID("m", "n"), Object: NewID(NounObject, "m", "c"), Key: "state", Value: "people", Weight: 3},
			{Dataset: DatasetID("m", "o"), Key: "county", Divisor: 1000, Value: "rate", Reduction: Mean, Shift: -2, Weight: -255},
		},
		Keys: []string{"1", "2", "72"}, Scale: 2, ValueBits: 40, MinContributors: 2, Deadline: noon,
	}
}

// TestBodies takes every valid body, in memory and through JSON.
func TestBodies(t *testing.T) {
	good := bodies()
	for _, row := range Transitions {
		b := good[row.Op]
		if b == nil {
			t.Errorf("%s has no valid body here", row.Op)
			continue
		}
		op, err := NewOperation("command-1", row.Op, b)
		if err != nil {
			t.Errorf("%s: %v", row.Op, err)
			continue
		}
		if _, err := DecodeBody(op.Op, op.Body); err != nil {
			t.Errorf("%s: %v", row.Op, err)
		}
	}
	if _, err := NewOperation("a b", OpGrantRedeem, good[OpGrantRedeem]); !errors.Is(err, ErrInvalid) {
		t.Errorf("command %q: %v", "a b", err)
	}
	if _, err := NewOperation("", OpGrantRedeem, &RedeemGrant{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("empty body: %v", err)
	}
}

// refused are changes that make a valid body invalid, and a word of the reason.
func refused[B Body](t *testing.T, op Op, cases map[string]func(b B)) {
	t.Helper()
	for want, change := range cases {
		b := bodies()[op].(B)
		change(b)
		word, _, _ := strings.Cut(want, "|")
		if err := b.Validate(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), word) {
			t.Errorf("%s, %s: %v", op, want, err)
		}
	}
}

func TestBadBodies(t *testing.T) {
	refused(t, OpDepartmentRegister, map[string]func(b *RegisterDepartment){
		"name":          func(b *RegisterDepartment) { b.Name = "Census" },
		"title":         func(b *RegisterDepartment) { b.Title = "" },
		"title|control": func(b *RegisterDepartment) { b.Title = "a\x1bb" },
		"recipient":     func(b *RegisterDepartment) { b.Recipient = "ssh-ed25519 AAAA" },
	})
	refused(t, OpOfficerEnrol, map[string]func(b *EnrolOfficer){
		"role":             func(b *EnrolOfficer) { b.Role = "king" },
		"certificate":      func(b *EnrolOfficer) { b.Certificate = "" },
		"certificate|long": func(b *EnrolOfficer) { b.Certificate = strings.Repeat("a", 16<<10+1) },
	})
	refused(t, OpDatasetRegister, map[string]func(b *RegisterDataset){
		"name":              func(b *RegisterDataset) { b.Name = "popul\u0430tion" },
		"title|bidi":        func(b *RegisterDataset) { b.Title = "a\u202eb" },
		"title|spaces":      func(b *RegisterDataset) { b.Title = " a" },
		"title|lines":       func(b *RegisterDataset) { b.Title = "a\nb" },
		"description":       func(b *RegisterDataset) { b.Description.Description = strings.Repeat("a", 4001) },
		"UTF-8":             func(b *RegisterDataset) { b.Description.Description = "\xff" },
		"keywords":          func(b *RegisterDataset) { b.Keywords = []string{"a", "a"} },
		"keywords|many":     func(b *RegisterDataset) { b.Keywords = make([]string, 51) },
		"licence":           func(b *RegisterDataset) { b.Licence = "" },
		"mediaType":         func(b *RegisterDataset) { b.MediaType = "csv" },
		"columns":           func(b *RegisterDataset) { b.Columns[1].Name = "year" },
		"columns|many":      func(b *RegisterDataset) { b.Columns = make([]Column, 501) },
		"columns.name":      func(b *RegisterDataset) { b.Columns[0].Name = "" },
		"columns.type":      func(b *RegisterDataset) { b.Columns[0].Type = "money" },
		"columns.unit":      func(b *RegisterDataset) { b.Columns[0].Unit = "a\tb" },
		"terms.requesters":  func(b *RegisterDataset) { b.Terms.Requesters = []string{"Health"} },
		"terms.purposes":    func(b *RegisterDataset) { b.Terms.Purposes = []string{""} },
		"terms.actions":     func(b *RegisterDataset) { b.Terms.Actions = nil },
		"terms.actions|two": func(b *RegisterDataset) { b.Terms.Actions = []Action{Read, Read} },
		"terms.actions|any": func(b *RegisterDataset) { b.Terms.Actions = []Action{"any"} },
		"terms.maxUses":     func(b *RegisterDataset) { b.Terms.MaxUses = 0 },
		"terms.maxUses|big": func(b *RegisterDataset) { b.Terms.MaxUses = MaxUses + 1 },
		"terms.maxDuration": func(b *RegisterDataset) { b.Terms.MaxDuration = MaxDuration + 1 },
		"attestations":      func(b *RegisterDataset) { b.Terms.Attestations = -1 },
		"deleteWithin":      func(b *RegisterDataset) { b.Terms.Obligations.DeleteWithin = -1 },
	})
	refused(t, OpObjectRegister, map[string]func(b *RegisterObject){
		"command":          func(b *RegisterObject) { b.Command = "" },
		"dataset":          func(b *RegisterObject) { b.Dataset = NewID(NounObject, "m", "c") },
		"cid":              func(b *RegisterObject) { b.CID = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG" },
		"size":             func(b *RegisterObject) { b.Size = 0 },
		"sealedDigest":     func(b *RegisterObject) { b.SealedDigest = strings.ToUpper(someDigest) },
		"contentDigest":    func(b *RegisterObject) { b.ContentDigest = "" },
		"rows":             func(b *RegisterObject) { b.Rows = -1 },
		"fileName":         func(b *RegisterObject) { b.FileName = "../a" },
		"fileName|hidden":  func(b *RegisterObject) { b.FileName = ".a" },
		"fileName|windows": func(b *RegisterObject) { b.FileName = `a\b` },
		"source":           func(b *RegisterObject) { b.Source = "a\x00" },
		"derivedFrom":      func(b *RegisterObject) { b.DerivedFrom = []string{"somewhere"} },
	})
	refused(t, OpObjectAttest, map[string]func(b *AttestObject){
		"verdict": func(b *AttestObject) { b.Verdict = "fair" },
		"found":   func(b *AttestObject) { b.Found = "x" },
		"reason":  func(b *AttestObject) { b.Reason = strings.Repeat("a", 1001) },
	})
	refused(t, OpObjectCertify, map[string]func(b *CertifyObject){
		"object":        func(b *CertifyObject) { b.Object = "o" },
		"statement":     func(b *CertifyObject) { b.Statement = "" },
		"statement|nul": func(b *CertifyObject) { b.Statement = "a\x00" },
	})
}

func TestBadDecisions(t *testing.T) {
	refused(t, OpRequestOpen, map[string]func(b *OpenRequest){
		"dataset":            func(b *OpenRequest) { b.Dataset = "census/Population" },
		"object":             func(b *OpenRequest) { b.Object = "latest" },
		"purpose":            func(b *OpenRequest) { b.Purpose = "" },
		"legalBasis":         func(b *OpenRequest) { b.LegalBasis = strings.Repeat("a", 10<<10) },
		"spec":               func(b *OpenRequest) { b.Spec = "" },
		"spec|without":       func(b *OpenRequest) { b.Actions = []Action{Read} },
		"notAfter":           func(b *OpenRequest) { b.NotAfter = b.NotBefore },
		"years|early":        func(b *OpenRequest) { b.NotBefore = noon.AddDate(-27, 0, 0) },
		"years|late":         func(b *OpenRequest) { b.NotAfter = noon.AddDate(200, 0, 0) },
		"years|unwritable":   func(b *OpenRequest) { b.NotBefore, b.NotAfter = time.Time{}, noon.AddDate(9000, 0, 0) },
		"validFor":           func(b *OpenRequest) { b.ValidFor = MaxDuration + 1 },
		"validFor|negative":  func(b *OpenRequest) { b.ValidFor = -1 },
		"either":             func(b *OpenRequest) { b.ValidFor = 1 },
		"either|neither":     func(b *OpenRequest) { b.NotAfter = time.Time{} },
		"uses":               func(b *OpenRequest) { b.Uses = 0 },
		"uses|negative":      func(b *OpenRequest) { b.Uses = -1 },
		"uses|huge":          func(b *OpenRequest) { b.Uses = MaxUses + 1 },
		"actions|none":       func(b *OpenRequest) { b.Actions = nil },
		"actions|of another": func(b *OpenRequest) { b.Actions = []Action{"write"} },
	})
	refused(t, OpGrantGive, map[string]func(b *GiveGrant){
		"request":      func(b *GiveGrant) { b.Request = "" },
		"maxUses":      func(b *GiveGrant) { b.MaxUses = -1 },
		"maxUses|huge": func(b *GiveGrant) { b.MaxUses = MaxUses + 1 },
		"notAfter":     func(b *GiveGrant) { b.NotAfter = b.NotBefore },
		"years":        func(b *GiveGrant) { b.NotBefore, b.NotAfter = time.Time{}, noon.AddDate(9000, 0, 0) },
		"object":       func(b *GiveGrant) { b.Object = "x" },
		"actions":      func(b *GiveGrant) { b.Actions = []Action{"write"} },
		"deleteWithin": func(b *GiveGrant) { b.Obligations.DeleteWithin = MaxDuration + 1 },
	})
	refused(t, OpGrantRedeem, map[string]func(b *RedeemGrant){
		"grant":     func(b *RedeemGrant) { b.Grant += "\x00" },
		"slot":      func(b *RedeemGrant) { b.Slot = -1 },
		"slot|huge": func(b *RedeemGrant) { b.Slot = MaxUses },
	})
	refused(t, OpKeyRelease, map[string]func(b *ReleaseKey){
		"wrapCid":    func(b *ReleaseKey) { b.WrapCID = "" },
		"wrapDigest": func(b *ReleaseKey) { b.WrapDigest = "" },
	})
	refused(t, OpKeyRefuse, map[string]func(b *RefuseKey){
		"attempt": func(b *RefuseKey) { b.Attempt = 0 },
		"reason":  func(b *RefuseKey) { b.Reason = "" },
	})
	refused(t, OpDisputeOpen, map[string]func(b *OpenDispute){
		"cause": func(b *OpenDispute) { b.Cause = "mood" },
		"found": func(b *OpenDispute) { b.Found = "x" },
	})
}

// TestTimes makes sure that one moment has one body digest, whatever its zone.
func TestTimes(t *testing.T) {
	utc := bodies()[OpRequestOpen].(*OpenRequest)
	zoned := *utc
	zone := time.FixedZone("", 3600)
	zoned.NotBefore, zoned.NotAfter = utc.NotBefore.In(zone), utc.NotAfter.In(zone)
	if err := zoned.Validate(); err != nil {
		t.Fatal(err)
	}
	a, errA := BodyDigest(utc)
	b, errB := BodyDigest(zoned)
	if a != b || errA != nil || errB != nil {
		t.Errorf("%s (%v) and %s (%v)", a, errA, b, errB)
	}
}

func TestObligationsCover(t *testing.T) {
	for _, tc := range []struct {
		o, p Obligations
		want bool
	}{
		{Obligations{}, Obligations{}, true},
		{Obligations{DeleteWithin: 5}, Obligations{}, true},
		{Obligations{DeleteWithin: 5}, Obligations{DeleteWithin: 5}, true},
		{Obligations{DeleteWithin: 4, NoOnwardSharing: true}, Obligations{DeleteWithin: 5}, true},
		{Obligations{DeleteWithin: 6}, Obligations{DeleteWithin: 5}, false},
		{Obligations{}, Obligations{DeleteWithin: 5}, false},
		{Obligations{}, Obligations{NoOnwardSharing: true}, false},
		{Obligations{DeleteWithin: 5}, Obligations{NoOnwardSharing: true}, false},
	} {
		if got := tc.o.Covers(tc.p); got != tc.want {
			t.Errorf("%+v covers %+v: %t", tc.o, tc.p, got)
		}
	}
}

func TestQuery(t *testing.T) {
	for _, noun := range Listed {
		q := Query{Noun: noun}
		if err := q.Validate(); err != nil || q.PageSize != DefaultPage {
			t.Errorf("%s: %v, pages of %d", noun, err, q.PageSize)
		}
	}
	for name, q := range map[string]Query{
		"no noun":       {},
		"unknown noun":  {Noun: "msp"},
		"small page":    {Noun: NounGrant, PageSize: -1},
		"large page":    {Noun: NounGrant, PageSize: MaxPage + 1},
		"department":    {Noun: NounGrant, Department: "Census"},
		"nul in parent": {Noun: NounGrant, Parent: "a\x00"},
		"long parent":   {Noun: NounGrant, Parent: strings.Repeat("a", 129)},
		"long state":    {Noun: NounGrant, State: strings.Repeat("a", 65)},
		"long bookmark": {Noun: NounGrant, Bookmark: strings.Repeat("a", 1025)},
	} {
		if err := q.Validate(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !slices.Contains(Listed, NounOperation) {
		t.Error("operations cannot be listed")
	}
}

func TestRecipientFingerprint(t *testing.T) {
	if got := RecipientFingerprint("age1"); !ValidDigest(got) || got == RecipientFingerprint("age2") {
		t.Errorf("fingerprint %s", got)
	}
}
