package bus

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rs/zerolog"
)

// serverLog hands the server's own log lines to ours.
type serverLog struct {
	log   zerolog.Logger
	fatal chan error // holds the first fatal error: exiting is main's
}

func (l serverLog) Noticef(format string, v ...any) { l.log.Info().Msgf(format, v...) }
func (l serverLog) Warnf(format string, v ...any)   { l.log.Warn().Msgf(format, v...) }
func (l serverLog) Debugf(format string, v ...any)  { l.log.Debug().Msgf(format, v...) }
func (l serverLog) Tracef(format string, v ...any)  { l.log.Trace().Msgf(format, v...) }

// givenUp is how the server says that it stores nothing any more, of one stream
// or of all: after a full disk, say, and also when there is space again. It
// offers no other way to learn that.
var givenUp = []string{"critical write error", "will be disabled"}

// Errorf takes a server that has given up for one that has failed: started
// again, it stores again.
func (l serverLog) Errorf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.log.Error().Msg(text)
	for _, words := range givenUp {
		if strings.Contains(strings.ToLower(text), words) {
			l.end(errors.New(text))
			return
		}
	}
}

func (l serverLog) Fatalf(format string, v ...any) { l.end(fmt.Errorf(format, v...)) }

func (l serverLog) end(err error) {
	select {
	case l.fatal <- err:
	default:
	}
}
