package table

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Row is called for each complete row, whose number counts from 1 without the
// header. Cells are those of the columns that the reader was made for, in its
// order: text without its quotes and escapes, empty for an empty cell and for a
// null. They are the reader's again when Row returns. An error stops the reader,
// which then answers it for ever.
type Row func(row int64, cells [][]byte) error

// NewReader returns a checker that shows each row's cells of some columns. A
// schema without columns takes them from the table, as text. Errors: a media
// type that is no table, and columns that the schema does not declare.
func NewReader(s Schema, columns []string, show Row) (*Checker, error) {
	if _, err := NewChecker(s); err != nil {
		return nil, err
	}
	v := &view{names: columns, cells: make([][]byte, len(columns)), show: show}
	if len(s.Columns) > 0 {
		if err := v.find(s.Columns); err != nil {
			return nil, err
		}
	}
	f := newFormat(s, v)
	if _, none := f.(opaque); none {
		return nil, &Error{Reason: fmt.Sprintf("%q is none of the media types of tables", s.MediaType)}
	}
	return &Checker{format: f}, nil
}

// view is the columns of a table that somebody looks at.
type view struct {
	names []string
	at    []int // where they are among the table's columns
	cells [][]byte
	show  Row
}

// find looks the columns up in a table's own. One that is there twice is as bad
// as one that is not there.
func (v *view) find(columns []Column) error {
	v.at = v.at[:0]
	for _, name := range v.names {
		named := func(c Column) bool { return c.Name == name }
		i := slices.IndexFunc(columns, named)
		if i < 0 {
			return &Error{Column: name, Reason: "missing"}
		}
		if slices.ContainsFunc(columns[i+1:], named) {
			return &Error{Column: name, Reason: "there twice"}
		}
		v.at = append(v.at, i)
	}
	return nil
}

// token takes a column's valid JSON token that is no object and no array.
func (v *view) token(column int, token []byte) {
	for i, at := range v.at {
		if at != column {
			continue
		}
		switch token[0] {
		case 'n':
			v.cells[i] = v.cells[i][:0]
		case '"':
			var text string
			if err := json.Unmarshal(token, &text); err == nil { // it is valid
				v.cells[i] = append(v.cells[i][:0], text...)
			}
		default:
			v.cells[i] = append(v.cells[i][:0], token...)
		}
	}
}

// row shows the cells. An *[Error] of the caller's gets the row's number.
func (v *view) row(n int64) error {
	err := v.show(n, v.cells)
	if e, ok := errors.AsType[*Error](err); ok && e.Row == 0 {
		e.Row = n
	}
	return err
}

// Screen is a writer that shows a checker what passes by. A table that is wrong
// does not stop the rest, whose digest may be of more weight: Close of the checker
// says what was wrong.
func Screen(c *Checker) io.Writer { return &screen{check: c} }

type screen struct {
	check  *Checker
	failed bool
}

func (s *screen) Write(p []byte) (int, error) {
	if !s.failed {
		_, err := s.check.Write(p)
		s.failed = err != nil
	}
	return len(p), nil
}
