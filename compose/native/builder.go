package native

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// builderSteps are the programs that a peer expects of an external builder.
var builderSteps = []string{"detect", "build", "release"}

// BuilderStep says which step of a peer's external builder this program was
// started as, by its name; empty for none.
func BuilderStep(arg0 string) string {
	if step := filepath.Base(arg0); slices.Contains(builderSteps, step) {
		return step
	}
	return ""
}

// RunBuilder does one step of a peer's external builder, for chaincode that runs as a
// service: there is nothing to build, only a connection.json to hand on. args
// are those that the peer gives:
//
//	detect  SOURCE METADATA
//	build   SOURCE METADATA OUTPUT
//	release OUTPUT RELEASE
//
// An error makes the peer pass the package over (detect) or refuse it.
func RunBuilder(step string, args []string) error {
	want := map[string]int{"detect": 2, "build": 3, "release": 2}[step]
	if want == 0 || len(args) != want {
		return fmt.Errorf("builder: %s with %d arguments", step, len(args))
	}
	const file = "connection.json"
	switch step {
	case "detect":
		data, err := os.ReadFile(filepath.Join(args[1], "metadata.json"))
		if err != nil {
			return fmt.Errorf("detect: %w", err)
		}
		var m packageMetadata
		if err := json.Unmarshal(data, &m); err != nil {
			return fmt.Errorf("detect: metadata.json: %w", err)
		}
		if m.Type != packageType {
			return fmt.Errorf("detect: type %q is not %s", m.Type, packageType)
		}
		return nil
	case "build":
		if err := copyFile(filepath.Join(args[0], file), filepath.Join(args[2], file), 0o600); err != nil {
			return fmt.Errorf("build: %w", err)
		}
		return nil
	default: // release
		server := filepath.Join(args[1], "chaincode", "server")
		if err := os.MkdirAll(server, 0o700); err != nil {
			return fmt.Errorf("release: %w", err)
		}
		if err := copyFile(filepath.Join(args[0], file), filepath.Join(server, file), 0o600); err != nil {
			return fmt.Errorf("release: %w", err)
		}
		return nil
	}
}
