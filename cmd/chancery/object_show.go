package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

func newObjectShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "show OBJECT",
		Short:   "Show an object, its certification and the verdicts of those who checked it",
		Example: `  chancery object show o-4xw7cqk2yqv7rdzv5m6ud2kq3e`,
		Args:    takes("an OBJECT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runObjectShow(cmd.Context(), a, args[0])
		},
	}
}

// shownObject is an object with what departments say of it.
type shownObject struct {
	exchange.Object
	Attestations  []exchange.Attestation  `json:"attestations"`
	Certification *exchange.Certification `json:"certification,omitempty"`
}

func runObjectShow(ctx context.Context, a *app, id string) error {
	if err := checkID(exchange.NounObject, id); err != nil {
		return err
	}
	var shown shownObject
	err := a.read(ctx, func(ctx context.Context, client *ledger.Client) (err error) {
		if err := client.Get(ctx, exchange.NounObject, id, &shown.Object); err != nil {
			return err
		}
		shown.Attestations, err = recordsOf[exchange.Attestation](ctx, client, exchange.Query{Noun: exchange.NounAttestation, Parent: id})
		if err != nil {
			return err
		}
		var word exchange.Certification
		err = client.Get(ctx, exchange.NounCertification, id, &word)
		if errors.Is(err, exchange.ErrNotFound) {
			return nil
		}
		shown.Certification = &word
		return err
	})
	if err != nil {
		return err
	}
	return a.result(shown, shown.write)
}

func (o shownObject) write(w io.Writer) {
	var f fields
	f.add("object", "%s", o.ID)
	f.add("state", "%s", o.State)
	f.add("dataset", "%s", o.Dataset)
	f.add("owner", "%s", o.Owner)
	f.add("version", "%d", o.Version)
	f.add("file", "%s", o.FileName)
	f.add("rows", "%d", o.Rows)
	f.add("size", "%d bytes sealed (%s)", o.Size, size(o.Size))
	f.add("cid", "%s", o.CID)
	f.add("sealed digest", "%s", o.SealedDigest)
	f.add("content digest", "%s (salted)", o.ContentDigest)
	f.add("source", "%s", o.Source)
	f.add("derived from", "%s", joined(o.DerivedFrom))
	f.add("registered", "%s", clock(o.Since))
	if c := o.Certification; c != nil {
		f.add("certified", "%s by %s at %s", c.Statement, signer(c.Change), clock(c.Change.Time))
	}
	addChange(&f, o.Change)
	f.write(w)
	if len(o.Attestations) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := newTable("CHECKED BY", "VERDICT", "AT", "FOUND", "REASON")
	for _, at := range o.Attestations {
		t.add(at.By, string(at.Verdict), clock(at.Change.Time), short(at.Found), at.Reason)
	}
	t.write(w)
}
