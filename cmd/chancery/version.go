package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build is what this program was built from.
type build struct {
	Version  string `json:"version"`            // of the module; (devel) from a working tree
	Revision string `json:"revision,omitempty"` // commit
	Time     string `json:"time,omitempty"`     // of the commit
	Modified bool   `json:"modified"`           // the working tree had changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show what this program was built from",
		Example: `  chancery version --json`,
		Args:    takes(),
		RunE: func(*cobra.Command, []string) error {
			b := thisBuild()
			return a.result(b, b.write)
		},
	}
}

func thisBuild() build {
	b := build{Version: "(unknown)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = info.Main.Version
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Revision = setting.Value
		case "vcs.time":
			b.Time = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b
}

func (b build) write(w io.Writer) {
	var f fields
	f.add("chancery", "%s", b.Version)
	f.add("revision", "%s", b.Revision)
	f.add("committed", "%s", b.Time)
	f.add("go", "%s %s", b.Go, b.Platform)
	f.write(w)
	if b.Modified {
		fmt.Fprintln(w, "built from a working tree with changes")
	}
}
