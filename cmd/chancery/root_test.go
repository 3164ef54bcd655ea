package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestEveryVerbIsExplained walks the whole command line.
func TestEveryVerbIsExplained(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	root, err := newRootCommand(newApp(strings.NewReader(""), io.Discard, io.Discard, none))
	if err != nil {
		t.Fatal(err)
	}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, c := range cmd.Commands() {
			walk(c)
		}
		path := cmd.CommandPath()
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: short help %q", path, cmd.Short)
		}
		if !cmd.HasSubCommands() && !strings.Contains(cmd.Example, path) {
			t.Errorf("%s: no example of it in %q", path, cmd.Example)
		}
		if cmd.Args == nil {
			t.Errorf("%s: its arguments are not checked", path)
		}
		if cmd.HasParent() && cmd.InheritedFlags().Lookup("json") == nil {
			t.Errorf("%s: no --json", path)
		}
	}
	walk(root)
}
