// Command light answers, with CometBFT's own code, whether light blocks and blocks that another program made are right.
//
// It reads one JSON document from standard input, {"chainId": "...", "checks": [...]}, and writes one answer for each check, in order.
// A check has an "op":
//
//	light_block  bytes                      decode, ValidateBasic; answers hash, validatorsHash, lastCommitHash (of its commit), bytes again
//	verify       trusted, bytes, nowSeconds light.Verify (adjacent or skipping by the heights) with a trust level of 1/3
//	block        bytes                      decode, ValidateBasic; answers hash, partsTotal, partsHash
//	results      results                    hash of the deterministic part of transaction results
//	params       maxBytes, maxGas           hash of the consensus parameters
//	client       trusted, blocks, nodes, height, nowSeconds, periodSeconds
//	                                        a whole light.Client that trusts the first of blocks and wants height: nodes[0] is its primary, the
//	                                        others are its witnesses, each a list of indexes into blocks; answers what they were sent as evidence
//	evidence     bytes, trusted, common, nowSeconds
//	                                        evidence.VerifyLightClientAttack; answers the hash and the kind by who is blamed
//
// Byte strings are hexadecimal. An answer has "ok", and "error" if it is false.
package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/light"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"
)

const (
	trustingPeriod = 24 * 365 * time.Hour
	maxClockDrift  = 10 * time.Second
)

type result struct {
	Code      uint32 `json:"code"`
	Data      string `json:"data"`
	GasWanted int64  `json:"gasWanted"`
	GasUsed   int64  `json:"gasUsed"`
}

type check struct {
	Op         string   `json:"op"`
	Bytes      string   `json:"bytes"`
	Trusted    string   `json:"trusted"`
	NowSeconds int64    `json:"nowSeconds"`
	Results    []result `json:"results"`
	MaxBytes   int64    `json:"maxBytes"`
	MaxGas     int64    `json:"maxGas"`

	Blocks        []string `json:"blocks"`
	Nodes         [][]int  `json:"nodes"`
	Height        int64    `json:"height"`
	PeriodSeconds int64    `json:"periodSeconds"`
	Common        string   `json:"common"`
}

type answer struct {
	OK             bool   `json:"ok"`
	Error          string `json:"error,omitempty"`
	Hash           string `json:"hash,omitempty"`
	ValidatorsHash string `json:"validatorsHash,omitempty"`
	LastCommitHash string `json:"lastCommitHash,omitempty"`
	Bytes          string `json:"bytes,omitempty"`
	PartsTotal     uint32 `json:"partsTotal,omitempty"`
	PartsHash      string `json:"partsHash,omitempty"`

	// Of a client: whether it refused because two nodes contradict each other.
	Attack bool `json:"attack,omitempty"`
}

func main() {
	var input struct {
		ChainID string  `json:"chainId"`
		Checks  []check `json:"checks"`
	}
	if err := json.NewDecoder(os.Stdin).Decode(&input); err != nil {
		fmt.Fprintln(os.Stderr, "light: input is not the JSON that is expected:", err)
		os.Exit(2)
	}
	answers := make([]answer, len(input.Checks))
	// A mocked node of CometBFT's takes its time over every answer; so all checks run at once.
	var done sync.WaitGroup
	for i, c := range input.Checks {
		done.Add(1)
		go func() {
			defer done.Done()
			a, err := run(input.ChainID, c)
			if err != nil {
				a = answer{Error: err.Error()}
			} else {
				a.OK = true
			}
			answers[i] = a
		}()
	}
	done.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		os.Exit(1)
	}
}

func run(chainID string, c check) (answer, error) {
	switch c.Op {
	case "light_block":
		return lightBlock(chainID, c.Bytes)
	case "verify":
		return verify(chainID, c)
	case "block":
		return block(c.Bytes)
	case "results":
		return results(c.Results)
	case "client":
		return client(chainID, c)
	case "evidence":
		return attackEvidence(c)
	case "params":
		params := types.DefaultConsensusParams()
		params.Block.MaxBytes, params.Block.MaxGas = c.MaxBytes, c.MaxGas
		return answer{Hash: hex.EncodeToString(params.Hash())}, nil
	}
	return answer{}, fmt.Errorf("unknown op %q", c.Op)
}

func decodeLightBlock(text string) (*types.LightBlock, error) {
	raw, err := hex.DecodeString(text)
	if err != nil {
		return nil, err
	}
	var pb cmtproto.LightBlock
	if err := pb.Unmarshal(raw); err != nil {
		return nil, err
	}
	return types.LightBlockFromProto(&pb)
}

func lightBlock(chainID, text string) (answer, error) {
	lb, err := decodeLightBlock(text)
	if err != nil {
		return answer{}, err
	}
	if err := lb.ValidateBasic(chainID); err != nil {
		return answer{}, err
	}
	pb, err := lb.ToProto()
	if err != nil {
		return answer{}, err
	}
	again, err := pb.Marshal()
	if err != nil {
		return answer{}, err
	}
	return answer{
		Hash:           hex.EncodeToString(lb.Hash()),
		ValidatorsHash: hex.EncodeToString(lb.ValidatorSet.Hash()),
		LastCommitHash: hex.EncodeToString(lb.Commit.Hash()),
		Bytes:          hex.EncodeToString(again),
	}, nil
}

func verify(chainID string, c check) (answer, error) {
	trusted, err := decodeLightBlock(c.Trusted)
	if err != nil {
		return answer{}, err
	}
	untrusted, err := decodeLightBlock(c.Bytes)
	if err != nil {
		return answer{}, err
	}
	if err := untrusted.ValidateBasic(chainID); err != nil {
		return answer{}, err
	}
	return answer{}, light.Verify(trusted.SignedHeader, trusted.ValidatorSet, untrusted.SignedHeader, untrusted.ValidatorSet,
		trustingPeriod, time.Unix(c.NowSeconds, 0), maxClockDrift, light.DefaultTrustLevel)
}

func block(text string) (answer, error) {
	raw, err := hex.DecodeString(text)
	if err != nil {
		return answer{}, err
	}
	var pb cmtproto.Block
	if err := pb.Unmarshal(raw); err != nil {
		return answer{}, err
	}
	b, err := types.BlockFromProto(&pb)
	if err != nil {
		return answer{}, err
	}
	if err := b.ValidateBasic(); err != nil {
		return answer{}, err
	}
	again, err := pb.Marshal()
	if err != nil {
		return answer{}, err
	}
	if !bytes.Equal(raw, again) {
		return answer{}, fmt.Errorf("CometBFT writes this block with other bytes")
	}
	parts, err := b.MakePartSet(types.BlockPartSizeBytes)
	if err != nil {
		return answer{}, err
	}
	return answer{Hash: hex.EncodeToString(b.Hash()), PartsTotal: parts.Total(), PartsHash: hex.EncodeToString(parts.Hash())}, nil
}

func results(list []result) (answer, error) {
	executed := make([]*abci.ExecTxResult, len(list))
	for i, r := range list {
		data, err := hex.DecodeString(r.Data)
		if err != nil {
			return answer{}, err
		}
		executed[i] = &abci.ExecTxResult{Code: r.Code, Data: data, GasWanted: r.GasWanted, GasUsed: r.GasUsed}
	}
	return answer{Hash: hex.EncodeToString(types.NewResults(executed).Hash())}, nil
}
