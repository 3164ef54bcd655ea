package table_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"chancery/workers/table"
)

// pieces checks a table in one piece and in several, which must not matter.
func pieces(t *testing.T, s table.Schema, text string, n uint8) (int64, error) {
	t.Helper()
	rows, err := check(t, s, text, 0)
	again, againErr := check(t, s, text, int(n)+1)
	if rows != again || (err == nil) != (againErr == nil) || err != nil && err.Error() != againErr.Error() {
		t.Fatalf("at once: %d, %v; in pieces of %d: %d, %v", rows, err, int(n)+1, again, againErr)
	}
	if _, ok := errors.AsType[*table.Error](err); err != nil && !ok {
		t.Fatalf("unpromised error: %v", err)
	}
	return rows, err
}

// FuzzCSV compares the checker with encoding/csv, where both promise the same.
func FuzzCSV(f *testing.F) {
	f.Add("a,b\n1,2\n", uint8(0))
	f.Add("\"a\",b\r\n\"x\"\"\n,\",2", uint8(3))
	f.Add("a,b\n\n,\n\"\",\r\n", uint8(1))
	f.Add("\xef\xbb\xbfa,b\n", uint8(1))
	f.Fuzz(func(t *testing.T, text string, n uint8) {
		rows, err := pieces(t, table.Schema{MediaType: csvType, Columns: columns("a string, b string")}, text, n)
		if strings.Contains(text, "\xef\xbb\xbf") || strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\r") {
			return // encoding/csv keeps the mark, and takes a lone carriage return for text
		}
		want, wantErr := readCSV(text)
		if (err == nil) != (wantErr == nil) || rows != want {
			t.Fatalf("%d rows, %v; encoding/csv: %d, %v", rows, err, want, wantErr)
		}
	})
}

func readCSV(text string) (rows int64, err error) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = 2
	header, err := r.Read()
	if err != nil {
		return 0, err
	}
	if header[0] != "a" || header[1] != "b" {
		return 0, errors.New("another header")
	}
	for ; ; rows++ {
		if _, err := r.Read(); errors.Is(err, io.EOF) {
			return rows, nil
		} else if err != nil {
			return 0, err
		}
	}
}

// FuzzJSON compares the checker with encoding/json.
func FuzzJSON(f *testing.F) {
	f.Add(`[{"a":"x","b":1},{"b":null,"a":"\"}"}]`, uint8(0))
	f.Add(`[{"a":"x","b":1},]`, uint8(3))
	f.Add(`[]`, uint8(1))
	f.Add(`[{"a":{}}]`, uint8(1))
	f.Fuzz(func(t *testing.T, text string, n uint8) {
		rows, err := pieces(t, table.Schema{MediaType: jsonType, Columns: columns("a string, b number")}, text, n)
		var decoded []map[string]any
		decodeErr := json.Unmarshal([]byte(text), &decoded)
		if err == nil {
			if decodeErr != nil || int64(len(decoded)) != rows {
				t.Fatalf("accepted %d rows; encoding/json: %d, %v", rows, len(decoded), decodeErr)
			}
			return
		}
		if decodeErr == nil && decoded != nil && declared(decoded) && strings.Count(text, `"`) == 6*len(decoded) {
			t.Fatalf("refused %q: %v", text, err)
		}
	})
}

// declared reports whether every row is what FuzzJSON declares.
func declared(rows []map[string]any) bool {
	for _, row := range rows {
		a, okA := row["a"].(string)
		_, okB := row["b"].(float64)
		if len(row) != 2 || !okA || !okB || strings.ContainsAny(a, `"\`) {
			return false
		}
	}
	return true
}

// FuzzTSV asserts only what fuzzing always does, and that pieces do not matter.
func FuzzTSV(f *testing.F) {
	f.Add("a\tb\n1\t2\n", uint8(0))
	f.Add("a\tb\r\n\"\t2", uint8(2))
	f.Fuzz(func(t *testing.T, text string, n uint8) {
		rows, err := pieces(t, table.Schema{MediaType: tsvType, Columns: columns("a date, b boolean")}, text, n)
		if err == nil && rows > int64(strings.Count(text, "\n")) {
			t.Fatalf("%d rows in %q", rows, text)
		}
	})
}
