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

// MaxBody bounds the JSON of one operation or command, in bytes.
const MaxBody = 256 << 10

const maxDepth = 16

// Decode reads exactly one JSON value into v, a pointer to a struct, and is
// strict where encoding/json is lenient: duplicate keys, unknown keys, keys
// that differ only in case, invalid UTF-8, trailing bytes, nesting deeper than
// 16 and more than [MaxBody] bytes are errors with code [Invalid].
func Decode(data []byte, v any) error {
	if len(data) > MaxBody {
		return Errorf(Invalid, "body of %d bytes is larger than %d", len(data), MaxBody)
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
		return Errorf(Invalid, "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// walk reads one value token by token beside the type that it is meant for
// and refuses keys that the type does not have to the letter.
func walk(dec *json.Decoder, t reflect.Type, path string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s is nested deeper than %d", path, maxDepth)
	}
	tok, err := dec.Token()
	if err != nil {
		return fmt.Errorf("%s is not JSON: %w", path, err)
	}
	delim, ok := tok.(json.Delim)
	if !ok {
		return nil
	}
	t = deref(t)
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
			return fmt.Errorf("%s has the key %q twice", path, key)
		}
		seen[key] = true
		ft, known := field(t, key)
		if !known {
			return fmt.Errorf("%s has the unknown key %q", path, key)
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
	if t == nil || t == rawMessage || t.Kind() == reflect.Interface {
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
	if t == nil || t == rawMessage {
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
