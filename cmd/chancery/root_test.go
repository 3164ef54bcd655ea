package main

import (
	"io"
	"regexp"
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

// TestExamplesParse reads every example as the command line would: verbs, flags
// and the number of arguments.
func TestExamplesParse(t *testing.T) {
	newRoot := func() *cobra.Command {
		root, err := newRootCommand(newApp(strings.NewReader(""), io.Discard, io.Discard, func(string) (string, bool) { return "", false }))
		if err != nil {
			t.Fatal(err)
		}
		return root
	}
	seen := 0
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, c := range cmd.Commands() {
			walk(c)
		}
		for _, line := range exampleLines(cmd.Example) {
			seen++
			found, args, err := newRoot().Find(line)
			if err == nil {
				err = found.ParseFlags(args)
			}
			if err == nil {
				err = found.ValidateArgs(found.Flags().Args())
			}
			if err != nil || found.CommandPath() != cmd.CommandPath() {
				t.Errorf("%s: example %q is %s: %v", cmd.CommandPath(), line, found.CommandPath(), err)
			}
		}
	}
	walk(newRoot())
	if seen < 50 {
		t.Errorf("only %d examples", seen)
	}
}

// calls matches a line that calls chancery, at its beginning, after a variable,
// or for what it prints.
var calls = regexp.MustCompile(`^(?:.*\(|\s*[A-Z_]+=\S* |\s*)chancery (.*)`)

// exampleLines are the arguments of every chancery in an example.
func exampleLines(example string) (lines [][]string) {
	for line := range strings.Lines(strings.ReplaceAll(example, "\\\n", " ")) {
		call := calls.FindStringSubmatch(line)
		if call == nil {
			continue
		}
		line := call[1]
		for _, end := range []string{" | ", " > ", ")"} {
			line, _, _ = strings.Cut(line, end)
		}
		lines = append(lines, words(strings.ReplaceAll(strings.TrimSpace(line), `"`, "'")))
	}
	return lines
}
