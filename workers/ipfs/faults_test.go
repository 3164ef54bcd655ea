package ipfs_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"chancery/workers/ipfs"
)

const someCID = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"

// faulty serves what no healthy kubo says.
func faulty(t *testing.T, handler http.HandlerFunc) *ipfs.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := ipfs.New(ipfs.Config{API: server.URL, Timeout: 2 * time.Second, Idle: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCutAnswers asserts that no way of ending early passes for a whole file.
func TestCutAnswers(t *testing.T) {
	tests := map[string]struct {
		handler http.HandlerFunc
		want    error
	}{
		"error in the trailer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Stream-Error")
			io.WriteString(w, "half a file")
			w.(http.Flusher).Flush()
			w.Header().Set("X-Stream-Error", "failed to fetch all nodes")
		}, nil},
		"damage in the trailer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Stream-Error")
			w.Header().Set("X-Stream-Error", "block in storage has different hash than requested")
		}, ipfs.ErrDamaged},
		"fewer bytes than announced": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Content-Length", "100")
			io.WriteString(w, "half a file")
		}, io.ErrUnexpectedEOF},
		"connection lost": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "half a file")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, io.ErrUnexpectedEOF},
		"silence": {func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "half a file")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, ipfs.ErrStalled},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := faulty(t, tt.handler).Cat(t.Context(), someCID)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if _, err = io.ReadAll(r); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if got, want := ipfs.Temporary(err), tt.want != ipfs.ErrDamaged; got != want {
				t.Errorf("%v is temporary: %v, want %v", err, got, want)
			}
		})
	}
}

// TestRefusals goes through what a node, or a proxy before it, may answer to
// every call.
func TestRefusals(t *testing.T) {
	tests := []struct {
		status    int
		body      string
		want      error
		temporary bool
	}{
		{500, `{"Message":"context deadline exceeded","Code":0,"Type":"error"}`, nil, true},
		{500, `{"Message":"block was not found locally (offline): ipld: could not find x"}`, ipfs.ErrNotFound, false},
		{500, `{"Message":"pin: block in storage has different hash than requested"}`, ipfs.ErrDamaged, false},
		{500, "", nil, true},
		{502, "<html>bad gateway</html>", nil, true},
		{503, "busy", nil, true},
		{504, strings.Repeat("x", 1<<20), nil, true},
		{429, "slow down", nil, true},
		{400, `{"Message":"bad argument"}`, nil, false},
		{401, "", ipfs.ErrDenied, false},
		{403, "Kubo RPC Access Denied", ipfs.ErrDenied, false},
		{404, "404 page not found", nil, false},
		{302, "", nil, false},
		{200, "", nil, false},
		{200, "<html>", nil, false},
		{200, `{"Hash":"QmNotOurs"}`, nil, false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status, " ", tt.body[:min(len(tt.body), 20)]), func(t *testing.T) {
			c := faulty(t, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			})
			_, idErr := c.ID(t.Context())
			_, _, addErr := c.Add(t.Context(), strings.NewReader("x"))
			errs := map[string]error{"id": idErr, "add": addErr}
			if tt.status != 200 {
				errs["unpin"] = c.Unpin(t.Context(), someCID)
				errs["pin"] = c.Pin(t.Context(), someCID)
				_, errs["cat"] = c.Cat(t.Context(), someCID)
				_, errs["pinned"] = c.Pinned(t.Context(), someCID)
			} else if tt.body != "" && tt.body[0] == '{' {
				delete(errs, "id")
			}
			for call, err := range errs {
				if err == nil || tt.want != nil && !errors.Is(err, tt.want) || ipfs.Temporary(err) != tt.temporary {
					t.Errorf("%s: got %v (temporary: %v), want %v (%v)", call, err, ipfs.Temporary(err), tt.want, tt.temporary)
				}
				if err != nil && len(err.Error()) > 600 {
					t.Errorf("%s: error of %d characters", call, len(err.Error()))
				}
			}
		})
	}
}

// TestEarlyAnswer is a node that names a CID before it has seen all bytes.
func TestEarlyAnswer(t *testing.T) {
	c := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "{%q:%q}\n", "Hash", someCID)
	})
	pr, pw := io.Pipe()
	go pw.Write([]byte("the first bytes of many"))
	defer pr.Close()
	time.AfterFunc(100*time.Millisecond, func() { pw.CloseWithError(errors.New("never came")) })
	if cid, _, err := c.Add(t.Context(), pr); err == nil {
		t.Errorf("half a file is added as %s", cid)
	}
}

// TestSourceIsGivenBack reads on after Add returned: the race detector would
// see the transport do so too.
func TestSourceIsGivenBack(t *testing.T) {
	c := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "disk full", http.StatusInternalServerError)
	})
	for range 20 {
		src := &lockless{}
		if _, _, err := c.Add(t.Context(), io.LimitReader(src, 1<<20)); !ipfs.Temporary(err) {
			t.Errorf("got %v, want a temporary error", err)
		}
		src.reads++
	}
}

type lockless struct{ reads int }

func (l *lockless) Read(p []byte) (int, error) {
	l.reads++
	return len(p), nil
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c, err := ipfs.New(ipfs.Config{API: l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	_, idErr := c.ID(t.Context())
	_, _, addErr := c.Add(t.Context(), strings.NewReader("x"))
	for _, err := range []error{idErr, addErr, c.Pin(t.Context(), someCID)} {
		if !errors.Is(err, syscall.ECONNREFUSED) || !ipfs.Temporary(err) {
			t.Errorf("got %v (temporary: %v), want connection refused", err, ipfs.Temporary(err))
		}
	}
}

func TestConfig(t *testing.T) {
	good := ipfs.Config{API: "127.0.0.1:5001"}
	tests := map[string]struct {
		spoil func(*ipfs.Config)
		ok    bool
	}{
		"address":            {func(*ipfs.Config) {}, true},
		"URL":                {func(c *ipfs.Config) { c.API = "https://kubo.census:5001" }, true},
		"bearer":             {func(c *ipfs.Config) { c.Auth = "bearer:a:b" }, true},
		"basic":              {func(c *ipfs.Config) { c.Auth = "basic:census:secret" }, true},
		"no address":         {func(c *ipfs.Config) { c.API = "" }, false},
		"no port":            {func(c *ipfs.Config) { c.API = "127.0.0.1" }, false},
		"multiaddress":       {func(c *ipfs.Config) { c.API = "/ip4/127.0.0.1/tcp/5001" }, false},
		"another scheme":     {func(c *ipfs.Config) { c.API = "ftp://127.0.0.1:5001" }, false},
		"user in URL":        {func(c *ipfs.Config) { c.API = "http://a:b@127.0.0.1:5001" }, false},
		"bare token":         {func(c *ipfs.Config) { c.Auth = "token" }, false},
		"empty token":        {func(c *ipfs.Config) { c.Auth = "bearer:" }, false},
		"no password":        {func(c *ipfs.Config) { c.Auth = "basic:census" }, false},
		"unknown scheme":     {func(c *ipfs.Config) { c.Auth = "digest:a:b" }, false},
		"newline in a token": {func(c *ipfs.Config) { c.Auth = "bearer:a\r\nHost: b" }, false},
		"negative timeout":   {func(c *ipfs.Config) { c.Timeout = -1 }, false},
		"negative idle":      {func(c *ipfs.Config) { c.Idle = -1 }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config := good
			tt.spoil(&config)
			_, err := ipfs.New(config)
			if (err == nil) != tt.ok {
				t.Errorf("got %v", err)
			}
			if err != nil && len(config.Auth) > len("bearer:") && strings.Contains(err.Error(), config.Auth) {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}
