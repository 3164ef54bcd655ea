package envelope_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"strings"

	"chancery/crypto/envelope"
)

// A provider seals a table once, counting its lines on the way, and releases
// its key to a grantee, who opens it.
func Example() {
	dataset, err := envelope.NewIdentity()
	if err != nil {
		log.Fatal(err)
	}
	grantee, err := envelope.NewIdentity()
	if err != nil {
		log.Fatal(err)
	}

	// The provider.
	var lines lineCounter
	var object bytes.Buffer // an IPFS node, in earnest
	table := strings.NewReader("state,population\nAlabama,4863300\n")
	sealed, err := envelope.Seal(&object, io.TeeReader(table, &lines), dataset.Recipient())
	if err != nil {
		log.Fatal(err)
	}
	wrap, err := envelope.SealWrap(envelope.Wrap{
		FileKey: sealed.Key, Salt: sealed.Salt, Object: "o-91aa", Grant: "g-4f1c", Slot: 0,
	}, grantee.Recipient())
	if err != nil {
		log.Fatal(err)
	}

	// The grantee, with the commitment from the ledger.
	w, err := envelope.OpenWrap(wrap, grantee)
	if err != nil {
		log.Fatal(err)
	}
	var received bytes.Buffer // a file that nobody reads yet
	size, err := envelope.Open(&received, &object, w.FileKey, w.Salt, sealed.Commitment)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d lines, %d bytes, slot %d of %s, key %v\n", lines, size, w.Slot, w.Grant, w.FileKey)
	fmt.Print(received.String())
	// Output:
	// 2 lines, 33 bytes, slot 0 of g-4f1c, key [redacted]
	// state,population
	// Alabama,4863300
}

type lineCounter int

func (c *lineCounter) Write(p []byte) (int, error) {
	*c += lineCounter(bytes.Count(p, []byte("\n")))
	return len(p), nil
}
