package chaos

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"chancery/chaincode/exchange"
	"chancery/workers/intake"
	"chancery/workers/pin"
	"chancery/workers/policy"
	"chancery/workers/receive"
	"chancery/workers/release"
	"chancery/workers/verify"
)

// peerWire stands between a site's workers and their peer: a gRPC server that
// passes every call on as it is.
type peerWire struct {
	site   string
	faults *faults
	peer   *grpc.ClientConn
	losses losses

	mu    sync.Mutex
	owner map[string]string // worker of a submitted transaction, by its id
}

// message is a message of any call, as it is on the wire.
type message []byte

// raw is the codec of [message].
type raw struct{}

func (raw) Name() string                  { return "proto" }
func (raw) Marshal(v any) ([]byte, error) { return *v.(*message), nil }
func (raw) Unmarshal(data []byte, v any) error {
	*v.(*message) = bytes.Clone(data)
	return nil
}

// signs are the words by which a transaction tells whose it is. A batch may
// hold operations of several workers: it is of the first one here.
var signs = []struct{ worker, words string }{
	{release.Name, opWords(exchange.OpKeyRelease)},
	{receive.Name, opWords(exchange.OpReceiptFile)},
	{pin.Name, opWords(exchange.OpObjectRegister)},
	{verify.Name, opWords(exchange.OpObjectAttest)},
	{policy.Name, "GiveGrant"},
	{policy.Name, "RefuseRequest"},
	{intake.Name, `"command":"` + commandMark},
	{receive.Name, opWords(exchange.OpGrantRedeem)},
}

func opWords(op exchange.Op) string { return `"op":"` + string(op) + `"` }

// ownerOf finds whose transaction it is; nobody's is empty.
func ownerOf(transaction []byte) string {
	for _, s := range signs {
		if bytes.Contains(transaction, []byte(s.words)) {
			return s.worker
		}
	}
	return ""
}

// step is what a call does, if that is a step, and for whom.
func (w *peerWire) step(method string, m message) (is step, worker string) {
	switch method {
	case gateway.Gateway_Submit_FullMethodName:
		var request gateway.SubmitRequest
		if proto.Unmarshal(m, &request) != nil {
			return "", ""
		}
		worker = ownerOf(request.GetPreparedTransaction().GetPayload())
		w.mu.Lock()
		w.owner[request.GetTransactionId()] = worker
		w.mu.Unlock()
		return stepSubmit, worker
	case gateway.Gateway_CommitStatus_FullMethodName:
		var signed gateway.SignedCommitStatusRequest
		var request gateway.CommitStatusRequest
		if proto.Unmarshal(m, &signed) != nil || proto.Unmarshal(signed.GetRequest(), &request) != nil {
			return "", ""
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		return stepCommit, w.owner[request.GetTransactionId()]
	}
	return "", ""
}

var errGone = status.Error(codes.Unavailable, "the process was killed here")

// handle passes on one call of any kind.
func (w *peerWire) handle(_ any, from grpc.ServerStream) error {
	method, ok := grpc.MethodFromServerStream(from)
	if !ok {
		return status.Error(codes.Internal, "call without a name")
	}
	ctx, cancel := context.WithCancel(from.Context())
	defer cancel()
	to, err := w.peer.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		return err
	}
	var request message
	if err := from.RecvMsg(&request); err != nil {
		return err
	}
	step, worker := w.step(method, request)
	at := func(side side) bool {
		return step != "" && w.faults.reached(point{w.site, worker, side, step})
	}
	if at(before) {
		return errGone
	}
	fate := w.losses.of(method)
	if fate == requestLost {
		return fate.error()
	}
	if err := to.SendMsg(&request); err != nil {
		return err
	}
	go w.more(from, to)
	for {
		var response message
		err := to.RecvMsg(&response)
		if (err == nil || !errors.Is(err, io.EOF)) && at(after) {
			return errGone
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if fate != arrives {
			return fate.error()
		}
		if err := from.SendMsg(&response); err != nil {
			return err
		}
	}
}

// more passes on what the caller says after its first message.
func (w *peerWire) more(from grpc.ServerStream, to grpc.ClientStream) {
	for {
		var request message
		if err := from.RecvMsg(&request); err != nil {
			_ = to.CloseSend() // a call that failed has ended anyway
			return
		}
		if to.SendMsg(&request) != nil {
			return
		}
	}
}
