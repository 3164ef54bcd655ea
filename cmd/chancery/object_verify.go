package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/workers"
	"chancery/workers/ipfs"
)

// ObjectVerifyOptions bound the check.
type ObjectVerifyOptions struct {
	Timeout span
}

func newObjectVerifyCommand(a *app) *cobra.Command {
	opts := ObjectVerifyOptions{Timeout: span(30 * time.Second)}
	cmd := &cobra.Command{
		Use:   "verify OBJECT",
		Short: "Fetch an object's sealed bytes and check them against the ledger",
		Long: `Fetch an object by its CID through the department's own kubo node, and compare
size and SHA-256 of the sealed bytes with those on the ledger. Nothing is opened
and nothing is put on record. A difference is exit code 6.`,
		Example: `  chancery object verify o-4xw7cqk2yqv7rdzv5m6ud2kq3e -d labor --timeout 2m`,
		Args:    takes("an OBJECT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runObjectVerify(cmd.Context(), a, args[0], opts)
		},
	}
	cmd.Flags().Var(&opts.Timeout, "timeout", "give up after this time")
	return cmd
}

// verification is what was found, beside what the ledger says.
type verification struct {
	Object       string `json:"object"`
	CID          string `json:"cid"`
	Department   string `json:"department"` // whose kubo node was asked
	Size         int64  `json:"size"`       // bytes found
	SealedDigest string `json:"sealedDigest"`
	Good         bool   `json:"good"`
}

func runObjectVerify(ctx context.Context, a *app, id string, opts ObjectVerifyOptions) error {
	if err := checkID(exchange.NounObject, id); err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	object, err := a.object(ctx, profile, id)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, time.Duration(opts.Timeout),
		faultf(errUnreachable, "%s: no node gave its bytes within %s", object.CID, opts.Timeout.String()))
	defer cancel()
	found, err := digestOf(limited, profile, object)
	if err != nil {
		if ctx.Err() == nil && limited.Err() != nil {
			return context.Cause(limited)
		}
		return fmt.Errorf("fetch %s: %w", id, err)
	}
	if err := a.result(found, found.write); err != nil {
		return err
	}
	if !found.Good {
		return faultf(errDigest, "%s: the sealed bytes are not those on the ledger: %d bytes with SHA-256 %s there",
			id, object.Size, object.SealedDigest)
	}
	return nil
}

func (a *app) object(ctx context.Context, profile workers.Profile, id string) (object exchange.Object, err error) {
	err = a.ask(ctx, profile, exchange.Auditor, func(ctx context.Context, client *ledger.Client) error {
		return client.Get(ctx, exchange.NounObject, id, &object)
	})
	return object, err
}

// digestOf reads the sealed bytes by CID and compares them with the ledger. One
// byte more than the ledger's size is read at most: that is enough to tell.
func digestOf(ctx context.Context, profile workers.Profile, object exchange.Object) (verification, error) {
	node, err := ipfs.New(ipfs.Config{API: profile.IPFS.API, Auth: bearer(profile.IPFS.Auth)})
	if err != nil {
		return verification{}, err
	}
	sealed, err := node.Cat(ctx, object.CID)
	if err != nil {
		return verification{}, err
	}
	hash := sha256.New()
	n, err := io.Copy(hash, io.LimitReader(sealed, object.Size+1))
	if err := errors.Join(err, sealed.Close()); err != nil {
		return verification{}, err
	}
	digest := hex.EncodeToString(hash.Sum(nil))
	return verification{
		Object: object.ID, CID: object.CID, Department: profile.Department,
		Size: n, SealedDigest: digest, Good: digest == object.SealedDigest && n == object.Size,
	}, nil
}

func (v verification) write(w io.Writer) {
	verdict := string(exchange.Bad)
	if v.Good {
		verdict = string(exchange.Good)
	}
	var f fields
	f.add("object", "%s", v.Object)
	f.add("verdict", "%s", verdict)
	f.add("cid", "%s", v.CID)
	f.add("fetched by", "%s", v.Department)
	f.add("size", "%d bytes", v.Size)
	f.add("sealed digest", "%s", v.SealedDigest)
	f.write(w)
}

// bearer is kubo's notation of a token; a node without one asks for none.
func bearer(token string) string {
	if token == "" {
		return ""
	}
	return "bearer:" + token
}
