package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
	"chancery/crypto/keystore"
	"chancery/crypto/paillier"
	"chancery/workers"
)

// KeyringCreateOptions say what key to make.
type KeyringCreateOptions struct {
	Command string
	Bits    int // of the modulus
}

func newKeyringCreateCommand(a *app) *cobra.Command {
	opts := KeyringCreateOptions{}
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a Paillier key and offer it for jobs of other departments",
		Long: `Make a Paillier key for jobs of other departments. Its private half stays in the
department's keystore; an officer's signature puts the public half on the ledger.

The key is on disk before the ledger hears of it, so that the command may be
interrupted and said again: it takes the key that is there. A name never gets a
second key; another key takes another name. Back the private half up: without it
nothing under the keyring can be opened.

The contract does not see yet whether a ciphertext was copied from an earlier job
under the same keyring: take a keyring for one job, and retire it.`,
		Example: `  chancery keyring create statistics -d labor
  chancery keyring create census-2030 -d labor --bits 4096 --json`,
		Args: takes("a NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runKeyringCreate(cmd.Context(), a, args[0], opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&opts.Bits, "bits", paillier.DefaultBits, fmt.Sprintf("length of the modulus, %d to %d in steps of 64", paillier.DefaultBits, paillier.MaxBits))
	addCommandFlag(cmd, &opts.Command)
	return cmd
}

// createdKeyring is what became of a keyring's creation.
type createdKeyring struct {
	exchange.Outcome
	Keyring     string `json:"keyring"` // KEYHOLDER/NAME
	Bits        int    `json:"bits"`
	Fingerprint string `json:"fingerprint"` // of the public key
	File        string `json:"file"`        // that holds the private half
}

func runKeyringCreate(ctx context.Context, a *app, name string, opts KeyringCreateOptions) error {
	if !exchange.ValidName(name) {
		return usagef("%q is not a name: use 1 to 64 of a-z, 0-9 and inner hyphens", name)
	}
	if opts.Bits < paillier.DefaultBits || opts.Bits > paillier.MaxBits || opts.Bits%64 != 0 {
		return usagef("--bits %d: a keyring takes %d to %d, in steps of 64", opts.Bits, paillier.DefaultBits, paillier.MaxBits)
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	made := createdKeyring{Keyring: profile.Department + "/" + name}
	id := exchange.KeyringID(profile.MSP, name)
	store, err := keystore.Open(profile.Keystore)
	if err != nil {
		return err
	}
	if made.File, err = store.PaillierPath(id); err != nil {
		return err
	}
	// The officer and the ledger are there before a key is made for them.
	recorded, err := a.recordedKeyring(ctx, profile, id)
	if err != nil {
		return err
	}
	if recorded != nil && recorded.State == exchange.KeyringRetired {
		return faultf(exchange.ErrConflict, "keyring %s is retired, and its name with it: create one of another name", made.Keyring)
	}
	public, err := a.keyringKey(ctx, store, id, made, recorded, opts.Bits)
	if err != nil {
		return err
	}
	made.Bits, made.Fingerprint = public.Bits(), public.Fingerprint().String()
	text, err := public.MarshalText()
	if err != nil {
		return err
	}
	made.Outcome, err = a.perform(ctx, profile, exchange.Officer, commandID(opts.Command),
		exchange.OpKeyringCreate, &exchange.CreateKeyring{Name: name, PublicKey: string(text)})
	if err != nil {
		return err
	}
	return a.result(made, made.write)
}

// recordedKeyring is what the ledger says of the keyring; nil: nothing.
func (a *app) recordedKeyring(ctx context.Context, profile workers.Profile, id string) (*exchange.Keyring, error) {
	var k exchange.Keyring
	err := a.ask(ctx, profile, exchange.Officer, func(ctx context.Context, client *ledger.Client) error {
		return client.Get(ctx, exchange.NounKeyring, id, &k)
	})
	if errors.Is(err, exchange.ErrNotFound) {
		return nil, nil
	}
	return &k, err
}

// keyringKey is the key in the keystore, made first where neither the keystore
// nor the ledger has one: a name that the ledger knows takes no other key.
func (a *app) keyringKey(ctx context.Context, store *keystore.Store, id string, made createdKeyring, recorded *exchange.Keyring, bits int) (*paillier.PublicKey, error) {
	_, err := os.Stat(made.File)
	switch absent := errors.Is(err, fs.ErrNotExist); {
	case err != nil && !absent:
		return nil, err
	case absent && recorded != nil:
		return nil, faultf(exchange.ErrConflict,
			"the ledger has keyring %s, and its private half is not in %s: restore that file from a backup, or create a keyring of another name", made.Keyring, made.File)
	case absent:
		a.say("making a key of %d bits", bits)
	default:
		a.say("taking the key that is in %s", made.File)
	}
	key, err := store.CreatePaillierKey(ctx, id, paillier.KeyOptions{Bits: bits, Progress: a.tellProgress(time.Now)})
	if err != nil {
		return nil, err
	}
	public := key.Public()
	switch {
	case recorded != nil && recorded.Fingerprint != public.Fingerprint().String():
		return nil, faultf(exchange.ErrConflict, "the ledger has keyring %s with the key %s, and %s holds another: restore the right file from a backup, or create a keyring of another name",
			made.Keyring, short(recorded.Fingerprint), made.File)
	case public.Bits() != bits:
		return nil, faultf(exchange.ErrConflict, "%s holds a key of %d bits for this name: say --bits %d, or create a keyring of another name", made.File, public.Bits(), public.Bits())
	}
	return public, nil
}

// progressEvery is how often the search for primes is told of.
const progressEvery = time.Second

// tellProgress says how far the search for primes is, now and then. Two primes
// that do not go together are searched for again, from the beginning.
func (a *app) tellProgress(now func() time.Time) func(paillier.Progress) {
	last, tested := now(), int64(0)
	return func(p paillier.Progress) {
		if p.Tested < tested {
			a.say("the two primes do not go together: searching again")
		}
		tested = p.Tested
		if at := now(); at.Sub(last) >= progressEvery {
			last = at
			a.say("%d of 2 primes; %d candidates tested, about %.0f are expected", p.Found, p.Tested, p.Expect)
		}
	}
}

func (k createdKeyring) write(w io.Writer) {
	var f fields
	f.add("keyring", "%s", k.Keyring)
	f.add("id", "%s", k.ID)
	f.add("outcome", "%s", k.Code)
	f.add("bits", "%d", k.Bits)
	f.add("fingerprint", "%s", k.Fingerprint)
	f.add("private half in", "%s (back it up)", k.File)
	f.add("command", "%s", k.Command)
	f.add("transaction", "%s", k.Tx)
	f.write(w)
}
