// Command chancery lets departments share data that they do not trust one
// another with: it starts a network of departments on one machine, runs their
// workers, and is the officers' and systems' way to ask, decide and look.
//
// Every verb is a file of its own. What a command prints on standard output is
// its result alone; progress and errors go to standard error.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(run())
}

// run gives the command one context that ends at the first interrupt; a second
// interrupt ends the program at once.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return execute(ctx, newApp(os.Stdin, os.Stdout, os.Stderr, os.LookupEnv), os.Args)
}
