package compute

import (
	"fmt"
	"math/big"
	"slices"

	"chancery/chaincode/exchange"
	"chancery/workers/table"
)

// column makes one value for each key of a job out of the rows of a table, by
// exact arithmetic. Rows of other keys are passed by, but for their key, which
// must be one.
type column struct {
	input           exchange.Input
	keys            []string // of the job
	scale           int
	least, greatest int64 // what a scaled value may be

	groups map[string]*group
	value  decimal // of the row under way
}

// group is the rows of a key so far.
type group struct {
	sum  decimal
	rows int64
	last int64 // number of the latest row
}

func newColumn(p exchange.Plan, input int, least, greatest int64) *column {
	c := &column{
		input: p.Inputs[input], keys: p.Keys, scale: p.Scale, least: least, greatest: greatest,
		groups: make(map[string]*group, len(p.Keys)),
	}
	for _, key := range p.Keys {
		c.groups[key] = new(group)
	}
	return c
}

// row takes a row's key and value.
func (c *column) row(n int64, cells [][]byte) error {
	key, err := keyOf(cells[0], c.input.Divisor)
	if err != nil {
		return &table.Error{Row: n, Column: c.input.Key, Reason: err.Error()}
	}
	g, wanted := c.groups[key]
	if !wanted {
		return nil
	}
	if g.rows > 0 && c.input.Reduction == exchange.Only {
		return &table.Error{Row: n, Column: c.input.Key, Reason: fmt.Sprintf("key %q is in row %d already: the job takes one row of a key", key, g.last)}
	}
	if err := c.value.parse(cells[1]); err != nil {
		return &table.Error{Row: n, Column: c.input.Value, Reason: err.Error()}
	}
	g.sum.add(&c.value)
	g.rows, g.last = g.rows+1, n
	return nil
}

// values returns the scaled value of each key that the table has, in the order of
// the job's keys, and the keys that it lacks.
func (c *column) values() (values map[string]int64, missing []string, err error) {
	values = make(map[string]int64, len(c.keys))
	least, greatest := big.NewInt(c.least), big.NewInt(c.greatest)
	for _, key := range c.keys {
		g := c.groups[key]
		if g.rows == 0 {
			missing = append(missing, key)
			continue
		}
		count := int64(1)
		if c.input.Reduction == exchange.Mean {
			count = g.rows
		}
		v := g.sum.scaled(c.scale+c.input.Shift, count)
		if v.Cmp(least) < 0 || v.Cmp(greatest) > 0 {
			return nil, nil, &table.Error{Column: c.input.Value, Reason: fmt.Sprintf("the value of key %q is outside the range that the job declares", key)}
		}
		values[key] = v.Int64()
	}
	return values, missing, nil
}

// keyOf is the canonical text of a key: integers without plus sign and leading
// zeros, divided and rounded down where there is a divisor; any other text as it
// stands.
func keyOf(cell []byte, divisor int64) (string, error) {
	if len(cell) == 0 {
		return "", fmt.Errorf("no key")
	}
	digits, negative := cutSign(cell)
	if len(digits) == 0 || digitsOf(digits) < len(digits) {
		if divisor != 0 {
			return "", fmt.Errorf("the key is no integer, and the job divides it")
		}
		return string(cell), nil
	}
	if len(digits) > maxDigits {
		return "", errManyDigits
	}
	key, _ := new(big.Int).SetString(string(digits), 10)
	if negative {
		key.Neg(key)
	}
	if divisor != 0 {
		key.Div(key, big.NewInt(divisor)) // Euclidean: down, for a positive divisor
	}
	return key.String(), nil
}

// union lists the keys that are missing from at least one of several tables, in
// the order of the job's keys.
func union(keys []string, missing ...[]string) []string {
	var list []string
	for _, key := range keys {
		if slices.ContainsFunc(missing, func(m []string) bool { return slices.Contains(m, key) }) {
			list = append(list, key)
		}
	}
	return list
}
