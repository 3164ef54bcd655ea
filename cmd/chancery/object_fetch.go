package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/keystore"
	"chancery/workers"
	"chancery/workers/ipfs"
	"chancery/workers/receive"
)

// ObjectFetchOptions say which use of the grant, and where its content goes.
type ObjectFetchOptions struct {
	Slot    int
	Output  string
	Replace bool
	Timeout span
}

func newObjectFetchCommand(a *app) *cobra.Command {
	opts := ObjectFetchOptions{Timeout: span(10 * time.Minute)}
	cmd := &cobra.Command{
		Use:   "fetch GRANT",
		Short: "Fetch again what a use of a grant delivered",
		Long: `Fetch what a use of a grant that the department holds delivered, or should have:
wrap and object through its own kubo node, opened with its own key, both digests,
the columns and the rows held to the ledger. It takes no further use, and nothing
is put on record. What is not as registered is exit code 6, and no file is left.

A grant that was revoked, or whose obligation to delete is due, is not fetched
from again.`,
		Example: `  chancery object fetch g-4xw7cqk2yqv7rdzv5m6ud2kq3e -d health --output population.csv
  chancery object fetch g-4xw7cqk2yqv7rdzv5m6ud2kq3e -d health --slot 1`,
		Args: takes("a GRANT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runObjectFetch(cmd.Context(), a, args[0], opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&opts.Slot, "slot", 0, "which use, from 0")
	flags.StringVarP(&opts.Output, "output", "o", "", "file to write (default: the object's file name, in the working directory)")
	flags.BoolVar(&opts.Replace, "replace", false, "replace a file that is there")
	flags.Var(&opts.Timeout, "timeout", "give up after this time")
	return cmd
}

// fetchedFile is what was fetched, and where it is.
type fetchedFile struct {
	Grant         string `json:"grant"`
	Slot          int    `json:"slot"`
	Object        string `json:"object"`
	File          string `json:"file"`
	Rows          int64  `json:"rows"`
	SealedDigest  string `json:"sealedDigest"`
	ContentDigest string `json:"contentDigest"` // salted, as on the ledger
}

func runObjectFetch(ctx context.Context, a *app, grant string, opts ObjectFetchOptions) error {
	use := &exchange.RedeemGrant{Grant: grant, Slot: opts.Slot}
	if err := use.Validate(); err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, time.Duration(opts.Timeout),
		faultf(errUnreachable, "%s: not fetched within %s", grant, opts.Timeout.String()))
	defer cancel()
	var found fetchedFile
	err = a.askFor(limited, profile, exchange.Auditor, func(ctx context.Context, client *ledger.Client) (err error) {
		if err := mayFetch(ctx, client, use, time.Now()); err != nil {
			return err
		}
		found, err = fetchInto(ctx, profile, client, use, opts)
		return err
	})
	if err != nil {
		if ctx.Err() == nil && limited.Err() != nil {
			return context.Cause(limited)
		}
		return err
	}
	return a.result(found, found.write)
}

// mayFetch holds the department to what it promised.
func mayFetch(ctx context.Context, client *ledger.Client, use *exchange.RedeemGrant, now time.Time) error {
	var g exchange.Grant
	if err := client.Get(ctx, exchange.NounGrant, use.Grant, &g); err != nil {
		return err
	}
	if g.State == exchange.GrantRevoked {
		return exchange.Errorf(exchange.Revoked, "grant %s was revoked by %s: %s", g.ID, g.Owner, g.Change.Reason)
	}
	if g.Obligations.DeleteWithin == 0 {
		return nil
	}
	var release exchange.Release
	err := client.Get(ctx, exchange.NounRelease, exchange.UseID(use.Grant, use.Slot), &release)
	if errors.Is(err, exchange.ErrNotFound) {
		return nil // receive says what is missing
	}
	if due := release.Change.Time.Add(time.Duration(g.Obligations.DeleteWithin) * time.Second); err == nil && now.After(due) {
		err = exchange.Errorf(exchange.Expired, "grant %s obliges to have deleted it by %s", g.ID, clock(due))
	}
	return err
}

// fetchInto writes the content beside its place and moves it there when
// everything about it was checked.
func fetchInto(ctx context.Context, profile workers.Profile, client *ledger.Client, use *exchange.RedeemGrant, opts ObjectFetchOptions) (fetchedFile, error) {
	keys, err := keystore.Open(profile.Keystore)
	if err != nil {
		return fetchedFile{}, fmt.Errorf("keystore: %w", err)
	}
	node, err := ipfs.New(ipfs.Config{API: profile.IPFS.API, Auth: bearer(profile.IPFS.Auth)})
	if err != nil {
		return fetchedFile{}, err
	}
	temp, err := os.CreateTemp(filepath.Dir(opts.Output), ".fetch-*")
	if err != nil {
		return fetchedFile{}, usagef("--output: %w", err)
	}
	defer os.Remove(temp.Name())
	cfg := receive.Config{Department: profile.Department, Keys: keys, Node: node, Ledger: client}
	f, err := receive.Fetch(ctx, cfg, use.Grant, use.Slot, temp)
	if err == nil {
		err = temp.Sync()
	}
	if err := errors.Join(err, temp.Close()); err != nil {
		return fetchedFile{}, err
	}
	file := opts.Output
	if file == "" {
		file = f.Object.FileName
		if err := exchange.CheckFileName("file name", file); err != nil {
			return fetchedFile{}, err
		}
	}
	return fetchedFile{
		Grant: use.Grant, Slot: use.Slot, Object: f.Object.ID, File: file, Rows: f.Rows,
		SealedDigest: f.Object.SealedDigest, ContentDigest: f.Object.ContentDigest,
	}, put(temp.Name(), file, opts.Replace)
}

// put moves a file to its place; one that is there stays, unless it may be
// replaced.
func put(temp, file string, replace bool) error {
	if replace {
		return os.Rename(temp, file)
	}
	err := os.Link(temp, file)
	if errors.Is(err, fs.ErrExist) {
		return faultf(exchange.ErrConflict, "%s is there already: name another with --output, or say --replace", file)
	}
	return err
}

func (f fetchedFile) write(w io.Writer) {
	var list fields
	list.add("file", "%s", f.File)
	list.add("object", "%s", f.Object)
	list.add("use", "%s", exchange.UseID(f.Grant, f.Slot))
	list.add("rows", "%d", f.Rows)
	list.add("sealed digest", "%s", f.SealedDigest)
	list.add("content digest", "%s (salted)", f.ContentDigest)
	list.write(w)
}
