package native

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestManifestNoticesDamage(t *testing.T) {
	names := []string{"peer", "core.yaml"}
	for name, c := range map[string]struct {
		damage func(dir string) error
		want   string
	}{
		"a changed byte": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "peer"), []byte("binarz"), 0o755)
		}, "peer is damaged"},
		"a cut file": {func(dir string) error { return os.Truncate(filepath.Join(dir, "peer"), 3) }, "peer is damaged"},
		"a missing file": {func(dir string) error {
			return os.Remove(filepath.Join(dir, "core.yaml"))
		}, "core.yaml cannot be read"},
		"no manifest": {func(dir string) error {
			return os.Remove(filepath.Join(dir, manifestName))
		}, "no readable manifest.json"},
		"a cut manifest": {func(dir string) error {
			return os.Truncate(filepath.Join(dir, manifestName), 9)
		}, "manifest.json is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range names {
				if err := os.WriteFile(filepath.Join(dir, name), []byte("binary"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := writeManifest(dir, names); err != nil {
				t.Fatal(err)
			}
			if err := verifyManifest(dir, names); err != nil {
				t.Fatal(err)
			}
			if err := c.damage(dir); err != nil {
				t.Fatal(err)
			}
			err := verifyManifest(dir, names)
			if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	if err := verifyManifest(filepath.Join(t.TempDir(), "nothing"), names); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

func TestModuleKeys(t *testing.T) {
	for i, want := range []string{"fabric-v1.4.0-rc1.0.20250510200036-435a7f1a780a-", "kubo-v0.43.0-"} {
		key, err := modules[i].key()
		if err != nil || !strings.HasPrefix(key, want) {
			t.Errorf("key %s (%v), want %s…", key, err, want)
		}
	}
}

func TestBuildEndsWithItsContext(t *testing.T) {
	cache := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := Build(ctx, cache, nil); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	left, err := filepath.Glob(filepath.Join(cache, unfinished+"*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func TestBuildRepairsADamagedCache(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds Fabric and kubo")
	}
	dir, err := CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	built, err := Build(t.Context(), dir, testOutput{t})
	if err != nil {
		t.Fatal(err)
	}
	// A copy of the cache, so that the one in use stays whole.
	cache := t.TempDir()
	for _, m := range modules {
		key, err := m.key()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(filepath.Join(cache, key), os.DirFS(filepath.Join(dir, key))); err != nil {
			t.Fatal(err)
		}
	}
	orderer := filepath.Join(cache, filepath.Base(built.Config), "orderer")
	if err := os.Truncate(orderer, 1000); err != nil {
		t.Fatal(err)
	}
	var progress strings.Builder
	if _, err := Build(t.Context(), cache, &progress); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(progress.String(), "orderer is damaged") || strings.Contains(progress.String(), "building kubo") {
		t.Errorf("progress:\n%s", progress.String())
	}
	if info, err := os.Stat(orderer); err != nil || info.Size() < 1<<20 {
		t.Errorf("orderer was not built again: %v (%v)", info, err)
	}
}

func TestUseDirNamesWhatIsMissing(t *testing.T) {
	root := t.TempDir()
	bin, config := filepath.Join(root, "bin"), filepath.Join(root, "config")
	for _, dir := range []string{bin, config} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write := func(mode os.FileMode, names ...string) {
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(root, name), nil, mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(0o755, "bin/peer")
	write(0o644, "bin/ipfs") // not executable
	_, err := UseDir(bin)
	if err == nil || !strings.Contains(err.Error(), "orderer, ipfs, core.yaml") || strings.Contains(err.Error(), "peer,") {
		t.Errorf("error %v", err)
	}
	write(0o755, "bin/orderer")
	if err := os.Chmod(filepath.Join(bin, "ipfs"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(0o644, "config/core.yaml", "config/orderer.yaml")
	binaries, err := UseDir(bin)
	if err != nil {
		t.Fatal(err)
	}
	if binaries.Config != config || binaries.IPFS != filepath.Join(bin, "ipfs") {
		t.Errorf("programs %+v", binaries)
	}
}
