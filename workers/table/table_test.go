package table_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"chancery/chaincode/exchange"
	"chancery/workers/table"
)

const (
	csvType  = "text/csv"
	tsvType  = "text/tab-separated-values"
	jsonType = "application/json"
)

// columns reads declarations like "id integer, rate number".
func columns(text string) []table.Column {
	var cs []table.Column
	for _, one := range strings.Split(text, ", ") {
		name, kind, _ := strings.Cut(one, " ")
		cs = append(cs, table.Column{Name: name, Type: exchange.ColumnType(kind)})
	}
	return cs
}

// check writes the table in pieces of n bytes; 0: all at once.
func check(t testing.TB, s table.Schema, text string, n int) (int64, error) {
	t.Helper()
	c, err := table.NewChecker(s)
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		n = max(1, len(text))
	}
	var writeErr error
	for rest := []byte(text); len(rest) > 0 && writeErr == nil; rest = rest[min(n, len(rest)):] {
		_, writeErr = c.Write(rest[:min(n, len(rest))])
	}
	rows, err := c.Close()
	if writeErr != nil && !errors.Is(err, writeErr) {
		t.Errorf("write answers %v, close %v", writeErr, err)
	}
	if again, againErr := c.Close(); again != rows || againErr != err {
		t.Errorf("closing again answers %d, %v, want %d, %v", again, againErr, rows, err)
	}
	if n, err := c.Write([]byte("x")); n != 0 || err == nil {
		t.Errorf("write after close: %d, %v", n, err)
	}
	return rows, err
}

func TestPublicTables(t *testing.T) {
	employment := "month date"
	for _, name := range []string{
		"nonfarm", "private", "goods_producing", "service_providing", "private_service_providing", "mining_and_logging",
		"construction", "manufacturing", "durable_goods", "nondurable_goods", "trade_transportation_utilties",
		"wholesale_trade", "retail_trade", "transportation_and_warehousing", "utilities", "information",
		"financial_activities", "professional_and_business_services", "education_and_health_services",
		"leisure_and_hospitality", "other_services", "government", "nonfarm_change",
	} {
		employment += ", " + name + " number"
	}
	tests := []struct {
		file, mediaType, columns string
		rows                     int64
	}{
		{"population_engineers_hurricanes.csv", csvType, "state string, id integer, population integer, engineers number, hurricanes integer", 52},
		{"us-employment.csv", csvType, employment, 120},
		{"unemployment.tsv", tsvType, "id integer, rate number", 3218},
		{"obesity.json", jsonType, "id integer, rate number, state string", 50},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", "..", "test", "data", tt.file))
			if err != nil {
				t.Fatal(err)
			}
			s := table.Schema{MediaType: tt.mediaType, Columns: columns(tt.columns)}
			for _, n := range []int{0, 1, 7} {
				if rows, err := check(t, s, string(text), n); rows != tt.rows || err != nil {
					t.Errorf("in pieces of %d: %d rows, %v, want %d", n, rows, err, tt.rows)
				}
			}
			s.Columns[1].Name += "x"
			if _, err := check(t, s, string(text), 0); err == nil {
				t.Error("another second column passes")
			}
		})
	}
}

// TestDelimited has a table of two columns, name (string) and rate (number).
func TestDelimited(t *testing.T) {
	tests := []struct {
		name, text string
		rows       int64
		want       string // error; empty: none
	}{
		{"header only", "name,rate\n", 0, ""},
		{"header without end", "name,rate", 0, ""},
		{"rows", "name,rate\na,1\nb,2\n", 2, ""},
		{"last line without end", "name,rate\na,1\nb,2", 2, ""},
		{"CRLF", "name,rate\r\na,1\r\nb,2\r\n", 2, ""},
		{"return at the end", "name,rate\r\na,1\r", 1, ""},
		{"empty lines", "\n\r\nname,rate\n\na,1\n\n\n", 1, ""},
		{"byte order mark", "\xef\xbb\xbfname,rate\na,1\n", 1, ""},
		{"empty cells", "name,rate\n,\na,\n,1\n", 3, ""},
		{"quotes", "\"name\",\"rate\"\n\"a\",\"1\"\n", 1, ""},
		{"separator in quotes", "name,rate\n\"a,b\",1\n", 1, ""},
		{"line end in quotes", "name,rate\n\"a\r\nb\n\",1\n", 1, ""},
		{"escaped quotes", "name,rate\n\"\"\"a\"\"\",1\n\"\",2\n", 2, ""},
		{"spaces belong to cells", "name,rate\n a ,1\n", 1, ""},
		{"not UTF-8", "name,rate\n\xff\xfe,1\n", 1, ""},

		{"empty", "", 0, `table: no header`},
		{"empty lines only", "\n\n", 0, `table: no header`},
		{"no header", "a,1\n", 0, `table: column 1 of the header is not "name"`},
		{"header's order", "rate,name\n", 0, `table: column 1 of the header is not "name"`},
		{"header's case", "name,Rate\n", 0, `table: column 2 of the header is not "rate"`},
		{"header's spaces", "name, rate\n", 0, `table: column 2 of the header is not "rate"`},
		{"header too short", "name\n", 0, `table: 1 of 2 columns`},
		{"header too long", "name,rate,year\n", 0, `table: more than 2 columns`},
		{"another separator", "name;rate\n", 0, `table: column 1 of the header is not "name"`},
		{"type", "name,rate\na,1\nb,x\n", 0, `row 2, column "rate": not a number`},
		{"spaces around a number", "name,rate\na, 1\n", 0, `row 1, column "rate": not a number`},
		{"row too short", "name,rate\na,1\nb\n", 0, `row 2: 1 of 2 columns`},
		{"row too long", "name,rate\na,1,\n", 0, `row 1: more than 2 columns`},
		{"cut in a row", "name,rate\na,1\nb", 0, `row 2: 1 of 2 columns`},
		{"cut in quotes", "name,rate\na,1\n\"b", 0, `row 2: quotes are not closed`},
		{"quote in a cell", "name,rate\na\"b,1\n", 0, `row 1: quote inside a field without quotes`},
		{"text behind quotes", "name,rate\n\"a\"b,1\n", 0, `row 1: text behind a closing quote`},
		{"return in a row", "name,rate\na\rb,1\n", 0, `row 1: carriage return inside the line`},
		{"binary", "PK\x03\x04\x00\x00\n", 0, `table: column 1 of the header is not "name"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := table.Schema{MediaType: csvType, Columns: columns("name string, rate number")}
			expect(t, s, tt.text, tt.rows, tt.want)
			if !strings.ContainsAny(tt.text, "\"") { // the same with tabs
				s.MediaType = tsvType
				expect(t, s, strings.ReplaceAll(tt.text, ",", "\t"), tt.rows, tt.want)
			}
		})
	}
}

func expect(t *testing.T, s table.Schema, text string, rows int64, want string) {
	t.Helper()
	for _, n := range []int{0, 1, 3} {
		got, err := check(t, s, text, n)
		if got != rows || (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s in pieces of %d: %d rows, %v, want %d, %s", s.MediaType, n, got, err, rows, want)
		}
		if _, ok := errors.AsType[*table.Error](err); err != nil && !ok {
			t.Errorf("%v is a %T, want an *Error", err, err)
		}
	}
}

// TestTabsHaveNoQuotes: in that media type a quote is a letter.
func TestTabsHaveNoQuotes(t *testing.T) {
	s := table.Schema{MediaType: tsvType, Columns: columns("name string, rate number")}
	expect(t, s, "name\trate\n\"a\t1\nb\"c\"\"\t2\n", 2, "")
	expect(t, s, "name\trate\na\t\"1\"\n", 0, `row 1, column "rate": not a number`)
}

func TestObjects(t *testing.T) {
	tests := []struct {
		name, text string
		rows       int64
		want       string
	}{
		{"no rows", `[]`, 0, ""},
		{"rows", `[{"name":"a","rate":1},{"name":"b","rate":2.5e-3}]`, 2, ""},
		{"any order, spaces", " [ {\n\t\"rate\" : 1 , \"name\" : \"a\" } \r\n] \n", 1, ""},
		{"null", `[{"name":null,"rate":null}]`, 1, ""},
		{"brackets in strings", `[{"name":"}]{[\"\\","rate":1}]`, 1, ""},
		{"escapes", `[{"n\u0061me":"\u00e4\n","rate":-0}]`, 1, ""},

		{"empty", ``, 0, `table: not a JSON array`},
		{"not an array", `{"name":"a"}`, 0, `table: not a JSON array`},
		{"lines of JSON", "{}\n{}\n", 0, `table: not a JSON array`},
		{"array of arrays", `[["a",1]]`, 0, `row 1: not an object`},
		{"array of numbers", `[1]`, 0, `row 1: not an object`},
		{"no comma", `[{"name":"a","rate":1}{"name":"b","rate":2}]`, 0, `row 1: neither a comma nor the array's end behind it`},
		{"comma at the end", `[{"name":"a","rate":1},]`, 0, `row 2: not an object`},
		{"comma at the start", `[,{"name":"a","rate":1}]`, 0, `row 1: not an object`},
		{"text behind", `[] x`, 0, `table: text behind the array`},
		{"two arrays", `[][]`, 0, `table: text behind the array`},
		{"not closed", `[{"name":"a","rate":1}`, 0, `row 2: the array is not closed`},
		{"cut in an object", `[{"name":"a"`, 0, `row 1: the array is not closed`},
		{"missing key", `[{"name":"a","rate":1},{"name":"b"}]`, 0, `row 2, column "rate": missing`},
		{"empty object", `[{}]`, 0, `row 1, column "name": missing`},
		{"undeclared key", `[{"name":"a","rate":1,"ssn":"2"}]`, 0, `row 1: a key is not a declared column`},
		{"key's case", `[{"Name":"a","rate":1}]`, 0, `row 1: a key is not a declared column`},
		{"duplicate key", `[{"name":"a","rate":1,"name":"b"}]`, 0, `row 1, column "name": twice`},
		{"number as string", `[{"name":"a","rate":"1"}]`, 0, `row 1, column "rate": not a number`},
		{"string as number", `[{"name":1,"rate":1}]`, 0, `row 1, column "name": not a string`},
		{"boolean as number", `[{"name":"a","rate":true}]`, 0, `row 1, column "rate": not a number`},
		{"nested object", `[{"name":{},"rate":1}]`, 0, `row 1: a value is not flat`},
		{"nested array", `[{"name":"a","rate":[1]}]`, 0, `row 1: a value is not flat`},
		{"no number", `[{"name":"a","rate":01}]`, 0, `row 1: not JSON`},
		{"NaN", `[{"name":"a","rate":NaN}]`, 0, `row 1: not JSON`},
		{"no value", `[{"name":"a","rate":}]`, 0, `row 1: not JSON`},
		{"no colon", `[{"name" "a","rate":1}]`, 0, `row 1: not JSON`},
		{"comma in an object", `[{"name":"a","rate":1,}]`, 0, `row 1: not JSON`},
		{"newline in a string", "[{\"name\":\"a\n\",\"rate\":1}]", 0, `row 1: not JSON`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			expect(t, table.Schema{MediaType: jsonType, Columns: columns("name string, rate number")}, tt.text, tt.rows, tt.want)
		})
	}
}

func TestValues(t *testing.T) {
	tests := []struct {
		kind           string
		text, textBad  string // cells, apart by spaces
		value, jsonBad string // JSON values
	}{
		{"string", "x 1 - ä", "", `"" "x" "1" null`, `1 true`},
		{"integer", "0 7 -7 +7 007 123456789012345678901234567890", "1.0 1e3 - + 0x1 1_000 1,5 ٣ NaN",
			`0 -7 123456789012345678901234567890 null`, `1.0 1e3 "7" true`},
		{"number", "0 -1.5 +.097 5. 1e3 1.5E-3 007.5", ". e3 1e 1e+ - 1.2.3 0x1p-2 1_0 Inf -inf NaN 1f ½",
			`0 -1.5 1e3 1.5E-3 null`, `"1" false`},
		{"boolean", "true false 1 0", "True TRUE yes 2 t", `true false null`, `1 0 "true"`},
		{"date", "2006-01-02 2024-02-29 0001-01-01", "2006-1-2 2023-02-29 2006-13-01 20060102 2006-01-02T00:00:00Z 02.01.2006",
			`"2006-01-02" null`, `"2006-1-2" 20060102 true`},
	}
	for _, tt := range tests {
		t.Run(tt.kind, func(t *testing.T) {
			s := table.Schema{Columns: columns("v " + tt.kind)}
			try := func(mediaType, format, values string, ok bool) {
				s.MediaType = mediaType
				for _, v := range strings.Fields(values) {
					if _, err := check(t, s, fmt.Sprintf(format, v), 0); (err == nil) != ok {
						t.Errorf("%s in %s: %v, want ok: %v", v, mediaType, err, ok)
					}
				}
			}
			try(tsvType, "v\n%s\n", tt.text, true)
			try(tsvType, "v\n%s\n", tt.textBad, false)
			try(jsonType, `[{"v":%s}]`, tt.value, true)
			try(jsonType, `[{"v":%s}]`, tt.jsonBad, false)
		})
	}
}

func TestOpaque(t *testing.T) {
	for _, s := range []table.Schema{
		{},
		{MediaType: "application/pdf"},
		{MediaType: "application/vnd.apache.parquet", Columns: columns("id integer")},
		{MediaType: csvType},
	} {
		if rows, err := check(t, s, "\x00\"\nanything", 0); rows != 0 || err != nil {
			t.Errorf("%+v: %d rows, %v", s, rows, err)
		}
	}
}

func TestSchemasThatAreNone(t *testing.T) {
	for _, bad := range []string{"id integer, id number", "id int", "id ", " string", "id Integer"} {
		if _, err := table.NewChecker(table.Schema{MediaType: csvType, Columns: columns(bad)}); err == nil {
			t.Errorf("columns %q pass", bad)
		}
	}
}

func TestOf(t *testing.T) {
	d := exchange.Description{MediaType: csvType, Columns: []exchange.Column{
		{Name: "id", Type: exchange.Integer, Unit: "1", Description: "FIPS code"}, {Name: "rate", Type: exchange.Number},
	}}
	expect(t, table.Of(d), "id,rate\n1001,.097\n", 1, "")
}

// TestBounded writes records without an end: what is kept of them is bounded.
func TestBounded(t *testing.T) {
	const limit = table.MaxRecord
	tests := map[string]struct{ mediaType, begin, more, want string }{
		"cell":           {csvType, "v\n", "x", "row 1: more than 1048576 bytes"},
		"quotes":         {csvType, "v\n\"", "x", "row 1: more than 1048576 bytes"},
		"escaped quotes": {csvType, "v\n\"", `""`, "row 1: more than 1048576 bytes"},
		"header":         {tsvType, "", "v", "table: more than 1048576 bytes"},
		"columns":        {csvType, "v\n", ",", "row 1: more than 1 columns"},
		"JSON string":    {jsonType, `[{"v":"`, "x", "row 1: more than 1048576 bytes"},
		"JSON spaces":    {jsonType, `[{`, " ", "row 1: more than 1048576 bytes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := table.NewChecker(table.Schema{MediaType: tt.mediaType, Columns: columns("v string")})
			if err != nil {
				t.Fatal(err)
			}
			endless := io.MultiReader(strings.NewReader(tt.begin), repeat(tt.more))
			n, err := io.CopyBuffer(c, endless, make([]byte, 4096))
			if err == nil || err.Error() != tt.want || n > 3*limit {
				t.Errorf("after %d bytes: %v, want %s", n, err, tt.want)
			}
		})
	}
}

type repeat string

func (r repeat) Read(p []byte) (int, error) {
	n := 0
	for n+len(r) <= len(p) {
		n += copy(p[n:], r)
	}
	return n, nil
}

// TestErrorsQuoteNothing: what is refused may be confidential.
func TestErrorsQuoteNothing(t *testing.T) {
	const secret = "078-05-1120"
	s := table.Schema{Columns: columns("name string, rate number")}
	for mediaType, texts := range map[string][]string{
		csvType:  {secret + ",1\n", "name," + secret, "name,rate\na," + secret, "name,rate\n" + secret, "name,rate\n\"" + secret, "name,rate\na,1," + secret},
		jsonType: {secret, "[" + secret, `[{"` + secret + `":1}]`, `[{"rate":"` + secret + `"}]`, `[{"rate":` + secret + `}]`, `[]` + secret},
	} {
		s.MediaType = mediaType
		for _, text := range texts {
			if _, err := check(t, s, text, 0); err == nil || strings.Contains(err.Error(), "078") {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
}

// TestTee is how the checker is used: a wrong table ends the copy it watches.
func TestTee(t *testing.T) {
	c, err := table.NewChecker(table.Schema{MediaType: csvType, Columns: columns("v integer")})
	if err != nil {
		t.Fatal(err)
	}
	text := "v\n" + strings.Repeat("1\n", 100) + "x\n" + strings.Repeat("1\n", 1<<20)
	n, err := io.Copy(io.Discard, io.TeeReader(iotest.HalfReader(strings.NewReader(text)), c))
	wrong, ok := errors.AsType[*table.Error](err)
	if !ok || wrong.Row != 101 || wrong.Column != "v" || n > 1<<17 {
		t.Errorf("copied %d bytes, %v", n, err)
	}
}

func BenchmarkChecker(b *testing.B) {
	for name, bench := range map[string]struct{ mediaType, begin, row, end string }{
		"csv":  {csvType, "name,rate\n", "Alabama,.097\n", ""},
		"json": {jsonType, "[", `{"name":"Alabama","rate":0.097},`, `{"name":"x","rate":1}]`},
	} {
		b.Run(name, func(b *testing.B) {
			text := []byte(bench.begin + strings.Repeat(bench.row, 10_000) + bench.end)
			s := table.Schema{MediaType: bench.mediaType, Columns: columns("name string, rate number")}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				c, err := table.NewChecker(s)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(c, bytes.NewReader(text)); err != nil {
					b.Fatal(err)
				}
				if _, err := c.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
