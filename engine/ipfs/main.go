// A small private IPFS node: blocks on a disk, pins, and exchange with the peers that hold the same swarm key. It answers the calls of Kubo's RPC
// that an archive store needs, as Kubo answers them, so that a stock Kubo takes its place. Nothing of the product's logic is in it.
//
// No DHT, no bootstrap, no mDNS, no relay, no telemetry: it speaks to whom it is told to, and to nobody else.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// What the caller hears on standard output: one line when the node is ready, or why it is not.
type readiness struct {
	Ready     bool     `json:"ready"`
	API       string   `json:"api,omitempty"`
	ID        string   `json:"id,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
	Error     string   `json:"error,omitempty"`
	Detail    string   `json:"detail,omitempty"`
}

type settings struct {
	repo         string
	api          string
	swarm        string
	swarmKeyFile string
	storageMax   uint64
	sync         bool
	endWithInput bool
	peers        []string
}

func main() {
	set := readFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if set.endWithInput {
		go func() {
			_, _ = io.Copy(io.Discard, bufio.NewReader(os.Stdin)) // whoever started us is gone when it ends
			stop()
		}()
	}
	if err := run(ctx, set); err != nil {
		var fault *startFault
		if !errors.As(err, &fault) {
			fault = &startFault{code: "failed", detail: err.Error()}
		}
		say(readiness{Error: fault.code, Detail: fault.detail})
		os.Exit(1)
	}
}

func run(ctx context.Context, set settings) error {
	n, err := openNode(ctx, set)
	if err != nil {
		return err
	}
	defer n.close()
	listener, address, err := listenRPC(set.api)
	if err != nil {
		return err
	}
	server := newServer(n)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	n.keepPeers(ctx, set.peers)
	say(readiness{Ready: true, API: address, ID: n.host.ID().String(), Addresses: n.addresses()})
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		return shutDown(server)
	}
}

func readFlags() settings {
	var set settings
	flag.StringVar(&set.repo, "repo", "", "folder of the node: blocks, pins, identity")
	flag.StringVar(&set.api, "api", "127.0.0.1:0", "where the RPC listens: a loopback address, or unix: and a path")
	flag.StringVar(&set.swarm, "swarm", "/ip4/127.0.0.1/tcp/0", "multiaddress where peers connect")
	flag.StringVar(&set.swarmKeyFile, "swarm-key", "", "file with the key of the private network; made if it is not there")
	flag.Uint64Var(&set.storageMax, "storage-max", 0, "bytes that repo/stat names as the limit; 0 for none")
	flag.BoolVar(&set.sync, "sync", true, "write every block through to the disk")
	flag.BoolVar(&set.endWithInput, "end-with-input", false, "stop when standard input ends")
	flag.Func("peer", "multiaddress of a peer to stay connected with; may be repeated", func(value string) error {
		set.peers = append(set.peers, value)
		return nil
	})
	flag.Parse()
	if set.repo == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if set.swarmKeyFile == "" {
		set.swarmKeyFile = set.repo + "/swarm.key"
	}
	return set
}

func say(line readiness) {
	text, err := json.Marshal(line)
	if err == nil {
		fmt.Println(string(text))
	}
}

// Why a node does not start, with a code that the caller knows.
type startFault struct {
	code   string
	detail string
}

func (f *startFault) Error() string { return f.code + ": " + f.detail }
