package main

import (
	"context"
	"net"
	"path/filepath"
	"time"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/workers"
)

const (
	// peerLimit is how long a peer may take to be there at all.
	peerLimit = 3 * time.Second
	// ledgerLimit bounds what one command does on the ledger. A client of the
	// ledger by itself tries again for as long as it may.
	ledgerLimit = time.Minute
)

// ask uses the ledger as an identity of the department: --as, else the one that
// fits the verb.
func (a *app) ask(ctx context.Context, profile workers.Profile, fits exchange.Role, use func(context.Context, *ledger.Client) error) error {
	return a.askFor(ctx, profile, fits, func(ctx context.Context, client *ledger.Client) error {
		limited, cancel := context.WithTimeoutCause(ctx, ledgerLimit, faultf(errUnreachable,
			"the ledger gave no answer to %s within %s: look at `chancery status`", profile.Department, ledgerLimit))
		defer cancel()
		err := use(limited, client)
		if err != nil && limited.Err() != nil && ctx.Err() == nil {
			return context.Cause(limited)
		}
		return err
	})
}

// askFor is [app.ask] for as long as it takes.
func (a *app) askFor(ctx context.Context, profile workers.Profile, fits exchange.Role, use func(context.Context, *ledger.Client) error) error {
	if err := a.checkPeer(ctx, profile); err != nil {
		return err
	}
	client, err := a.dial(ctx, profile, fits)
	if err != nil {
		return err
	}
	defer client.Close()
	return use(ctx, client)
}

// read looks something up at any department: without --department, the first.
func (a *app) read(ctx context.Context, use func(context.Context, *ledger.Client) error) error {
	profile, err := a.anyProfile()
	if err != nil {
		return err
	}
	return a.ask(ctx, profile, exchange.Auditor, use)
}

// checkPeer finds out at once that the department's peer is not there.
func (a *app) checkPeer(ctx context.Context, profile workers.Profile) error {
	dialer := net.Dialer{Timeout: peerLimit}
	conn, err := dialer.DialContext(ctx, "tcp", profile.Peer.Address)
	if err != nil {
		return faultf(errUnreachable, "the peer of %s is away (%w): start the network with `chancery up`, or look at `chancery status`", profile.Department, err)
	}
	return conn.Close()
}

// dial opens the department's peer as an identity. The caller closes it.
func (a *app) dial(ctx context.Context, profile workers.Profile, fits exchange.Role) (*ledger.Client, error) {
	dir, err := a.identity(profile, fits)
	if err != nil {
		return nil, err
	}
	return ledger.Dial(ctx, ledgerConfig(profile, dir))
}

// ledgerConfig is how to reach the department's peer as the identity in dir.
func ledgerConfig(profile workers.Profile, dir string) ledger.Config {
	return ledger.Config{
		Department: profile.Department, MSP: profile.MSP,
		Channel: profile.Channel, Chaincode: profile.Chaincode,
		Address: profile.Peer.Address, TLSCA: profile.Peer.TLSCA, ServerName: profile.Peer.ServerName,
		Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"),
	}
}
