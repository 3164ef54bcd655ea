package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"chancery/workers"
)

// loopback is where figures are served, unless the profile says otherwise.
const loopback = "127.0.0.1"

const (
	scrapeHeaders = 5 * time.Second  // bounds the reading of a request
	scrapeAnswer  = 10 * time.Second // and the writing of the answer
)

// serveMetrics serves the figures of the workers until it is stopped: on the
// port that the setting names, else where the profile says, else, and when
// another program listens there, on any free port. The log tells where.
func (a *app) serveMetrics(ctx context.Context, profile workers.Profile, m *workers.Metrics) (stop func(), err error) {
	listener, err := a.listenMetrics(ctx, profile)
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w", err)
	}
	log := zerolog.Ctx(ctx)
	log.Info().Str("url", "http://"+listener.Addr().String()+"/metrics").Msg("metrics are served")
	server := &http.Server{Handler: m.Handler(), ReadHeaderTimeout: scrapeHeaders, WriteTimeout: scrapeAnswer}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error().Err(err).Msg("metrics are served no more")
		}
	}()
	return func() {
		if err := server.Close(); err != nil {
			log.Warn().Err(err).Msg("metrics")
		}
		<-ended
	}, nil
}

func (a *app) listenMetrics(ctx context.Context, profile workers.Profile) (net.Listener, error) {
	anyPort := net.JoinHostPort(loopback, "0")
	if a.metricsPort != 0 {
		return net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(a.metricsPort)))
	}
	if profile.Metrics == "" {
		return net.Listen("tcp", anyPort)
	}
	listener, err := net.Listen("tcp", profile.Metrics)
	if errors.Is(err, syscall.EADDRINUSE) {
		zerolog.Ctx(ctx).Warn().Err(err).Msg("other workers of the department serve metrics there: these take any port")
		return net.Listen("tcp", anyPort)
	}
	return listener, err
}
