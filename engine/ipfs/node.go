package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/ipfs/boxo/bitswap"
	"github.com/ipfs/boxo/bitswap/network/bsnet"
	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/boxo/peering"
	pinner "github.com/ipfs/boxo/pinning/pinner"
	"github.com/ipfs/boxo/pinning/pinner/dspinner"
	flatfs "github.com/ipfs/go-ds-flatfs"
	leveldb "github.com/ipfs/go-ds-leveldb"
	lock "github.com/ipfs/go-fs-lock"
	_ "github.com/ipld/go-ipld-prime/codec/dagcbor" // so that pins follow links of DAG-CBOR
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/multiformats/go-multiaddr"
)

const (
	agent         = "xinglin-ipfs/1"
	lockFile      = "repo.lock"
	bytesOnTheWay = 16 << 20 // of one peer's wants; what bitswap itself allows is too little for pieces
)

// One node: what it stores, what it keeps, and whom it exchanges with.
type node struct {
	set    settings
	host   host.Host
	blocks blockstore.GCBlockstore
	local  blockservice.BlockService // never asks peers
	online blockservice.BlockService // asks peers for what is not here
	pins   pinner.Pinner
	disk   *flatfs.Datastore
	peers  *peering.PeeringService
	closes []func() error
	gc     sync.Mutex
}

func openNode(ctx context.Context, set settings) (_ *node, err error) {
	if err := os.MkdirAll(set.repo, 0o700); err != nil {
		return nil, &startFault{code: "repo_unusable", detail: err.Error()}
	}
	held, err := lock.Lock(set.repo, lockFile)
	if err != nil {
		return nil, &startFault{code: "repo_in_use", detail: err.Error()}
	}
	n := &node{set: set, closes: []func() error{held.Close}}
	defer func() {
		if err != nil {
			n.close()
		}
	}()
	if err := n.openStores(ctx); err != nil {
		return nil, &startFault{code: "repo_unusable", detail: err.Error()}
	}
	if err := n.openNetwork(ctx); err != nil {
		return nil, err
	}
	return n, nil
}

func (n *node) openStores(ctx context.Context) error {
	disk, err := flatfs.CreateOrOpen(filepath.Join(n.set.repo, "blocks"), flatfs.NextToLast(2), n.set.sync)
	if err != nil {
		return err
	}
	n.onClose(disk.Close)
	n.disk = disk
	records, err := leveldb.NewDatastore(filepath.Join(n.set.repo, "pins"), nil)
	if err != nil {
		return err
	}
	n.onClose(records.Close)
	// Written through: a block whose bytes went bad on the disk is replaced by putting the right one.
	store := blockstore.NewIdStore(blockstore.NewBlockstore(disk, blockstore.NoPrefix(), blockstore.WriteThrough(true)))
	n.blocks = blockstore.NewGCBlockstore(store, blockstore.NewGCLocker())
	n.local = blockservice.New(n.blocks, nil, blockservice.WriteThrough(true))
	kept, err := dspinner.New(ctx, records, &presenceService{DAGService: merkledag.NewDAGService(n.local), blocks: n.blocks})
	if err != nil {
		return err
	}
	n.onClose(kept.Close)
	n.pins = kept
	return nil
}

func (n *node) openNetwork(ctx context.Context) error {
	identity, err := readIdentity(filepath.Join(n.set.repo, "identity"))
	if err != nil {
		return err
	}
	key, err := readSwarmKey(n.set.swarmKeyFile)
	if err != nil {
		return err
	}
	n.host, err = libp2p.New(
		libp2p.Identity(identity),
		libp2p.PrivateNetwork(key),
		libp2p.ListenAddrStrings(n.set.swarm),
		libp2p.NoTransports,
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
		libp2p.UserAgent(agent),
	)
	if err != nil {
		return &startFault{code: "address_unusable", detail: err.Error()}
	}
	n.onClose(n.host.Close)
	exchange := bitswap.New(ctx, bsnet.NewFromIpfsHost(n.host), nil, n.blocks, bitswap.MaxOutstandingBytesPerPeer(bytesOnTheWay))
	n.onClose(exchange.Close)
	n.online = blockservice.New(n.blocks, exchange, blockservice.WriteThrough(true))
	n.peers = peering.NewPeeringService(n.host)
	return nil
}

// Connects with the peers that were named at the start, and again whenever a connection is lost.
func (n *node) keepPeers(ctx context.Context, addresses []string) {
	if n.peers.Start() == nil {
		n.onClose(func() error { n.peers.Stop(); return nil })
	}
	for _, address := range addresses {
		info, err := peer.AddrInfoFromString(address)
		if err != nil {
			continue // checked by who started us
		}
		n.peers.AddPeer(*info)
	}
}

func (n *node) addresses() []string {
	info := peer.AddrInfo{ID: n.host.ID(), Addrs: n.host.Addrs()}
	full, err := peer.AddrInfoToP2pAddrs(&info)
	if err != nil {
		return nil
	}
	return texts(full)
}

func texts(addresses []multiaddr.Multiaddr) []string {
	out := make([]string, len(addresses))
	for i, address := range addresses {
		out[i] = address.String()
	}
	return out
}

func (n *node) onClose(close func() error) { n.closes = append(n.closes, close) }

// Gives everything back, the last opened first.
func (n *node) close() {
	var all error
	for i := len(n.closes) - 1; i >= 0; i-- {
		all = errors.Join(all, n.closes[i]())
	}
	n.closes = nil
	if all != nil {
		os.Stderr.WriteString(all.Error() + "\n")
	}
}
