package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"chancery/chaincode/exchange"
	"chancery/workers"
)

// app is what every verb shares: where it reads and writes, and the settings. One command line uses it, one goroutine at a time.
type app struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	lookup func(string) (string, bool) // of the environment
	saying sync.Mutex                  // guards err while several wait

	settings
	known   *pflag.FlagSet    // the flag of every setting
	origins map[string]origin // where each setting's value came from
}

func newApp(in io.Reader, out, err io.Writer, lookup func(string) (string, bool)) *app {
	return &app{in: in, out: out, err: err, lookup: lookup}
}

// departments lists the departments whose profiles are in the data directory,
// sorted. None at all means that there is no network.
func (a *app) departments() ([]string, error) {
	found, err := filepath.Glob(filepath.Join(escapeGlob(a.data), "*", workers.ProfileName))
	if err != nil {
		return nil, usagef("--data: %w", err)
	}
	if len(found) == 0 {
		return nil, faultf(errUnreachable, "no network at %s: start one with `chancery up`, or name another with --data", a.data)
	}
	names := make([]string, len(found))
	for i, path := range found {
		names[i] = filepath.Base(filepath.Dir(path))
	}
	return names, nil
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// profile reads the profile of the department to act as. Without --department
// it takes the only one there is.
func (a *app) profile() (workers.Profile, error) {
	names, err := a.departments()
	if err != nil {
		return workers.Profile{}, err
	}
	if a.department == "" && len(names) > 1 {
		return workers.Profile{}, usagef("name the department to act as with --department or CHANCERY_DEPARTMENT: %s", strings.Join(names, ", "))
	}
	return a.profileOf(names)
}

// anyProfile is [app.profile] for verbs that read what every department holds
// alike: without --department it takes the first.
func (a *app) anyProfile() (workers.Profile, error) {
	names, err := a.departments()
	if err != nil {
		return workers.Profile{}, err
	}
	return a.profileOf(names)
}

func (a *app) profileOf(names []string) (workers.Profile, error) {
	name := a.department
	if name == "" {
		name = names[0]
	}
	profile, err := workers.LoadProfile(filepath.Join(a.data, name))
	if errors.Is(err, fs.ErrNotExist) {
		return workers.Profile{}, faultf(errNotFound, "no department %q at %s: there are %s", name, a.data, strings.Join(names, ", "))
	}
	return profile, err
}

// identityName is the identity to sign as: --as, else the one that fits.
func (a *app) identityName(fits exchange.Role) string {
	if a.as != "" {
		return a.as
	}
	return string(fits)
}

// identity finds the directory of the identity to sign as.
func (a *app) identity(profile workers.Profile, fits exchange.Role) (string, error) {
	name := a.identityName(fits)
	dir := filepath.Join(profile.Identities, name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("identity %s: %w", name, err)
	}
	return "", faultf(errNotFound, "%s has no identity %q in %s: make one with `chancery officer enrol %s`",
		profile.Department, name, profile.Identities, name)
}
