package keystore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"chancery/crypto/paillier"
)

const paillierSuffix = ".paillier"

// PaillierPath returns the file that holds the private key of a keyring, by the
// keyring's id, or would hold it. It answers ErrName.
func (s *Store) PaillierPath(keyring string) (string, error) {
	name := "keyring/" + keyring
	if !validKeyring.MatchString(name) {
		return "", fmt.Errorf("keystore: %q: %w", name, ErrName)
	}
	return filepath.Join(s.dir, filepath.FromSlash(name)+paillierSuffix), nil
}

// PaillierKey returns the private key of a keyring. Reading one takes some
// tenths of a second, since its factors are tested anew. It answers ErrName,
// ErrNotFound, ErrPermissions or ErrDamaged.
func (s *Store) PaillierKey(keyring string) (*paillier.PrivateKey, error) {
	file, err := s.PaillierPath(keyring)
	if err != nil {
		return nil, err
	}
	text, err := ReadPrivate(file, maxBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("keystore: keyring/%s: %w", keyring, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	line, err := onlyLine(text)
	if err != nil {
		return nil, fmt.Errorf("keystore: %s: %w", file, err)
	}
	key, err := paillier.ParsePrivateKeyText([]byte(line))
	if err != nil {
		return nil, fmt.Errorf("keystore: %s: %w: %w", file, ErrDamaged, err)
	}
	return key, nil
}

// CreatePaillierKey returns the private key of a keyring and generates it first,
// by o, if it is absent. Callers at once, in one process or several, all get the
// same one; it is on disk, durably, before any of them does, so that the public
// half may then be made known. It answers what PaillierKey and
// [paillier.GenerateKey] do, and never replaces what is there.
func (s *Store) CreatePaillierKey(ctx context.Context, keyring string, o paillier.KeyOptions) (*paillier.PrivateKey, error) {
	key, err := s.PaillierKey(keyring)
	if errors.Is(err, ErrNotFound) {
		if err = s.generate(ctx, keyring, o); err == nil {
			key, err = s.PaillierKey(keyring)
		}
	}
	if err != nil {
		return nil, err
	}
	file, err := s.PaillierPath(keyring)
	if err == nil { // whoever made the file may not have come as far
		err = syncDir(filepath.Dir(file))
	}
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	return key, nil
}

// generate makes the key of a keyring unless somebody else did meanwhile.
func (s *Store) generate(ctx context.Context, keyring string, o paillier.KeyOptions) error {
	file, err := s.PaillierPath(keyring)
	if err != nil {
		return err
	}
	key, err := paillier.GenerateKey(ctx, o)
	if err != nil {
		return fmt.Errorf("keystore: keyring/%s: %w", keyring, err)
	}
	if err := s.ensureFolder("keyring/" + keyring); err != nil {
		return fmt.Errorf("keystore: %w", err)
	}
	text := fmt.Appendf(nil, "# created: %s\n# fingerprint: %s\n%s\n",
		time.Now().UTC().Format(time.RFC3339), key.Fingerprint(), key.ExportText())
	if err := WriteNew(file, text); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keystore: %w", err)
	}
	return nil
}
