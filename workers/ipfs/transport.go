package ipfs

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// streamErrorTrailer is where kubo reports what failed after the headers.
const streamErrorTrailer = "X-Stream-Error"

// authorization turns kubo's notation into a header's value.
func authorization(auth string) (string, error) {
	if auth == "" {
		return "", nil
	}
	scheme, secret, _ := strings.Cut(auth, ":")
	switch {
	case secret == "" || strings.ContainsAny(secret, "\r\n"):
	case scheme == "bearer":
		return "Bearer " + secret, nil
	case scheme == "basic" && strings.Contains(secret, ":"):
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(secret)), nil
	}
	return "", errors.New("ipfs: auth is neither bearer:TOKEN nor basic:USER:PASSWORD")
}

// transport turns kubo's ways of failing into Go errors, before go-ipfs-api
// sees them: it would lose the status, and print to stderr what it does not
// understand.
type transport struct {
	base   http.RoundTripper
	header string // Authorization, or empty
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.header != "" {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", t.header)
	}
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, readError(resp)
	}
	b := &body{ReadCloser: resp.Body, resp: resp, want: -1}
	if size := resp.Header.Get("X-Content-Length"); size != "" {
		if b.want, err = strconv.ParseInt(size, 10, 64); err != nil {
			resp.Body.Close()
			return nil, fmt.Errorf("kubo's X-Content-Length %q", clip(size))
		}
	}
	resp.Body = b
	return resp, nil
}

// readError reads a refusal: JSON with a message, or plain text.
func readError(resp *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	var answer struct{ Message string }
	if json.Unmarshal(text, &answer) != nil || answer.Message == "" {
		answer.Message = string(text)
	}
	return newError(resp.StatusCode, answer.Message)
}

// body is a response's body that ends with io.EOF only if it is whole.
type body struct {
	io.ReadCloser
	resp *http.Response
	want int64 // bytes announced, or -1
	n    int64 // bytes seen
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	if message := b.resp.Trailer.Get(streamErrorTrailer); message != "" {
		b.resp.Trailer.Del(streamErrorTrailer) // or go-ipfs-api replaces the error
		return n, newError(b.resp.StatusCode, message)
	}
	if b.want >= 0 && b.n < b.want {
		return n, fmt.Errorf("%d of %d bytes: %w", b.n, b.want, io.ErrUnexpectedEOF)
	}
	return n, err
}
