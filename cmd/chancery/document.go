package main

import (
	"fmt"
	"io"
	"os"
)

// maxDocument bounds a file that a flag names to be read whole, in bytes.
const maxDocument = 1 << 20

// readSmall reads a document, certificate or configuration. A name such as
// /dev/zero must not fill the memory.
func readSmall(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err == nil && len(data) > maxDocument {
		err = fmt.Errorf("%s is larger than %d bytes", file, maxDocument)
	}
	return data, err
}
