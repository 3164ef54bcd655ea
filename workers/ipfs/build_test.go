package ipfs_test

import (
	"testing"

	"chancery/compose/native"
)

// kubo returns the program that the launcher builds, and builds it if nobody
// has.
func kubo(t *testing.T) string {
	t.Helper()
	cache, err := native.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	binaries, err := native.Build(t.Context(), cache, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	return binaries.IPFS
}
