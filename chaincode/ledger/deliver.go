package ledger

import (
	"context"
	"fmt"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

// blockSource reads raw blocks from number from on for as long as the
// connection lasts and hands each to yield. It returns yield's error or why
// the stream ended: never nil. The peer's delivery service is one, the tests
// have another.
type blockSource interface {
	deliver(ctx context.Context, from uint64, yield func(*common.Block) error) error
}

// deliver is the [blockSource] of the own peer. The gateway's client signs the
// request; the stream is read here, because that client closes its channel
// without saying why.
type deliver struct {
	cfg     Config
	gateway *client.Gateway
	channel *client.Network
	sign    identity.Sign
	client  peer.DeliverClient
}

func (d *deliver) deliver(ctx context.Context, from uint64, yield func(*common.Block) error) error {
	request, err := d.request(from)
	if err != nil {
		return fmt.Errorf("ask for blocks from %d: %w", from, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := d.client.Deliver(ctx)
	if err != nil {
		return fmt.Errorf("ask for blocks from %d: %w", from, err)
	}
	if err := stream.Send(request); err != nil {
		return fmt.Errorf("ask for blocks from %d: %w", from, err)
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return fmt.Errorf("read blocks: %w", err)
		}
		block := response.GetBlock()
		if block == nil {
			return fmt.Errorf("read blocks: the peer says %s", response.GetStatus())
		}
		if err := yield(block); err != nil {
			return err
		}
	}
}

// request is the signed question for every block from a number on.
func (d *deliver) request(from uint64) (*common.Envelope, error) {
	unsigned, err := d.channel.NewBlockEventsRequest(client.WithStartBlock(from))
	if err != nil {
		return nil, err
	}
	signature, err := d.sign(unsigned.Digest())
	if err != nil {
		return nil, err
	}
	raw, err := unsigned.Bytes()
	if err != nil {
		return nil, err
	}
	signed, err := d.gateway.NewSignedBlockEventsRequest(raw, signature)
	if err != nil {
		return nil, err
	}
	if raw, err = signed.Bytes(); err != nil {
		return nil, err
	}
	envelope := new(common.Envelope)
	return envelope, proto.Unmarshal(raw, envelope)
}
