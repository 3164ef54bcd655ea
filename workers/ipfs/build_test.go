package ipfs_test

import (
	"os"
	"testing"
)

// kubo returns the program to test against.
func kubo(t *testing.T) string {
	t.Helper()
	program := os.Getenv("KUBO")
	if program == "" {
		t.Fatal("KUBO does not name a kubo program")
	}
	return program
}
