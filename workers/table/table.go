// Package table checks a table against the columns that its dataset declares
// while its bytes pass by, in one pass and bounded memory.
//
// Three media types are tables: text/csv (RFC 4180), text/tab-separated-values
// (the IANA registration: no quoting) and application/json (an array of flat
// objects). The two of text begin with a header that names exactly the declared
// columns in their order; an object has exactly the declared keys, in any
// order. An empty cell and a null are absent values, which any column may have.
// Every other media type, and a schema without columns, is opaque: anything
// passes, and there are no rows.
//
// [NewReader] shows each row besides, also of a table that nobody declared: its
// header, or the keys of its objects, say what columns there are.
//
// The bytes are trusted for nothing. Errors name row and column and never quote
// what stands there: they go to logs, to the bus and into disputes, where
// plaintext has no place.
package table

import (
	"errors"
	"fmt"

	"chancery/chaincode/exchange"
)

// MaxRecord is the largest row in bytes: a longer one is an [Error].
const MaxRecord = 1 << 20

// Schema is what a dataset declares about its objects.
type Schema struct {
	MediaType string
	Columns   []Column // in the order of the header
}

// Column is a declared column.
type Column struct {
	Name string
	Type exchange.ColumnType
}

// Of returns the schema in a dataset's description.
func Of(d exchange.Description) Schema {
	s := Schema{MediaType: d.MediaType}
	for _, c := range d.Columns {
		s.Columns = append(s.Columns, Column{Name: c.Name, Type: c.Type})
	}
	return s
}

// Error says where a table is not what its schema declares.
type Error struct {
	Row    int64  // from 1, without the header and empty lines; 0: the header or the table as a whole
	Column string // declared name, or empty if the row as a whole is wrong
	Reason string // quotes nothing from the table
}

// Error reads like `row 17, column "rate": not a number`.
func (e *Error) Error() string {
	where := "table"
	if e.Row > 0 {
		where = fmt.Sprintf("row %d", e.Row)
	}
	if e.Column != "" {
		where += fmt.Sprintf(", column %q", e.Column)
	}
	return where + ": " + e.Reason
}

var errClosed = errors.New("table: write after close")

// format reads one media type. Both methods answer an *Error.
type format interface {
	write(p []byte) error
	end() error  // after the last byte
	rows() int64 // complete so far
}

// Checker checks a table that is written to it. It never blocks. Its methods
// must not be called at once.
type Checker struct {
	format format
	closed bool
	err    error
}

// NewChecker returns a checker for s, or an error if s has a column of unknown
// type, without a name, or twice.
func NewChecker(s Schema) (*Checker, error) {
	seen := map[string]bool{}
	for _, c := range s.Columns {
		if c.Name == "" || seen[c.Name] {
			return nil, fmt.Errorf("table: column %q is nameless or declared twice", c.Name)
		}
		seen[c.Name] = true
		if _, known := kinds[c.Type]; !known {
			return nil, fmt.Errorf("table: column %q has unknown type %q", c.Name, c.Type)
		}
	}
	return &Checker{format: newFormat(s, nil)}, nil
}

func newFormat(s Schema, show *view) format {
	if len(s.Columns) == 0 && show == nil {
		return opaque{}
	}
	switch s.MediaType {
	case "text/csv":
		return newDelimited(s.Columns, ',', true, show)
	case "text/tab-separated-values":
		return newDelimited(s.Columns, '\t', false, show)
	case "application/json":
		return newObjects(s.Columns, show)
	}
	return opaque{}
}

// Write checks the next bytes. Once the table is wrong, it answers the same
// *Error for ever.
func (c *Checker) Write(p []byte) (int, error) {
	if c.closed {
		return 0, errClosed
	}
	if c.err == nil {
		c.err = c.format.write(p)
	}
	if c.err != nil {
		return 0, c.err
	}
	return len(p), nil
}

// Close ends the table and returns its number of rows, without the header. It
// answers an *Error for a table that is wrong or incomplete: after an
// interrupted copy the copy's own error tells more. Closing again answers the
// same.
func (c *Checker) Close() (rows int64, err error) {
	if !c.closed {
		c.closed = true
		if c.err == nil {
			c.err = c.format.end()
		}
	}
	if c.err != nil {
		return 0, c.err
	}
	return c.format.rows(), nil
}

// opaque lets everything pass.
type opaque struct{}

func (opaque) write([]byte) error { return nil }
func (opaque) end() error         { return nil }
func (opaque) rows() int64        { return 0 }
