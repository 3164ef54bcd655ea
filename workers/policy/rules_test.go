package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"chancery/test/data"
)

const sound = `rules:
  - name: first
    when: request.uses == 1
    decide: give
    narrow: {uses: 1, validFor: 60, actions: [read], obligations: {deleteWithin: 60, noOnwardSharing: true}}
  - name: second
    when: "true"
    decide: refuse
    reason: "nobody gets it"
`

func TestParse(t *testing.T) {
	rules, err := Parse("policy.yaml", []byte(sound))
	if err != nil {
		t.Fatal(err)
	}
	if len(rules.List) != 2 || rules.List[0].Name != "first" || rules.List[1].Line != 6 || rules.List[1].Reason != "nobody gets it" {
		t.Errorf("read %+v", rules.List)
	}
	n := rules.List[0].Narrow
	if n.Uses != 1 || n.ValidFor != 60 || len(n.Actions) != 1 || n.Obligations.DeleteWithin != 60 || !n.Obligations.NoOnwardSharing {
		t.Errorf("read %+v", n)
	}
	if rules.AskHistory() {
		t.Error("asks for a history that no rule names")
	}
}

func TestExample(t *testing.T) {
	example, err := data.Files.ReadFile("policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := Parse("policy.yaml", example)
	if err != nil {
		t.Fatal(err)
	}
	if !rules.AskHistory() {
		t.Error("does not ask for the history that its rules name")
	}
}

// TestParseRefuses holds every fault to its place: file, line and column.
func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"empty":            {"", "policy.yaml: empty"},
		"comment only":     {"# none\n", "policy.yaml: empty"},
		"list":             {"- name: a\n", "1:1: the file is a list"},
		"no rules":         {"{}\n", "1:1: rules is missing"},
		"null rules":       {"rules:\n", "1:7: rules is empty: use a list"},
		"unknown key":      {"rules: []\nrule: []\n", `2:1: the file has the unknown key "rule"`},
		"two documents":    {"rules: []\n---\nrules: []\n", "more than one document"},
		"not YAML":         {"rules: [\n", "policy.yaml: line"},
		"not UTF-8":        {"rules: []\n# \xff\n", "not valid UTF-8"},
		"alias":            {"rules:\n  - &a {name: a, when: true, decide: give}\n  - *a\n", "3:5: rule 2: the rule is an alias"},
		"merge":            {"rules:\n  - &a {name: a, when: true, decide: give}\n  - {<<: *a, name: b}\n", `3:6: rule "b": the rule has the unknown key "<<"`},
		"too many":         {"rules:\n" + strings.Repeat("  - {}\n", maxRules+1), "2:3: there are 101 rules"},
		"too large":        {strings.Repeat("#", maxFile+1), "more than 262144 bytes"},
		"rule is a text":   {"rules: [a]\n", "1:9: rule 1: the rule is \"a\""},
		"rule key":         {rule("unless: true"), `7:5: rule "r": the rule has the unknown key "unless"`},
		"key twice":        {rule("when: true"), `7:5: rule "r": the rule has the key "when" twice`},
		"name missing":     {"rules:\n  - {when: true, decide: give}\n", "2:5: rule 1: name is missing"},
		"name":             {"rules:\n  - {name: A b, when: true, decide: give}\n", `2:5: rule "A b": name "A b" is not a name`},
		"name twice":       {sound + "  - {name: first, when: true, decide: give}\n", `10:5: rule "first": the rule in line 2 has the same name`},
		"when missing":     {"rules:\n  - {name: a, decide: give}\n", `2:5: rule "a": when is missing`},
		"when is a list":   {"rules:\n  - {name: a, when: [true], decide: give}\n", `2:21: rule "a": when is a list`},
		"decide missing":   {"rules:\n  - {name: a, when: true}\n", `2:5: rule "a": decide is missing`},
		"decide unknown":   {"rules:\n  - {name: a, when: true, decide: allow}\n", `2:35: rule "a": decide is "allow": use give, refuse, officer`},
		"decide empty":     {"rules:\n  - {name: a, when: true, decide: }\n", `rule "a": decide is empty`},
		"reason missing":   {"rules:\n  - {name: a, when: true, decide: refuse}\n", `2:5: rule "a": a refusal needs a reason`},
		"reason empty":     {"rules:\n  - {name: a, when: true, decide: refuse, reason: \" \"}\n", "2:51: rule \"a\": reason: use 1 to 1000 bytes"},
		"reason long":      {"rules:\n  - {name: a, when: true, decide: refuse, reason: " + strings.Repeat("x", 1001) + "}\n", "reason: use 1 to 1000 bytes"},
		"reason invisible": {"rules:\n  - {name: a, when: true, decide: refuse, reason: \"a\\u202eb\"}\n", "reason: use 1 to 1000 bytes"},
		"narrow refusal":   {"rules:\n  - {name: a, when: true, decide: officer, narrow: {uses: 1}}\n", `2:52: rule "a": narrow goes with "give" only`},
		"narrow unknown":   {rule("narrow: {use: 1}"), `7:14: rule "r": narrow has the unknown key "use"`},
		"no uses":          {rule("narrow: {uses: 0}"), `7:20: rule "r": uses is 0: 1 to 1000 are allowed`},
		"negative uses":    {rule("narrow: {uses: -1}"), "uses is -1"},
		"huge uses":        {rule("narrow: {uses: 9223372036854775807}"), "uses is 9223372036854775807: 1 to 1000"},
		"uses beyond":      {rule("narrow: {uses: 99999999999999999999}"), "use a whole number"},
		"uses as text":     {rule("narrow: {uses: \"1\"}"), `uses is "1": use a whole number`},
		"uses in hex":      {rule("narrow: {uses: 0x1}"), "uses is"},
		"no time":          {rule("narrow: {validFor: 0}"), "validFor, in seconds, is 0"},
		"no actions":       {rule("narrow: {actions: []}"), "actions is empty"},
		"unknown action":   {rule("narrow: {actions: [eat]}"), `7:24: rule "r": actions names "eat": use read, compute`},
		"action twice":     {rule("narrow: {actions: [read, read]}"), `actions names "read" twice`},
		"fewer duties":     {rule("narrow: {obligations: {noOnwardSharing: false}}"), `noOnwardSharing is "false": a rule can only set it true`},
		"no deletion":      {rule("narrow: {obligations: {deleteWithin: 0}}"), "deleteWithin, in seconds, is 0"},
		"unknown duty":     {rule("narrow: {obligations: {burn: true}}"), `obligations has the unknown key "burn"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("policy.yaml", []byte(c.file))
			if !errors.Is(err, ErrRules) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// rule is a file with one sound rule and a line more.
func rule(line string) string {
	return "# one\n\nrules:\n  - name: r\n    when: true\n    decide: give\n    " + line + "\n"
}

// TestConditionRefuses holds conditions to their types and their cost, and
// every fault to its place, however the condition is written.
func TestConditionRefuses(t *testing.T) {
	for name, c := range map[string]struct{ when, want string }{
		"field":            {`request.purpos == 'x'`, "3:18: rule \"r\": when: undefined field 'purpos'"},
		"quoted":           {`"request.purpos == 'x'"`, "3:19: rule \"r\": when: undefined field 'purpos'"},
		"variable":         {`requestor.name == 'x'`, "3:11: rule \"r\": when: undeclared reference to 'requestor'"},
		"kind":             {`request.uses == '1'`, "3:24: rule \"r\": when: found no matching overload"},
		"not a condition":  {`request.uses`, "3:11: rule \"r\": when: it is a int"},
		"dynamic":          {`dyn(true)`, "it is a dyn"},
		"syntax":           {`request.uses ==`, "when: Syntax error"},
		"duration":         {`request.validFor < duration('30d')`, "3:39: rule \"r\": when: invalid duration argument"},
		"pattern":          {`request.purpose.matches('(')`, "when: invalid matches argument"},
		"endless":          {`dataset.columns.all(a, dataset.columns.all(b, a.name != b.name))`, "when: it may cost"},
		"nested":           {`"[1].all(a, [1].all(b, [1].all(c, true)))"`, "nesting"},
		"long":             {`"` + strings.Repeat("!", maxExpression+1) + `true"`, "when: "},
		"deep":             {strings.Repeat("(", 300) + "true" + strings.Repeat(")", 300), "when: "},
		"unknown function": {`fetch('http://example.org')`, "undeclared reference to 'fetch'"},
		"no time of day":   {`now == 5`, "no matching overload"},
	} {
		t.Run(name, func(t *testing.T) {
			file := fmt.Sprintf("rules:\n  - name: r\n    when: %s\n    decide: give\n", c.when)
			_, err := Parse("policy.yaml", []byte(file))
			if !errors.Is(err, ErrRules) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestPlaceInBlocks(t *testing.T) {
	literal := "rules:\n  - name: r\n    decide: give\n    when: |\n      request.uses == 1\n        && request.purpos == 'é'\n        && request.us\n"
	folded := "rules:\n  - name: r\n    decide: give\n    when: >-\n      request.uses == 1\n      && request.purpos == 'x'\n"
	for file, want := range map[string][]string{
		literal: {"policy.yaml:6:19: ", "policy.yaml:7:19: "},
		folded:  {"policy.yaml:4:11: "},
	} {
		_, err := Parse("policy.yaml", []byte(file))
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("error %v, want %q", err, w)
			}
		}
	}
}

func TestLoad(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "policy.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := Load(t.TempDir()); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sound))
	example, err := data.Files.ReadFile("policy.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	for _, when := range []string{"1/0 == 1", "history.disputes > 0 || request.actions.exists(a, a == 'read')", "|\n   now >\n    request.opened", `"\u0072equest.x"`} {
		f.Add([]byte("rules:\n - name: a\n   when: " + when + "\n   decide: give\n"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rules, err := Parse("policy.yaml", data)
		if err != nil {
			if rules != nil || !errors.Is(err, ErrRules) {
				t.Fatalf("rules %v with error %v", rules, err)
			}
			return
		}
		d := rules.Decide(t.Context(), facts())
		if len(d.Steps) != len(rules.List) || (d.Verdict == Give) != (d.Grant != nil) || d.Verdict == Refuse && d.Reason == "" {
			t.Fatalf("decision %+v of %q", d, data)
		}
		for _, r := range rules.List {
			if r.Cost > maxCost {
				t.Fatalf("rule %s may cost %d", r.Name, r.Cost)
			}
		}
	})
}
