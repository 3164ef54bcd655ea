package exchange

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"
)

// MaxBody bounds the JSON of one operation or command, in bytes; MaxBatch that
// of one call of Apply, whose transaction holds every body up to three times:
// as argument, as record and in an event.
const (
	MaxBody  = 256 << 10
	MaxBatch = 1 << 20
)

const maxDepth = 16

// Decode reads exactly one JSON value into v, a pointer, and is
// strict where encoding/json is lenient: duplicate keys, unknown keys, keys
// that differ only in case, invalid UTF-8, trailing bytes, nesting deeper than
// 16 and more than [MaxBody] bytes are errors with code [Invalid].
//
// A part that v holds as json.RawMessage is checked for syntax only: whoever
// decodes it, with Decode again, checks the rest.
func Decode(data []byte, v any) error { return decode(data, v, MaxBody) }

// DecodeBatch reads the argument of Apply, as strictly as [Decode]: a JSON array
// of 1 to [MaxOperations] operations in at most [MaxBatch] bytes. The bodies
// are left to [DecodeBody], so that a bad one spoils no other.
func DecodeBatch(data []byte) ([]Operation, error) {
	var ops []Operation
	if err := decode(data, &ops, MaxBatch); err != nil {
		return nil, err
	}
	if n := len(ops); n < 1 || n > MaxOperations {
		return nil, Errorf(Invalid, "batch of %d operations: 1 to %d are allowed", n, MaxOperations)
	}
	return ops, nil
}

func decode(data []byte, v any, most int) error {
	if len(data) > most {
		return Errorf(Invalid, "body of %d bytes is larger than %d", len(data), most)
	}
	if !utf8.Valid(data) {
		return Errorf(Invalid, "body is not valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := walk(dec, reflect.TypeOf(v), "body", 0); err != nil {
		return Errorf(Invalid, "%v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Errorf(Invalid, "bytes after the end of the JSON value")
	}
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	if err := strict.Decode(v); err != nil {
		return Errorf(Invalid, "%s", clipTo(strings.TrimPrefix(err.Error(), "json: "), 300))
	}
	return nil
}

// walk reads one value token by token beside the type that it is meant for
// and refuses keys that the type does not have to the letter.
func walk(dec *json.Decoder, t reflect.Type, path string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s is nested deeper than %d", path, maxDepth)
	}
	if t = deref(t); t == rawMessage {
		var later json.RawMessage
		if err := dec.Decode(&later); err != nil {
			return fmt.Errorf("%s is not JSON: %w", path, err)
		}
		return nil
	}
	tok, err := dec.Token()
	if err != nil {
		return fmt.Errorf("%s is not JSON: %w", path, err)
	}
	delim, ok := tok.(json.Delim)
	if !ok {
		return nil
	}
	if delim == '[' {
		for i := 0; dec.More(); i++ {
			if err := walk(dec, elem(t), fmt.Sprintf("%s[%d]", path, i), depth+1); err != nil {
				return err
			}
		}
	} else if err := walkObject(dec, t, path, depth); err != nil {
		return err
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("%s is not JSON: %w", path, err)
	}
	return nil
}

func walkObject(dec *json.Decoder, t reflect.Type, path string, depth int) error {
	seen := make(map[string]bool)
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return fmt.Errorf("%s is not JSON: %w", path, err)
		}
		key, _ := tok.(string)
		if seen[key] {
			return fmt.Errorf("%s has the key %q twice", path, clip(key))
		}
		seen[key] = true
		ft, known := field(t, key)
		if !known {
			return fmt.Errorf("%s has the unknown key %q", path, clip(key))
		}
		if err := walk(dec, ft, path+"."+key, depth+1); err != nil {
			return err
		}
	}
	return nil
}

var rawMessage = reflect.TypeFor[json.RawMessage]()

// field finds the type of a key: any key of a map or an untyped value is
// known, a struct knows its tags only.
func field(t reflect.Type, key string) (reflect.Type, bool) {
	if t == nil || t.Kind() == reflect.Interface {
		return nil, true
	}
	if t.Kind() != reflect.Struct {
		return elem(t), t.Kind() == reflect.Map
	}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			if ft, ok := field(deref(f.Type), key); ok {
				return ft, true
			}
		}
		if name == key && name != "" && name != "-" {
			return f.Type, true
		}
	}
	return nil, false
}

func deref(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func elem(t reflect.Type) reflect.Type {
	if t == nil {
		return nil
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return t.Elem()
	}
	return nil
}

// Encode writes a record, body or event as the ledger stores it: encoding/json
// without HTML escaping and without a final newline.
func Encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// BodyDigest is the SHA-256, in lower-case hexadecimal, of a strictly decoded
// body as [Encode] writes it again: the same thing said in another order of
// keys has the same digest.
func BodyDigest(v any) (string, error) {
	b, err := Encode(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}
