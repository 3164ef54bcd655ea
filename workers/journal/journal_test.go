package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/crypto/envelope"
	"chancery/crypto/keystore"
)

var (
	object  = exchange.NewID(exchange.NounObject, "CensusMSP", "c1")
	dataset = exchange.NewID(exchange.NounDataset, "CensusMSP", "c1")
	grant   = exchange.NewID(exchange.NounGrant, "CensusMSP", "c2")
)

func open(t *testing.T) (*Journal, *keystore.Store) {
	t.Helper()
	keys, err := keystore.Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.CreateIdentity(keystore.Dataset(dataset)); err != nil {
		t.Fatal(err)
	}
	j, err := Open(t.TempDir(), keys)
	if err != nil {
		t.Fatal(err)
	}
	return j, keys
}

func seal(t *testing.T, keys *keystore.Store, content string) Object {
	t.Helper()
	identity, err := keys.Identity(keystore.Dataset(dataset))
	if err != nil {
		t.Fatal(err)
	}
	var sealed bytes.Buffer
	s, err := envelope.Seal(&sealed, strings.NewReader(content), identity.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	return Object{ID: object, Key: s.Key, Salt: s.Salt, Registration: exchange.RegisterObject{
		Command: "c1", Dataset: dataset, CID: "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy",
		Size: s.SealedSize, SealedDigest: s.SealedDigest.String(), ContentDigest: s.SaltedDigest.String(),
		Rows: 3, FileName: "population.csv",
	}}
}

func TestTheFirstRecordStays(t *testing.T) {
	j, keys := open(t)
	first, err := j.PutObject(seal(t, keys, "one"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := j.PutObject(seal(t, keys, "two"))
	if err != nil {
		t.Fatal(err)
	}
	if second.Registration.SealedDigest != first.Registration.SealedDigest || !second.Key.Equal(first.Key) || !second.Salt.Equal(first.Salt) {
		t.Error("the second record replaced the first")
	}
	read, err := j.Object(object, dataset)
	if err != nil || !read.Key.Equal(first.Key) {
		t.Errorf("read back: %v", err)
	}
	wrap, err := j.PutWrap(grant, 0, 1, []byte("first"))
	if err != nil || string(wrap) != "first" {
		t.Fatalf("wrap %q: %v", wrap, err)
	}
	if wrap, err = j.PutWrap(grant, 0, 1, []byte("second")); err != nil || string(wrap) != "first" {
		t.Errorf("wrap %q: %v", wrap, err)
	}
	if wrap, err = j.PutWrap(grant, 0, 2, []byte("second")); err != nil || string(wrap) != "second" {
		t.Errorf("wrap of another attempt %q: %v", wrap, err)
	}
}

func TestSecretsAreSealedOnDisk(t *testing.T) {
	j, keys := open(t)
	o, err := j.PutObject(seal(t, keys, "one"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(j.dir, objects, object+suffix))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, o.Key.Bytes()) || bytes.Contains(raw, []byte("population.csv")) {
		t.Error("the record lies open on disk")
	}
	if err := keys.Delete(keystore.Dataset(dataset)); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Object(object, dataset); err == nil {
		t.Error("a record opened without its dataset's identity")
	}
}

func TestNothingIsFoundByABadName(t *testing.T) {
	j, keys := open(t)
	if _, err := j.PutObject(seal(t, keys, "one")); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", "../x", "o-short", "g-" + object[2:], exchange.NewID(exchange.NounObject, "HealthMSP", "c1")} {
		if _, err := j.Object(id, dataset); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, use := range []struct {
		grant         string
		slot, attempt int
	}{{"../g", 0, 1}, {grant, -1, 1}, {grant, 0, 0}, {grant, 0, 1}} {
		if _, err := j.Wrap(use.grant, use.slot, use.attempt); !errors.Is(err, ErrNotFound) {
			t.Errorf("%v: %v", use, err)
		}
	}
}

func TestADamagedRecordIsNoRecord(t *testing.T) {
	j, keys := open(t)
	if _, err := j.PutObject(seal(t, keys, "one")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(j.dir, objects, object+suffix)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Object(object, dataset); !errors.Is(err, envelope.ErrMalformed) {
		t.Errorf("damaged record: %v", err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Object(object, dataset); !errors.Is(err, keystore.ErrPermissions) {
		t.Errorf("record open to all: %v", err)
	}
}
