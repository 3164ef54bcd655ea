package table

import (
	"bytes"
	"fmt"

	"chancery/chaincode/exchange"
)

// state is where in a line of delimited text the next byte stands.
type state int

const (
	atStart  state = iota // of a field
	inPlain               // in a field without quotes
	inQuotes              // between quotes
	atQuote               // behind a quote that ends the field or escapes another
	atReturn              // behind a carriage return
)

// byteOrderMark is what some spreadsheets put before the header.
var byteOrderMark = []byte("\xef\xbb\xbf")

// delimited reads lines of fields, the header first. Lines end in LF or CRLF,
// the last one also without; empty ones are skipped.
type delimited struct {
	columns   []Column
	kinds     []kind // of the columns
	separator byte
	quotes    bool // fields may be quoted, as in CSV
	show      *view
	open      bool // the header says what columns there are

	state  state
	quoted bool   // the field began with a quote
	fields int    // complete ones in this line
	line   []byte // of this line's fields, one after the other
	start  int    // in line, of the field under way
	starts []int  // in line, of the complete fields, where rows are shown
	row    int64  // complete rows; -1 before the header
}

func newDelimited(columns []Column, separator byte, quotes bool, show *view) *delimited {
	return &delimited{
		columns: columns, kinds: kindsOf(columns), separator: separator, quotes: quotes,
		show: show, open: len(columns) == 0, row: -1,
	}
}

func (d *delimited) rows() int64 { return d.row }

func (d *delimited) write(p []byte) error {
	for len(p) > 0 {
		if n := d.plain(p); n > 0 {
			if err := d.take(p[:n]); err != nil {
				return err
			}
			p = p[n:]
			continue
		}
		if err := d.step(p[0]); err != nil {
			return err
		}
		p = p[1:]
	}
	return nil
}

// plain returns how many of the next bytes belong to the field as they are.
func (d *delimited) plain(p []byte) int {
	switch d.state {
	case inQuotes:
		if n := bytes.IndexByte(p, '"'); n >= 0 {
			return n
		}
		return len(p)
	case atStart, inPlain:
		for i, b := range p {
			if b == d.separator || b == '\n' || b == '\r' || b == '"' && d.quotes {
				if i > 0 {
					d.state = inPlain
				}
				return i
			}
		}
		d.state = inPlain
		return len(p)
	}
	return 0
}

// step takes a byte that plain did not.
func (d *delimited) step(b byte) error {
	switch {
	case d.state == inQuotes: // it is a quote
		d.state = atQuote
		return nil
	case d.state == atReturn && b != '\n':
		return d.wrong("", "carriage return inside the line")
	case b == '\n':
		return d.endLine()
	case b == '\r':
		d.state = atReturn
		return nil
	case b == d.separator:
		return d.endField()
	case d.state == atStart: // it is a quote
		d.state, d.quoted = inQuotes, true
		return nil
	case d.state == atQuote && b == '"':
		d.state = inQuotes
		return d.take([]byte{b})
	case d.state == atQuote:
		return d.wrong("", "text behind a closing quote")
	}
	return d.wrong("", "quote inside a field without quotes")
}

// take adds bytes to the field under way.
func (d *delimited) take(p []byte) error {
	if len(d.line)+len(p) > MaxRecord {
		return d.wrong("", "more than %d bytes", MaxRecord)
	}
	d.line = append(d.line, p...)
	return nil
}

func (d *delimited) end() error {
	if d.state == inQuotes {
		return d.wrong("", "quotes are not closed")
	}
	if err := d.endLine(); err != nil {
		return err
	}
	if d.row < 0 {
		return d.wrong("", "no header")
	}
	return nil
}

func (d *delimited) endField() error {
	cell := d.line[d.start:]
	if d.row < 0 && d.fields == 0 {
		cell = bytes.TrimPrefix(cell, byteOrderMark)
	}
	if d.row < 0 && d.open {
		if err := d.declare(string(cell)); err != nil {
			return err
		}
	}
	if d.fields == len(d.columns) {
		return d.wrong("", "more than %d columns", len(d.columns))
	}
	column := d.columns[d.fields]
	if d.row < 0 {
		if string(cell) != column.Name {
			return d.wrong("", "column %d of the header is not %q", d.fields+1, column.Name)
		}
	} else if kind := d.kinds[d.fields]; len(cell) > 0 && !kind.text(cell) {
		return d.wrong(column.Name, "%s", kind.reason)
	}
	if d.show != nil {
		d.starts = append(d.starts, d.start)
	}
	d.fields++
	d.start = len(d.line)
	d.state, d.quoted = atStart, false
	return nil
}

func (d *delimited) endLine() error {
	if d.fields == 0 && len(d.line) == 0 && !d.quoted {
		d.state = atStart
		return nil
	}
	if err := d.endField(); err != nil {
		return err
	}
	if d.fields < len(d.columns) {
		return d.wrong("", "%d of %d columns", d.fields, len(d.columns))
	}
	if err := d.showRow(); err != nil {
		return err
	}
	d.row++
	d.fields, d.start, d.line, d.starts = 0, 0, d.line[:0], d.starts[:0]
	return nil
}

// maxColumns bounds what a header that nobody declared may name.
const maxColumns = 4096

// declare takes the next name of a header that nobody declared.
func (d *delimited) declare(name string) error {
	if len(d.columns) == maxColumns {
		return d.wrong("", "more than %d columns", maxColumns)
	}
	d.columns = append(d.columns, Column{Name: name, Type: exchange.String})
	d.kinds = append(d.kinds, kinds[exchange.String])
	return nil
}

// showRow shows the line that ends here: its header first.
func (d *delimited) showRow() error {
	if d.show == nil {
		return nil
	}
	if d.row < 0 {
		return d.show.find(d.columns)
	}
	ends := append(d.starts, len(d.line))
	for i, c := range d.show.at {
		d.show.cells[i] = d.line[ends[c]:ends[c+1]]
	}
	return d.show.row(d.row + 1)
}

// wrong is about the line under way.
func (d *delimited) wrong(column, reason string, args ...any) error {
	return &Error{Row: d.row + 1, Column: column, Reason: fmt.Sprintf(reason, args...)}
}
