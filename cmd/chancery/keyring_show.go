package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/crypto/keystore"
)

func newKeyringShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show KEYRING",
		Short: "Show a keyring, who holds it, and what its keyholder can learn",
		Long: `Show a keyring, KEYHOLDER/NAME or its id: its key, who holds the private half,
what that department can learn by it, and what it cannot.`,
		Example: `  chancery keyring show labor/statistics
  chancery keyring show labor/statistics --json | jq -r .keyholderCanLearn`,
		Args: takes("a KEYRING"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runKeyringShow(cmd.Context(), a, args[0])
		},
	}
}

// shownKeyring is a keyring with what its keyholder can and cannot learn.
type shownKeyring struct {
	exchange.Keyring
	Can    string `json:"keyholderCanLearn"`
	Cannot string `json:"keyholderCannotLearn"`
	File   string `json:"file,omitempty"` // with the private half, where the acting department holds it
}

func runKeyringShow(ctx context.Context, a *app, ref string) error {
	k, err := a.keyringOf(ctx, ref)
	if err != nil {
		return err
	}
	shown := shownKeyring{Keyring: k}
	shown.Can, shown.Cannot = keyholderLearns(k.Keyholder)
	if shown.File, err = a.keyringFile(k); err != nil {
		return err
	}
	return a.result(shown, shown.write)
}

// keyringFile is where the department that the command line acts as keeps the
// private half; empty where it is not the keyholder.
func (a *app) keyringFile(k exchange.Keyring) (string, error) {
	profile, err := a.anyProfile()
	if err != nil || a.department == "" || profile.Department != k.Keyholder {
		return "", err
	}
	store, err := keystore.Open(profile.Keystore)
	if err != nil {
		return "", err
	}
	file, err := store.PaillierPath(k.ID)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(file); err != nil {
		a.say("the private half of %s is not where it belongs (%v): restore it from a backup, or no job under this keyring comes to a result", keyringName(k), err)
	}
	return file, nil
}

func (k shownKeyring) write(w io.Writer) {
	var f fields
	f.add("keyring", "%s", keyringName(k.Keyring))
	f.add("id", "%s", k.ID)
	f.add("state", "%s", k.State)
	f.add("held by", "%s, alone", k.Keyholder)
	f.add("private half in", "%s", k.File)
	f.add("bits", "%d", k.Bits)
	f.add("fingerprint", "%s", k.Fingerprint)
	f.add("created", "%s", clock(k.Since))
	addChange(&f, k.Change)
	f.write(w)
	fmt.Fprintf(w, "\nWhat %s can learn:\n%s\n", k.Keyholder, wrapped(k.Can))
	fmt.Fprintf(w, "\nWhat %s cannot learn:\n%s\n", k.Keyholder, wrapped(k.Cannot))
}

// wrapped breaks a text into indented lines of at most 78 characters.
func wrapped(text string) string {
	const width, indent = 78, "  "
	var b strings.Builder
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	b.WriteString(line)
	return b.String()
}
