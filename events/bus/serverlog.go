package bus

import (
	"fmt"

	"github.com/rs/zerolog"
)

// serverLog hands the server's own log lines to ours.
type serverLog struct {
	log   zerolog.Logger
	fatal chan error // holds the first fatal error: exiting is main's
}

func (l serverLog) Noticef(format string, v ...any) { l.log.Info().Msgf(format, v...) }
func (l serverLog) Warnf(format string, v ...any)   { l.log.Warn().Msgf(format, v...) }
func (l serverLog) Errorf(format string, v ...any)  { l.log.Error().Msgf(format, v...) }
func (l serverLog) Debugf(format string, v ...any)  { l.log.Debug().Msgf(format, v...) }
func (l serverLog) Tracef(format string, v ...any)  { l.log.Trace().Msgf(format, v...) }

func (l serverLog) Fatalf(format string, v ...any) {
	select {
	case l.fatal <- fmt.Errorf(format, v...):
	default:
	}
}
