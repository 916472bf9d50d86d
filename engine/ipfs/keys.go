package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/pnet"
)

const swarmKeyHeader = "/key/swarm/psk/1.0.0/\n/base16/\n"

// The key that all peers of a private network share, in the form of Kubo's swarm.key. One that others on the machine can read is refused.
func readSwarmKey(path string) (pnet.PSK, error) {
	text, err := readSecret(path, func() ([]byte, error) {
		key := make([]byte, 32)
		if _, err := rand.Read(key); err != nil {
			return nil, err
		}
		return []byte(swarmKeyHeader + hex.EncodeToString(key) + "\n"), nil
	})
	if err != nil {
		return nil, err
	}
	key, err := pnet.DecodeV1PSK(bytes.NewReader(text))
	if err != nil {
		return nil, &startFault{code: "swarm_key_wrong", detail: "not a swarm key"}
	}
	return key, nil
}

// The node's own key: made once, kept in its folder.
func readIdentity(path string) (crypto.PrivKey, error) {
	bytes, err := readSecret(path, func() ([]byte, error) {
		key, _, err := crypto.GenerateEd25519Key(rand.Reader)
		if err != nil {
			return nil, err
		}
		return crypto.MarshalPrivateKey(key)
	})
	if err != nil {
		return nil, err
	}
	return crypto.UnmarshalPrivateKey(bytes)
}

// A file that its owner alone may read; written by `make` if there is none.
func readSecret(path string, make func() ([]byte, error)) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return writeSecret(path, make)
	}
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, &startFault{code: "swarm_key_wrong", detail: filepath.Base(path) + " can be read by others than its owner"}
	}
	return os.ReadFile(path)
}

// The file appears whole or not at all, and stays when another process made it first.
func writeSecret(path string, make func() ([]byte, error)) ([]byte, error) {
	content, err := make()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	partial, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(partial.Name())
	if _, err := partial.Write(content); err != nil {
		return nil, err
	}
	if err := errors.Join(partial.Sync(), partial.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(partial.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path)
}
