package e2e

import (
	"encoding/base32"
	"os"
	"path/filepath"
	"testing"

	"github.com/ipfs/go-cid"
)

// block is the file of a CID's root block in a department's kubo node: flatfs
// names it by its multihash in base32, in a directory named by the next-to-last
// two characters.
func (n network) block(t *testing.T, department, text string) string {
	t.Helper()
	id, err := cid.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	key := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(id.Hash())
	return filepath.Join(n.dir, department, "kubo", "blocks", key[len(key)-3:len(key)-1], key+".data")
}

// flip alters one bit of a file; twice is as before.
func flip(t *testing.T, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o400); err != nil {
		t.Fatal(err)
	}
}
