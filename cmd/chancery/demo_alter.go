package main

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ipfs/go-cid"

	"chancery/chaincode/exchange"
	"chancery/workers/ipfs"
)

// alter flips one bit of the sealed table in the block store of labor's kubo
// node, as somebody with access to its disk could, and has labor verify the
// object; then it puts the bit back.
func (d *demo) alter(ctx context.Context) error {
	labor := d.desks["labor"]
	var use exchange.Redemption
	if err := labor.officer.Get(ctx, exchange.NounRedemption, d.oneUse+"/0", &use); err != nil {
		return err
	}
	var object exchange.Object
	if err := labor.officer.Get(ctx, exchange.NounObject, use.Object, &object); err != nil {
		return err
	}
	block, err := labor.blockFile(object.CID)
	if err != nil {
		return err
	}
	before, err := d.verifies(ctx, labor, object)
	if err != nil {
		return err
	}
	if err := flipBit(block); err != nil {
		return err
	}
	altered, err := d.verifies(ctx, labor, object)
	if err := errors.Join(err, flipBit(block)); err != nil {
		return err
	}
	after, err := d.verifies(ctx, labor, object)
	if err != nil {
		return err
	}
	d.check("one bit altered at labor's kubo node is caught", before == nil && altered != nil && after == nil,
		"before: %s; altered: %v; put back: %s", soundness(before), altered, soundness(after))
	return nil
}

func soundness(fault error) string {
	if fault == nil {
		return "good"
	}
	return fault.Error()
}

// verifies reads an object through the department's own node and compares it
// with the ledger, as `object verify` does. fault is what is wrong with it.
func (d *demo) verifies(ctx context.Context, at *desk, object exchange.Object) (fault, err error) {
	found, err := digestOf(ctx, at.profile, object)
	if errors.Is(err, ipfs.ErrDamaged) {
		return err, nil
	}
	if err != nil {
		return nil, err
	}
	if !found.Good {
		return fmt.Errorf("%d bytes with SHA-256 %s", found.Size, short(found.SealedDigest)), nil
	}
	return nil, nil
}

// blockFile is where kubo's flatfs store keeps the root block of a CID: under
// the multihash in base32, in a directory named by its next-to-last two
// characters.
func (d *desk) blockFile(text string) (string, error) {
	id, err := cid.Decode(text)
	if err != nil {
		return "", err
	}
	key := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(id.Hash())
	file := filepath.Join(d.dir, "kubo", "blocks", key[len(key)-3:len(key)-1], key+".data")
	if _, err := os.Stat(file); err != nil {
		return "", fmt.Errorf("block of %s: %w", text, err)
	}
	return file, nil
}

// flipBit alters one bit in the middle of a file; twice is as before.
func flipBit(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	content[len(content)/2] ^= 1
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if err := os.Chmod(file, 0o600); err != nil { // flatfs keeps blocks read-only
		return err
	}
	return errors.Join(os.WriteFile(file, content, 0o600), os.Chmod(file, info.Mode()))
}
