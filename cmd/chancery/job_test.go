package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/chaincode/exchange"
	"chancery/test/data"
)

const soundPlan = `operation: weighted-sum
keyring: labor/statistics
purpose: planning
legalBasis: an act
inputs:
  - {dataset: census/population, key: id, value: population, weight: 1}
  - {dataset: labor/unemployment, key: id, divisor: 1000, value: rate, reduction: mean, shift: -2, weight: -200}
keys: ["1", "4", "x y"]
scale: 6
valueBits: 32
`

var noon = time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC)

func writePlan(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestReadPlan(t *testing.T) {
	b, err := readPlan(writePlan(t, "plan.yaml", soundPlan), span(2*time.Hour), noon)
	if err != nil {
		t.Fatal(err)
	}
	want := exchange.Input{Dataset: "labor/unemployment", Key: "id", Divisor: 1000, Value: "rate", Reduction: exchange.Mean, Shift: -2, Weight: -200}
	if !slices.Equal(b.Keys, []string{"1", "4", "x y"}) || b.Inputs[1] != want || b.Inputs[0].Reduction != exchange.Only {
		t.Errorf("read %+v", b)
	}
	if !b.Deadline.Equal(noon.Truncate(time.Second).Add(2*time.Hour)) || b.MinContributors != exchange.LeastContributors || b.Scale != 6 {
		t.Errorf("read %+v", b)
	}
}

// TestReadDemoPlan reads the plan that the demo opens.
func TestReadDemoPlan(t *testing.T) {
	text, err := data.Files.ReadFile("need-index.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readPlan(writePlan(t, "need-index.yaml", string(text)), span(time.Hour), noon); err != nil {
		t.Error(err)
	}
}

// TestPlanRefuses holds every fault to its word. Each replaces something in a
// sound plan.
func TestPlanRefuses(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"empty":            {soundPlan, "", "operation"},
		"not YAML":         {soundPlan, "inputs: [", "plan.yaml"},
		"a list":           {soundPlan, "- a\n", "plan.yaml"},
		"two documents":    {"scale: 6", "scale: 6\n---\nscale: 6", "more than one document"},
		"a key twice":      {"scale: 6", "scale: 6\nscale: 6", "already defined"},
		"another key":      {"scale: 6", "scale: 6\nsalary: 1", `unknown key "salary"`},
		"another case":     {"scale: 6", "Scale: 6", `unknown key "Scale"`},
		"key of an input":  {"shift: -2", "shfit: -2", `unknown key "shfit"`},
		"a spec's key":     {"scale: 6", "scale: 6\nrequester: health", `unknown key "requester"`},
		"operation":        {"weighted-sum", "product", `operation "product"`},
		"keyring":          {"labor/statistics", "statistics", `keyring "statistics"`},
		"no purpose":       {"purpose: planning\n", "", "purpose has 0 bytes"},
		"no legal basis":   {"legalBasis: an act\n", "", "legalBasis has 0 bytes"},
		"purpose in lines": {"purpose: planning", `purpose: "a\nb"`, "line break"},
		"one input":        {"  - {dataset: census/population, key: id, value: population, weight: 1}\n", "", "inputs is 1"},
		"no weight":        {"weight: 1}", "weight: 0}", "weight is 0"},
		"a fraction":       {"weight: 1}", "weight: 0.5}", "0.5"},
		"a text weight":    {"weight: 1}", `weight: "1"}`, "weight"},
		"weights too far":  {"weight: 1}", "weight: 1000001}", "weights may be 255 at most"},
		"no slot left":     {"valueBits: 32", "valueBits: 60", "may be 63 at most"},
		"value bits":       {"valueBits: 32", "valueBits: 63", "valueBits is 63"},
		"no value bits":    {"valueBits: 32\n", "", "valueBits is 0"},
		"scale":            {"scale: 6", "scale: 19", "scale is 19"},
		"reduction":        {"reduction: mean", "reduction: median", `"median"`},
		"divisor":          {"divisor: 1000", "divisor: -1", "divisor is -1"},
		"shift":            {"shift: -2", "shift: -19", "shift is -19"},
		"contributors":     {"scale: 6", "scale: 6\nminContributors: 1", "minContributors is 1"},
		"keys as numbers":  {`["1", "4", "x y"]`, "[1, 04]", "keys are texts, and 1 is none"},
		"keys as a text":   {`["1", "4", "x y"]`, "one", "keys"},
		"no keys":          {`["1", "4", "x y"]`, "[]", "keys is 0"},
		"a key too often":  {`["1", "4", "x y"]`, `["1", "1"]`, `names "1" twice`},
		"an empty key":     {`["1", "4", "x y"]`, `["1", ""]`, "keys has 0 bytes"},
		"a null key":       {`["1", "4", "x y"]`, `["1", null]`, "keys has 0 bytes"},
		"a hidden key":     {`["1", "4", "x y"]`, `["1\u202e"]`, "cannot be seen"},
		"a late deadline":  {"scale: 6", "scale: 6\ndeadline: 2500-01-01", "2500"},
		"no deadline":      {"scale: 6", "scale: 6\ndeadline: soon", "plan.yaml"},
		"both keys":        {"scale: 6", "scale: 6\nkeysFile: keys.txt", "give one"},
		"no keys file":     {`keys: ["1", "4", "x y"]`, "keysFile: none.txt", "keysFile: "},
		"a huge keys file": {`keys: ["1", "4", "x y"]`, "keysFile: /dev/zero", "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			file := writePlan(t, "plan.yaml", strings.Replace(soundPlan, c.old, c.new, 1))
			length := span(time.Hour)
			if strings.Contains(c.new, "deadline") {
				length = 0
			}
			_, err := readPlan(file, length, noon)
			if exitCode(err) != exitUsage || !strings.Contains(err.Error(), c.want) {
				t.Errorf("exit code %d, error %v, want %q", exitCode(err), err, c.want)
			}
		})
	}
}

func TestKeysFile(t *testing.T) {
	for text, want := range map[string]string{
		"1\n2\n":     "[1 2]",
		"1\r\n2":     "[1 2]",
		"a b\n":      "[a b]",
		"":           `keys.txt:1: "" is no key`,
		"1\n\n2\n":   `keys.txt:2: "" is no key`,
		"1\n 2\n":    `keys.txt:2: " 2" is no key`,
		"1\n2\n\n":   `keys.txt:3: "" is no key`,
		"1\n2 \n3\n": `keys.txt:2: "2 " is no key`,
	} {
		keys, err := readKeys(writePlan(t, "keys.txt", text))
		got := fmt.Sprint(keys)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) || err != nil && exitCode(err) != exitUsage {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func FuzzReadPlan(f *testing.F) {
	f.Add([]byte(soundPlan), ".yaml")
	f.Add([]byte(`{"operation": "weighted-sum", "keys": ["1"], "inputs": [{}]}`), ".json")
	f.Add([]byte("keysFile: plan\n"), "")
	f.Fuzz(func(t *testing.T, text []byte, end string) {
		if strings.ContainsAny(end, "/\x00") || len(end) > 9 {
			return
		}
		b, err := readPlan(writePlan(t, "plan"+end, string(text)), span(time.Hour), noon)
		if err == nil {
			err = b.Validate()
			if err != nil {
				t.Fatalf("read a plan that is none: %v", err)
			}
		} else if exitCode(err) != exitUsage {
			t.Fatalf("exit code %d: %v", exitCode(err), err)
		}
	})
}

// computed is a job of health over data of census and labor, which labor holds
// the key for.
func computed(state exchange.JobState) exchange.Job {
	spec := exchange.Spec{
		Plan: exchange.Plan{
			Operation: exchange.WeightedSum, Keyring: exchange.KeyringID("LaborMSP", "statistics"), Purpose: "planning", LegalBasis: "an act",
			Inputs: []exchange.Input{
				{Dataset: exchange.DatasetID("CensusMSP", "people"), Key: "id", Value: "people", Reduction: exchange.Only, Weight: 3},
				{Dataset: exchange.DatasetID("LaborMSP", "rates"), Key: "id", Divisor: 1000, Value: "rate", Reduction: exchange.Mean, Weight: 2},
			},
			Keys: []string{"1", "2", "3"}, Scale: 2, ValueBits: 32, MinContributors: 2, Deadline: noon.Add(time.Hour),
		},
		Fingerprint: strings.Repeat("ab", 32), Bits: 3072, Requester: "health", Keyholder: "labor",
		Sources: []exchange.Source{{Provider: "census", Dataset: "people"}, {Provider: "labor", Dataset: "rates"}},
	}
	j := exchange.Job{
		ID: exchange.NewID(exchange.NounJob, "HealthMSP", "c1"), Requester: "health", RequesterMSP: "HealthMSP", Spec: spec, State: state,
		Parties: []exchange.JobParty{{Department: "census"}, {Department: "labor"}}, Since: noon,
	}
	j.Digest, _ = exchange.BodyDigest(spec)
	return j
}

func TestAwaits(t *testing.T) {
	for _, c := range []struct {
		state  exchange.JobState
		change func(*exchange.Job)
		now    time.Time
		want   string
	}{
		{exchange.JobOpen, func(j *exchange.Job) {}, noon, "waits for census (an officer, or a rule), labor (an officer, or a rule)"},
		{exchange.JobOpen, func(j *exchange.Job) { j.Parties[0].ApprovedTx = "ab" }, noon, "waits for labor (an officer, or a rule)"},
		{exchange.JobApproved, func(j *exchange.Job) { j.Masked = true; j.Parties[1].Aligned = true }, noon, "waits for census (worker compute)"},
		{exchange.JobApproved, func(j *exchange.Job) { j.Parties[1].Aligned = true }, noon, "waits for census (worker compute), health (worker compute)"},
		{exchange.JobAligned, func(j *exchange.Job) { j.Parties[1].ContributedTx = "ab" }, noon, "waits for census (worker compute)"},
		{exchange.JobAligned, func(j *exchange.Job) { j.Requester = "census" }, noon, "before any other: waits for census (worker compute)"},
		{exchange.JobAligned, func(j *exchange.Job) { j.Requester = "census"; j.Parties[0].ContributedTx = "ab" }, noon, "waits for labor (worker compute)"},
		{exchange.JobContributed, func(*exchange.Job) {}, noon, "waits for health (worker compute)"},
		{exchange.JobComputed, func(*exchange.Job) {}, noon, "waits for labor (worker decrypt)"},
		{exchange.JobShared, func(*exchange.Job) {}, noon, "waits for health (worker combine)"},
		{exchange.JobShared, func(*exchange.Job) {}, noon.Add(time.Hour), "waits for health (worker combine)"},
		{exchange.JobComputed, func(*exchange.Job) {}, noon.Add(time.Hour), "nothing: its deadline is over"},
		{exchange.JobOpen, func(*exchange.Job) {}, noon.Add(time.Hour), "nothing: its deadline is over"},
		{exchange.JobClosed, func(*exchange.Job) {}, noon.Add(time.Hour), "nothing: health has the result"},
		{exchange.JobRefused, func(*exchange.Job) {}, noon, "nothing: the job is over"},
	} {
		j := computed(c.state)
		c.change(&j)
		if got := awaits(j, c.now).text(j, c.now); !strings.HasSuffix(got, c.want) && !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", c.state, got, c.want)
		}
	}
}

func TestPhases(t *testing.T) {
	var history []exchange.HistoryEntry
	for i, state := range []exchange.JobState{
		exchange.JobOpen, exchange.JobOpen, exchange.JobApproved, exchange.JobApproved, exchange.JobAligned, exchange.JobContributed,
		exchange.JobComputed, exchange.JobShared, exchange.JobClosed,
	} {
		record, err := exchange.Encode(computed(state))
		if err != nil {
			t.Fatal(err)
		}
		history = append(history, exchange.HistoryEntry{Tx: fmt.Sprint(i), Time: noon.Add(time.Duration(i*i) * time.Second), Record: record})
	}
	told := func(history []exchange.HistoryEntry) string {
		phases, err := phasesOf(history)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, p := range phases {
			list = append(list, fmt.Sprint(p.Name, " ", p.Took))
		}
		return strings.Join(list, ", ")
	}
	if got := told(history); got != "approval 4000, alignment 12000, contribution 9000, evaluation 11000, decryption 13000, result 15000" {
		t.Error(got)
	}
	if got := told(history[:5]); got != "approval 4000, alignment 12000, contribution 0" {
		t.Error(got)
	}
	if got := told(nil); got != "" {
		t.Error(got)
	}
	if _, err := phasesOf([]exchange.HistoryEntry{{Record: json.RawMessage("{")}}); err == nil {
		t.Error("took a version that is none")
	}
}

// TestApprovable refuses to sign for what the officer was not shown, or what
// must not be.
func TestApprovable(t *testing.T) {
	sound := computed(exchange.JobOpen)
	for name, c := range map[string]struct {
		department, spec string
		change           func(*exchange.Job)
		want             int
	}{
		"sound":             {"census", "", func(*exchange.Job) {}, exitOK},
		"as looked at":      {"census", sound.Digest, func(*exchange.Job) {}, exitOK},
		"another spec":      {"census", strings.Repeat("0", 64), func(*exchange.Job) {}, exitConflict},
		"no data of theirs": {"health", "", func(*exchange.Job) {}, exitRefused},
		"altered":           {"census", "", func(j *exchange.Job) { j.Spec.ValueBits++ }, exitDigest},
		"altered, insisted": {"census", sound.Digest, func(j *exchange.Job) { j.Spec.Purpose = "fun" }, exitDigest},
		"sees it all": {"census", "", func(j *exchange.Job) {
			j.Spec.Keyholder = "health"
			j.Digest, _ = exchange.BodyDigest(j.Spec)
		}, exitConflict},
		"alone": {"census", "", func(j *exchange.Job) {
			j.Spec.Requester = "labor"
			j.Spec.Keyholder = "health"
			j.Digest, _ = exchange.BodyDigest(j.Spec)
		}, exitConflict},
	} {
		j := computed(exchange.JobOpen)
		c.change(&j)
		digest, err := approvable(j, c.department, c.spec)
		if exitCode(err) != c.want || err == nil && digest != sound.Digest {
			t.Errorf("%s: %q, %v", name, digest, err)
		}
	}
}

// TestShownApproval lists what the department's values are summed with, not its
// own inputs alone: the sum may hide nothing.
func TestShownApproval(t *testing.T) {
	j := computed(exchange.JobOpen)
	var shown bytes.Buffer
	writeApprovedInputs(&shown, j.Spec, "census")
	for i, source := range j.Spec.Sources {
		own := regexp.MustCompile(fmt.Sprintf(`(?m)^(\*?) *%d +%s `, i, sourceText(source))).FindStringSubmatch(shown.String())
		if own == nil || (own[1] == "*") != (source.Provider == "census") {
			t.Errorf("input %d of %s: %q in\n%s", i, source.Provider, own, shown.String())
		}
	}
}
