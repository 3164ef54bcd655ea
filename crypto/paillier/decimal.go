package paillier

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseDecimal reads a plain decimal number as the integer value·10^scale,
// exactly: an optional minus sign, digits, and at most scale digits after a
// point. No exponent, no plus sign, no thousands separator, no space, no NaN, no
// infinity; digits beyond the scale are refused even if they are 0. Errors:
// ErrDecimal, and ErrOverflow beyond 63 bits.
func ParseDecimal(s string, scale int) (int64, error) {
	if scale < 0 || scale > 18 {
		return 0, fmt.Errorf("%w: scale %d", ErrOptions, scale)
	}
	text, negative := strings.CutPrefix(s, "-")
	whole, fraction, point := strings.Cut(text, ".")
	if whole == "" || point && fraction == "" || len(fraction) > scale || len(text) > 64 {
		return 0, fmt.Errorf("%w: %.64q at scale %d", ErrDecimal, s, scale)
	}
	digits := whole + fraction + strings.Repeat("0", scale-len(fraction))
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, fmt.Errorf("%w: %.64q", ErrDecimal, s)
		}
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %.64q", ErrOverflow, s)
	}
	if negative {
		v = -v
	}
	return v, nil
}

// FormatDecimal writes v/10^scale with exactly scale digits after the point.
func FormatDecimal(v int64, scale int) string {
	digits := strconv.FormatUint(magnitude(v), 10)
	if pad := scale + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if v < 0 {
		return "-" + digits
	}
	return digits
}
