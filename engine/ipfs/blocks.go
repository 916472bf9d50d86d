package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/ipfs/boxo/blockservice"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	"github.com/ipld/go-car/v2"
	"github.com/multiformats/go-multicodec"
	"github.com/multiformats/go-multihash"
)

const (
	blockBytes = 2 << 20 // bitswap carries no larger ones, so Kubo refuses them, too
	batchBytes = 4 << 20
	batchCount = 32 // open files of one import
)

var errBigBlock = errors.New("produced block is over 2MiB: big blocks can't be exchanged with other peers")

type blockStat struct {
	Key  string
	Size int
}

func (n *node) putBlocks(a *answer, r *http.Request) error {
	query := r.URL.Query()
	var codec multicodec.Code
	name := query.Get("cid-codec")
	if name == "" {
		name = "raw"
	}
	if err := codec.Set(name); err != nil {
		return &badArgument{err.Error()}
	}
	if hash := query.Get("mhtype"); hash != "" && hash != "sha2-256" {
		return &badArgument{"unrecognized multihash function: " + hash}
	}
	return eachFile(r, func(file io.Reader) error {
		data, err := io.ReadAll(io.LimitReader(file, blockBytes+1))
		if err != nil {
			return err
		}
		if len(data) > blockBytes {
			return errBigBlock
		}
		digest, err := multihash.Sum(data, multihash.SHA2_256, -1)
		if err != nil {
			return err
		}
		block, err := blocks.NewBlockWithCid(data, cid.NewCidV1(uint64(codec), digest))
		if err != nil {
			return err
		}
		if err := n.online.AddBlock(r.Context(), block); err != nil {
			return err
		}
		return a.emit(blockStat{block.Cid().String(), len(data)})
	})
}

// Blocks from here, and from peers unless `offline` is asked for.
func (n *node) service(r *http.Request) blockservice.BlockService {
	if flagOf(r.URL.Query(), "offline", false) {
		return n.local
	}
	return n.online
}

func (n *node) getBlock(a *answer, r *http.Request) error {
	block, err := n.oneBlock(r)
	if err != nil {
		return err
	}
	a.w.Header().Set("Content-Length", fmt.Sprint(len(block.RawData())))
	a.w.Header().Set("Content-Type", "application/vnd.ipld.raw")
	a.begun = true
	_, err = a.w.Write(block.RawData())
	return err
}

func (n *node) statBlock(a *answer, r *http.Request) error {
	block, err := n.oneBlock(r)
	if err != nil {
		return err
	}
	return a.emit(blockStat{block.Cid().String(), len(block.RawData())})
}

func (n *node) oneBlock(r *http.Request) (blocks.Block, error) {
	cids, err := cidsOf(r.URL.Query())
	if err != nil {
		return nil, err
	}
	block, err := n.service(r).GetBlock(r.Context(), cids[0])
	if format.IsNotFound(err) {
		return nil, fmt.Errorf("block was not found locally (offline): %w", err)
	}
	return block, err
}

type removedBlock struct {
	Hash  string `json:",omitempty"`
	Error string `json:",omitempty"`
}

// Removes blocks that no pin keeps.
func (n *node) removeBlocks(a *answer, r *http.Request) error {
	query := r.URL.Query()
	cids, err := cidsOf(query)
	if err != nil {
		return err
	}
	defer n.blocks.GCLock(r.Context()).Unlock(r.Context())
	kept, err := n.pins.CheckIfPinned(r.Context(), cids...)
	if err != nil {
		return fmt.Errorf("pin check failed: %w", err)
	}
	for _, pin := range kept {
		var err error
		if pin.Pinned() {
			err = errors.New(pin.String())
		} else {
			err = n.removeBlock(r.Context(), pin.Key, flagOf(query, "force", false))
		}
		line := removedBlock{Hash: pin.Key.String()}
		if err != nil {
			line.Error = err.Error()
		} else if flagOf(query, "quiet", false) {
			continue
		}
		if err := a.emit(line); err != nil {
			return err
		}
	}
	return nil
}

func (n *node) removeBlock(ctx context.Context, c cid.Cid, force bool) error {
	if there, err := n.blocks.Has(ctx, c); err != nil {
		return err
	} else if !there {
		if force {
			return nil
		}
		return format.ErrNotFound{Cid: c}
	}
	return n.blocks.DeleteBlock(ctx, c)
}

type importLine struct {
	Root  *rootLine  `json:",omitempty"`
	Stats *statsLine `json:",omitempty"`
}
type rootLine struct {
	Cid         cid.Cid
	PinErrorMsg string
}
type statsLine struct {
	BlockCount      uint64
	BlockBytesCount uint64
}

// Takes in CARs as they arrive; every block is held against its identifier, and on the disk before the answer.
func (n *node) importCars(a *answer, r *http.Request) error {
	query := r.URL.Query()
	pinRoots := flagOf(query, "pin-roots", true)
	if pinRoots {
		defer n.blocks.PinLock(r.Context()).Unlock(r.Context())
	}
	stats := &statsLine{}
	roots := cid.NewSet()
	err := eachFile(r, func(file io.Reader) error {
		return n.importCar(r.Context(), file, roots, stats)
	})
	if err != nil {
		return err
	}
	if pinRoots {
		for _, root := range roots.Keys() {
			line := rootLine{Cid: root}
			if err := n.pin(r.Context(), root, true, ""); err != nil {
				line.PinErrorMsg = err.Error()
			}
			if err := a.emit(importLine{Root: &line}); err != nil {
				return err
			}
		}
	}
	if flagOf(query, "stats", false) {
		return a.emit(importLine{Stats: stats})
	}
	a.begin("application/json")
	return nil
}

func (n *node) importCar(ctx context.Context, file io.Reader, roots *cid.Set, stats *statsLine) error {
	reader, err := car.NewBlockReader(file, car.MaxAllowedSectionSize(blockBytes+1024))
	if err != nil {
		return err
	}
	for _, root := range reader.Roots {
		roots.Add(root)
	}
	var batch []blocks.Block
	size := 0
	flush := func() error {
		err := n.online.AddBlocks(ctx, batch)
		batch, size = batch[:0:0], 0
		return err
	}
	for {
		block, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return flush()
		}
		if err != nil {
			return fmt.Errorf("import failed: %w", err)
		}
		data := len(block.RawData())
		if data > blockBytes {
			return errBigBlock
		}
		batch = append(batch, block)
		size += data
		stats.BlockCount++
		stats.BlockBytesCount += uint64(data)
		if len(batch) >= batchCount || size >= batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}
