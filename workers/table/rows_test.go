package table_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/workers/table"
)

// read collects rows as "number:cell|cell", with bytes coming one at a time or
// all at once.
func read(t *testing.T, s table.Schema, columns []string, text string, step int) (rows []string, err error) {
	t.Helper()
	c, err := table.NewReader(s, columns, func(row int64, cells [][]byte) error {
		var list []string
		for _, cell := range cells {
			list = append(list, string(cell))
		}
		rows = append(rows, fmt.Sprintf("%d:%s", row, strings.Join(list, "|")))
		return nil
	})
	if err != nil {
		return nil, err
	}
	for chunk := range slices.Chunk([]byte(text), step) {
		if _, err := c.Write(chunk); err != nil {
			return rows, err
		}
	}
	n, err := c.Close()
	if err == nil && n != int64(len(rows)) {
		t.Errorf("%d rows were shown, %d counted", len(rows), n)
	}
	return rows, err
}

var rated = []table.Column{{Name: "id", Type: exchange.Integer}, {Name: "name", Type: exchange.String}, {Name: "rate", Type: exchange.Number}}

func TestReader(t *testing.T) {
	for name, c := range map[string]struct {
		schema  table.Schema
		columns []string
		text    string
		want    []string
	}{
		"csv": {table.Schema{MediaType: "text/csv", Columns: rated}, []string{"rate", "id"},
			"\xef\xbb\xbfid,name,rate\n1,\"a \"\"b\"\", c\",.5\r\n\n2,,\n", []string{"1:.5|1", "2:|2"}},
		"csv, undeclared": {table.Schema{MediaType: "text/csv"}, []string{"name", "id"},
			"\xef\xbb\xbfid,name,rate\n1,\"a \"\"b\"\", c\",.5\n2,,x", []string{`1:a "b", c|1`, "2:|2"}},
		"tsv, undeclared": {table.Schema{MediaType: "text/tab-separated-values"}, []string{"b", "b"},
			"a\tb\n1\t\"2\n", []string{"1:\"2|\"2"}},
		"json": {table.Schema{MediaType: "application/json", Columns: rated}, []string{"name", "rate"},
			`[{"rate":1e-3,"id":1,"name":"\u0061\"b"}, {"id":2,"name":null,"rate":null}]`, []string{`1:a"b|1e-3`, "2:|"}},
		"json, undeclared": {table.Schema{MediaType: "application/json"}, []string{"k", "v"},
			`[{"v":true,"x":"y","\u006b":"ä"}, {"k":1,"v":-2.50}]`, []string{"1:ä|true", "2:1|-2.50"}},
		"no rows": {table.Schema{MediaType: "text/csv"}, []string{"a"}, "a\n", nil},
	} {
		for _, step := range []int{1, 7, 1 << 20} {
			rows, err := read(t, c.schema, c.columns, c.text, step)
			if err != nil || !slices.Equal(rows, c.want) {
				t.Errorf("%s by %d: %q, %v, want %q", name, step, rows, err, c.want)
			}
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	csv, json := table.Schema{MediaType: "text/csv"}, table.Schema{MediaType: "application/json"}
	for name, c := range map[string]struct {
		schema table.Schema
		text   string
		want   string
	}{
		"undeclared column":         {table.Schema{MediaType: "text/csv", Columns: rated}, "", `column "k": missing`},
		"no such column":            {csv, "k,w\n1,2\n", `column "v": missing`},
		"column twice":              {csv, "k,v,k\n1,2,3\n", `column "k": there twice`},
		"no header":                 {csv, "", "no header"},
		"short row":                 {csv, "k,v\n1,2\n3\n", "row 2: 1 of 2 columns"},
		"long row":                  {csv, "k,v\n1,2,3\n", "row 1: more than 2 columns"},
		"wide header":               {csv, strings.Repeat("c,", 5000) + "\n", "more than 4096 columns"},
		"object without the key":    {json, `[{"k":1,"v":2},{"k":1}]`, `row 2, column "v": missing`},
		"object with the key twice": {json, `[{"k":1,"v":2,"k":3}]`, `row 1, column "k": twice`},
		"not flat":                  {json, `[{"k":{},"v":2}]`, "not flat"},
		"no table":                  {table.Schema{MediaType: "image/png"}, "", "none of the media types"},
	} {
		_, err := read(t, c.schema, []string{"k", "v"}, c.text, 3)
		if e, ok := errors.AsType[*table.Error](err); !ok || !strings.Contains(e.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestReaderStops asserts that the one who looks can stop the table, at its row,
// and that a screen then lets the rest pass.
func TestReaderStops(t *testing.T) {
	calls := 0
	c, err := table.NewReader(table.Schema{MediaType: "text/csv"}, []string{"v"}, func(int64, [][]byte) error {
		if calls++; calls == 2 {
			return &table.Error{Column: "v", Reason: "enough"}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	screen := table.Screen(c)
	for range 3 {
		if n, err := screen.Write([]byte("v\n1\n2\n3\n")); n != 8 || err != nil {
			t.Fatalf("the screen stops: %d, %v", n, err)
		}
	}
	if _, err := c.Close(); err == nil || err.Error() != `row 2, column "v": enough` || calls != 2 {
		t.Errorf("%v after %d rows", err, calls)
	}
}

// FuzzReader looks for tables that are shown otherwise than they are counted, or
// that depend on how their bytes come.
func FuzzReader(f *testing.F) {
	f.Add("k,v\n1,2\n", 0)
	f.Add("k\tv\n\"\t2\r\n", 1)
	f.Add(`[{"k":1,"v":"\n"},{"v":null,"k":"x","z":0}]`, 2)
	f.Fuzz(func(t *testing.T, text string, media int) {
		s := table.Schema{MediaType: []string{"text/csv", "text/tab-separated-values", "application/json"}[uint(media)%3]}
		whole, errWhole := read(t, s, []string{"k", "v"}, text, 1<<20)
		parts, errParts := read(t, s, []string{"k", "v"}, text, 3)
		if fmt.Sprint(errWhole) != fmt.Sprint(errParts) || !slices.Equal(whole, parts) {
			t.Errorf("%q, %v against %q, %v", whole, errWhole, parts, errParts)
		}
	})
}
