// Package journal is a department's own memory of what it sealed, released and
// computed: what must be said the same way again after a crash, and the secrets to
// grant an object with or to unmask a result.
//
//	<dir>/objects/<object id>.age                sealed to the dataset's identity
//	<dir>/wraps/<grant id>-<slot>-<attempt>.age  a wrap, as the grantee gets it
//	<dir>/jobs/<job id>-<part>.age               sealed to the department's identity
//
// A record is written once, whole and durably, before anybody is told of it,
// and never replaced: who writes second gets what was written first. It trusts
// the file system and the keystore, nothing on the bus: that is what makes it
// the measure of an event that claims to come from `encrypt`.
package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"chancery/chaincode/exchange"
	"chancery/crypto/envelope"
	"chancery/crypto/keystore"
)

// ErrNotFound says that the journal holds no such record.
var ErrNotFound = fmt.Errorf("not in the journal: %w", fs.ErrNotExist)

// Journal is a directory of records. Its methods may be called at once, also by
// several processes on the same directory.
type Journal struct {
	dir  string
	keys *keystore.Store
}

// Open opens the journal in dir and makes it if it is absent.
func Open(dir string, keys *keystore.Store) (*Journal, error) {
	for _, sub := range []string{objects, wraps, jobs} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
	}
	return &Journal{dir: dir, keys: keys}, nil
}

const (
	objects = "objects"
	wraps   = "wraps"
	jobs    = "jobs"
)

// PutObject records what sealing gave and returns what the journal then holds:
// on a repeat, the first record. The dataset's identity must exist.
func (j *Journal) PutObject(o Object) (Object, error) {
	if err := o.Registration.Validate(); err != nil {
		return Object{}, fmt.Errorf("journal: %w", err)
	}
	file, err := j.objectFile(o.ID)
	if err != nil {
		return Object{}, err
	}
	identity, err := j.keys.Identity(keystore.Dataset(o.Registration.Dataset))
	if err != nil {
		return Object{}, fmt.Errorf("journal: %w", err)
	}
	plain, err := o.encode()
	if err != nil {
		return Object{}, fmt.Errorf("journal %s: %w", o.ID, err)
	}
	record, err := envelope.SealRecord(plain, identity.Recipient())
	if err != nil {
		return Object{}, fmt.Errorf("journal %s: %w", o.ID, err)
	}
	err = keystore.WriteNew(file, record)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return Object{}, fmt.Errorf("journal %s: %w", o.ID, err)
	}
	return j.Object(o.ID, o.Registration.Dataset)
}

// Object returns the record of an object of a dataset, or [ErrNotFound].
func (j *Journal) Object(id, dataset string) (Object, error) {
	file, err := j.objectFile(id)
	if err != nil {
		return Object{}, err
	}
	record, err := keystore.ReadPrivate(file, envelope.MaxRecord+overhead)
	if errors.Is(err, fs.ErrNotExist) {
		return Object{}, fmt.Errorf("object %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return Object{}, fmt.Errorf("journal: %w", err)
	}
	identity, err := j.keys.Identity(keystore.Dataset(dataset))
	if err != nil {
		return Object{}, fmt.Errorf("journal: %w", err)
	}
	plain, err := envelope.OpenRecord(record, identity)
	if err != nil {
		return Object{}, fmt.Errorf("journal of %s: %w", id, err)
	}
	o, err := decodeObject(plain)
	if err != nil {
		return Object{}, fmt.Errorf("journal of %s: %w", id, err)
	}
	if o.ID != id || o.Registration.Dataset != dataset {
		return Object{}, fmt.Errorf("journal of %s holds %s of dataset %s", id, o.ID, o.Registration.Dataset)
	}
	return o, nil
}

const (
	suffix   = ".age"
	overhead = 8 << 10 // of an age file around a record, bytes, at most
)

func (j *Journal) objectFile(id string) (string, error) {
	if !exchange.ValidID(exchange.NounObject, id) {
		return "", fmt.Errorf("journal: %q is no object's id: %w", id, ErrNotFound)
	}
	return filepath.Join(j.dir, objects, id+suffix), nil
}

// PutWrap records the wrap of one attempt at one use of a grant and returns
// what the journal then holds: on a repeat, the first wrap, so that its digest
// on the ledger stays true.
func (j *Journal) PutWrap(grant string, slot, attempt int, wrap []byte) ([]byte, error) {
	file, err := j.wrapFile(grant, slot, attempt)
	if err != nil {
		return nil, err
	}
	if err := keystore.WriteNew(file, wrap); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("journal the wrap of %s: %w", grant, err)
	}
	return j.Wrap(grant, slot, attempt)
}

// Wrap returns a recorded wrap, or [ErrNotFound].
func (j *Journal) Wrap(grant string, slot, attempt int) ([]byte, error) {
	file, err := j.wrapFile(grant, slot, attempt)
	if err != nil {
		return nil, err
	}
	wrap, err := keystore.ReadPrivate(file, envelope.MaxWrap)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("wrap of %s slot %d: %w", grant, slot, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return wrap, nil
}

func (j *Journal) wrapFile(grant string, slot, attempt int) (string, error) {
	if !exchange.ValidID(exchange.NounGrant, grant) || slot < 0 || attempt < 1 {
		return "", fmt.Errorf("journal: wrap of grant %q slot %d attempt %d: %w", grant, slot, attempt, ErrNotFound)
	}
	return filepath.Join(j.dir, wraps, grant+"-"+strconv.Itoa(slot)+"-"+strconv.Itoa(attempt)+suffix), nil
}
