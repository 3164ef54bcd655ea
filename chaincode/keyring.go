package chaincode

import (
	"sync"

	"chancery/chaincode/exchange"
	"chancery/crypto/paillier"
)

// createKeyring puts a public key on record under the caller's department, its
// keyholder.
func createKeyring(a *act, b *exchange.CreateKeyring) (subject, error) {
	holder := a.caller.department
	id := exchange.KeyringID(holder.MSP, b.Name)
	k, found, err := find[exchange.Keyring](a.transaction, exchange.KeyringKey(id))
	s := subject{id: id}
	if found {
		s.state = string(k.State)
		if k.State == exchange.KeyringActive && k.PublicKey == b.PublicKey {
			s.done = done{yes: true, tx: k.Change.Tx}
		}
	}
	s.change = func() error {
		k := exchange.Keyring{
			ID: id, Name: b.Name, Keyholder: holder.Name, PublicKey: b.PublicKey,
			State: exchange.KeyringActive, Since: a.time, Change: a.change(""),
		}
		pk, err := a.keys.of(k)
		if err != nil {
			return err
		}
		k.Fingerprint, k.Bits = pk.Fingerprint().String(), pk.Bits()
		return firstError(a.put(exchange.KeyringKey(id), k), a.tell(exchange.ToAll, id, k))
	}
	return s, err
}

func retireKeyring(a *act, b *exchange.RetireKeyring) (subject, error) {
	k, err := need[exchange.Keyring](a.transaction, exchange.KeyringKey(b.Keyring), b.Keyring)
	s := subject{id: k.ID, party: k.Keyholder, state: string(k.State), done: a.doneBefore(k.Change)}
	s.change = func() error {
		k.State, k.Change = exchange.KeyringRetired, a.change(b.Reason)
		return firstError(a.put(exchange.KeyringKey(k.ID), k), a.tell(exchange.ToAll, k.ID, k))
	}
	return s, err
}

// activeKeyring finds a keyring, by its id or "<keyholder>/<name>", that a new
// job can compute under: one that is not retired, of a department that is not
// suspended.
func (t *transaction) activeKeyring(name string) (exchange.Keyring, error) {
	key, err := t.recordKey(exchange.NounKeyring, name)
	if err != nil {
		return exchange.Keyring{}, err
	}
	k, err := need[exchange.Keyring](t, key, name)
	if err != nil {
		return k, err
	}
	if k.State != exchange.KeyringActive {
		return k, exchange.Errorf(exchange.Conflict, "keyring %s of %s is %s (%s)", k.Name, k.Keyholder, k.State, k.Change.Reason)
	}
	_, err = t.activeDepartment(k.Keyholder)
	return k, err
}

// maxPublicKeys bounds how many checked keys an endorser remembers.
const maxPublicKeys = 64

// publicKeys remembers the keys of keyrings, by their text: to check a modulus
// costs more than all else that a contribution needs. The zero value is empty.
// Any number of goroutines may use it at once.
type publicKeys struct {
	mu     sync.Mutex // guards byText
	byText map[string]*paillier.PublicKey
}

// of decodes and checks a keyring's key, unless that very text has been before.
func (p *publicKeys) of(k exchange.Keyring) (*paillier.PublicKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pk := p.byText[k.PublicKey]; pk != nil {
		return pk, nil
	}
	pk, err := k.Key()
	if err != nil {
		return nil, err
	}
	if len(p.byText) >= maxPublicKeys || p.byText == nil {
		p.byText = make(map[string]*paillier.PublicKey)
	}
	p.byText[k.PublicKey] = pk
	return pk, nil
}
