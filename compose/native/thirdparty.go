package native

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"runtime"
	"strings"
)

// thirdParty holds, for each module that is built here, its go.mod and go.sum:
// what is built is fixed to the byte by this repository.
//
//go:embed third_party
var thirdParty embed.FS

// module is one third-party Go module and the programs built from it.
type module struct {
	name     string   // directory below third_party, and in the cache
	label    string   // in progress lines
	path     string   // Go module path
	packages []string // main packages; each makes a program of its last element's name
	tags     string   // build tags
	files    []string // copied from the module to beside the programs
}

var modules = []module{
	{
		name:     "fabric",
		label:    "peer and orderer",
		path:     "github.com/hyperledger/fabric",
		packages: []string{"github.com/hyperledger/fabric/cmd/orderer", "github.com/hyperledger/fabric/cmd/peer"},
		files:    []string{"sampleconfig/core.yaml", "sampleconfig/orderer.yaml"},
	},
	{
		name:     "kubo",
		label:    "kubo",
		path:     "github.com/ipfs/kubo",
		packages: []string{"github.com/ipfs/kubo/cmd/ipfs"},
		tags:     "nofuse",
	},
}

// linkFlags leave out symbol tables and debugging information.
const linkFlags = "-s -w"

// sources returns the module's go.mod and go.sum.
func (m module) sources() (goMod, goSum []byte, err error) {
	if goMod, err = thirdParty.ReadFile(path.Join("third_party", m.name, "go.mod.txt")); err != nil {
		return nil, nil, err
	}
	goSum, err = thirdParty.ReadFile(path.Join("third_party", m.name, "go.sum.txt"))
	return goMod, goSum, err
}

// key names the module's directory in the cache: its version and a digest of
// all that decides what is built.
func (m module) key() (string, error) {
	goMod, goSum, err := m.sources()
	if err != nil {
		return "", err
	}
	found := regexp.MustCompile(`(?m)^\s*(?:require )?` + regexp.QuoteMeta(m.path) + ` (v\S+)`).FindSubmatch(goMod)
	if found == nil {
		return "", fmt.Errorf("third_party/%s requires no %s", m.name, m.path)
	}
	digest := sha256.New()
	fmt.Fprintf(digest, "%s\n%s\n%s %s %s %s/%s", goMod, goSum, m.packages, m.tags, linkFlags, runtime.GOOS, runtime.GOARCH)
	return fmt.Sprintf("%s-%s-%s", m.name, found[1], hex.EncodeToString(digest.Sum(nil))[:12]), nil
}

// contents lists the files that a complete build of the module has.
func (m module) contents() []string {
	var names []string
	for _, file := range append(append([]string{}, m.packages...), m.files...) {
		names = append(names, path.Base(file))
	}
	return names
}

// String is the module's name and version, as in kubo-v0.43.0.
func (m module) String() string {
	key, err := m.key()
	if err != nil {
		return m.name
	}
	return key[:strings.LastIndex(key, "-")]
}
