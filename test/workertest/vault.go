package workertest

import (
	"bytes"
	"path/filepath"
	"testing"

	"chancery/chaincode/exchange"
	"chancery/crypto/envelope"
	"chancery/crypto/keystore"
	"chancery/workers/journal"
)

// Vault is a department's keystore and sealing journal, on disk.
type Vault struct {
	Dir     string // parent of both
	Keys    *keystore.Store
	Journal *journal.Journal
}

// NewVault makes an empty one.
func NewVault(t testing.TB) *Vault {
	t.Helper()
	v := &Vault{Dir: t.TempDir()}
	var err error
	if v.Keys, err = keystore.Open(filepath.Join(v.Dir, "keystore")); err != nil {
		t.Fatal(err)
	}
	if v.Journal, err = journal.Open(filepath.Join(v.Dir, "journal"), v.Keys); err != nil {
		t.Fatal(err)
	}
	return v
}

// Identity makes or finds an identity of the keystore.
func (v *Vault) Identity(t testing.TB, name string) envelope.Identity {
	t.Helper()
	identity, err := v.Keys.CreateIdentity(name)
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// Seal seals content as the version that a command publishes, stores it on the
// node and journals it.
func (v *Vault) Seal(t testing.TB, node *Node, msp, dataset, command, file, content string, rows int64) journal.Object {
	t.Helper()
	var sealed bytes.Buffer
	done, err := envelope.Seal(&sealed, bytes.NewReader([]byte(content)), v.Identity(t, keystore.Dataset(dataset)).Recipient())
	if err != nil {
		t.Fatal(err)
	}
	o, err := v.Journal.PutObject(journal.Object{
		ID: exchange.NewID(exchange.NounObject, msp, command), Key: done.Key, Salt: done.Salt,
		Registration: exchange.RegisterObject{
			Command: command, Dataset: dataset, CID: node.Put(t, sealed.Bytes()), Size: done.SealedSize,
			SealedDigest: done.SealedDigest.String(), ContentDigest: done.SaltedDigest.String(), Rows: rows, FileName: file,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Registered is the object as the ledger holds it.
func Registered(o journal.Object, owner string) exchange.Object {
	r := o.Registration
	return exchange.Object{
		ID: o.ID, Dataset: r.Dataset, Owner: owner, Version: 1, CID: r.CID, Size: r.Size, SealedDigest: r.SealedDigest,
		ContentDigest: r.ContentDigest, Rows: r.Rows, FileName: r.FileName, Source: r.Source, DerivedFrom: r.DerivedFrom,
		State: exchange.Registered,
	}
}
