package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/compose/native"
	"chancery/crypto/keystore"
	"chancery/workers"
)

func newKeyCommand(a *app) *cobra.Command {
	return newNoun("key", "The department's own keys: of itself, its datasets, its officers",
		newKeyNewCommand(a), newKeyShowCommand(a))
}

const keyNames = `department             that which other departments wrap keys for
dataset/NAME           that to which the versions of a dataset are sealed
officer/NAME           a certificate by the department's own authority, to sign with`

func newKeyNewCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "new KEY",
		Short: "Make a key of the department, an officer's or a dataset's",
		Long: `Make a key, which stays in the department's own directory. Its public half is
printed, its secret never. A key that is there is never replaced.

` + keyNames + `

An officer's key signs nothing before it is enrolled (officer enrol). The keys of
datasets are made by themselves when a version is sealed.`,
		Example: `  chancery key new officer/ada -d census
  chancery key new dataset/population -d census`,
		Args: takes("a KEY"),
		RunE: func(_ *cobra.Command, args []string) error { return runKeyNew(a, args[0]) },
	}
}

func newKeyShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show [KEY]",
		Short: "Show the department's keys: recipients and fingerprints, no secrets",
		Long: `Show a key of the department, or all of them: the recipient to seal for or the
certificate, its fingerprint, and the file that holds the secret.

` + keyNames,
		Example: `  chancery key show -d census
  chancery key show department -d census
  chancery key show officer/officer -d census --json`,
		Args: cobra.MatchAll(func(cmd *cobra.Command, args []string) error {
			return takes("a KEY")(cmd, append(args, "")[:max(1, len(args))])
		}),
		RunE: func(_ *cobra.Command, args []string) error { return runKeyShow(a, strings.Join(args, "")) },
	}
}

// shownKey is the public half of a key.
type shownKey struct {
	Name        string    `json:"name"`
	Recipient   string    `json:"recipient,omitempty"`   // age recipient
	Officer     string    `json:"officer,omitempty"`     // id under which the certificate is enrolled
	Certificate string    `json:"certificate,omitempty"` // file
	Until       time.Time `json:"until,omitzero"`        // of the certificate
	Fingerprint string    `json:"fingerprint"`           // SHA-256 of the recipient's text, or of the certificate
	File        string    `json:"file"`                  // that holds the secret
}

const (
	datasetKey = "dataset/"
	officerKey = "officer/"
)

// keyName checks the name of a key, and finds a dataset's by its own name.
func keyName(profile workers.Profile, name string) (string, error) {
	dataset, isDataset := strings.CutPrefix(name, datasetKey)
	officer, isOfficer := strings.CutPrefix(name, officerKey)
	switch {
	case name == keystore.Department, isOfficer && exchange.ValidName(officer), isDataset && exchange.ValidID(exchange.NounDataset, dataset):
		return name, nil
	case isDataset && exchange.ValidName(dataset):
		return keystore.Dataset(exchange.DatasetID(profile.MSP, dataset)), nil
	}
	return "", usagef("%q names no key: use department, dataset/NAME or officer/NAME", name)
}

func runKeyNew(a *app, arg string) error {
	if _, err := keyName(workers.Profile{}, arg); err != nil {
		return err
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	name, err := keyName(profile, arg)
	if err != nil {
		return err
	}
	if _, err := readKey(profile, name); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = faultf(exchange.ErrConflict, "%s has the key %s: `chancery key show %s` shows it", profile.Department, arg, arg)
		}
		return err
	}
	if officer, found := strings.CutPrefix(name, officerKey); found {
		err = native.IssueIdentity(filepath.Join(a.data, profile.Department), officer)
	} else {
		var store *keystore.Store
		if store, err = keystore.Open(profile.Keystore); err == nil {
			_, err = store.CreateIdentity(name)
		}
	}
	if err != nil {
		return fmt.Errorf("key %s: %w", arg, err)
	}
	key, err := readKey(profile, name)
	if err != nil {
		return err
	}
	return a.result(key, key.write)
}

func runKeyShow(a *app, arg string) error {
	if arg != "" {
		if _, err := keyName(workers.Profile{}, arg); err != nil {
			return err
		}
	}
	profile, err := a.profile()
	if err != nil {
		return err
	}
	if arg == "" {
		return showKeys(a, profile)
	}
	name, err := keyName(profile, arg)
	if err != nil {
		return err
	}
	key, err := readKey(profile, name)
	if errors.Is(err, fs.ErrNotExist) {
		return faultf(errNotFound, "%s has no key %s: `chancery key show` shows them all", profile.Department, arg)
	}
	if err != nil {
		return err
	}
	return a.result(key, key.write)
}

func showKeys(a *app, profile workers.Profile) error {
	names, err := allKeys(profile)
	if err != nil {
		return err
	}
	keys := make([]shownKey, len(names))
	t := newTable("KEY", "PUBLIC", "FINGERPRINT", "VALID UNTIL")
	for i, name := range names {
		if keys[i], err = readKey(profile, name); err != nil {
			return err
		}
		t.add(name, keys[i].Officer+short(keys[i].Recipient), short(keys[i].Fingerprint), clock(keys[i].Until))
	}
	return a.result(keys, func(w io.Writer) { t.write(w) })
}

// allKeys are the names of the keys that a department has: its own and its
// datasets', then its officers', each sorted.
func allKeys(profile workers.Profile) ([]string, error) {
	store, err := keystore.Open(profile.Keystore)
	if err != nil {
		return nil, err
	}
	names, err := store.Names()
	if err != nil {
		return nil, err
	}
	officers, err := identities(profile)
	if err != nil {
		return nil, fmt.Errorf("identities: %w", err)
	}
	for _, officer := range officers {
		names = append(names, officerKey+officer)
	}
	return names, nil
}

// identities are the names of the department's Fabric identities, sorted.
func identities(profile workers.Profile) ([]string, error) {
	entries, err := os.ReadDir(profile.Identities)
	var names []string
	for _, e := range entries {
		if e.IsDir() && exchange.ValidName(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// readKey reads the public half of a key: [fs.ErrNotExist] where there is none.
func readKey(profile workers.Profile, name string) (shownKey, error) {
	if officer, found := strings.CutPrefix(name, officerKey); found {
		return readOfficerKey(name, filepath.Join(profile.Identities, officer))
	}
	store, err := keystore.Open(profile.Keystore)
	if err != nil {
		return shownKey{}, err
	}
	identity, err := store.Identity(name)
	if err != nil {
		return shownKey{}, err
	}
	file, err := store.Path(name)
	r := identity.Recipient()
	return shownKey{Name: name, Recipient: r.String(), Fingerprint: r.Fingerprint(), File: file}, err
}

func readOfficerKey(name, dir string) (shownKey, error) {
	file := filepath.Join(dir, "cert.pem")
	certificate, err := readCertificate(file)
	if err != nil {
		return shownKey{}, fmt.Errorf("key %s: %w", name, err)
	}
	return shownKey{
		Name: name, Officer: exchange.OfficerID(certificate.RawTBSCertificate), Certificate: file,
		Until: certificate.NotAfter.UTC(), Fingerprint: fingerprint(certificate), File: filepath.Join(dir, "key.pem"),
	}, nil
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

func (k shownKey) write(w io.Writer) {
	var f fields
	f.add("key", "%s", k.Name)
	f.add("fingerprint", "%s", k.Fingerprint)
	f.add("officer", "%s", k.Officer)
	f.add("recipient", "%s", k.Recipient)
	f.add("certificate", "%s", k.Certificate)
	f.add("valid until", "%s", clock(k.Until))
	f.add("secret in", "%s", k.File)
	f.write(w)
}
