package table

import (
	"time"

	"chancery/chaincode/exchange"
)

// kind is what values of one column type look like.
type kind struct {
	reason string            // what a value is not
	text   func([]byte) bool // a cell that is not empty
	json   func([]byte) bool // a valid token that is not null, strings with their quotes
}

var kinds = map[exchange.ColumnType]kind{
	exchange.String:  {"not a string", func([]byte) bool { return true }, isJSONString},
	exchange.Integer: {"not an integer", isInteger, isInteger},
	exchange.Number:  {"not a number", isNumber, isNumber},
	exchange.Boolean: {"neither true nor false", isBoolean, func(b []byte) bool { return b[0] == 't' || b[0] == 'f' }},
	exchange.Date: {"not a date like 2006-01-02", isDate, func(b []byte) bool {
		return isJSONString(b) && isDate(b[1:len(b)-1])
	}},
}

// anything is the kind of a column that nobody declared.
var anything = kind{"", func([]byte) bool { return true }, func([]byte) bool { return true }}

func kindsOf(columns []Column) []kind {
	of := make([]kind, len(columns))
	for i, c := range columns {
		of[i] = kinds[c.Type]
	}
	return of
}

func isJSONString(b []byte) bool { return b[0] == '"' }

// isInteger accepts decimal digits with an optional sign, of any length.
func isInteger(b []byte) bool {
	b = skipSign(b)
	return len(b) > 0 && len(skipDigits(b)) == 0
}

// isNumber accepts a decimal fraction with an optional sign and exponent, as
// 12, -0.5, .097 and 1.5e-3: no infinities, no hexadecimal, no separators.
func isNumber(b []byte) bool {
	b = skipSign(b)
	rest := skipDigits(b)
	digits := len(b) - len(rest)
	if len(rest) > 0 && rest[0] == '.' {
		fraction := rest[1:]
		rest = skipDigits(fraction)
		digits += len(fraction) - len(rest)
	}
	if digits == 0 {
		return false
	}
	if len(rest) > 0 && (rest[0] == 'e' || rest[0] == 'E') {
		return isInteger(rest[1:])
	}
	return len(rest) == 0
}

func skipSign(b []byte) []byte {
	if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
		return b[1:]
	}
	return b
}

func skipDigits(b []byte) []byte {
	for len(b) > 0 && b[0] >= '0' && b[0] <= '9' {
		b = b[1:]
	}
	return b
}

// isBoolean accepts the forms of XML Schema, which CSV on the Web takes over.
func isBoolean(b []byte) bool {
	switch string(b) {
	case "true", "false", "1", "0":
		return true
	}
	return false
}

func isDate(b []byte) bool {
	if len(b) != len(time.DateOnly) {
		return false
	}
	_, err := time.Parse(time.DateOnly, string(b))
	return err == nil
}
