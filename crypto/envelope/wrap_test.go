package envelope

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func testWrap(t testing.TB) (Wrap, Identity) {
	t.Helper()
	id, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	key, err := NewFileKey(bytes.Repeat([]byte{7}, FileKeySize))
	if err != nil {
		t.Fatal(err)
	}
	salt, err := NewSalt(bytes.Repeat([]byte{9}, SaltSize))
	if err != nil {
		t.Fatal(err)
	}
	return Wrap{FileKey: key, Salt: salt, Object: "o-91aa", Grant: "g-4f1c", Slot: 3}, id
}

func TestWrapRoundTrip(t *testing.T) {
	w, id := testWrap(t)
	data, err := SealWrap(w, id.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 3<<10 {
		t.Errorf("wrap takes %d bytes", len(data))
	}
	got, err := OpenWrap(data, id)
	if err != nil {
		t.Fatal(err)
	}
	if !got.FileKey.Equal(w.FileKey) || !got.Salt.Equal(w.Salt) || got.Object != w.Object || got.Grant != w.Grant || got.Slot != w.Slot {
		t.Errorf("got %+v, want %+v", got, w)
	}
}

func TestSealWrapRefuses(t *testing.T) {
	good, id := testWrap(t)
	tests := map[string]func(*Wrap){
		"no key":        func(w *Wrap) { w.FileKey = FileKey{} },
		"no salt":       func(w *Wrap) { w.Salt = Salt{} },
		"no object":     func(w *Wrap) { w.Object = "" },
		"no grant":      func(w *Wrap) { w.Grant = "" },
		"grant's case":  func(w *Wrap) { w.Grant = "G-1" },
		"object's size": func(w *Wrap) { w.Object = strings.Repeat("a", 65) },
		"newline":       func(w *Wrap) { w.Object = "o-1\n" },
		"slot":          func(w *Wrap) { w.Slot = -1 },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			w := good
			spoil(&w)
			if _, err := SealWrap(w, id.Recipient()); !errors.Is(err, ErrMalformed) {
				t.Errorf("got %v, want ErrMalformed", err)
			}
		})
	}
	if _, err := SealWrap(good, Recipient{}); !errors.Is(err, ErrMalformed) {
		t.Errorf("wrap for nobody: %v, want ErrMalformed", err)
	}
}

func TestOpenWrapRefuses(t *testing.T) {
	w, id := testWrap(t)
	data, err := SealWrap(w, id.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []Identity{stranger, {}} {
		if _, err := OpenWrap(data, i); !errors.Is(err, ErrNotForUs) {
			t.Errorf("a stranger gets %v, want ErrNotForUs", err)
		}
	}
	// Every byte counts: an altered wrap never opens.
	for i := range data {
		altered := bytes.Clone(data)
		altered[i] ^= 0x20
		if _, err := OpenWrap(altered, id); !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrNotForUs) {
			t.Fatalf("byte %d altered: %v", i, err)
		}
	}
	for _, bad := range [][]byte{nil, data[:len(data)-1], append(bytes.Clone(data), 0), make([]byte, MaxWrap+1)} {
		if _, err := OpenWrap(bad, id); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d bytes: %v, want ErrMalformed", len(bad), err)
		}
	}
}

func TestDecodeWrapRefuses(t *testing.T) {
	w, _ := testWrap(t)
	text, err := w.encode()
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	if _, err := decodeWrap(text); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"empty":         "",
		"not JSON":      "key",
		"space":         strings.Replace(good, ":", ": ", 1),
		"trailing":      good + "\n",
		"two":           good + good,
		"later version": strings.Replace(good, `"v":1`, `"v":2`, 1),
		"duplicate key": strings.Replace(good, `"slot":3`, `"slot":2,"slot":3`, 1),
		"folded key":    strings.Replace(good, `"slot"`, `"Slot"`, 1),
		"unknown key":   strings.Replace(good, `"slot"`, `"uses":1,"slot"`, 1),
		"missing slot":  strings.Replace(good, `"slot":3,`, ``, 1),
		"slot":          strings.Replace(good, `"slot":3`, `"slot":-3`, 1),
		"slot's form":   strings.Replace(good, `"slot":3`, `"slot":3.0`, 1),
		"object":        strings.Replace(good, `o-91aa`, `../91aa`, 1),
		"short key":     strings.Replace(good, `"fileKey":"BwcH`, `"fileKey":"`, 1),
		"no base64":     strings.Replace(good, `"fileKey":"BwcH`, `"fileKey":"****`, 1),
		"short salt":    strings.Replace(good, `"salt":"CQkJ`, `"salt":"`, 1),
	}
	for name, bad := range tests {
		t.Run(name, func(t *testing.T) {
			if bad == good {
				t.Fatal("the case changes nothing")
			}
			if _, err := decodeWrap([]byte(bad)); !errors.Is(err, ErrMalformed) {
				t.Errorf("got %v, want ErrMalformed", err)
			}
		})
	}
}

func TestRecord(t *testing.T) {
	_, id := testWrap(t)
	for _, n := range []int{0, 1, MaxRecord} {
		record := bytes.Repeat([]byte("r"), n)
		data, err := SealRecord(record, id.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		got, err := OpenRecord(data, id)
		if err != nil || !bytes.Equal(got, record) {
			t.Errorf("record of %d bytes opens to %d, %v", n, len(got), err)
		}
	}
	if _, err := SealRecord(make([]byte, MaxRecord+1), id.Recipient()); !errors.Is(err, ErrMalformed) {
		t.Errorf("record too large: %v, want ErrMalformed", err)
	}
	if _, err := SealRecord(nil, Recipient{}); !errors.Is(err, ErrMalformed) {
		t.Errorf("record for nobody: %v, want ErrMalformed", err)
	}
	var large bytes.Buffer
	if _, err := Seal(&large, bytes.NewReader(make([]byte, MaxRecord+1)), id.Recipient()); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRecord(large.Bytes(), id); !errors.Is(err, ErrMalformed) {
		t.Errorf("record of a stranger too large: %v, want ErrMalformed", err)
	}
}

func TestErrorsAreShort(t *testing.T) {
	_, id := testWrap(t)
	hostile := []byte("age-encryption.org/v1\n" + strings.Repeat("x", 1<<20) + "\n")
	if _, err := OpenRecord(hostile, id); err == nil || len(err.Error()) > 300 {
		t.Errorf("an error of %d characters quotes hostile input", len(err.Error()))
	}
}

// FuzzOpenWrap feeds the outer parser whatever bytes a stranger pins.
func FuzzOpenWrap(f *testing.F) {
	w, id := testWrap(f)
	data, err := SealWrap(w, id.Recipient())
	if err != nil {
		f.Fatal(err)
	}
	other, err := SealRecord([]byte("no wrap"), id.Recipient())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(other)
	f.Add([]byte("age-encryption.org/v1\n--- \n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := OpenWrap(in, id)
		if err == nil && !bytes.Equal(in, data) {
			t.Fatalf("forged a wrap: %+v", got)
		}
		if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrNotForUs) {
			t.Fatalf("unpromised error: %v", err)
		}
	})
}

// FuzzDecodeWrap feeds the inner parser, past the sealing: whoever knows a
// recipient can write it.
func FuzzDecodeWrap(f *testing.F) {
	w, _ := testWrap(f)
	text, err := w.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"v":1}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := decodeWrap(in)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("unpromised error: %v", err)
			}
			return
		}
		again, err := got.encode()
		if err != nil || !bytes.Equal(again, in) {
			t.Fatalf("%q is read as %q", in, again)
		}
	})
}
