package compute

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
)

// Bounds of a number's text: what is longer is no measurement, and would let one
// cell take more time than a table.
const (
	maxDigits   = 100
	maxExponent = 100 // of ten, as written
)

var (
	errEmpty      = errors.New("no value")
	errNotNumber  = errors.New("not a number")
	errNotFinite  = errors.New("not a finite number")
	errThousands  = errors.New("not a number: separators of thousands are not read")
	errManyDigits = errors.New("a number of more digits than are computed with")
)

// decimal is an exact number: mantissa · 10^exponent.
type decimal struct {
	mantissa big.Int
	exponent int
}

var ten = big.NewInt(10)

func powerOfTen(e int) *big.Int { return new(big.Int).Exp(ten, big.NewInt(int64(e)), nil) }

// parse reads a decimal fraction with an optional sign and exponent, as 12, -0.5,
// .097 and 1.5e-3. Errors quote nothing of the text.
func (d *decimal) parse(text []byte) error {
	if len(text) == 0 {
		return errEmpty
	}
	rest, negative := cutSign(text)
	var digits []byte
	d.exponent = 0
	whole := digitsOf(rest)
	digits = append(digits, rest[:whole]...)
	rest = rest[whole:]
	if len(rest) > 0 && rest[0] == '.' {
		fraction := digitsOf(rest[1:])
		digits = append(digits, rest[1:1+fraction]...)
		d.exponent = -fraction
		rest = rest[1+fraction:]
	}
	if len(digits) == 0 {
		return whatInstead(text)
	}
	if len(rest) > 0 && (rest[0] == 'e' || rest[0] == 'E') {
		e, err := exponentOf(rest[1:])
		if err != nil {
			return err
		}
		d.exponent += e
		rest = nil
	}
	if len(rest) > 0 {
		return whatInstead(text)
	}
	if len(digits) > maxDigits {
		return errManyDigits
	}
	d.mantissa.SetString(string(digits), 10)
	if negative {
		d.mantissa.Neg(&d.mantissa)
	}
	return nil
}

func cutSign(text []byte) (rest []byte, negative bool) {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		return text[1:], text[0] == '-'
	}
	return text, false
}

// digitsOf counts the digits that a text begins with.
func digitsOf(text []byte) int {
	for i, b := range text {
		if b < '0' || b > '9' {
			return i
		}
	}
	return len(text)
}

func exponentOf(text []byte) (int, error) {
	digits, negative := cutSign(text)
	if len(digits) == 0 || digitsOf(digits) < len(digits) {
		return 0, errNotNumber
	}
	e := 0
	for _, b := range digits {
		if e = 10*e + int(b-'0'); e > maxExponent {
			return 0, errManyDigits
		}
	}
	if negative {
		e = -e
	}
	return e, nil
}

// whatInstead says what a text is that is no number, as far as that helps.
func whatInstead(text []byte) error {
	body, _ := cutSign(text)
	switch word := strings.ToLower(string(body)); word {
	case "nan", "inf", "infinity", "∞":
		return errNotFinite
	}
	for _, separator := range []string{",", "'", "’", " ", "\u00a0", "\u202f", "_"} {
		first, last, found := bytes.Cut(body, []byte(separator))
		if found && len(first) > 0 && digitsOf(first) == len(first) && digitsOf(last) >= 3 {
			return errThousands
		}
	}
	return errNotNumber
}

// add adds another number.
func (d *decimal) add(other *decimal) {
	if d.mantissa.Sign() == 0 {
		d.mantissa.Set(&other.mantissa)
		d.exponent = other.exponent
		return
	}
	more := new(big.Int).Set(&other.mantissa)
	switch gap := d.exponent - other.exponent; {
	case gap > 0:
		d.mantissa.Mul(&d.mantissa, powerOfTen(gap))
		d.exponent = other.exponent
	case gap < 0:
		more.Mul(more, powerOfTen(-gap))
	}
	d.mantissa.Add(&d.mantissa, more)
}

// scaled returns d · 10^scale / count, rounded half to even, for count > 0.
func (d *decimal) scaled(scale int, count int64) *big.Int {
	n, by := new(big.Int).Abs(&d.mantissa), big.NewInt(count)
	if e := d.exponent + scale; e >= 0 {
		n.Mul(n, powerOfTen(e))
	} else {
		by.Mul(by, powerOfTen(-e))
	}
	quotient, rest := new(big.Int).QuoRem(n, by, new(big.Int))
	switch rest.Lsh(rest, 1).Cmp(by) {
	case 1:
		quotient.Add(quotient, big.NewInt(1))
	case 0:
		quotient.Add(quotient, new(big.Int).And(quotient, big.NewInt(1)))
	}
	if d.mantissa.Sign() < 0 {
		quotient.Neg(quotient)
	}
	return quotient
}
