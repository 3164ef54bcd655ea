//go:build interop

// These tests install a library with npm: run them with -tags interop.

package paillier

import (
	"bytes"
	"encoding/json"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const interopScript = `
import * as p from 'paillier-bigint'
import { readFileSync } from 'fs'
const v = JSON.parse(readFileSync(0, 'utf8'))
const n = BigInt(v.n), pk = new p.PublicKey(n, n + 1n)
const P = BigInt(v.p), Q = BigInt(v.q)
const lambda = (P - 1n) * (Q - 1n)
const inverse = (a, m) => { let [r, s, x, y] = [a % m, m, 1n, 0n]
  while (s) { const q = r / s; [r, s] = [s, r - q * s]; [x, y] = [y, x - q * y] }
  return ((x % m) + m) % m }
const sk = new p.PrivateKey(lambda, inverse(lambda, n), pk, P, Q)
const opened = v.sent.map(c => sk.decrypt(BigInt(c)).toString())
const a = pk.encrypt(BigInt(v.x)), b = pk.encrypt(BigInt(v.y))
const made = await p.generateRandomKeys(2048, true)
const own = made.publicKey.encrypt(123456789n)
const text = o => JSON.parse(JSON.stringify(o, (_, x) => typeof x === 'bigint' ? x.toString() : x))
console.log(JSON.stringify(text({ opened, a, b, sum: pk.addition(a, b), scaled: pk.multiply(a, 12345n),
  n: made.publicKey.n, p: made.privateKey._p, q: made.privateKey._q, own })))
`

type interopAnswer struct {
	Opened                          []string
	A, B, Sum, Scaled, N, P, Q, Own string
}

// runBigint installs npm's paillier-bigint and lets it answer.
func runBigint(t *testing.T, question any) (answer interopAnswer) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "answer.mjs"), []byte(interopScript), 0o600); err != nil {
		t.Fatal(err)
	}
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--prefix", dir, "paillier-bigint@3.4.3")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm install paillier-bigint: %v\n%s", err, out)
	}
	in, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "answer.mjs")
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// Ciphertexts of ours open there, theirs open and evaluate here, and a key of
// theirs is a key here.
func TestInteropPaillierBigint(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: npm is not asked to install paillier-bigint")
	}
	sk := testKey(t, 3072)
	pk := sk.Public()
	x, y := big.NewInt(987654321), new(big.Int).Rsh(pk.n, 1)
	public, err := pk.Encrypt(nil, x)
	if err != nil {
		t.Fatal(err)
	}
	owned, err := sk.Encrypt(nil, y)
	if err != nil {
		t.Fatal(err)
	}
	both, err := pk.Add(public, owned)
	if err != nil {
		t.Fatal(err)
	}
	got := runBigint(t, map[string]any{
		"n": pk.n.String(), "p": sk.p.String(), "q": sk.q.String(), "x": x.String(), "y": y.String(),
		"sent": []string{public.Int().String(), owned.Int().String(), both.Int().String()},
	})
	sum := new(big.Int).Add(x, y)
	for i, want := range []*big.Int{x, y, sum} {
		if got.Opened[i] != want.String() {
			t.Errorf("theirs opens our ciphertext %d as %s", i, got.Opened[i])
		}
	}
	opens := func(sk *PrivateKey, text string, want *big.Int) {
		t.Helper()
		c, err := sk.ImportCiphertext(bigInt(t, text))
		if err != nil {
			t.Fatal(err)
		}
		if m, err := sk.Decrypt(c); err != nil || m.Cmp(want) != 0 {
			t.Errorf("ours opens theirs as %v, %v", m, err)
		}
	}
	opens(sk, got.A, x)
	opens(sk, got.B, y)
	opens(sk, got.Sum, sum)
	opens(sk, got.Scaled, new(big.Int).Mul(x, big.NewInt(12345)))
	// (Their simple variant has g = n+1; the other has a random g, which is no
	// key here.) Their primes differ by a bit in length, which a private key of ours may
	// not; their public key is one here.
	theirs, err := NewPublicKey(bigInt(t, got.N), FormStandard)
	if err != nil {
		t.Fatal(err)
	}
	c, err := theirs.ImportCiphertext(bigInt(t, got.Own))
	if err != nil {
		t.Fatal(err)
	}
	if c, err = theirs.AddPlain(c, x); err != nil {
		t.Fatal(err)
	}
	full := newPrivateKey(bigInt(t, got.P), bigInt(t, got.Q), FormStandard)
	want := new(big.Int).Add(x, big.NewInt(123456789))
	if m := decryptBig(full, c.Int()); m.Cmp(want) != 0 {
		t.Errorf("a ciphertext under their key opens as %v", m)
	}
}
