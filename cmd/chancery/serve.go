package main

import (
	"context"
	"os"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"chancery/chaincode"
	"chancery/chaincode/exchange"
	"chancery/events/bus"
)

func newServeCommand(a *app) *cobra.Command {
	return newNoun("serve", "Run one server of a department, as `up` does",
		newServeChaincodeCommand(a), newServeBusCommand(a))
}

func newServeChaincodeCommand(a *app) *cobra.Command {
	return newServer(a, "chaincode", "Serve the contract to the department's peer",
		`  chancery serve chaincode --config census/chaincode/config.json`,
		func(ctx context.Context, cfg *chaincode.ServerConfig, log zerolog.Logger) error {
			return chaincode.Serve(ctx, *cfg, log)
		})
}

func newServeBusCommand(a *app) *cobra.Command {
	return newServer(a, "bus", "Serve the department's NATS bus",
		`  chancery serve bus --config census/bus/config.json`,
		func(ctx context.Context, cfg *bus.ServerConfig, log zerolog.Logger) error {
			return bus.Serve(ctx, *cfg, log)
		})
}

// newServer makes the verb of a server that is configured by a JSON file of
// type C and runs until it is told to stop; a stop is no failure.
func newServer[C any](a *app, name, short, example string, serve func(context.Context, *C, zerolog.Logger) error) *cobra.Command {
	var config string
	cmd := &cobra.Command{
		Use:     name,
		Short:   short,
		Example: example,
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := needFlags(cmd, "config"); err != nil {
				return err
			}
			cfg := new(C)
			if err := readServerConfig(config, cfg); err != nil {
				return err
			}
			log := a.logger().With().Str("server", name).Logger()
			return serve(log.WithContext(cmd.Context()), cfg, log)
		},
	}
	cmd.Flags().StringVar(&config, "config", "", "file (JSON) with the server's configuration")
	return cmd
}

// readServerConfig reads a JSON file strictly.
func readServerConfig(file string, cfg any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return usagef("--config: %w", err)
	}
	if err := exchange.Decode(data, cfg); err != nil {
		return usagef("%s: %w", file, err)
	}
	return nil
}

// logger writes log lines, one JSON object each, to standard error.
func (a *app) logger() zerolog.Logger {
	return zerolog.New(a.err).Level(zerolog.InfoLevel).With().Timestamp().Logger()
}
