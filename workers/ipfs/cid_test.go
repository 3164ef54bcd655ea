package ipfs_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"chancery/workers/ipfs"
)

// TestInvalidCIDs asserts that a node is not even asked: nobody listens there.
func TestInvalidCIDs(t *testing.T) {
	c, err := ipfs.New(ipfs.Config{API: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	upper := strings.ToUpper(someCID)
	for name, bad := range map[string]string{
		"empty":              "",
		"no CID":             "o-91aa",
		"path":               "/ipfs/" + someCID,
		"path below":         someCID + "/etc/passwd",
		"second argument":    someCID + "&offline=false",
		"space":              someCID + " ",
		"cut":                someCID[:len(someCID)-1],
		"version 0":          "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn",
		"upper-case base":    "B" + upper[1:],
		"base58":             "zb2rhj7crUKTQYRGCRATFaQ6YFLTde2YzdqbbhAASkL9uRDXn",
		"inline":             "bafkqaaa",
		"sha2-512":           "bafkrgqhhyivzstcz3hhswshfjgy6ertgmnqeleynhwt4dlfsthi4hn7zgh4uvlsb5xncykzapi3ocd4lzogukir6ksdy6wzrnz6ohnv4aglcs",
		"dag-cbor":           "bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae",
		"libp2p key":         "bafzaajaiaejcbrsqp6ts7nx6nvm4lxmryvbbxmkoxj2f5iqipmc5ihmhx3wzyrks",
		"a megabyte of text": strings.Repeat("b", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			_, catErr := c.Cat(t.Context(), bad)
			_, offlineErr := c.CatOffline(t.Context(), bad)
			_, pinnedErr := c.Pinned(t.Context(), bad)
			for _, err := range []error{
				ipfs.ValidateCID(bad), catErr, offlineErr, pinnedErr, c.Pin(t.Context(), bad), c.Unpin(t.Context(), bad),
			} {
				if !errors.Is(err, ipfs.ErrInvalidCID) || ipfs.Temporary(err) || len(err.Error()) > 400 {
					t.Errorf("got %v, want ErrInvalidCID", err)
				}
			}
		})
	}
}

func TestValidCIDs(t *testing.T) {
	for _, good := range []string{someCID, "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"} {
		if err := ipfs.ValidateCID(good); err != nil {
			t.Error(err)
		}
	}
}

func TestTemporaryOfNothing(t *testing.T) {
	if ipfs.Temporary(nil) || ipfs.Temporary(errors.New("of the caller's reader")) || !ipfs.Temporary(io.ErrUnexpectedEOF) {
		t.Error("no error and a caller's error are not temporary, a cut answer is")
	}
}

// FuzzValidateCID asserts that what is accepted has no other text.
func FuzzValidateCID(f *testing.F) {
	f.Add(someCID)
	f.Add("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn")
	f.Add("bafkqaaa")
	f.Fuzz(func(t *testing.T, s string) {
		if ipfs.ValidateCID(s) != nil {
			return
		}
		c, err := cid.Decode(s)
		if err != nil || c.String() != s || len(s) != 59 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Fatalf("accepted %q as %v, %v", s, c, err)
		}
	})
}
