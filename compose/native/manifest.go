package native

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const manifestName = "manifest.json"

// manifest records the SHA-256, in hex, of each file of a finished build.
type manifest struct {
	Files map[string]string `json:"files"`
}

// writeManifest digests the named files of dir into dir/manifest.json.
func writeManifest(dir string, names []string) error {
	m := manifest{Files: map[string]string{}}
	for _, name := range names {
		digest, err := fileDigest(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		m.Files[name] = digest
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, manifestName), append(data, '\n'), 0o644)
}

// verifyManifest reports the first of the named files that is missing from dir
// or is not what its manifest says. A directory that is not there at all is
// fs.ErrNotExist.
func verifyManifest(dir string, names []string) error {
	if _, err := os.Stat(dir); err != nil {
		return err
	}
	damaged := func(name string, err error) error {
		return fmt.Errorf("%s is damaged: %w", filepath.Join(dir, name), err)
	}
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return fmt.Errorf("%s is damaged: no readable %s", dir, manifestName)
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return damaged(manifestName, err)
	}
	for _, name := range names {
		digest, err := fileDigest(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("%s is damaged: %s cannot be read", dir, name)
		}
		if digest != m.Files[name] {
			return damaged(name, fmt.Errorf("its SHA-256 is %s, not %s", short(digest), short(m.Files[name])))
		}
	}
	return nil
}

func short(digest string) string {
	if len(digest) > 12 {
		return digest[:12] + "…"
	}
	return digest
}

func fileDigest(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}
