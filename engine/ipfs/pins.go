package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/ipfs/boxo/ipld/merkledag"
	pinner "github.com/ipfs/boxo/pinning/pinner"
	"github.com/ipfs/go-cid"
)

const pinNameBytes = 255

type pinLine struct {
	Cid  string `json:",omitempty"`
	Name string `json:",omitempty"`
	Type string `json:",omitempty"`
}
type pinEntry struct {
	Type string
	Name string
}

func nameOf(r *http.Request) (string, error) {
	name := r.URL.Query().Get("name")
	if len(name) > pinNameBytes {
		return "", &badArgument{fmt.Sprintf("pin name is %d bytes (max %d bytes)", len(name), pinNameBytes)}
	}
	return name, nil
}

// Unlike Kubo, never asks peers for what is missing: a pin stands for what is on this disk.
func (n *node) addPins(a *answer, r *http.Request) error {
	cids, err := cidsOf(r.URL.Query())
	if err != nil {
		return err
	}
	name, err := nameOf(r)
	if err != nil {
		return err
	}
	recursive := flagOf(r.URL.Query(), "recursive", flagOf(r.URL.Query(), "r", true))
	defer n.blocks.PinLock(r.Context()).Unlock(r.Context())
	done := make([]string, len(cids))
	for i, c := range cids {
		if err := n.pin(r.Context(), c, recursive, name); err != nil {
			return fmt.Errorf("pin: %w", err)
		}
		done[i] = c.String()
	}
	return a.emit(map[string]any{"Pins": done})
}

func (n *node) pin(ctx context.Context, c cid.Cid, recursive bool, name string) error {
	root, err := merkledag.NewDAGService(n.local).Get(ctx, c)
	if err != nil {
		return err
	}
	if err := n.pins.Pin(ctx, root, recursive, name); err != nil {
		return err
	}
	return n.pins.Flush(ctx)
}

func (n *node) removePins(a *answer, r *http.Request) error {
	cids, err := cidsOf(r.URL.Query())
	if err != nil {
		return err
	}
	recursive := flagOf(r.URL.Query(), "recursive", flagOf(r.URL.Query(), "r", true))
	defer n.blocks.PinLock(r.Context()).Unlock(r.Context())
	done := make([]string, len(cids))
	for i, c := range cids {
		if err := n.pins.Unpin(r.Context(), c, recursive); err != nil {
			return err
		}
		done[i] = c.String()
	}
	if err := n.pins.Flush(r.Context()); err != nil {
		return err
	}
	return a.emit(map[string]any{"Pins": done})
}

func (n *node) listPins(a *answer, r *http.Request) error {
	query := r.URL.Query()
	name, err := nameOf(r)
	if err != nil {
		return err
	}
	kind := query.Get("type")
	if kind == "" {
		kind = "all"
	}
	mode, ok := pinner.StringToMode(kind)
	if !ok {
		return &badArgument{fmt.Sprintf("invalid type '%s', must be one of {direct, indirect, recursive, all}", kind)}
	}
	streamed := flagOf(query, "stream", false)
	entries := map[string]pinEntry{}
	emit := func(c cid.Cid, line pinEntry) error {
		if !streamed {
			entries[c.String()] = line
			return nil
		}
		return a.emit(pinLine{Cid: c.String(), Name: line.Name, Type: line.Type})
	}
	named := name != "" || flagOf(query, "names", false)
	if len(query["arg"]) > 0 {
		err = n.listSome(r, mode, named, emit)
	} else {
		err = n.listAll(r.Context(), mode, named, name, emit)
	}
	if err != nil {
		return err
	}
	if streamed {
		if !a.begun {
			a.begin("application/json")
		}
		return nil
	}
	return a.emit(map[string]any{"Keys": entries})
}

func (n *node) listSome(r *http.Request, mode pinner.Mode, named bool, emit func(cid.Cid, pinEntry) error) error {
	cids, err := cidsOf(r.URL.Query())
	if err != nil {
		return err
	}
	found, err := n.pins.CheckIfPinnedWithType(r.Context(), mode, named, cids...)
	if err != nil {
		return err
	}
	for i, pin := range found {
		if !pin.Pinned() {
			return fmt.Errorf("path '%s' is not pinned", r.URL.Query()["arg"][i])
		}
		kind, _ := pinner.ModeToString(pin.Mode)
		if pin.Mode == pinner.Indirect && pin.Via.Defined() {
			kind = "indirect through " + pin.Via.String()
		}
		if err := emit(cids[i], pinEntry{Type: kind, Name: pin.Name}); err != nil {
			return err
		}
	}
	return nil
}

// Pins that were set, not what lies below them: nobody here asks for that.
func (n *node) listAll(ctx context.Context, mode pinner.Mode, named bool, filter string, emit func(cid.Cid, pinEntry) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sources := map[pinner.Mode]func(context.Context, bool) <-chan pinner.StreamedPin{
		pinner.Recursive: n.pins.RecursiveKeys,
		pinner.Direct:    n.pins.DirectKeys,
	}
	for _, kind := range []pinner.Mode{pinner.Recursive, pinner.Direct} {
		if mode != kind && mode != pinner.Any {
			continue
		}
		word, _ := pinner.ModeToString(kind)
		for found := range sources[kind](ctx, named) {
			if found.Err != nil {
				return found.Err
			}
			if !strings.Contains(found.Pin.Name, filter) {
				continue
			}
			if err := emit(found.Pin.Key, pinEntry{Type: word, Name: found.Pin.Name}); err != nil {
				return err
			}
		}
	}
	return nil
}
