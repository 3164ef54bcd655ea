// Package keystore keeps a department's secret identities and private keys on
// disk, one file for each, in the format of age-keygen:
//
//	<dir>/department.identity      to which wraps are sealed
//	<dir>/dataset/<id>.identity    to which a dataset's objects are sealed
//	<dir>/keyring/<id>.paillier    private key of a keyring that the department holds
//
// `age -d -i <dir>/dataset/<id>.identity` opens an object of that dataset.
//
// A store trusts the file system's permissions and nothing else: the directory
// is for its owner alone (0700), and so is each file (0600). Anything looser is
// refused, not repaired, since it may have been read already. The files are not
// encrypted: who can read them can open every object of the department, and all
// that was encrypted under its keyrings.
package keystore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"chancery/crypto/envelope"
)

// Department is the name of the identity that other departments seal wraps to.
const Department = "department"

// Dataset is the name of a dataset's identity.
func Dataset(id string) string { return "dataset/" + id }

var (
	// ErrNotFound says that the store has no identity of that name.
	ErrNotFound = fmt.Errorf("no such identity: %w", fs.ErrNotExist)

	// ErrName says that a name is neither "department" nor "dataset/<id>", or
	// not a keyring's id.
	ErrName = errors.New("not an identity's name")

	// ErrPermissions says that others than the owner may read or change the
	// store.
	ErrPermissions = errors.New("open to others than its owner")

	// ErrDamaged says that a file does not hold one age identity or one private
	// key.
	ErrDamaged = errors.New("not a key file")
)

const (
	suffix   = ".identity"
	maxBytes = 16 << 10 // of a file; a hybrid identity takes 2.1 KiB
)

var (
	validName    = regexp.MustCompile(`^(department|dataset/[a-z0-9][a-z0-9-]{0,63})$`)
	validKeyring = regexp.MustCompile(`^keyring/[a-z0-9][a-z0-9-]{0,63}$`)
)

// Store is a directory of identities. Its methods may be called at once, also
// by several processes on the same directory.
type Store struct{ dir string }

// Open opens the store in dir and makes it if it is absent. It answers
// ErrPermissions.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	if err := private(dir, info, 0o700); err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	return &Store{dir: dir}, nil
}

// Path returns the file that holds the identity of that name, or would hold it.
// It answers ErrName.
func (s *Store) Path(name string) (string, error) {
	if !validName.MatchString(name) {
		return "", fmt.Errorf("keystore: %q: %w", name, ErrName)
	}
	return filepath.Join(s.dir, filepath.FromSlash(name)+suffix), nil
}

// Identity returns the identity of that name. It answers ErrName, ErrNotFound,
// ErrPermissions or ErrDamaged.
func (s *Store) Identity(name string) (envelope.Identity, error) {
	file, err := s.Path(name)
	if err != nil {
		return envelope.Identity{}, err
	}
	text, err := ReadPrivate(file, maxBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return envelope.Identity{}, fmt.Errorf("keystore: %s: %w", name, ErrNotFound)
	}
	if err != nil {
		return envelope.Identity{}, fmt.Errorf("keystore: %w", err)
	}
	id, err := parse(text)
	if err != nil {
		return envelope.Identity{}, fmt.Errorf("keystore: %s: %w", file, err)
	}
	return id, nil
}

// CreateIdentity returns the identity of that name and makes it first if it is
// absent. Callers at once, in one process or several, all get the same one; it
// is on disk, durably, before any of them does. It answers ErrName,
// ErrPermissions or ErrDamaged, and never replaces what is there.
func (s *Store) CreateIdentity(name string) (envelope.Identity, error) {
	id, err := s.Identity(name)
	if errors.Is(err, ErrNotFound) {
		if err = s.create(name); err == nil {
			id, err = s.Identity(name)
		}
	}
	if err != nil {
		return envelope.Identity{}, err
	}
	file, err := s.Path(name)
	if err == nil { // whoever made the file may not have come as far
		err = syncDir(filepath.Dir(file))
	}
	if err != nil {
		return envelope.Identity{}, fmt.Errorf("keystore: %w", err)
	}
	return id, nil
}

// create makes the identity of that name unless somebody else did meanwhile.
func (s *Store) create(name string) error {
	file, err := s.Path(name)
	if err != nil {
		return err
	}
	id, err := envelope.NewIdentity()
	if err != nil {
		return fmt.Errorf("keystore: %w", err)
	}
	if err := s.ensureFolder(name); err != nil {
		return fmt.Errorf("keystore: %w", err)
	}
	err = WriteNew(file, format(id, time.Now()))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keystore: %w", err)
	}
	return nil
}

// Delete removes the identity of that name, and copies that an interrupted
// CreateIdentity left. What was sealed to it cannot be opened with this store
// any more; backups and the disk's own remapped sectors are out of its reach.
// It answers ErrName or ErrNotFound.
func (s *Store) Delete(name string) error {
	file, err := s.Path(name)
	if err != nil {
		return err
	}
	err = remove(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keystore: %s: %w", name, ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("keystore: %w", err)
	}
	return nil
}

// Names returns the names of all identities, sorted.
func (s *Store) Names() ([]string, error) {
	var names []string
	err := fs.WalkDir(os.DirFS(s.dir), ".", func(file string, _ fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // deleted while we walk
			return nil
		}
		if err != nil {
			return err
		}
		if name, ok := strings.CutSuffix(file, suffix); ok && validName.MatchString(name) {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	return names, nil
}

// ensureFolder makes the folder of a name like dataset/<id>.
func (s *Store) ensureFolder(name string) error {
	folder := path.Dir(name)
	if folder == "." {
		return nil
	}
	err := os.Mkdir(filepath.Join(s.dir, folder), 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(s.dir)
}

// format writes an identity as age-keygen does.
func format(id envelope.Identity, created time.Time) []byte {
	return fmt.Appendf(nil, "# created: %s\n# public key: %s\n%s\n",
		created.UTC().Format(time.RFC3339), id.Recipient(), id.Secret())
}

// parse reads one identity among comments and empty lines.
func parse(text []byte) (envelope.Identity, error) {
	line, err := onlyLine(text)
	if err != nil {
		return envelope.Identity{}, err
	}
	id, err := envelope.ParseIdentity(line)
	if err != nil {
		return envelope.Identity{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return id, nil
}

// onlyLine returns the one line among comments and empty lines.
func onlyLine(text []byte) (string, error) {
	var found []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			found = append(found, line)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%w: %d keys", ErrDamaged, len(found))
	}
	return found[0], nil
}
