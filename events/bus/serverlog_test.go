package bus

import (
	"testing"

	"github.com/rs/zerolog"
)

// TestServerLog: which lines of the server's end it. The texts are those of
// nats-server 2.15.2; `status` and a stream that stores nothing would not agree.
func TestServerLog(t *testing.T) {
	for text, ends := range map[string]bool{
		"Filestore [COMMANDS] Critical write error: write 1.blk: no space left on device":                           true,
		"JetStream stream 'BUS > COMMANDS' critical write error: write 1.blk: no space left on device":              true,
		"JetStream consumer 'BUS > WORK > pin-object-sealed' critical write error: write o.dat: input/output error": true,
		"JetStream out of File resources, will be DISABLED":                                                         true,
		"JetStream out of space, will be DISABLED":                                                                  true,
		"127.0.0.1:4000 - cid:7 - TLS handshake error: EOF":                                                         false,
	} {
		l := serverLog{zerolog.Nop(), make(chan error, 1)}
		for range 2 {
			l.Errorf("%s", text)
		}
		if got := len(l.fatal) == 1; got != ends {
			t.Errorf("%q ends the server: %v, want %v", text, got, ends)
		}
	}
}
