package chaos

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// busWire stands between a site's workers and their bus. It reads both
// directions of the NATS client protocol and changes nothing.
type busWire struct {
	site   string
	faults *faults
	bus    string      // host:port
	served *tls.Config // towards the workers
	trust  *tls.Config // towards the bus
}

const dialLimit = 10 * time.Second

// take serves one connection of a worker to its end.
func (w *busWire) take(client net.Conn) {
	defer client.Close()
	server, err := net.DialTimeout("tcp", w.bus, dialLimit)
	if err != nil {
		return // the bus is away: so is its proxy
	}
	defer server.Close()
	// The server speaks first, and in plaintext; what follows is TLS.
	info, err := bufio.NewReader(server).ReadBytes('\n')
	if err != nil {
		return
	}
	if _, err := client.Write(info); err != nil {
		return
	}
	s := &busSession{
		busWire: w, client: tls.Server(client, w.served), server: tls.Client(server, w.trust),
		awaited: make(map[string]step),
	}
	var both sync.WaitGroup
	for _, direction := range []func() error{s.up, s.down} {
		both.Go(func() {
			_ = direction() // whichever ends first ends the other
			client.Close()
			server.Close()
		})
	}
	both.Wait()
}

// busSession is one connection of one worker.
type busSession struct {
	*busWire
	client, server net.Conn

	mu      sync.Mutex
	worker  string
	awaited map[string]step // steps under way, by the subject of their answer
}

var errKilled = errors.New("the process was killed here")

func (s *busSession) at(side side, step step) error {
	s.mu.Lock()
	p := point{s.site, s.worker, side, step}
	s.mu.Unlock()
	if step != "" && s.faults.reached(p) {
		return errKilled
	}
	return nil
}

// up passes on what the worker says.
func (s *busSession) up() error {
	in, out := bufio.NewReaderSize(s.client, 64<<10), bufio.NewWriterSize(s.server, 64<<10)
	for {
		f, err := readFrame(in)
		if err != nil {
			return err
		}
		step, reply := f.step()
		if f.verb == "CONNECT" {
			if err := s.introduce(f); err != nil {
				return err
			}
		}
		if step != "" {
			if err := out.Flush(); err != nil { // what was said before is no part of the step
				return err
			}
		}
		if err := s.at(before, step); err != nil {
			return err
		}
		if step != "" && reply != "" {
			s.mu.Lock()
			s.awaited[reply] = step
			s.mu.Unlock()
		}
		if err := pass(out, in, f); err != nil {
			return err
		}
		if reply == "" { // no answer will come
			if err := s.at(after, step); err != nil {
				return errors.Join(out.Flush(), err)
			}
		}
	}
}

// introduce learns whose connection it is.
func (s *busSession) introduce(f frame) error {
	var connect struct{ Name string }
	_, text, _ := bytes.Cut(f.line, []byte(" "))
	err := json.Unmarshal(text, &connect)
	s.mu.Lock()
	s.worker = connect.Name
	s.mu.Unlock()
	return err
}

// down passes on what the bus says.
func (s *busSession) down() error {
	in, out := bufio.NewReaderSize(s.server, 64<<10), bufio.NewWriterSize(s.client, 64<<10)
	for {
		f, err := readFrame(in)
		if err != nil {
			return err
		}
		if f.verb == "MSG" || f.verb == "HMSG" {
			s.mu.Lock()
			step := s.awaited[f.args[0]]
			delete(s.awaited, f.args[0])
			s.mu.Unlock()
			if err := s.at(after, step); err != nil {
				return err
			}
		}
		if err := pass(out, in, f); err != nil {
			return err
		}
	}
}

// pass writes a frame, and all that waits when nothing follows at once.
func pass(out *bufio.Writer, in *bufio.Reader, f frame) error {
	_, err := out.Write(f.line)
	if err == nil {
		_, err = out.Write(f.body)
	}
	if err == nil && in.Buffered() == 0 {
		err = out.Flush()
	}
	return err
}

// frame is one message of the protocol, see
// https://docs.nats.io/reference/reference-protocols/nats-protocol.
type frame struct {
	verb string   // upper case
	args []string // after it
	line []byte   // all of it, with its end
	body []byte   // header, payload and their end, where the verb has some
}

func readFrame(in *bufio.Reader) (frame, error) {
	line, err := in.ReadBytes('\n')
	if err != nil {
		return frame{}, err
	}
	words := strings.Fields(string(line))
	if len(words) == 0 {
		return frame{line: line}, nil
	}
	f := frame{verb: strings.ToUpper(words[0]), args: words[1:], line: line}
	switch f.verb {
	case "PUB", "HPUB", "MSG", "HMSG":
	default:
		return f, nil
	}
	if len(f.args) < 2 {
		return frame{}, fmt.Errorf("protocol line %q", line)
	}
	size, err := strconv.Atoi(f.args[len(f.args)-1])
	if err != nil {
		return frame{}, fmt.Errorf("protocol line %q: %w", line, err)
	}
	f.body = make([]byte, size+len("\r\n"))
	_, err = io.ReadFull(in, f.body)
	return f, err
}

// step is what a worker does by saying this, if that is a step, and the subject
// on which it waits for the answer.
func (f frame) step() (is step, reply string) {
	sizes := map[string]int{"PUB": 1, "HPUB": 2}[f.verb]
	if sizes == 0 {
		return "", ""
	}
	if len(f.args) == sizes+2 {
		reply = f.args[1]
	}
	header, payload := f.parts()
	subject := f.args[0]
	switch {
	case strings.HasPrefix(subject, "$JS.ACK.") && (len(payload) == 0 || bytes.HasPrefix(payload, []byte("+ACK"))):
		return stepAck, reply
	case !strings.HasPrefix(subject, "chancery."):
		return "", reply
	case bytes.Contains(header, []byte("Nats-Batch-Id:")) && !bytes.Contains(header, []byte("Nats-Batch-Commit:")):
		return stepBatch, reply
	}
	return stepPublish, reply
}

func (f frame) parts() (header, payload []byte) {
	payload = f.body[:len(f.body)-len("\r\n")]
	if f.verb != "HPUB" {
		return nil, payload
	}
	n, err := strconv.Atoi(f.args[len(f.args)-2])
	if err != nil || n > len(payload) {
		return nil, payload
	}
	return payload[:n], payload[n:]
}
