package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

type leaf struct {
	Count int64    `json:"count"`
	Names []string `json:"names,omitempty"`
}

type sample struct {
	Name string `json:"name"`
	leaf
	Inner *leaf           `json:"inner,omitempty"`
	List  []leaf          `json:"list,omitempty"`
	Later json.RawMessage `json:"later,omitempty"`
	plain string
}

func TestDecode(t *testing.T) {
	for _, tc := range []struct {
		name, text, want string // want: part of the error, "" for none
	}{
		{"all", `{"name":"a","count":1,"names":["x"],"inner":{"count":2},"list":[{"count":3},{}]}`, ""},
		{"spaces", " {\n\t\"name\" : \"a\" } \n", ""},
		{"empty object", `{}`, ""},
		{"null", `{"name":null,"inner":null}`, ""},
		{"later", `{"later":{"any":{"thing":[1,{"twice":1,"twice":2}]}}}`, ""},
		{"empty", ``, "not JSON"},
		{"cut off", `{"name":"a"`, "not JSON"},
		{"two values", `{}{}`, "after the end"},
		{"bytes after", `{} x`, "after the end"},
		{"twice", `{"name":"a","name":"a"}`, `key "name" twice`},
		{"twice by escape", `{"name":"a","n\u0061me":"a"}`, `key "name" twice`},
		{"twice inside", `{"list":[{"count":1,"count":1}]}`, `body.list[0] has the key "count" twice`},
		{"unknown", `{"Nam":"a"}`, `unknown key "Nam"`},
		{"capitals", `{"NAME":"a"}`, `unknown key "NAME"`},
		{"unknown inside", `{"inner":{"name":"a"}}`, `body.inner has the unknown key "name"`},
		{"field without a tag", `{"plain":"a"}`, `unknown key "plain"`},
		{"Kelvin sign", "{\"names\u212a\":[]}", "unknown key"},
		{"wrong type", `{"name":1}`, "cannot unmarshal"},
		{"float", `{"count":1.5}`, "cannot unmarshal"},
		{"overflow", `{"count":9223372036854775808}`, "cannot unmarshal"},
		{"array", `[]`, "cannot unmarshal"},
		{"later cut off", `{"later":{`, "not JSON"},
		{"not UTF-8", "{\"name\":\"\xff\"}", "UTF-8"},
		{"deep", `{"inner":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "nested deeper"},
		{"large", `{"name":"` + strings.Repeat("a", MaxBody) + `"}`, "larger than"},
		{"long key", `{"` + strings.Repeat("k", 10000) + `":1}`, "unknown key"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var v sample
			err := Decode([]byte(tc.text), &v)
			if tc.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tc.want) || len(err.Error()) > 500 {
				t.Errorf("%v, want %s: … %s", err, Invalid, tc.want)
			}
		})
	}
	if v := (sample{}); v.plain != "" {
		t.Error("the field without a tag is read")
	}
}

func TestDecodeBatch(t *testing.T) {
	one := `{"op":"grant.redeem","body":{"a":1,"a":2}}`
	for _, tc := range []struct {
		name, text string
		count      int // 0: refused
	}{
		{"one", "[" + one + "]", 1},
		{"most", "[" + strings.Repeat(one+",", MaxOperations-1) + one + "]", MaxOperations},
		{"larger than a body", `[{"op":"x","body":"` + strings.Repeat("x", MaxBody) + `"}]`, 1},
		{"none", "[]", 0},
		{"null", "null", 0},
		{"too many", "[" + strings.Repeat(one+",", MaxOperations) + one + "]", 0},
		{"too large", `[{"op":"x","body":"` + strings.Repeat("x", MaxBatch) + `"}]`, 0},
		{"one of many is no operation", "[" + one + `,{"operation":1}]`, 0},
		{"body is not JSON", `[{"op":"x","body":{a}}]`, 0},
	} {
		ops, err := DecodeBatch([]byte(tc.text))
		if len(ops) != tc.count || (err == nil) != (tc.count > 0) {
			t.Errorf("%s: %d operations (%v), want %d", tc.name, len(ops), err, tc.count)
		}
	}
}

func TestEncode(t *testing.T) {
	for _, tc := range []struct {
		value any
		want  string
	}{
		{sample{Name: "<a & b>"}, `{"name":"<a & b>","count":0}`},
		{sample{Name: "\u2028\x00é"}, `{"name":"\u2028\u0000é","count":0}`},
		{[]string{}, `[]`},
	} {
		if got, err := Encode(tc.value); err != nil || string(got) != tc.want {
			t.Errorf("%s (%v), want %s", got, err, tc.want)
		}
	}
	if _, err := Encode(func() {}); err == nil {
		t.Error("a function is encoded")
	}
}

// TestBodyDigest pins digests that ledgers hold: of a body, its keys in another
// order, and another body.
func TestBodyDigest(t *testing.T) {
	const want = "f340e2a4a9c809af24520545c955f94a2d8564da1b189aa223bf74e8d35c2b46"
	digest := func(text string) string {
		b, err := DecodeBody(OpGrantRedeem, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		d, err := BodyDigest(b)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	grant := NewID(NounGrant, "CensusMSP", "c1")
	a := digest(`{"grant":"` + grant + `","slot":1}`)
	if a != want {
		t.Errorf("%s, want %s", a, want)
	}
	if b := digest(`{ "slot":1, "grant":"` + grant + `"}`); b != a {
		t.Errorf("%s with its keys in another order, want %s", b, a)
	}
	if b := digest(`{"grant":"` + grant + `","slot":2}`); b == a {
		t.Error("two bodies have one digest")
	}
}

// FuzzDecode decodes what it can and demands that writing it again and decoding
// that gives the same bytes: no two readings of one body.
func FuzzDecode(f *testing.F) {
	for _, row := range Transitions {
		empty, err := Encode(row.body())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(row.Op), empty)
		good, err := Encode(bodies()[row.Op])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(row.Op), good)
	}
	f.Add(string(OpRequestOpen), []byte(`{"dataset":"d-aaaaaaaaaaaaaaaaaaaaaaaaaa","purpose":"p","legalBasis":"l","actions":["read"],"notBefore":"2026-01-01T00:00:00+01:00","notAfter":"2026-02-01T00:00:00Z","uses":1}`))
	f.Add(string(OpGrantGive), []byte(`{"request":"r-aaaaaaaaaaaaaaaaaaaaaaaaaa","obligations":{"deleteWithin":1}}`))
	f.Add(string(OpGrantRedeem), []byte(`{"grant":"\ud800","grant":"","slot":1e2}`))
	f.Fuzz(func(t *testing.T, op string, data []byte) {
		b, err := DecodeBody(Op(op), data)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("refused as %v", err)
			}
			return
		}
		once, err := Encode(b)
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeBody(Op(op), once)
		if err != nil {
			t.Fatalf("%s was accepted, but not as it is written again: %s: %v", data, once, err)
		}
		if twice, err := Encode(again); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s is written as %s and then as %s", data, once, twice)
		}
	})
}
