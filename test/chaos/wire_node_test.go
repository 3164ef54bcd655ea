package chaos

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"

	"chancery/workers/encrypt"
	"chancery/workers/pin"
	"chancery/workers/release"
	"chancery/workers/verify"
)

// nodeWire stands between a site's workers and their kubo node.
type nodeWire struct {
	site   string
	faults *faults
	proxy  *httputil.ReverseProxy

	mu    sync.Mutex
	added map[string]bool // addresses of the files that were added here
}

// maxWrap bounds what a wrap is on the wire, in bytes; the tables of this test
// are larger.
const maxWrap = 16 << 10

func newNodeWire(site string, f *faults, node string) *nodeWire {
	w := &nodeWire{site: site, faults: f, added: make(map[string]bool)}
	target := &url.URL{Scheme: "http", Host: node}
	w.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = node
		},
		FlushInterval:  -1,
		ModifyResponse: w.answered,
		ErrorHandler:   func(to http.ResponseWriter, _ *http.Request, _ error) { hangUp(to) },
	}
	return w
}

// ServeHTTP passes on one call.
func (w *nodeWire) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	step, worker := w.step(r)
	if step != "" && w.faults.reached(point{w.site, worker, before, step}) {
		hangUp(to)
		return
	}
	w.proxy.ServeHTTP(to, r)
}

// hangUp ends the connection without an answer, as a node that is away does.
func hangUp(to http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(to).Hijack(); err == nil {
		conn.Close()
	}
}

// step is what a call does, if that is a step, and for whom. Which worker adds
// is told by the size, and which one pins by where the file was added.
func (w *nodeWire) step(r *http.Request) (is step, worker string) {
	query := r.URL.Query()
	switch r.URL.Path {
	case "/api/v0/add":
		if query.Get("only-hash") == "true" {
			return "", ""
		}
		r.Header.Set(workerHeader, encrypt.Name)
		head := make([]byte, maxWrap)
		n, err := io.ReadFull(r.Body, head)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			r.Header.Set(workerHeader, release.Name)
		}
		rest := r.Body
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(head[:n]), rest), rest}
	case "/api/v0/pin/add":
		w.mu.Lock()
		own := w.added[query.Get("arg")]
		w.mu.Unlock()
		r.Header.Set(workerHeader, verify.Name)
		if own {
			r.Header.Set(workerHeader, pin.Name)
		}
	default:
		return "", ""
	}
	return stepPin, r.Header.Get(workerHeader)
}

// workerHeader takes the worker of a request to its answer.
const workerHeader = "Chaos-Worker"

// answered sees an answer before the worker does.
func (w *nodeWire) answered(r *http.Response) error {
	worker := r.Request.Header.Get(workerHeader)
	if worker == "" {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var file struct{ Hash string }
	if json.Unmarshal(body, &file) == nil && file.Hash != "" {
		w.mu.Lock()
		w.added[file.Hash] = true
		w.mu.Unlock()
	}
	if w.faults.reached(point{w.site, worker, after, stepPin}) {
		return errKilled
	}
	return nil
}
