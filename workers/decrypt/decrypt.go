// Package decrypt is the keyholder's worker: it opens the masked result of a job,
// for the requester alone.
//
// The private key of a keyring opens everything under it, so this worker never
// takes a ciphertext from a message. It loads the job from the ledger by its id,
// and trusts neither the record nor whoever endorsed it: the spec's digest and the
// aggregate are computed anew, every contribution, the mask and every approval are
// compared with what their own departments signed (and, where that is the own
// department, its own peer endorsed), what the requester adds must have been fixed
// before others contributed, and enough departments besides it must have. It opens one evaluation of a job, once: what it told is
// journalled, and a repeat says the same bytes.
//
// The result is masked by numbers that only the requester knows, so that this
// department learns nothing from it.
package decrypt

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/rs/zerolog"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/envelope"
	"chancery/crypto/keystore"
	"chancery/crypto/paillier"
	"chancery/events"
	"chancery/workers"
	"chancery/workers/journal"
	"chancery/workers/provenance"
)

// Name of the worker.
const Name = "decrypt"

// Ledger is what decrypt needs of the ledger client.
type Ledger interface {
	workers.Submitter
	provenance.Ledger
}

// Config is what decrypt works with.
type Config struct {
	Department string            // own name
	MSP        string            // own Fabric MSP
	Peer       *x509.Certificate // own peer's: it must have endorsed the own approval
	Chaincode  string            // name of the contract
	Keys       *keystore.Store   // holds the private keys of the own keyrings
	Journal    *journal.Journal
	Ledger     Ledger
	Now        func() time.Time // own clock; nil: time.Now
}

// New returns the worker.
func New(cfg Config) workers.Worker {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	d := &decrypt{cfg, provenance.Reader{
		Department: cfg.Department, MSP: cfg.MSP, Peer: cfg.Peer, Chaincode: cfg.Chaincode, Ledger: cfg.Ledger,
	}}
	return workers.Worker{Name: Name, Subscriptions: []workers.Subscription{
		{Filter: events.LedgerFilter(exchange.JobWasComputed, "", ""), Handle: d.handle, Concurrency: 2},
	}}
}

type decrypt struct {
	Config
	reader provenance.Reader
}

func (d *decrypt) handle(ctx context.Context, m *workers.Message) error {
	said, err := events.Record[exchange.Job](m.Envelope)
	if err != nil {
		return workers.Reject(err)
	}
	if said.Spec.Keyholder != d.Department {
		return nil
	}
	var j exchange.Job
	if err := d.Ledger.Get(ctx, exchange.NounJob, said.ID, &j); err != nil {
		return workers.Patient(m, fmt.Errorf("job %s: %w", said.ID, err), ledger.Away)
	}
	if provenance.Behind(j, said) {
		return workers.Retry(workers.Pause(m), fmt.Errorf("job %s: the peer that was asked is behind", j.ID))
	}
	err = d.serve(ctx, j)
	if refused, ok := errors.AsType[*provenance.Refusal](err); ok {
		return workers.Reject(fmt.Errorf("job %s is not decrypted: %w", j.ID, refused))
	}
	return workers.Patient(m, err, ledger.Away)
}

// serve posts the share of a job that was computed.
func (d *decrypt) serve(ctx context.Context, j exchange.Job) error {
	if j.State != exchange.JobComputed {
		return nil // over, or shared before
	}
	if j.Expired(d.Now()) {
		zerolog.Ctx(ctx).Warn().Str("id", j.ID).Time("deadline", j.Spec.Deadline).Msg("job left alone: its deadline is over")
		return nil
	}
	pk, err := d.publicKey(ctx, j)
	if err != nil {
		return err
	}
	recipient, err := d.approvals(ctx, j)
	if err != nil {
		return err
	}
	ciphertexts, digest, err := d.aggregate(ctx, j, pk)
	if err != nil {
		return err
	}
	sk, err := d.privateKey(j, pk)
	if err != nil {
		return err
	}
	share, err := d.share(ctx, j, sk, ciphertexts, digest, recipient)
	if err != nil {
		return err
	}
	return d.post(ctx, j, share)
}

// publicKey is the key of the job's keyring, which the own department holds. That
// the keyring was retired since stops new jobs and not this one.
func (d *decrypt) publicKey(ctx context.Context, j exchange.Job) (*paillier.PublicKey, error) {
	if err := provenance.CheckSpec(j); err != nil {
		return nil, err
	}
	if j.Spec.Keyholder != d.Department {
		return nil, provenance.Refusef("its keyholder is %s", j.Spec.Keyholder)
	}
	pk, err := d.reader.JobKey(ctx, j)
	if errors.Is(err, exchange.ErrNotFound) {
		return nil, provenance.Refusef("%v", err)
	}
	return pk, err
}

// privateKey is read last, when nothing else is wrong.
func (d *decrypt) privateKey(j exchange.Job, pk *paillier.PublicKey) (*paillier.PrivateKey, error) {
	sk, err := d.Keys.PaillierKey(j.Spec.Keyring)
	if errors.Is(err, keystore.ErrNotFound) || errors.Is(err, keystore.ErrName) {
		return nil, provenance.Refusef("this department's keystore has no key of keyring %s", j.Spec.Keyring)
	}
	if err != nil {
		return nil, fmt.Errorf("private key of keyring %s: %w", j.Spec.Keyring, err)
	}
	if !sk.Public().Equal(pk) {
		return nil, provenance.Refusef("the key of keyring %s in this department's keystore is %s, not %s", j.Spec.Keyring, sk.Fingerprint(), pk.Fingerprint())
	}
	return sk, nil
}

// aggregate computes what is to be opened out of contributions that their own
// departments signed, at least as many as the spec demands.
func (d *decrypt) aggregate(ctx context.Context, j exchange.Job, pk *paillier.PublicKey) ([]*paillier.Ciphertext, string, error) {
	records, err := d.reader.JobRecords(ctx, j)
	if err != nil {
		return nil, "", err
	}
	others := make(map[string]bool)
	for _, c := range records.Contributions {
		if err := d.reader.CheckContribution(ctx, j, c); err != nil {
			return nil, "", err
		}
		if c.Department != j.Requester {
			others[c.Department] = true
		}
	}
	if len(others) < j.Spec.MinContributors {
		return nil, "", provenance.Refusef("%d departments besides the requester contributed, and the spec demands %d", len(others), j.Spec.MinContributors)
	}
	if err := d.reader.CheckMask(ctx, j, records.Mask); err != nil {
		return nil, "", err
	}
	if err := d.reader.CheckOrder(ctx, j, records.Mask); err != nil {
		return nil, "", err
	}
	return records.Evaluate(pk, j)
}

// approvals reads every provider's approval and returns the recipient for whom
// all of them gave their grants.
func (d *decrypt) approvals(ctx context.Context, j exchange.Job) (envelope.Recipient, error) {
	var grants []exchange.Grant
	for _, name := range j.Spec.Providers() {
		given, err := d.reader.CheckApproval(ctx, j, name)
		if err != nil {
			return envelope.Recipient{}, err
		}
		grants = append(grants, given...)
	}
	return d.reader.Recipient(ctx, j.Requester, grants...)
}

// sharePart names the part of a job that a share is in the journal.
const sharePart = "share"

// share is what the journal keeps of a share.
type share struct {
	Digest string `json:"digest"` // of the evaluation
	Sealed string `json:"sealed"`
}

// share opens the aggregate, once for each job: of two evaluations of one job, the
// difference would show what the mask hides.
func (d *decrypt) share(ctx context.Context, j exchange.Job, sk *paillier.PrivateKey, c []*paillier.Ciphertext, digest string, to envelope.Recipient) (share, error) {
	made, err := journal.Job[share](d.Journal, j.ID, sharePart)
	if errors.Is(err, journal.ErrNotFound) {
		made.Digest = digest
		if made.Sealed, err = d.open(ctx, j, sk, c, digest, to); err == nil {
			made, err = journal.PutJob(d.Journal, j.ID, sharePart, made)
		}
	}
	if err != nil {
		return share{}, err
	}
	if made.Digest != digest {
		return share{}, provenance.Refusef("another evaluation of it, %s, was opened before", made.Digest)
	}
	return made, nil
}

// open decrypts the aggregate and seals plaintexts and randomness for the
// requester, who checks them by encrypting again.
func (d *decrypt) open(ctx context.Context, j exchange.Job, sk *paillier.PrivateKey, c []*paillier.Ciphertext, digest string, to envelope.Recipient) (string, error) {
	begun := time.Now()
	plaintexts, randomness, err := sk.OpenBatch(ctx, c)
	if err != nil {
		return "", fmt.Errorf("open the evaluation: %w", err)
	}
	plain, err := exchange.Encode(exchange.Opening{
		Job: j.ID, Digest: digest, Plaintexts: texts(plaintexts), Randomness: texts(randomness),
	})
	if err != nil {
		return "", err
	}
	sealed, err := envelope.SealRecord(plain, to)
	if err != nil {
		return "", fmt.Errorf("seal the opening: %w", err)
	}
	zerolog.Ctx(ctx).Info().Str("id", j.ID).Int("ciphertexts", len(c)).Int64("ms", time.Since(begun).Milliseconds()).Msg("decrypted")
	return base64.StdEncoding.EncodeToString(sealed), nil
}

func texts(numbers []*big.Int) []string {
	list := make([]string, len(numbers))
	for i, n := range numbers {
		list[i] = n.String()
	}
	return list
}

func (d *decrypt) post(ctx context.Context, j exchange.Job, s share) error {
	outcome, err := workers.Submit(ctx, d.Ledger, "", exchange.OpJobShare, &exchange.PostShare{Job: j.ID, Digest: s.Digest, Sealed: s.Sealed})
	if err != nil {
		return fmt.Errorf("job %s: %w", j.ID, err)
	}
	log := zerolog.Ctx(ctx).With().Str("id", j.ID).Str("to", j.Requester).Str("tx", outcome.Tx).Str("code", string(outcome.Code)).Logger()
	switch outcome.Code {
	case exchange.OK, exchange.Exists:
		log.Info().Msg("share posted")
		return nil
	case exchange.Expired:
		log.Warn().Msg("job left alone: " + outcome.Message)
		return nil
	case exchange.Conflict:
		return d.unlessMovedOn(ctx, j, outcome.Err())
	case exchange.Revoked, exchange.Denied, exchange.Invalid:
		return provenance.Refusef("%v", outcome.Err())
	}
	return fmt.Errorf("share of job %s: %w", j.ID, outcome.Err())
}

// unlessMovedOn looks at the job again: the requester may have withdrawn it.
func (d *decrypt) unlessMovedOn(ctx context.Context, j exchange.Job, err error) error {
	var now exchange.Job
	if err := d.Ledger.Get(ctx, exchange.NounJob, j.ID, &now); err != nil {
		return err
	}
	if now.State != exchange.JobComputed {
		return nil
	}
	return fmt.Errorf("share of job %s: %w", j.ID, err)
}
