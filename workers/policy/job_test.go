package policy

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/crypto/paillier"
	"chancery/test/workertest"
)

// jobScene is a scene in which health asks for a job over two columns of census
// and one of labor, who holds the key.
type jobScene struct{ *scene }

func newJobScene(t *testing.T, rules string) *jobScene {
	t.Helper()
	s := &jobScene{newScene(t, rules)}
	if err := s.memory.Populate("health"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../chaincode/contracttest/testdata/TEST-KEY-NOT-SECRET-a.txt")
	if err != nil {
		t.Fatal(err)
	}
	key, err := paillier.ParsePrivateKeyText(text)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.Public().MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	s.sign("labor", "officer", "", exchange.OpKeyringCreate, &exchange.CreateKeyring{Name: "statistics", PublicKey: string(public)})
	s.table("census", "people", nil)
	s.table("census", "births", []string{"labor"})
	s.table("labor", "rates", nil)
	return s
}

// table registers a dataset that may be computed with, and its first version.
func (s *jobScene) table(department, name string, requesters []string) {
	s.t.Helper()
	dataset := s.sign(department, "officer", name, exchange.OpDatasetRegister, &exchange.RegisterDataset{
		Name: name, Description: exchange.Description{Title: name, Licence: "CC0", MediaType: "text/csv"},
		Terms: exchange.Terms{
			Requesters: requesters, Actions: []exchange.Action{exchange.Compute}, MaxUses: 1, MaxDuration: 90 * 24 * 3600,
			Obligations: exchange.Obligations{NoOnwardSharing: true},
		},
	})
	digest := strings.Repeat("ab", 32)
	s.sign(department, "worker", name+"-1", exchange.OpObjectRegister, &exchange.RegisterObject{
		Command: name + "-1", Dataset: dataset, CID: "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy",
		Size: 9, SealedDigest: digest, ContentDigest: digest, Rows: 3, FileName: name + ".csv",
	})
}

// open has a department ask for a job.
func (s *jobScene) open(requester, command string, inputs ...exchange.Input) exchange.Job {
	s.t.Helper()
	return s.job(s.sign(requester, "worker", command, exchange.OpJobOpen, &exchange.OpenJob{Plan: exchange.Plan{
		Operation: exchange.WeightedSum, Keyring: "labor/statistics", Purpose: "planning", LegalBasis: "Health Act",
		Inputs: inputs, Keys: []string{"1", "2", "17"}, Scale: 2, ValueBits: 32, Deadline: noon.Add(24 * time.Hour),
	}}))
}

func (s *jobScene) openAll() exchange.Job {
	s.t.Helper()
	return s.open("health", "job", inputOf("census/people", 3), inputOf("labor/rates", 2))
}

func inputOf(dataset string, weight int64) exchange.Input {
	return exchange.Input{Dataset: dataset, Key: "state", Value: "n", Weight: weight}
}

func (s *jobScene) job(id string) (j exchange.Job) {
	s.t.Helper()
	if err := s.Get(s.t.Context(), exchange.NounJob, id, &j); err != nil {
		s.t.Fatal(err)
	}
	return j
}

// decidedAt hands a job to the worker, which must be done with it, and returns it
// as it is then.
func (s *jobScene) decidedAt(j exchange.Job, now time.Time) exchange.Job {
	s.t.Helper()
	w := New(Config{Department: "census", Rules: s.scene.open(), Ledger: s.ledgerAs, Now: func() time.Time { return now }})
	event := workertest.Event(s.t, exchange.JobOpened, j.Requester, exchange.ToAll, j.ID, j)
	if err := workertest.Hand(s.t, w, workertest.OnLedger(s.t, event)); err != nil {
		s.t.Fatalf("verdict %s: %v", workertest.Verdict(err), err)
	}
	return s.job(j.ID)
}

func (s *jobScene) decided(j exchange.Job) exchange.Job { return s.decidedAt(j, noon) }

const computing = `rules:
  - {name: far, when: job.validFor > duration('48h'), decide: refuse, reason: two days are enough}
  - {name: heavy, when: job.input.weight > 5, decide: refuse, reason: too heavy a weight}
  - {name: people, when: "dataset.name == 'people' && job.keyholder == 'labor' && request.actions == ['compute']", decide: give}
`

func TestApproves(t *testing.T) {
	s := newJobScene(t, computing)
	j := s.decided(s.openAll())
	own, _ := j.Party("census")
	if own.ApprovedTx == "" || len(own.Grants) != 1 || j.Change.Name != "policy" || j.Change.By != "census" || j.State != exchange.JobOpen {
		t.Fatalf("job %+v", j)
	}
	var g exchange.Grant
	if err := s.Get(t.Context(), exchange.NounGrant, own.Grants[0], &g); err != nil {
		t.Fatal(err)
	}
	if g.Job != j.ID || g.Spec != j.Digest || g.Grantee != "health" || g.Change.Name != "policy" {
		t.Errorf("grant %+v", g)
	}
	before := len(s.memory.Committed())
	if s.decided(j); len(s.memory.Committed()) != before {
		t.Error("said again, it signed again")
	}
}

// TestOthersInputs has a rule look at what the own values are summed with: by
// another's that is rounded to nothing, the requester would see the own.
func TestOthersInputs(t *testing.T) {
	s := newJobScene(t, "rules: [{name: hidden, when: \"job.allInputs.all(i, i.provider == 'census' || i.shift >= 0)\", decide: give}]\n")
	faint := inputOf("labor/rates", 1)
	faint.Shift = -18
	for command, c := range map[string]struct {
		other    exchange.Input
		approved bool
	}{"sound": {inputOf("labor/rates", 1), true}, "faint": {faint, false}} {
		j := s.decided(s.open("health", command, inputOf("census/people", 3), c.other))
		if own, _ := j.Party("census"); (own.ApprovedTx != "") != c.approved || j.State != exchange.JobOpen {
			t.Errorf("%s: %s, approved in %q", command, j.State, own.ApprovedTx)
		}
	}
}

// TestEveryInput has each own input decide alone: a refusal goes before a doubt,
// and a doubt before an approval.
func TestEveryInput(t *testing.T) {
	s := newJobScene(t, computing)
	s.sign("census", "officer", "terms", exchange.OpDatasetSetTerms, &exchange.SetTerms{
		Dataset: exchange.DatasetID(s.memory.MSP("census"), "births"),
		Terms:   exchange.Terms{Actions: []exchange.Action{exchange.Compute}, MaxUses: 1, MaxDuration: 90 * 24 * 3600},
	})
	for name, c := range map[string]struct {
		rules  string
		state  exchange.JobState
		reason string
	}{
		"one is not given":      {"rules: [{name: a, when: dataset.name == 'people', decide: give}]\n", exchange.JobOpen, ""},
		"one goes to officers":  {"rules: [{name: a, when: job.input.weight == 4, decide: officer}, {name: b, when: true, decide: give}]\n", exchange.JobOpen, ""},
		"the last is refused":   {"rules: [{name: a, when: job.input.weight == 4, decide: refuse, reason: no births}, {name: b, when: true, decide: give}]\n", exchange.JobRefused, "no births"},
		"the first is refused":  {"rules: [{name: a, when: job.input.weight == 3, decide: refuse, reason: no people}, {name: b, when: true, decide: give}]\n", exchange.JobRefused, "no people"},
		"refused after a fault": {"rules: [{name: a, when: 1 / (job.input.weight - 3) == 1, decide: refuse, reason: no}]\n", exchange.JobRefused, "no"},
		"a rule fails":          {"rules: [{name: a, when: 1 / (job.input.weight - 3) == 1, decide: give}]\n", exchange.JobOpen, ""},
		"no rules":              {"rules: []\n", exchange.JobOpen, ""},
		"rules that are none":   {"rule: []\n", exchange.JobOpen, ""},
	} {
		t.Run(name, func(t *testing.T) {
			j := s.open("health", strings.ReplaceAll(name, " ", "-"), inputOf("census/people", 3), inputOf("labor/rates", 1), inputOf("census/births", 4))
			s.write(computing)
			rules := s.scene.open()
			s.write(c.rules)
			w := New(Config{Department: "census", Rules: rules, Ledger: s.ledgerAs, Now: func() time.Time { return noon }})
			event := workertest.Event(t, exchange.JobOpened, "health", exchange.ToAll, j.ID, j)
			if err := workertest.Hand(t, w, workertest.OnLedger(t, event)); err != nil {
				t.Fatal(err)
			}
			j = s.job(j.ID)
			if own, _ := j.Party("census"); j.State != c.state || own.ApprovedTx != "" || j.Change.Reason != c.reason {
				t.Errorf("%s, approved in %q: %q", j.State, own.ApprovedTx, j.Change.Reason)
			}
		})
	}
}

// TestNotNarrowed leaves a job to an officer where a rule gives less than it
// asks for.
func TestNotNarrowed(t *testing.T) {
	s := newJobScene(t, computing)
	inputs, err := GatherJob(t.Context(), s, s.openAll(), "census", false, noon)
	if err != nil {
		t.Fatal(err)
	}
	for narrow, approved := range map[string]bool{
		"{uses: 5}":                              true,
		"{validFor: 86400}":                      true,
		"{actions: [compute]}":                   true,
		"{obligations: {noOnwardSharing: true}}": true,
		"{validFor: 3600}":                       false,
		"{actions: [read]}":                      false,
		"{obligations: {deleteWithin: 3600}}":    false,
	} {
		rules, err := Parse("policy.yaml", []byte("rules: [{name: a, when: true, decide: give, narrow: "+narrow+"}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		d := rules.DecideJob(t.Context(), inputs)
		if (d.Verdict == Give) != approved || d.Fault == approved || d.Inputs[0].Grant != nil {
			t.Errorf("%s: %+v", narrow, d)
		}
	}
}

// TestOwnData needs no permission to ask, and a rule all the same.
func TestOwnData(t *testing.T) {
	s := newJobScene(t, "rules: [{name: own, when: requester.name == dataset.owner, decide: give}]\n")
	s.table("health", "beds", nil)
	j := s.open("census", "job", inputOf("census/births", 1), inputOf("health/beds", 1), inputOf("labor/rates", 1))
	j = s.decided(j) // the terms let only labor ask, and the owner
	if own, _ := j.Party("census"); own.ApprovedTx == "" {
		t.Errorf("job %+v", j)
	}
}

// TestLeftAlone are jobs that the worker does not sign for, whatever its rules.
func TestLeftAlone(t *testing.T) {
	const all = "rules: [{name: a, when: true, decide: give}]\n"
	s := newJobScene(t, all)
	j := s.openAll()
	if got := s.decidedAt(j, j.Spec.Deadline); len(got.Parties[0].Grants) > 0 {
		t.Error("approved after the deadline by the own clock")
	}
	forged := j
	forged.Spec.Inputs = slices.Clone(j.Spec.Inputs)
	forged.Spec.Inputs[0].Value = "another"
	if err := s.memory.Put(exchange.JobKey(j.ID), forged); err != nil {
		t.Fatal(err)
	}
	if got := s.decided(j); len(got.Parties[0].Grants) > 0 {
		t.Error("approved a spec that the digest is not of")
	}
	if err := s.memory.Put(exchange.JobKey(j.ID), j); err != nil {
		t.Fatal(err)
	}
	s.sign("labor", "officer", "no", exchange.OpJobRefuse, &exchange.EndJob{Job: j.ID, Reason: "not this year"})
	if got := s.decided(j); got.State != exchange.JobRefused || got.Change.By != "labor" {
		t.Errorf("job %+v", got)
	}
}

// TestOfficerRefusesFirst has an officer refuse between the worker's look and its
// signature.
func TestOfficerRefusesFirst(t *testing.T) {
	s := newJobScene(t, computing)
	j := s.openAll()
	s.before = func() {
		s.sign("census", "officer", "refuse", exchange.OpJobRefuse, &exchange.EndJob{Job: j.ID, Reason: "not this year"})
	}
	if j = s.decided(j); j.State != exchange.JobRefused || j.Change.Name != "officer" {
		t.Errorf("job %+v", j)
	}
}

// jobFacts are the facts of one input of a job, as [facts] are of a request.
func jobFacts() Facts {
	f := facts()
	f.Job = &exchange.Job{
		ID: exchange.NewID(exchange.NounJob, "LaborMSP", "job"), Requester: "labor", RequesterMSP: "LaborMSP", Digest: strings.Repeat("0a", 32), Since: noon.Add(-time.Hour),
		Spec: exchange.Spec{
			Plan: exchange.Plan{
				Operation: exchange.WeightedSum, Keyring: exchange.KeyringID("HealthMSP", "statistics"), Purpose: "statistics", LegalBasis: "Labour Act",
				Inputs: []exchange.Input{
					{Dataset: "d-1", Key: "state", Divisor: 1000, Value: "beds", Reduction: exchange.Mean, Weight: 7},
					{Dataset: "d-2", Key: "state", Value: "people", Reduction: exchange.Only, Shift: -6, Weight: -3},
				},
				Keys: []string{"1", "2"}, Scale: 6, ValueBits: 40, MinContributors: 2, Deadline: noon.Add(23 * time.Hour),
			},
			Requester: "labor", Keyholder: "health",
			Sources: []exchange.Source{{Provider: "health", Dataset: "beds"}, {Provider: "census", Dataset: "population"}},
		},
	}
	f.Input = 1
	f.Request = JobRequest(*f.Job, f.Input)
	return f
}

// TestJobVocabulary reads every field that rules have of a job.
func TestJobVocabulary(t *testing.T) {
	for _, when := range []string{
		`request.id.startsWith('j-') && request.requester == 'labor' && request.provider == 'census' && request.actions == ['compute'] && request.uses == 1`,
		`request.spec.startsWith('0a0a') && request.notAfter == job.deadline && request.validFor == duration('24h') && request.purpose == 'statistics'`,
		`job.operation == 'weighted-sum' && job.keyring.startsWith('k-') && job.keyholder == 'health' && job.providers == ['health', 'census']`,
		`job.minContributors == 2 && job.keys == 2 && job.scale == 6 && job.valueBits == 40 && job.deadline > now && job.validFor == duration('24h')`,
		`job.input.dataset == 'population' && job.input.key == 'state' && job.input.divisor == 0 && job.input.value == 'people'`,
		`job.input.reduction == 'only' && job.input.shift == -6 && job.input.weight == -3`,
		`job.inputs.size() == 1 && job.inputs.all(i, i.value in ['people', 'births'] && i.weight < 5)`,
	} {
		if d := rulesOf(t, "refuse: "+when).Decide(t.Context(), jobFacts()); d.Verdict != Refuse {
			t.Errorf("%s: %+v", when, d)
		}
	}
}

// TestJobRulesAndData has rules that name the job meet a request for data: what
// depends on the job does not hold, whichever way it is put.
func TestJobRulesAndData(t *testing.T) {
	for when, holds := range map[string]bool{
		`job.keys <= 100`:                                         false,
		`!(job.keys > 100)`:                                       false,
		`job.keyholder != 'labor'`:                                false,
		`!has(job.keyholder)`:                                     false,
		`job.keys > 100 || request.uses == 2`:                     true,
		`request.uses == 2 || job.keys > 100`:                     true,
		`job.keys > 100 || request.uses == 3`:                     false,
		`!(job.keys > 100 && request.uses == 3)`:                  true,
		`request.uses == 2 ? true : job.keys > 1`:                 true,
		`request.actions.exists(a, a == 'read' || job.scale > 1)`: true,
	} {
		d := rulesOf(t, "give: "+when).Decide(t.Context(), facts())
		if (d.Verdict == Give) != holds || d.Fault {
			t.Errorf("%s: %+v", when, d)
		}
	}
	f := facts()
	f.Dataset.Columns = slices.Repeat([]exchange.Column{{Description: strings.Repeat("a", 100_000)}}, 50)
	d := rulesOf(t, "refuse: dataset.columns.all(c, !c.description.contains('z')) && job.keys > 1", "give: true").Decide(t.Context(), f)
	if d.Verdict != ToOfficer || !d.Fault {
		t.Errorf("too costly: %+v", d)
	}
}

func TestNoInputs(t *testing.T) {
	if d := rulesOf(t, "give: true").DecideJob(t.Context(), nil); d.Verdict != ToOfficer {
		t.Errorf("decision %+v", d)
	}
}
