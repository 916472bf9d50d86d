package main

import (
	"fmt"
	"net/http"
	"runtime"

	"github.com/libp2p/go-libp2p/core/peer"
)

func (n *node) version(a *answer, _ *http.Request) error {
	return a.emit(map[string]any{
		"Version": agent, "Commit": "", "Repo": "18", "System": runtime.GOARCH + "/" + runtime.GOOS, "Golang": runtime.Version(),
	})
}

func (n *node) identify(a *answer, _ *http.Request) error {
	return a.emit(map[string]any{
		"ID": n.host.ID().String(), "Addresses": n.addresses(), "AgentVersion": agent, "Protocols": n.host.Mux().Protocols(),
	})
}

// The disk's room, under the names of Kubo's call. It tells nothing else of the machine.
func (n *node) diagnose(a *answer, _ *http.Request) error {
	free, total, err := diskRoom(n.set.repo)
	if err != nil {
		return err
	}
	return a.emit(map[string]any{"diskinfo": map[string]any{"free_space": free, "total_space": total}, "ipfs_version": agent})
}

func (n *node) connect(a *answer, r *http.Request) error {
	addresses := r.URL.Query()["arg"]
	if len(addresses) == 0 {
		return &badArgument{`argument "address" is required`}
	}
	done := make([]string, len(addresses))
	for i, address := range addresses {
		info, err := peer.AddrInfoFromString(address)
		if err != nil {
			return &badArgument{err.Error()}
		}
		if err := n.host.Connect(r.Context(), *info); err != nil {
			return fmt.Errorf("connect %s failure: %w", info.ID, err)
		}
		done[i] = fmt.Sprintf("connect %s success", info.ID)
	}
	return a.emit(map[string]any{"Strings": done})
}

func (n *node) listPeers(a *answer, _ *http.Request) error {
	lines := []map[string]any{}
	for _, connection := range n.host.Network().Conns() {
		lines = append(lines, map[string]any{
			"Addr": connection.RemoteMultiaddr().String(), "Peer": connection.RemotePeer().String(), "Direction": connection.Stat().Direction,
		})
	}
	return a.emit(map[string]any{"Peers": lines})
}
