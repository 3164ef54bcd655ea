package table

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// expect is what may stand next between the objects of an array.
type expect int

const (
	wantArray  expect = iota // its opening bracket
	wantFirst                // the first object, or the end of an empty array
	wantObject               // an object, after a comma
	wantComma                // a comma, or the end
	wantEnd                  // nothing more
	inObject                 // the rest of an object
)

// objects reads a JSON array of flat objects, one object at a time.
type objects struct {
	columns []Column
	kinds   []kind         // of the columns
	index   map[string]int // of the columns, by name
	show    *view
	open    bool // keys of other columns may be there

	expect   expect
	object   []byte // the one under way
	inString bool   // in one of its strings
	escaped  bool   // behind a backslash there
	seen     []bool // the columns that it has, when it is checked
	row      int64  // complete objects
}

func newObjects(columns []Column, show *view) *objects {
	o := &objects{columns: columns, kinds: kindsOf(columns), index: make(map[string]int), show: show, open: len(columns) == 0}
	for i, c := range columns {
		o.index[c.Name] = i
	}
	if o.open {
		o.takeShown()
	}
	o.seen = make([]bool, len(o.columns))
	return o
}

// takeShown makes the columns that are shown the only ones that matter.
func (o *objects) takeShown() {
	for _, name := range o.show.names {
		i, known := o.index[name]
		if !known {
			i = len(o.columns)
			o.index[name] = i
			o.columns, o.kinds = append(o.columns, Column{Name: name}), append(o.kinds, anything)
		}
		o.show.at = append(o.show.at, i)
	}
}

func (o *objects) rows() int64 { return o.row }

func (o *objects) write(p []byte) error {
	for _, b := range p {
		var err error
		if o.expect == inObject {
			err = o.inside(b)
		} else {
			err = o.between(b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// between takes a byte outside of any object.
func (o *objects) between(b byte) error {
	switch {
	case b == ' ' || b == '\t' || b == '\r' || b == '\n':
	case b == '[' && o.expect == wantArray:
		o.expect = wantFirst
	case b == '{' && (o.expect == wantFirst || o.expect == wantObject):
		o.expect, o.object = inObject, append(o.object[:0], b)
	case b == ',' && o.expect == wantComma:
		o.expect = wantObject
	case b == ']' && (o.expect == wantFirst || o.expect == wantComma):
		o.expect = wantEnd
	case o.expect == wantArray:
		return &Error{Reason: "not a JSON array"}
	case o.expect == wantEnd:
		return &Error{Reason: "text behind the array"}
	case o.expect == wantComma:
		return &Error{Row: o.row, Reason: "neither a comma nor the array's end behind it"}
	default:
		return o.wrong("", "not an object")
	}
	return nil
}

// inside takes a byte of an object. Only its end matters here: a bracket that
// opens within cannot be right, since the object is flat.
func (o *objects) inside(b byte) error {
	if len(o.object) == MaxRecord {
		return o.wrong("", "more than %d bytes", MaxRecord)
	}
	o.object = append(o.object, b)
	switch {
	case o.escaped:
		o.escaped = false
	case o.inString:
		o.escaped, o.inString = b == '\\', b != '"'
	case b == '"':
		o.inString = true
	case b == '{' || b == '[':
		return o.wrong("", "a value is not flat")
	case b == '}':
		if err := o.check(); err != nil {
			return err
		}
		o.row++
		o.expect = wantComma
	}
	return nil
}

// check compares the object under way with the columns.
func (o *objects) check() error {
	if !json.Valid(o.object) {
		return o.wrong("", "not JSON")
	}
	clear(o.seen)
	// What is valid and flat is a row of tokens, and needs no more care.
	for rest := o.object[1:]; ; {
		rest = bytes.TrimLeft(rest, " \t\r\n,")
		if rest[0] == '}' {
			break
		}
		var key, value []byte
		key, rest = cutToken(rest)
		value, rest = cutToken(bytes.TrimLeft(rest, " \t\r\n:"))
		i, declared := o.column(key)
		if !declared {
			if o.open {
				continue
			}
			return o.wrong("", "a key is not a declared column")
		}
		if o.seen[i] {
			return o.wrong(o.columns[i].Name, "twice")
		}
		o.seen[i] = true
		if kind := o.kinds[i]; value[0] != 'n' && !kind.json(value) { // n as in null
			return o.wrong(o.columns[i].Name, "%s", kind.reason)
		}
		if o.show != nil {
			o.show.token(i, value)
		}
	}
	for i, c := range o.columns {
		if !o.seen[i] {
			return o.wrong(c.Name, "missing")
		}
	}
	if o.show != nil {
		return o.show.row(o.row + 1)
	}
	return nil
}

// cutToken returns the string, number or word that valid JSON begins with, as
// it stands there, and what follows it.
func cutToken(text []byte) (token, rest []byte) {
	if text[0] != '"' {
		n := bytes.IndexAny(text, " \t\r\n,}")
		return text[:n], text[n:]
	}
	for i := 1; ; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return text[:i+1], text[i+1:]
		}
	}
}

// column finds the column that a key, with its quotes, names.
func (o *objects) column(key []byte) (i int, declared bool) {
	if bytes.IndexByte(key, '\\') < 0 {
		i, declared = o.index[string(key[1:len(key)-1])]
		return i, declared
	}
	var name string
	if err := json.Unmarshal(key, &name); err != nil {
		return 0, false
	}
	i, declared = o.index[name]
	return i, declared
}

func (o *objects) end() error {
	switch o.expect {
	case wantEnd:
		return nil
	case wantArray:
		return &Error{Reason: "not a JSON array"}
	}
	return o.wrong("", "the array is not closed")
}

// wrong is about the object under way.
func (o *objects) wrong(column, reason string, args ...any) error {
	return &Error{Row: o.row + 1, Column: column, Reason: fmt.Sprintf(reason, args...)}
}
