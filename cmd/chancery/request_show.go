package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"chancery/chaincode/exchange"
	"chancery/chaincode/ledger"
)

func newRequestShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "show REQUEST",
		Short:   "Show a request and what became of it",
		Example: `  chancery request show r-t3ys2vkk5gkmllm5ffxlqr6b5q`,
		Args:    takes("a REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRequestShow(cmd.Context(), a, args[0])
		},
	}
}

func runRequestShow(ctx context.Context, a *app, id string) error {
	if err := checkID(exchange.NounRequest, id); err != nil {
		return err
	}
	var request exchange.Request
	err := a.read(ctx, func(ctx context.Context, client *ledger.Client) error {
		return client.Get(ctx, exchange.NounRequest, id, &request)
	})
	if err != nil {
		return err
	}
	return a.result(request, func(w io.Writer) { writeRequest(w, request) })
}

func writeRequest(w io.Writer, r exchange.Request) {
	var f fields
	f.add("request", "%s", r.ID)
	f.add("state", "%s", r.State)
	f.add("requester", "%s (%s)", r.Requester, r.RequesterMSP)
	f.add("provider", "%s", r.Provider)
	f.add("dataset", "%s", r.Dataset)
	f.add("version", "%s", r.Version)
	f.add("object", "%s", r.Object)
	f.add("purpose", "%s", r.Purpose)
	f.add("legal basis", "%s", r.LegalBasis)
	f.add("actions", "%s", joined(r.Actions))
	f.add("spec", "%s", r.Spec)
	f.add("uses", "%d", r.Uses)
	f.add("from", "%s", clock(r.NotBefore))
	f.add("until", "%s", clock(r.NotAfter))
	f.add("grant", "%s", r.Grant)
	f.add("opened", "%s", clock(r.Since))
	addChange(&f, r.Change)
	f.write(w)
}
