package main

import (
	"context"

	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/ipld/merkledag"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
)

// The nodes that a pin is checked against. To pin a pack would be to read all of it again, though it was hashed when it came in: of raw blocks, which
// have no links, it is enough that they are there.
type presenceService struct {
	format.DAGService
	blocks blockstore.Blockstore
}

func (s *presenceService) Get(ctx context.Context, c cid.Cid) (format.Node, error) {
	if c.Type() != cid.Raw {
		return s.DAGService.Get(ctx, c)
	}
	if _, err := s.blocks.GetSize(ctx, c); err != nil {
		return nil, err
	}
	stub, err := blocks.NewBlockWithCid(nil, c)
	if err != nil {
		return nil, err
	}
	return &merkledag.RawNode{Block: stub}, nil
}
