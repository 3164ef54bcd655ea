package policy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// document is a rule file that is being read, strictly: unknown keys, keys
// that are there twice, aliases and values of another kind are faults, each
// with its line and column.
type document struct {
	file   string
	lines  []string
	rule   string // being read, for the faults
	faults []error
}

// maxFaults bounds the faults that are told of one file.
const maxFaults = 20

// place is a line and a column of the file, both from 1, in characters.
type place struct{ line, column int }

func of(n *yaml.Node) place { return place{n.Line, n.Column} }

func (d *document) fault(at place, format string, args ...any) {
	if len(d.faults) == maxFaults {
		return
	}
	where := fmt.Sprintf("%s:%d:%d: ", d.file, at.line, at.column)
	if d.rule != "" {
		where += "rule " + d.rule + ": "
	}
	d.faults = append(d.faults, errors.New(where+fmt.Sprintf(format, args...)))
}

// key is one key of a mapping and what reads its value.
type key struct {
	name string
	read func(*yaml.Node)
}

// mapping reads a mapping that has no other keys.
func (d *document) mapping(n *yaml.Node, what string, keys ...key) {
	if n.Kind != yaml.MappingNode {
		d.fault(of(n), "%s is %s: use a mapping", what, kindOf(n))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		k := slices.IndexFunc(keys, func(k key) bool { return k.name == name.Value && name.Kind == yaml.ScalarNode })
		switch {
		case k < 0:
			d.fault(of(name), "%s has the unknown key %q: use %s", what, clip(name.Value), names(keys))
		case seen[name.Value]:
			d.fault(of(name), "%s has the key %q twice", what, name.Value)
		default:
			seen[name.Value] = true
			keys[k].read(value)
		}
	}
}

func names(keys []key) string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = k.name
	}
	return strings.Join(list, ", ")
}

// list reads a sequence.
func (d *document) list(n *yaml.Node, what string, read func(*yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		d.fault(of(n), "%s is %s: use a list", what, kindOf(n))
		return
	}
	for _, item := range n.Content {
		read(item)
	}
}

// text reads a text into to.
func (d *document) text(what string, to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
			d.fault(of(n), "%s is %s: use a text", what, kindOf(n))
			return
		}
		*to = n.Value
	}
}

// number reads a decimal integer within bounds into to.
func (d *document) number(what string, least, most int64, to *int64) func(*yaml.Node) {
	return func(n *yaml.Node) {
		value, err := strconv.ParseInt(n.Value, 10, 64)
		switch {
		case n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil && !errors.Is(err, strconv.ErrRange):
			d.fault(of(n), "%s is %s: use a whole number", what, kindOf(n))
		case err != nil || value < least || value > most:
			d.fault(of(n), "%s is %s: %d to %d are allowed", what, clip(n.Value), least, most)
		default:
			*to = value
		}
	}
}

// kindOf names a value for people.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	if n.Tag == "!!null" {
		return "empty"
	}
	return strconv.Quote(clip(n.Value))
}

// within is the place of a character of a text's value: a line of it from 1, a
// column from 0. Where the text is folded or escaped, so that the file does
// not hold its lines as they are, it is where the text begins.
func (d *document) within(n *yaml.Node, line, column int) place {
	lines := strings.Split(n.Value, "\n")
	if line > len(lines) {
		return of(n)
	}
	number, from := n.Line+line-1, 0
	if n.Style&yaml.LiteralStyle != 0 {
		number++
	} else if line == 1 {
		from = n.Column - 1
	}
	if number > len(d.lines) {
		return of(n)
	}
	source := d.lines[number-1]
	before := len(source)
	if characters := []rune(source); from <= len(characters) {
		before = len(string(characters[:from]))
	}
	at := strings.Index(source[before:], lines[line-1])
	if at < 0 {
		return of(n)
	}
	return place{number, utf8.RuneCountInString(source[:before+at]) + column + 1}
}

func clip(s string) string {
	if len(s) <= 64 {
		return s
	}
	return strings.ToValidUTF8(s[:64], "") + "…"
}
