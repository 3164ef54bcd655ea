package compute

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/workers/table"
)

// parsed is a decimal's value as a fraction.
func parsed(d *decimal) *big.Rat {
	r := new(big.Rat).SetInt(&d.mantissa)
	if d.exponent >= 0 {
		return r.Mul(r, new(big.Rat).SetInt(powerOfTen(d.exponent)))
	}
	return r.Quo(r, new(big.Rat).SetInt(powerOfTen(-d.exponent)))
}

func TestParse(t *testing.T) {
	for _, text := range []string{"0", "-0", "+7", "12", "-0.5", ".097", "5.", "1.5e-3", "1E+2", "00012.340", strings.Repeat("9", 100), "1e100"} {
		var d decimal
		want, ok := new(big.Rat).SetString(text)
		if err := d.parse([]byte(text)); err != nil || !ok || parsed(&d).Cmp(want) != 0 {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]error{
		"": errEmpty, "-": errNotNumber, ".": errNotNumber, "e5": errNotNumber, "1e": errNotNumber, "1e+": errNotNumber, "0x1f": errNotNumber,
		"1.2.3": errNotNumber, "--1": errNotNumber, "12 ": errNotNumber, " 12": errNotNumber, "1,5": errNotNumber, "½": errNotNumber, "١": errNotNumber,
		"NaN": errNotFinite, "-nan": errNotFinite, "Inf": errNotFinite, "+Infinity": errNotFinite, "-∞": errNotFinite,
		"1,234": errThousands, "-1,234,567.8": errThousands, "1 234": errThousands, "1'234": errThousands, "1_234": errThousands, "1\u202f234": errThousands,
		strings.Repeat("9", 101): errManyDigits, "1e101": errManyDigits, "1e-101": errManyDigits, "1e99999999999999999999": errManyDigits,
	} {
		var d decimal
		if err := d.parse([]byte(text)); err != want {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"-0.5", "1e9", ".", "1,234", "nan"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d decimal
		if err := d.parse([]byte(text)); err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(text)
		if !ok || parsed(&d).Cmp(want) != 0 {
			t.Errorf("%q was read as %v", text, parsed(&d))
		}
	})
}

func TestScaled(t *testing.T) {
	for _, c := range []struct {
		text  string
		scale int
		count int64
		want  int64
	}{
		{"1.5", 0, 1, 2}, {"2.5", 0, 1, 2}, {"-1.5", 0, 1, -2}, {"-2.5", 0, 1, -2}, {"2.51", 0, 1, 3}, {"0.5", 0, 1, 0}, {"-0.5", 0, 1, 0},
		{"1", 6, 3, 333333}, {"2", 6, 3, 666667}, {"0.0000005", 6, 1, 0}, {"0.0000015", 6, 1, 2}, {"4863300", -6 + 6, 1, 4863300},
		{"15", -1, 1, 2}, {"25", -1, 1, 2}, {"1e3", 2, 1, 100000}, {"5", 0, 2, 2}, {"7", 0, 2, 4},
	} {
		var d decimal
		if err := d.parse([]byte(c.text)); err != nil {
			t.Fatal(err)
		}
		if got := d.scaled(c.scale, c.count); got.Cmp(big.NewInt(c.want)) != 0 {
			t.Errorf("%s · 10^%d / %d is %v, want %d", c.text, c.scale, c.count, got, c.want)
		}
	}
}

func TestAddIsExact(t *testing.T) {
	var sum decimal
	want := new(big.Rat)
	for _, text := range []string{"0", "0.1", "0.2", "1e20", "-3.00000000000000000001", "7", "1e-9", "-1e20"} {
		var d decimal
		if err := d.parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		sum.add(&d)
		want.Add(want, parsed(&d))
		if parsed(&sum).Cmp(want) != 0 {
			t.Fatalf("after %s: %v, want %v", text, parsed(&sum), want)
		}
	}
}

func TestKeyOf(t *testing.T) {
	for _, c := range []struct {
		cell    string
		divisor int64
		want    string // "": an error
	}{
		{"01", 0, "1"}, {"+7", 0, "7"}, {"-0", 0, "0"}, {"000", 0, "0"}, {"-012", 0, "-12"}, {"AL", 0, "AL"}, {"1.0", 0, "1.0"}, {"a b", 0, "a b"},
		{"1001", 1000, "1"}, {"56045", 1000, "56"}, {"999", 1000, "0"}, {"-1", 1000, "-1"}, {"-1000", 1000, "-1"}, {"-1001", 1000, "-2"},
		{strings.Repeat("1", 100), 1 << 53, new(big.Int).Div(ones(100), big.NewInt(1<<53)).String()},
		{"", 0, ""}, {"AL", 1000, ""}, {"1.0", 10, ""}, {"-", 10, ""}, {strings.Repeat("1", 101), 0, ""},
	} {
		key, err := keyOf([]byte(c.cell), c.divisor)
		if key != c.want || (err == nil) == (c.want == "") {
			t.Errorf("%q by %d: %q, %v, want %q", c.cell, c.divisor, key, err, c.want)
		}
	}
}

func ones(n int) *big.Int {
	v, _ := new(big.Int).SetString(strings.Repeat("1", n), 10)
	return v
}

// compute reads a column of keys 1, 2, 3 out of a table, at scale 1 and values
// within ±100.0.
func computed(in exchange.Input, text string) (values map[string]int64, missing []string, err error) {
	in.Key, in.Value = "k", "v"
	p := exchange.Plan{Inputs: []exchange.Input{in}, Keys: []string{"1", "2", "3"}, Scale: 1}
	c := newColumn(p, 0, -1000, 999)
	r, err := table.NewReader(table.Schema{MediaType: "text/csv"}, []string{"k", "v"}, c.row)
	if err != nil {
		return nil, nil, err
	}
	if _, err := r.Write([]byte("k,v\n" + text)); err != nil {
		return nil, nil, err
	}
	if _, err := r.Close(); err != nil {
		return nil, nil, err
	}
	return c.values()
}

func TestColumn(t *testing.T) {
	only, mean, sum := exchange.Input{Reduction: exchange.Only}, exchange.Input{Reduction: exchange.Mean}, exchange.Input{Reduction: exchange.Sum}
	shifted := exchange.Input{Reduction: exchange.Only, Shift: -3}
	for _, c := range []struct {
		name    string
		in      exchange.Input
		text    string
		values  string
		missing []string
	}{
		{"in any order", only, "3,0.5\n1,1\n2,-99.95\n", "map[1:10 2:-1000 3:5]", nil},
		{"other keys pass by", only, "9,nonsense\n1,1\n9,\nx,y\n3,3\n", "map[1:10 3:30]", []string{"2"}},
		{"none", only, "", "map[]", []string{"1", "2", "3"}},
		{"means", mean, "1,1\n2,0.1\n1,2\n2,0.1\n2,0.15\n3,-0.05\n", "map[1:15 2:1 3:0]", nil},
		{"sums", sum, "1,0.1\n1,0.2\n2,60\n2,60\n2,-60\n3,1e-3\n", "map[1:3 2:600 3:0]", nil},
		{"shift", shifted, "1,12345\n2,-50\n3,150\n", "map[1:123 2:0 3:2]", nil},
	} {
		values, missing, err := computed(c.in, c.text)
		if err != nil || fmt.Sprint(values) != c.values || !slices.Equal(missing, c.missing) {
			t.Errorf("%s: %v, missing %v, %v", c.name, values, missing, err)
		}
	}
}

func TestColumnRefuses(t *testing.T) {
	only, mean := exchange.Input{Reduction: exchange.Only}, exchange.Input{Reduction: exchange.Mean}
	divided := exchange.Input{Reduction: exchange.Sum, Divisor: 10}
	for name, c := range map[string]struct {
		in   exchange.Input
		text string
		want string
	}{
		"key twice":           {only, "2,1\n1,5\n02,7\n", `row 3, column "k": key "2" is in row 1 already: the job takes one row of a key`},
		"no key":              {only, "1,1\n,5\n", `row 2, column "k": no key`},
		"key to be divided":   {divided, "x,1\n", `row 1, column "k": the key is no integer, and the job divides it`},
		"no value":            {only, "1,\n", `row 1, column "v": no value`},
		"no value of many":    {mean, "1,1\n1,\n", `row 2, column "v": no value`},
		"word":                {only, "1,secret\n", `row 1, column "v": not a number`},
		"NaN":                 {mean, "1,5\n1,NaN\n", `row 2, column "v": not a finite number`},
		"infinite":            {only, "1,-inf\n", `row 1, column "v": not a finite number`},
		"thousands":           {only, "1,\"1,234\"\n", `row 1, column "v": not a number: separators of thousands are not read`},
		"above the range":     {only, "1,99.95\n", `table, column "v": the value of key "1" is outside the range that the job declares`},
		"below the range":     {only, "2,-100.06\n", `table, column "v": the value of key "2" is outside the range that the job declares`},
		"a sum out of range":  {divided, "30,60\n31,60\n", `table, column "v": the value of key "3" is outside the range that the job declares`},
		"far out of any type": {only, "3,1e100\n", `table, column "v": the value of key "3" is outside the range that the job declares`},
	} {
		_, _, err := computed(c.in, c.text)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
