package keystore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"chancery/crypto/envelope"
	"chancery/crypto/keystore"
)

func open(t testing.TB, dir string) *keystore.Store {
	t.Helper()
	s, err := keystore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func create(t testing.TB, s *keystore.Store, name string) envelope.Identity {
	t.Helper()
	id, err := s.CreateIdentity(name)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func path(t testing.TB, s *keystore.Store, name string) string {
	t.Helper()
	file, err := s.Path(name)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLife(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "census", "keystore")
	s := open(t, dir)
	dataset := keystore.Dataset("d-91aa")
	for _, name := range []string{keystore.Department, dataset} {
		if _, err := s.Identity(name); !errors.Is(err, keystore.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s in an empty store: %v, want ErrNotFound", name, err)
		}
		made := create(t, s, name)
		if again := create(t, s, name); again.Secret() != made.Secret() {
			t.Errorf("%s is made twice", name)
		}
		read, err := open(t, dir).Identity(name)
		if err != nil || read.Secret() != made.Secret() {
			t.Errorf("%s read again: %v", name, err)
		}
	}
	if names, err := s.Names(); err != nil || !slices.Equal(names, []string{"dataset/d-91aa", "department"}) {
		t.Errorf("names are %q, %v", names, err)
	}
	before := create(t, s, dataset)
	if err := s.Delete(dataset); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(dataset); !errors.Is(err, keystore.ErrNotFound) {
		t.Errorf("deleted twice: %v, want ErrNotFound", err)
	}
	if _, err := s.Identity(dataset); !errors.Is(err, keystore.ErrNotFound) {
		t.Errorf("after deletion: %v, want ErrNotFound", err)
	}
	if create(t, s, dataset).Secret() == before.Secret() {
		t.Error("a deleted identity came back")
	}
}

func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keystore")
	s := open(t, dir)
	create(t, s, keystore.Dataset("d-1"))
	err := filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = 0o700
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", file, got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLoosePermissions(t *testing.T) {
	for _, mode := range []fs.FileMode{0o710, 0o701, 0o750, 0o755, 0o777} {
		dir := filepath.Join(t.TempDir(), "keystore")
		open(t, dir)
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		_, err := keystore.Open(dir)
		if !errors.Is(err, keystore.ErrPermissions) || !strings.Contains(err.Error(), fmt.Sprintf("%04o", mode)) {
			t.Errorf("directory of mode %04o: %v, want ErrPermissions", mode, err)
		}
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o644, 0o666} {
		s := open(t, filepath.Join(t.TempDir(), "keystore"))
		create(t, s, keystore.Department)
		if err := os.Chmod(path(t, s, keystore.Department), mode); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Identity(keystore.Department); !errors.Is(err, keystore.ErrPermissions) {
			t.Errorf("file of mode %04o: %v, want ErrPermissions", mode, err)
		}
		if _, err := s.CreateIdentity(keystore.Department); !errors.Is(err, keystore.ErrPermissions) {
			t.Errorf("file of mode %04o, create: %v, want ErrPermissions", mode, err)
		}
	}
}

func TestNotADirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keystore")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keystore.Open(file); err == nil {
		t.Error("a file opens as a store")
	}
}

func TestNamesThatAreNone(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keystore"))
	for _, name := range []string{
		"", ".", "..", "/", "department/", "/department", "Department", "departments", "department\n",
		"dataset", "dataset/", "dataset//x", "dataset/.", "dataset/..", "dataset/../department", "../department",
		"dataset/a/b", "dataset/A", "dataset/-a", "dataset/a.b", "dataset/a\x00", `dataset\a`, "dataset/ä",
		keystore.Dataset(strings.Repeat("a", 65)),
	} {
		_, identityErr := s.Identity(name)
		_, createErr := s.CreateIdentity(name)
		_, pathErr := s.Path(name)
		for _, err := range []error{identityErr, createErr, pathErr, s.Delete(name)} {
			if !errors.Is(err, keystore.ErrName) {
				t.Errorf("%q: %v, want ErrName", name, err)
			}
		}
	}
	if names, err := s.Names(); err != nil || len(names) != 0 {
		t.Errorf("the store now holds %q, %v", names, err)
	}
}

func TestDamagedFiles(t *testing.T) {
	id, err := envelope.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	x25519, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"empty":           "",
		"comments only":   "# created\n\n",
		"two keys":        id.Secret() + "\n" + id.Secret() + "\n",
		"cut":             id.Secret()[:40] + "\n",
		"a letter off":    strings.Replace(id.Secret(), "PQ-1", "PQ-1Q", 1),
		"public half":     id.Recipient().String() + "\n",
		"not hybrid":      x25519.String() + "\n",
		"too large":       strings.Repeat("#\n", 16<<10) + id.Secret(),
		"zeros of a disk": strings.Repeat("\x00", 4096),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			s := open(t, filepath.Join(t.TempDir(), "keystore"))
			file := path(t, s, keystore.Department)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := s.Identity(keystore.Department)
			if !errors.Is(err, keystore.ErrDamaged) {
				t.Errorf("got %v, want ErrDamaged", err)
			}
			if err != nil && strings.Contains(err.Error(), id.Secret()[20:60]) {
				t.Error("the error prints the secret")
			}
			if _, err := s.CreateIdentity(keystore.Department); !errors.Is(err, keystore.ErrDamaged) {
				t.Errorf("create: got %v, want ErrDamaged", err)
			}
			if left, err := os.ReadFile(file); err != nil || string(left) != text {
				t.Error("create replaced a damaged file")
			}
		})
	}
}

func TestNotAFile(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keystore"))
	elsewhere := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(elsewhere, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	file := path(t, s, keystore.Department)
	for name, place := range map[string]func() error{
		"directory": func() error { return os.Mkdir(file, 0o700) },
		"symlink":   func() error { return os.Symlink(elsewhere, file) },
		"dangling":  func() error { return os.Symlink(elsewhere+"x", file) },
	} {
		if err := place(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Identity(keystore.Department); !errors.Is(err, keystore.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

// TestHandEdited accepts what age itself accepts.
func TestHandEdited(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keystore"))
	id := create(t, s, keystore.Department)
	text := "\r\n# moved from the old machine\r\n\r\n  " + id.Secret() + "  "
	if err := os.WriteFile(path(t, s, keystore.Department), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if again, err := s.Identity(keystore.Department); err != nil || again.Secret() != id.Secret() {
		t.Errorf("got %v", err)
	}
}

// TestAgeReadsTheFile asserts the format with age's own parser.
func TestAgeReadsTheFile(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keystore"))
	id := create(t, s, keystore.Dataset("d-1"))
	var object bytes.Buffer
	if _, err := envelope.Seal(&object, strings.NewReader("x"), id.Recipient()); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path(t, s, keystore.Dataset("d-1")))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	identities, err := age.ParseIdentities(f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := age.Decrypt(&object, identities...); err != nil {
		t.Errorf("age does not open the object with the file: %v", err)
	}
}

// TestCreateAtOnce has several processes make the same identity.
func TestCreateAtOnce(t *testing.T) {
	if dir := os.Getenv("KEYSTORE_CREATE_IN"); dir != "" {
		fmt.Println("secret", create(t, open(t, dir), keystore.Dataset("d-1")).Secret())
		return
	}
	dir := filepath.Join(t.TempDir(), "keystore")
	const processes = 8
	outs := make(chan string, processes)
	for range processes {
		go func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestCreateAtOnce$")
			cmd.Env = append(os.Environ(), "KEYSTORE_CREATE_IN="+dir)
			out, err := cmd.CombinedOutput()
			if err != nil {
				out = fmt.Appendf(out, "%v", err)
			}
			outs <- string(out)
		}()
	}
	first := <-outs
	if !strings.HasPrefix(first, "secret AGE-SECRET-KEY-PQ-1") {
		t.Fatal(first)
	}
	for range processes - 1 {
		if out := <-outs; strings.Fields(out)[1] != strings.Fields(first)[1] {
			t.Errorf("two processes made two identities: %s", out)
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, "dataset"))
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v, want one file", entries, err)
	}
}

// TestDeleteAfterCrash asserts that no copy survives in a temporary file of a
// creation that was killed between its link and its clean-up.
func TestDeleteAfterCrash(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "key[store"))
	create(t, s, keystore.Dataset("d-1"))
	create(t, s, keystore.Dataset("d-12"))
	file := path(t, s, keystore.Dataset("d-1"))
	folder := filepath.Dir(file)
	if err := os.Link(file, filepath.Join(folder, "."+filepath.Base(file)+".123")); err != nil {
		t.Fatal(err)
	}
	if names, err := s.Names(); err != nil || len(names) != 2 {
		t.Errorf("names are %q, %v", names, err)
	}
	if err := s.Delete(keystore.Dataset("d-1")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 || entries[0].Name() != "d-12.identity" {
		t.Errorf("the folder holds %v, %v, want d-12 alone", entries, err)
	}
}

// FuzzIdentityFile feeds the parser of files.
func FuzzIdentityFile(f *testing.F) {
	s := open(f, filepath.Join(f.TempDir(), "keystore"))
	create(f, s, keystore.Department)
	file := path(f, s, keystore.Department)
	good, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("# comment\nAGE-SECRET-KEY-PQ-1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		id, err := s.Identity(keystore.Department)
		if err != nil && !errors.Is(err, keystore.ErrDamaged) {
			t.Fatalf("unpromised error: %v", err)
		}
		if err == nil && !bytes.Contains(text, []byte(id.Secret())) && !bytes.Contains(text, []byte(strings.ToLower(id.Secret()))) {
			t.Fatal("read an identity that is not in the file")
		}
	})
}
