package main

import (
	"context"
	"errors"
	"math"
	"net/http"

	"github.com/ipfs/boxo/ipld/merkledag"
	pinner "github.com/ipfs/boxo/pinning/pinner"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
)

const repoVersion = "fs-repo@18" // of the Kubo whose calls these are

func (n *node) statRepo(a *answer, r *http.Request) error {
	used, err := n.disk.DiskUsage(r.Context())
	if err != nil {
		return err
	}
	limit := n.set.storageMax
	if limit == 0 {
		limit = math.MaxUint64
	}
	stat := map[string]any{"RepoSize": used, "StorageMax": limit}
	if !flagOf(r.URL.Query(), "size-only", false) {
		keys, err := n.blocks.AllKeysChan(r.Context())
		if err != nil {
			return err
		}
		count := 0
		for range keys {
			count++
		}
		stat["NumObjects"] = count
		stat["RepoPath"] = n.set.repo
		stat["Version"] = repoVersion
	}
	return a.emit(stat)
}

// Deletes every block that no pin keeps. Nothing is deleted when a kept block cannot be followed: what hangs below it is unknown.
func (n *node) collectGarbage(a *answer, r *http.Request) error {
	n.gc.Lock()
	defer n.gc.Unlock()
	ctx := r.Context()
	defer n.blocks.GCLock(ctx).Unlock(ctx)
	kept, err := n.keptBlocks(ctx)
	if err != nil {
		return err
	}
	keys, err := n.blocks.AllKeysChan(ctx)
	if err != nil {
		return err
	}
	silent := flagOf(r.URL.Query(), "silent", false)
	var failed error
	for key := range keys {
		if kept.Has(key) {
			continue
		}
		if err := n.blocks.DeleteBlock(ctx, key); err != nil {
			failed = errors.Join(failed, err)
		} else if !silent {
			if err := a.emit(map[string]any{"Key": key}); err != nil {
				return err
			}
		}
	}
	if failed == nil && ctx.Err() == nil && !a.begun {
		a.begin("application/json")
	}
	return errors.Join(failed, ctx.Err())
}

// What pins keep, as the raw identifiers under which the blockstore lists blocks.
func (n *node) keptBlocks(ctx context.Context) (*cid.Set, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	kept := cid.NewSet()
	raw := func(c cid.Cid) cid.Cid { return cid.NewCidV1(cid.Raw, c.Hash()) }
	local := merkledag.NewDAGService(n.local)
	links := func(ctx context.Context, c cid.Cid) ([]*format.Link, error) { return local.GetLinks(ctx, c) }
	for _, source := range []<-chan pinner.StreamedPin{n.pins.RecursiveKeys(ctx, false), n.pins.DirectKeys(ctx, false)} {
		for pin := range source {
			if pin.Err != nil {
				return nil, pin.Err
			}
			if pin.Pin.Mode == pinner.Direct {
				kept.Add(raw(pin.Pin.Key))
				continue
			}
			err := merkledag.Walk(ctx, links, pin.Pin.Key, func(c cid.Cid) bool { return kept.Visit(raw(c)) })
			if err != nil {
				return nil, err
			}
		}
	}
	return kept, nil
}
