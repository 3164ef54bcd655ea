package envelope

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"filippo.io/age"
)

// Sealed is what Seal learned about an object, the secrets to grant it with
// included.
type Sealed struct {
	Commitment
	Key         FileKey // opens this object alone
	Salt        Salt    // of SaltedDigest
	Content     Digest  // SHA-256 of the content; confidential, a small table can be guessed from it
	ContentSize int64   // bytes, ≥ 0
}

// Seal reads src to its end and writes it to dst as an age file for r, in one
// pass and constant memory (about 200 KiB). To look at the content on its way,
// pass an [io.TeeReader]. On an error, which wraps that of src or dst, what dst
// got is no object.
func Seal(dst io.Writer, src io.Reader, r Recipient) (Sealed, error) {
	if r.age == nil {
		return Sealed{}, fmt.Errorf("seal to no recipient: %w", ErrMalformed)
	}
	sealed := newTally(dst)
	witness := &keyWitness{HybridRecipient: r.age}
	w, err := age.Encrypt(sealed, witness)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal: %w", err)
	}
	content := newTally(w)
	if _, err := io.Copy(content, src); err != nil {
		return Sealed{}, fmt.Errorf("seal: %w", err)
	}
	if err := w.Close(); err != nil {
		return Sealed{}, fmt.Errorf("seal: %w", err)
	}
	key, err := NewFileKey(witness.fileKey)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal: %w", err)
	}
	salt := randomSalt()
	return Sealed{
		Commitment: Commitment{
			SealedDigest: sealed.digest(),
			SealedSize:   sealed.n,
			SaltedDigest: saltedDigest(salt, content.digest()),
		},
		Key:         key,
		Salt:        salt,
		Content:     content.digest(),
		ContentSize: content.n,
	}, nil
}

// keyWitness is the recipient that it embeds and keeps a copy of the file key
// that it wraps: age has no other way to tell it to who has no identity.
type keyWitness struct {
	*age.HybridRecipient
	fileKey []byte
}

func (k *keyWitness) WrapWithLabels(fileKey []byte) ([]*age.Stanza, []string, error) {
	k.fileKey = append([]byte(nil), fileKey...)
	return k.HybridRecipient.WrapWithLabels(fileKey)
}

// tally hashes and counts what it passes on to a writer.
type tally struct {
	dst  io.Writer
	hash hash.Hash
	n    int64
	err  error // of dst
}

func newTally(dst io.Writer) *tally { return &tally{dst: dst, hash: sha256.New()} }

func (t *tally) Write(p []byte) (int, error) {
	n, err := t.dst.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	t.n += int64(n)
	t.hash.Write(p[:n])
	if err != nil {
		t.err = err
	}
	return n, err
}

func (t *tally) digest() Digest { return Digest(t.hash.Sum(nil)) }
