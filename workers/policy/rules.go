package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"chancery/chaincode/exchange"
)

// Verdict is what a rule, or the rules as a whole, say of a request.
type Verdict string

const (
	Give      Verdict = "give"    // give a grant, no wider than request and terms
	Refuse    Verdict = "refuse"  // refuse, with a reason
	ToOfficer Verdict = "officer" // leave the request open for an officer
)

var verdicts = []Verdict{Give, Refuse, ToOfficer}

const (
	// maxFile bounds a rule file, in bytes; maxRules its rules.
	maxFile  = 256 << 10
	maxRules = 100
)

// ErrRules says that a rule file is not one; the text says where and why.
var ErrRules = errors.New("rules that cannot be used")

// Rules is a rule file that was read and compiled. Any number of goroutines may
// use it at once. The zero Rules leaves every request to an officer.
type Rules struct {
	Digest string // SHA-256 of the file, in hexadecimal
	List   []Rule // in their order
}

// Rule is one rule: the first whose condition holds decides.
type Rule struct {
	Name   string  // one of its kind in the file
	When   string  // the condition, in CEL
	Decide Verdict // what then
	Reason string  // of a refusal: the requester reads it; else for the log
	Narrow Narrow  // what a grant is narrowed to
	Line   int     // of the file, from 1
	Cost   uint64  // that the condition may have at most, in CEL's units

	condition *expression
}

// Narrow is what a rule narrows a grant to. What is zero stays as request and
// terms have it, whichever is narrower.
type Narrow struct {
	Uses        int
	ValidFor    int64 // seconds from the request's beginning
	Actions     []exchange.Action
	Obligations exchange.Obligations // besides those of the terms
}

// Load reads and compiles a rule file. What is wrong with it is an error that
// wraps [ErrRules] and names file, line, column and rule; a file that is not
// there is fs.ErrNotExist.
func Load(file string) (*Rules, error) {
	data, err := read(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, data)
}

// read reads no more of a file than a rule file may have and one byte.
func read(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return data, nil
}

// Parse compiles the rules in data, which came from a file of that name. Its
// errors are those of [Load].
func Parse(file string, data []byte) (*Rules, error) {
	root, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %s", ErrRules, file, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	language, err := newLanguage()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	rules := &Rules{Digest: hex.EncodeToString(sum[:])}
	d := &document{file: file, lines: strings.Split(string(data), "\n")}
	rules.read(d, root, language)
	if len(d.faults) > 0 {
		return nil, fmt.Errorf("%w: %w", ErrRules, errors.Join(d.faults...))
	}
	return rules, nil
}

// decode reads the one document of a file.
func decode(data []byte) (*yaml.Node, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("more than %d bytes", maxFile)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("not valid UTF-8")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var root yaml.Node
	err := decoder.Decode(&root)
	if errors.Is(err, io.EOF) || err == nil && len(root.Content) == 0 {
		return nil, errors.New("empty: a file without rules says `rules: []`")
	}
	if err != nil {
		return nil, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	return root.Content[0], nil
}

func (r *Rules) read(d *document, root *yaml.Node, l *language) {
	found := false
	d.mapping(root, "the file", key{"rules", func(list *yaml.Node) {
		found = true
		if len(list.Content) > maxRules {
			d.fault(of(list), "there are %d rules: %d are allowed", len(list.Content), maxRules)
			return
		}
		d.list(list, "rules", func(n *yaml.Node) { r.add(d, n, l) })
	}})
	if !found && root.Kind == yaml.MappingNode {
		d.fault(of(root), "rules is missing")
	}
}

// add reads one rule.
func (r *Rules) add(d *document, n *yaml.Node, l *language) {
	rule := Rule{Line: n.Line}
	d.rule = fmt.Sprint(len(r.List) + 1) // until its name is known
	if name := nameOf(n); name != "" {
		d.rule = fmt.Sprintf("%q", clip(name))
	}
	defer func() { d.rule = "" }()
	var when, narrow *yaml.Node
	d.mapping(n, "the rule",
		key{"name", d.text("name", &rule.Name)},
		key{"when", func(n *yaml.Node) { when = n }},
		key{"decide", d.verdict(&rule.Decide)},
		key{"reason", d.reason(&rule.Reason)},
		key{"narrow", func(n *yaml.Node) { narrow = n }})
	if n.Kind != yaml.MappingNode {
		return
	}
	r.checkName(d, n, rule.Name)
	switch {
	case when == nil:
		d.fault(of(n), "when is missing")
	default:
		rule.compile(d, when, l)
	}
	if rule.Decide == "" && !has(n, "decide") {
		d.fault(of(n), "decide is missing: use %s", strings.Join(words(verdicts), ", "))
	}
	if rule.Decide == Refuse && rule.Reason == "" && !has(n, "reason") {
		d.fault(of(n), "a refusal needs a reason, which the requester reads")
	}
	if narrow != nil {
		rule.readNarrow(d, narrow)
	}
	r.List = append(r.List, rule)
}

func (r *Rules) checkName(d *document, n *yaml.Node, name string) {
	switch {
	case name == "" && !has(n, "name"):
		d.fault(of(n), "name is missing")
	case !exchange.ValidName(name):
		d.fault(of(n), "name %q is not a name: use 1 to 64 of a-z, 0-9 and inner hyphens", clip(name))
	}
	if other := slices.IndexFunc(r.List, func(r Rule) bool { return r.Name == name }); other >= 0 && name != "" {
		d.fault(of(n), "the rule in line %d has the same name", r.List[other].Line)
	}
}

func (r *Rule) compile(d *document, n *yaml.Node, l *language) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		d.fault(of(n), "when is %s: use a condition in CEL", kindOf(n))
		return
	}
	r.When = n.Value
	condition, flaws := l.compile(n.Value)
	for _, f := range flaws {
		d.fault(d.within(n, f.line, f.column), "when: %s", f.text)
	}
	if condition != nil {
		r.condition, r.Cost = condition, condition.cost
	}
}

func nameOf(rule *yaml.Node) (name string) {
	for i := 0; rule.Kind == yaml.MappingNode && i+1 < len(rule.Content); i += 2 {
		if rule.Content[i].Value == "name" && rule.Content[i+1].Kind == yaml.ScalarNode {
			return rule.Content[i+1].Value
		}
	}
	return ""
}

func has(mapping *yaml.Node, name string) bool {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return true
		}
	}
	return false
}

func (d *document) verdict(to *Verdict) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var word string
		if d.text("decide", &word)(n); word == "" {
			return
		}
		if *to = Verdict(word); !slices.Contains(verdicts, *to) {
			d.fault(of(n), "decide is %q: use %s", clip(word), strings.Join(words(verdicts), ", "))
		}
	}
}

// reason reads a text that the contract takes as a reason.
func (d *document) reason(to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		before := len(d.faults)
		if d.text("reason", to)(n); len(d.faults) > before {
			return
		}
		*to = strings.TrimSpace(*to)
		if *to == "" || exchange.Visible(*to, exchange.MaxReason) != *to {
			d.fault(of(n), "reason: use 1 to %d bytes of visible text", exchange.MaxReason)
		}
	}
}
