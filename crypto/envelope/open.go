package envelope

import (
	"fmt"
	"io"

	"filippo.io/age"
)

// Open reads a sealed object from src to its end, writes its content to dst
// and returns the content's size in bytes, in one pass and constant memory.
//
// Until Open returns nil, dst is untrusted: whole chunks are written as they
// authenticate under the file key, before either digest is known. Write to a
// place that nobody reads, and discard it on any error.
//
// It answers, in this order, the error of dst; the error of src; ErrSealedDigest
// if the sealed bytes are not those of c, whatever else is wrong with them;
// ErrFileKey; ErrContentDigest. It reads at most one byte more than
// c.SealedSize.
func Open(dst io.Writer, src io.Reader, key FileKey, salt Salt, c Commitment) (int64, error) {
	if key.IsZero() || salt.IsZero() {
		return 0, fmt.Errorf("open without key or salt: %w", ErrMalformed)
	}
	in, err := newMeter(src, c.SealedSize)
	if err != nil {
		return 0, err
	}
	content := newTally(dst)
	opening := decrypt(content, in, key)
	if content.err != nil {
		return 0, fmt.Errorf("write content: %w", content.err)
	}
	if err := in.check(c.SealedDigest); err != nil {
		return 0, err
	}
	if opening != nil {
		return 0, fmt.Errorf("%w: %w", ErrFileKey, clip(opening))
	}
	if saltedDigest(salt, content.digest()) != c.SaltedDigest {
		return 0, ErrContentDigest
	}
	return content.n, nil
}

func decrypt(dst io.Writer, src io.Reader, key FileKey) error {
	r, err := age.Decrypt(src, age.NewInjectedFileKeyIdentity(key.Bytes()))
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, r)
	return err
}
