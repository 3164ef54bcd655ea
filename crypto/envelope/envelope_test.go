package envelope_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"chancery/crypto/envelope"
)

const chunk = 64 << 10 // age's

func newIdentity(t testing.TB) envelope.Identity {
	t.Helper()
	i, err := envelope.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// noise returns n bytes that are the same in every run.
func noise(n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{1}), n)
}

func seal(t testing.TB, content []byte) ([]byte, envelope.Sealed) {
	t.Helper()
	var file bytes.Buffer
	sealed, err := envelope.Seal(&file, bytes.NewReader(content), newIdentity(t).Recipient())
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), sealed
}

func contentOf(t testing.TB, n int64) []byte {
	t.Helper()
	content, err := io.ReadAll(noise(n))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestRoundTrip(t *testing.T) {
	for _, size := range []int64{0, 1, 100, chunk - 1, chunk, chunk + 1, 3 * chunk} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			content := contentOf(t, size)
			file, s := seal(t, content)

			if got := sha256.Sum256(file); got != s.SealedDigest || s.SealedSize != int64(len(file)) {
				t.Errorf("sealed digest and size do not describe the %d bytes written", len(file))
			}
			if got := sha256.Sum256(content); got != s.Content || s.ContentSize != size {
				t.Errorf("content digest and size do not describe the content")
			}
			salted := sha256.Sum256(append(s.Salt.Bytes(), s.Content[:]...))
			if salted != s.SaltedDigest {
				t.Errorf("salted digest is not SHA-256(salt ‖ content digest)")
			}
			if err := envelope.Check(bytes.NewReader(file), s.Commitment); err != nil {
				t.Errorf("check: %v", err)
			}

			var opened bytes.Buffer
			n, err := envelope.Open(&opened, iotest.OneByteReader(bytes.NewReader(file)), s.Key, s.Salt, s.Commitment)
			if err != nil {
				t.Fatal(err)
			}
			if n != size || !bytes.Equal(opened.Bytes(), content) {
				t.Errorf("opened to %d other bytes", n)
			}
		})
	}
}

func TestSealTwiceSharesNothing(t *testing.T) {
	_, a := seal(t, []byte("same"))
	_, b := seal(t, []byte("same"))
	if a.Key.Equal(b.Key) || a.Salt.Equal(b.Salt) || a.SealedDigest == b.SealedDigest || a.SaltedDigest == b.SaltedDigest {
		t.Error("two objects of the same content share a key, a salt or a digest")
	}
}

// TestAlteredBytes changes every region of a sealed object: the grantee must be
// told that the bytes are not the ones on the ledger, not just that age failed.
func TestAlteredBytes(t *testing.T) {
	content := contentOf(t, 2*chunk+10)
	file, s := seal(t, content)
	header := bytes.Index(file, []byte("\n--- ")) + 1
	flip := func(i int) []byte {
		altered := bytes.Clone(file)
		altered[i] ^= 1
		return altered
	}
	tests := map[string]struct {
		file      []byte
		truncated bool
	}{
		"version line":       {file: flip(20)},
		"stanza type":        {file: flip(bytes.Index(file, []byte("mlkem")))},
		"stanza body":        {file: flip(header - 5)},
		"header MAC":         {file: flip(header + 10)},
		"nonce":              {file: flip(bytes.IndexByte(file[header:], '\n') + header + 1)},
		"first chunk":        {file: flip(header + 500)},
		"last byte":          {file: flip(len(file) - 1)},
		"chunks swapped":     {file: swapChunks(file, s.SealedSize)},
		"nothing":            {file: nil, truncated: true},
		"half a header":      {file: file[:header/2], truncated: true},
		"header only":        {file: file[:header+48], truncated: true},
		"last chunk missing": {file: file[:len(file)-10-16], truncated: true},
		"last byte missing":  {file: file[:len(file)-1], truncated: true},
		"one byte more":      {file: append(bytes.Clone(file), 0)},
		"a lot more":         {file: append(bytes.Clone(file), make([]byte, 2*chunk)...)},
		"another format":     {file: bytes.Repeat([]byte("PK\x03\x04"), len(file)/4+1)[:len(file)]},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := envelope.Open(io.Discard, bytes.NewReader(tt.file), s.Key, s.Salt, s.Commitment)
			if !errors.Is(err, envelope.ErrSealedDigest) {
				t.Errorf("open: got %v, want ErrSealedDigest", err)
			}
			if got := errors.Is(err, io.ErrUnexpectedEOF); got != tt.truncated {
				t.Errorf("open: %v wraps io.ErrUnexpectedEOF: %v, want %v", err, got, tt.truncated)
			}
			if err := envelope.Check(bytes.NewReader(tt.file), s.Commitment); !errors.Is(err, envelope.ErrSealedDigest) {
				t.Errorf("check: got %v, want ErrSealedDigest", err)
			}
		})
	}
}

// swapChunks exchanges the first two chunks of a sealed object with three.
func swapChunks(file []byte, size int64) []byte {
	const sealedChunk = chunk + 16
	start := int(size) - 10 - 16 - 2*sealedChunk
	swapped := bytes.Clone(file)
	copy(swapped[start:], file[start+sealedChunk:start+2*sealedChunk])
	copy(swapped[start+sealedChunk:], file[start:start+sealedChunk])
	return swapped
}

// TestProviderAtFault has the right bytes with the wrong secrets: what a
// grantee disputes, where altered bytes are fetched again.
func TestProviderAtFault(t *testing.T) {
	file, s := seal(t, []byte("population,4863300\n"))
	_, other := seal(t, []byte("population,4863300\n"))
	damaged := bytes.Clone(file)
	damaged[len(damaged)-1] ^= 1
	recorded := s.Commitment
	recorded.SealedDigest = sha256.Sum256(damaged)
	lied := s.Commitment
	lied.SaltedDigest = other.SaltedDigest

	tests := map[string]struct {
		file []byte
		key  envelope.FileKey
		salt envelope.Salt
		c    envelope.Commitment
		want error
	}{
		"another object's key":         {file, other.Key, s.Salt, s.Commitment, envelope.ErrFileKey},
		"damaged before it was hashed": {damaged, s.Key, s.Salt, recorded, envelope.ErrFileKey},
		"another object's salt":        {file, s.Key, other.Salt, s.Commitment, envelope.ErrContentDigest},
		"other content promised":       {file, s.Key, s.Salt, lied, envelope.ErrContentDigest},
		"no key":                       {file, envelope.FileKey{}, s.Salt, s.Commitment, envelope.ErrMalformed},
		"no salt":                      {file, s.Key, envelope.Salt{}, s.Commitment, envelope.ErrMalformed},
		"no size":                      {file, s.Key, s.Salt, envelope.Commitment{}, envelope.ErrMalformed},
		"absurd size":                  {file, s.Key, s.Salt, envelope.Commitment{SealedSize: math.MaxInt64}, envelope.ErrMalformed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n, err := envelope.Open(io.Discard, bytes.NewReader(tt.file), tt.key, tt.salt, tt.c)
			if !errors.Is(err, tt.want) || n != 0 {
				t.Errorf("got %d, %v, want 0, %v", n, err, tt.want)
			}
			if errors.Is(err, envelope.ErrSealedDigest) {
				t.Errorf("%v blames the bytes", err)
			}
		})
	}
}

var errDisk = errors.New("no space left on device")

type failingWriter struct{ left int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, errDisk
	}
	w.left -= len(p)
	return len(p), nil
}

// TestFailuresOfOthers asserts that a disk or a network that fails is never
// mistaken for an altered object.
func TestFailuresOfOthers(t *testing.T) {
	content := contentOf(t, 3*chunk)
	file, s := seal(t, content)
	broken := func() io.Reader {
		return io.MultiReader(bytes.NewReader(file[:len(file)/2]), iotest.ErrReader(errDisk))
	}
	r := newIdentity(t).Recipient()
	tests := map[string]func() error{
		"open, source": func() error {
			_, err := envelope.Open(io.Discard, broken(), s.Key, s.Salt, s.Commitment)
			return err
		},
		"open, destination": func() error {
			_, err := envelope.Open(&failingWriter{left: chunk}, bytes.NewReader(file), s.Key, s.Salt, s.Commitment)
			return err
		},
		"check, source": func() error { return envelope.Check(broken(), s.Commitment) },
		"seal, source": func() error {
			_, err := envelope.Seal(io.Discard, broken(), r)
			return err
		},
		"seal, destination": func() error {
			_, err := envelope.Seal(&failingWriter{left: chunk}, bytes.NewReader(content), r)
			return err
		},
		"seal, destination at the last chunk": func() error {
			_, err := envelope.Seal(&failingWriter{left: len(file) - 1}, bytes.NewReader(content), r)
			return err
		},
	}
	for name, do := range tests {
		t.Run(name, func(t *testing.T) {
			err := do()
			if !errors.Is(err, errDisk) || errors.Is(err, envelope.ErrSealedDigest) {
				t.Errorf("got %v, want %v alone", err, errDisk)
			}
		})
	}
}

// TestEndlessSource asserts that a hostile node cannot make the reader go on.
func TestEndlessSource(t *testing.T) {
	_, s := seal(t, []byte("short"))
	endless := &countingReader{r: rand.NewChaCha8([32]byte{})}
	if err := envelope.Check(endless, s.Commitment); !errors.Is(err, envelope.ErrSealedDigest) {
		t.Errorf("got %v, want ErrSealedDigest", err)
	}
	if endless.n != s.SealedSize+1 {
		t.Errorf("read %d bytes of an object of %d", endless.n, s.SealedSize)
	}
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// TestConstantMemory seals and opens 64 MiB and looks at the heap on the way.
func TestConstantMemory(t *testing.T) {
	const size, limit = 64 << 20, 4 << 20
	file, err := os.Create(filepath.Join(t.TempDir(), "object"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()

	var sealing, opening heapPeak
	s, err := envelope.Seal(file, io.TeeReader(noise(size), &sealing), newIdentity(t).Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	n, err := envelope.Open(&opening, file, s.Key, s.Salt, s.Commitment)
	if err != nil {
		t.Fatal(err)
	}
	if s.ContentSize != size || n != size {
		t.Fatalf("sealed %d bytes, opened %d, want %d", s.ContentSize, n, size)
	}
	if sealing.growth() > limit || opening.growth() > limit {
		t.Errorf("%d MiB took %d KiB of heap to seal and %d KiB to open, want at most %d KiB",
			size>>20, sealing.growth()>>10, opening.growth()>>10, limit>>10)
	}
	t.Logf("heap grew by %d KiB to seal, %d KiB to open", sealing.growth()>>10, opening.growth()>>10)
}

// heapPeak samples the live heap every 4 MiB written to it.
type heapPeak struct {
	first, most uint64
	n           int
}

func (h *heapPeak) Write(p []byte) (int, error) {
	const every = 4 << 20
	if h.n/every != (h.n+len(p))/every || h.n == 0 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		if h.first == 0 {
			h.first = m.HeapAlloc
		}
		h.most = max(h.most, m.HeapAlloc)
	}
	h.n += len(p)
	return len(p), nil
}

func (h *heapPeak) growth() uint64 { return h.most - h.first }

func TestSecretsStaySecret(t *testing.T) {
	id := newIdentity(t)
	_, s := seal(t, []byte("x"))
	type hidden struct {
		id   envelope.Identity
		key  envelope.FileKey
		salt envelope.Salt
	}
	secrets := []string{
		id.Secret(),
		strings.TrimPrefix(strings.ToLower(id.Secret()), "age-secret-key-pq-1"),
		fmt.Sprint(s.Key.Bytes()), fmt.Sprintf("%x", s.Key.Bytes()), fmt.Sprintf("%#v", s.Key.Bytes()),
		fmt.Sprint(s.Salt.Bytes()), fmt.Sprintf("%x", s.Salt.Bytes()), fmt.Sprintf("%#v", s.Salt.Bytes()),
	}
	values := []any{
		id, s.Key, s.Salt, s, &s, hidden{id, s.Key, s.Salt}, &hidden{id, s.Key, s.Salt},
		envelope.Wrap{FileKey: s.Key, Salt: s.Salt}, []envelope.FileKey{s.Key}, map[string]envelope.Salt{"salt": s.Salt},
	}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text := fmt.Sprintf(verb, v)
			for _, secret := range secrets {
				if strings.Contains(strings.ToLower(text), strings.ToLower(strings.Trim(secret, "[]"))) {
					t.Errorf("%s of %T prints a secret", verb, v)
				}
			}
		}
	}
	for _, v := range []any{id, s.Key, s.Salt, s, envelope.Wrap{FileKey: s.Key, Salt: s.Salt}} {
		if text, err := json.Marshal(v); !errors.Is(err, envelope.ErrSecret) {
			t.Errorf("JSON of %T is %s, %v, want ErrSecret", v, text, err)
		}
	}
}

func TestIdentityText(t *testing.T) {
	id := newIdentity(t)
	again, err := envelope.ParseIdentity(id.Secret())
	if err != nil {
		t.Fatal(err)
	}
	if again.Secret() != id.Secret() || again.Recipient().String() != id.Recipient().String() {
		t.Error("identity changes when it is parsed again")
	}
	r, err := envelope.ParseRecipient(id.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%x", sha256.Sum256([]byte(id.Recipient().String())))
	if r.Fingerprint() != want || r.String() != id.Recipient().String() {
		t.Error("recipient changes when it is parsed again")
	}
	for _, bad := range []string{
		"", "age1pq1", id.Secret() + "\n", id.Secret()[1:], id.Recipient().String(),
		"AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQS5Q4UP",
	} {
		if _, err := envelope.ParseIdentity(bad); !errors.Is(err, envelope.ErrMalformed) {
			t.Errorf("identity of %d characters: %v, want ErrMalformed", len(bad), err)
		} else if len(bad) > 20 && strings.Contains(err.Error(), bad[20:]) {
			t.Errorf("error repeats the input")
		}
	}
	for _, bad := range []string{"", id.Secret(), r.String() + " ", r.String()[:100], "age1" + strings.Repeat("q", 58)} {
		if _, err := envelope.ParseRecipient(bad); !errors.Is(err, envelope.ErrMalformed) {
			t.Errorf("recipient of %d characters: %v, want ErrMalformed", len(bad), err)
		}
	}
}

func TestZeroValues(t *testing.T) {
	if _, err := envelope.Seal(io.Discard, strings.NewReader("x"), envelope.Recipient{}); !errors.Is(err, envelope.ErrMalformed) {
		t.Errorf("seal to nobody: %v", err)
	}
	var id envelope.Identity
	if id.Secret() != "" || id.Recipient().String() != "" {
		t.Error("the zero identity has a key")
	}
	var key envelope.FileKey
	var salt envelope.Salt
	if key.Bytes() != nil || salt.Bytes() != nil || !key.Equal(envelope.FileKey{}) || !salt.Equal(envelope.Salt{}) {
		t.Error("the zero secrets are not empty")
	}
}

func TestDigestText(t *testing.T) {
	d := envelope.Digest(sha256.Sum256([]byte("x")))
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var again envelope.Digest
	if err := json.Unmarshal(text, &again); err != nil || again != d {
		t.Errorf("got %v, %v, want %v", again, err, d)
	}
	for _, bad := range []string{"", d.String()[2:], d.String() + "00", strings.ToUpper(d.String()), strings.Repeat("g", 64)} {
		if _, err := envelope.ParseDigest(bad); !errors.Is(err, envelope.ErrMalformed) {
			t.Errorf("digest %q: %v, want ErrMalformed", bad, err)
		}
		if err := again.UnmarshalText([]byte(bad)); err == nil || again != d {
			t.Errorf("digest %q: %v, value %v", bad, err, again)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	const size = 16 << 20
	content := contentOf(b, size)
	r := newIdentity(b).Recipient()
	b.SetBytes(size)
	for b.Loop() {
		if _, err := envelope.Seal(io.Discard, bytes.NewReader(content), r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	const size = 16 << 20
	file, s := seal(b, contentOf(b, size))
	b.SetBytes(size)
	for b.Loop() {
		if _, err := envelope.Open(io.Discard, bytes.NewReader(file), s.Key, s.Salt, s.Commitment); err != nil {
			b.Fatal(err)
		}
	}
}
