package envelope

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"filippo.io/age"
)

const (
	// MaxWrap is the largest wrap that OpenWrap reads, in bytes. One that
	// SealWrap writes takes less than 3 KiB.
	MaxWrap = 8 << 10
	// MaxRecord is the largest record that SealRecord seals, in bytes.
	MaxRecord = 64 << 10

	wrapVersion = 1
)

// Wrap is what a provider releases to a grantee: the secrets of one object
// under one slot of one grant.
type Wrap struct {
	FileKey FileKey
	Salt    Salt
	Object  string // object version, [a-z0-9-]{1,64}
	Grant   string // [a-z0-9-]{1,64}
	Slot    int    // use of the grant, ≥ 0
}

var identifier = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// wrapJSON is a wrap inside its age file. Keys and their order are fixed.
type wrapJSON struct {
	Version int    `json:"v"`
	Object  string `json:"object"`
	Grant   string `json:"grant"`
	Slot    int    `json:"slot"`
	FileKey string `json:"fileKey"` // standard base64
	Salt    string `json:"salt"`    // standard base64
}

// SealWrap writes w as an age file for r, or answers ErrMalformed if a field is
// out of its range.
func SealWrap(w Wrap, r Recipient) ([]byte, error) {
	if err := w.validate(); err != nil {
		return nil, err
	}
	text, err := w.encode()
	if err != nil {
		return nil, fmt.Errorf("encode wrap: %w", err)
	}
	return SealRecord(text, r)
}

// OpenWrap reads what SealWrap wrote for i. It answers ErrNotForUs, or
// ErrMalformed for anything that SealWrap does not write. The caller compares
// object, grant and slot with the ones that it redeemed.
func OpenWrap(data []byte, i Identity) (Wrap, error) {
	if len(data) > MaxWrap {
		return Wrap{}, fmt.Errorf("wrap of %d bytes: %w", len(data), ErrMalformed)
	}
	text, err := OpenRecord(data, i)
	if err != nil {
		return Wrap{}, fmt.Errorf("wrap: %w", err)
	}
	w, err := decodeWrap(text)
	if err != nil {
		return Wrap{}, fmt.Errorf("wrap: %w", err)
	}
	return w, nil
}

func (w Wrap) validate() error {
	switch {
	case w.FileKey.IsZero() || w.Salt.IsZero():
		return fmt.Errorf("wrap without key or salt: %w", ErrMalformed)
	case !identifier.MatchString(w.Object):
		return fmt.Errorf("wrap for object %q: %w", w.Object, ErrMalformed)
	case !identifier.MatchString(w.Grant):
		return fmt.Errorf("wrap for grant %q: %w", w.Grant, ErrMalformed)
	case w.Slot < 0:
		return fmt.Errorf("wrap for slot %d: %w", w.Slot, ErrMalformed)
	}
	return nil
}

func (w Wrap) encode() ([]byte, error) {
	return json.Marshal(wrapJSON{
		Version: wrapVersion,
		Object:  w.Object,
		Grant:   w.Grant,
		Slot:    w.Slot,
		FileKey: base64.StdEncoding.EncodeToString(w.FileKey.Bytes()),
		Salt:    base64.StdEncoding.EncodeToString(w.Salt.Bytes()),
	})
}

// decodeWrap accepts exactly what encode writes, byte for byte, which leaves no
// room for duplicate, unknown or differently cased keys.
func decodeWrap(text []byte) (Wrap, error) {
	var j wrapJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return Wrap{}, fmt.Errorf("not a record: %w", ErrMalformed)
	}
	if j.Version != wrapVersion {
		return Wrap{}, fmt.Errorf("version %d: %w", j.Version, ErrMalformed)
	}
	// Decoding failures leave a length that the constructors refuse.
	rawKey, _ := base64.StdEncoding.DecodeString(j.FileKey)
	rawSalt, _ := base64.StdEncoding.DecodeString(j.Salt)
	key, keyErr := NewFileKey(rawKey)
	salt, saltErr := NewSalt(rawSalt)
	if err := errors.Join(keyErr, saltErr); err != nil {
		return Wrap{}, err
	}
	w := Wrap{FileKey: key, Salt: salt, Object: j.Object, Grant: j.Grant, Slot: j.Slot}
	if err := w.validate(); err != nil {
		return Wrap{}, err
	}
	again, err := w.encode()
	if err != nil || !bytes.Equal(again, text) {
		return Wrap{}, fmt.Errorf("not in canonical form: %w", ErrMalformed)
	}
	return w, nil
}

// SealRecord writes a small secret, at most [MaxRecord] bytes, as an age file
// for r: for a department's own journal, which keeps keys and salts on disk.
func SealRecord(record []byte, r Recipient) ([]byte, error) {
	if r.age == nil {
		return nil, fmt.Errorf("seal to no recipient: %w", ErrMalformed)
	}
	if len(record) > MaxRecord {
		return nil, fmt.Errorf("record of %d bytes: %w", len(record), ErrMalformed)
	}
	var file bytes.Buffer
	w, err := age.Encrypt(&file, r.age)
	if err != nil {
		return nil, fmt.Errorf("seal record: %w", err)
	}
	if _, err := w.Write(record); err != nil {
		return nil, fmt.Errorf("seal record: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("seal record: %w", err)
	}
	return file.Bytes(), nil
}

// OpenRecord reads what SealRecord wrote for i. It answers ErrNotForUs or
// ErrMalformed.
func OpenRecord(data []byte, i Identity) ([]byte, error) {
	if i.age == nil {
		return nil, ErrNotForUs
	}
	r, err := age.Decrypt(bytes.NewReader(data), i.age)
	if _, other := errors.AsType[*age.NoIdentityMatchError](err); other {
		return nil, ErrNotForUs
	}
	if err != nil {
		return nil, fmt.Errorf("%w age file: %w", ErrMalformed, clip(err))
	}
	record, err := io.ReadAll(io.LimitReader(r, MaxRecord+1))
	if err != nil {
		return nil, fmt.Errorf("%w age file: %w", ErrMalformed, clip(err))
	}
	if len(record) > MaxRecord {
		return nil, fmt.Errorf("record of more than %d bytes: %w", MaxRecord, ErrMalformed)
	}
	return record, nil
}
