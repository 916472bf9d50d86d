// Command abci speaks with an ABCI server through CometBFT's own socket client, over four connections as CometBFT does, and writes what it
// was told as JSON to standard output:
//
//	abci <address> <transactions of a block> <bytes of a transaction>
//
// Transaction i of a block consists of bytes of value i mod 256.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	abcicli "github.com/cometbft/cometbft/abci/client"
	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/proto/tendermint/crypto"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
)

const concurrentChecks = 200

type report struct {
	Echo              string   `json:"echo"`
	Version           string   `json:"version"`
	Height            int64    `json:"height"`
	ChainAppHash      []byte   `json:"chainAppHash"`
	CheckCodes        []uint32 `json:"checkCodes"`
	InsertCode        uint32   `json:"insertCode"`
	Reaped            [][]byte `json:"reaped"`
	Proposed          int      `json:"proposed"`
	ProposedSame      bool     `json:"proposedSame"`
	Accepted          bool     `json:"accepted"`
	Results           int      `json:"results"`
	UpdatePower       int64    `json:"updatePower"`
	UpdateKey         []byte   `json:"updateKey"`
	AppHash           []byte   `json:"appHash"`
	RetainHeight      int64    `json:"retainHeight"`
	QueryValue        []byte   `json:"queryValue"`
	SnapshotHeight    uint64   `json:"snapshotHeight"`
	Offer             string   `json:"offer"`
	ChunkBytes        int      `json:"chunkBytes"`
	Apply             string   `json:"apply"`
	VoteExtension     []byte   `json:"voteExtension"`
	ExtensionVerified bool     `json:"extensionVerified"`
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: abci <address> <transactions> <bytes>")
		os.Exit(2)
	}
	told, err := run(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, "abci:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		fmt.Fprintln(os.Stderr, "abci:", err)
		os.Exit(1)
	}
}

func run(address, count, size string) (*report, error) {
	transactions, err := block(count, size)
	if err != nil {
		return nil, err
	}
	clients := make([]abcicli.Client, 4)
	for i := range clients {
		clients[i] = abcicli.NewSocketClient(address, true)
		if err := clients[i].Start(); err != nil {
			return nil, err
		}
		defer func() { _ = clients[i].Stop() }()
	}
	told := &report{}
	for _, ask := range []func(abcicli.Client, [][]byte, *report) error{query, mempool, consensus, snapshots} {
		if err := ask(clients[0], transactions, told); err != nil {
			return nil, err
		}
		clients = append(clients[1:], clients[0])
	}
	return told, nil
}

func block(count, size string) ([][]byte, error) {
	n, err := strconv.Atoi(count)
	if err != nil {
		return nil, err
	}
	length, err := strconv.Atoi(size)
	if err != nil {
		return nil, err
	}
	out := make([][]byte, n)
	for i := range out {
		out[i] = bytes.Repeat([]byte{byte(i)}, length)
	}
	return out, nil
}

func query(client abcicli.Client, _ [][]byte, told *report) error {
	ctx := context.Background()
	echo, err := client.Echo(ctx, "hello")
	if err != nil {
		return err
	}
	info, err := client.Info(ctx, &abci.RequestInfo{Version: "0.40.0", BlockVersion: 11, P2PVersion: 9, AbciVersion: "2.2.0"})
	if err != nil {
		return err
	}
	found, err := client.Query(ctx, &abci.RequestQuery{Path: "/store", Data: []byte("key"), Height: 3})
	if err != nil {
		return err
	}
	told.Echo, told.Version, told.Height, told.QueryValue = echo.Message, info.Version, info.LastBlockHeight, found.Value
	return nil
}

// mempool checks many transactions at once, so that requests are pipelined and answered in order.
func mempool(client abcicli.Client, _ [][]byte, told *report) error {
	ctx := context.Background()
	told.CheckCodes = make([]uint32, concurrentChecks)
	failures := make([]error, concurrentChecks)
	var all sync.WaitGroup
	for i := range concurrentChecks {
		all.Go(func() {
			answer, err := client.CheckTx(ctx, &abci.RequestCheckTx{Tx: []byte{byte(i)}, Type: abci.CheckTxType_New})
			if err != nil {
				failures[i] = err
				return
			}
			told.CheckCodes[i] = answer.Code
		})
	}
	all.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	inserted, err := client.InsertTx(ctx, &abci.RequestInsertTx{Tx: []byte{1}})
	if err != nil {
		return err
	}
	reaped, err := client.ReapTxs(ctx, &abci.RequestReapTxs{MaxBytes: 1 << 20})
	if err != nil {
		return err
	}
	told.InsertCode, told.Reaped = inserted.Code, reaped.Txs
	return nil
}

func consensus(client abcicli.Client, transactions [][]byte, told *report) error {
	ctx := context.Background()
	now := time.Unix(1_790_000_000, 999_999_999).UTC()
	address := bytes.Repeat([]byte{3}, 20)
	validator := abci.Validator{Address: address, Power: 10}
	params := cmtproto.ConsensusParams{
		Block:     &cmtproto.BlockParams{MaxBytes: 4 << 20, MaxGas: -1},
		Evidence:  &cmtproto.EvidenceParams{MaxAgeNumBlocks: 10, MaxAgeDuration: time.Hour, MaxBytes: 1 << 20},
		Validator: &cmtproto.ValidatorParams{PubKeyTypes: []string{"ed25519"}},
		Version:   &cmtproto.VersionParams{App: 1},
		Abci:      &cmtproto.ABCIParams{},
	}
	key := crypto.PublicKey{Sum: &crypto.PublicKey_Ed25519{Ed25519: bytes.Repeat([]byte{5}, 32)}}
	begun, err := client.InitChain(ctx, &abci.RequestInitChain{
		Time: now, ChainId: "chain", ConsensusParams: &params, InitialHeight: 1, AppStateBytes: []byte("{}"),
		Validators: []abci.ValidatorUpdate{{PubKey: key, Power: 10}},
	})
	if err != nil {
		return err
	}
	prepared, err := client.PrepareProposal(ctx, &abci.RequestPrepareProposal{
		MaxTxBytes: 4 << 20, Txs: transactions, Height: 1, Time: now,
		LocalLastCommit: abci.ExtendedCommitInfo{
			Votes: []abci.ExtendedVoteInfo{{Validator: validator, BlockIdFlag: cmtproto.BlockIDFlagCommit}},
		},
	})
	if err != nil {
		return err
	}
	commit := abci.CommitInfo{Votes: []abci.VoteInfo{
		{Validator: validator, BlockIdFlag: cmtproto.BlockIDFlagCommit},
		{Validator: validator, BlockIdFlag: cmtproto.BlockIDFlagAbsent},
		{Validator: validator, BlockIdFlag: cmtproto.BlockIDFlagNil},
	}}
	misbehaviour := []abci.Misbehavior{{
		Type: abci.MisbehaviorType_DUPLICATE_VOTE, Validator: validator, Height: 1, Time: now, TotalVotingPower: 40,
	}}
	processed, err := client.ProcessProposal(ctx, &abci.RequestProcessProposal{
		Txs: prepared.Txs, ProposedLastCommit: commit, Misbehavior: misbehaviour, Height: 1, Time: now,
	})
	if err != nil {
		return err
	}
	extended, err := client.ExtendVote(ctx, &abci.RequestExtendVote{Height: 1, Time: now, ProposedLastCommit: commit})
	if err != nil {
		return err
	}
	verified, err := client.VerifyVoteExtension(ctx, &abci.RequestVerifyVoteExtension{
		Height: 1, ValidatorAddress: address, VoteExtension: extended.VoteExtension,
	})
	if err != nil {
		return err
	}
	finalized, err := client.FinalizeBlock(ctx, &abci.RequestFinalizeBlock{
		Txs: prepared.Txs, DecidedLastCommit: commit, Misbehavior: misbehaviour, Height: 1, Time: now,
		Hash: bytes.Repeat([]byte{7}, 32), NextValidatorsHash: bytes.Repeat([]byte{8}, 32), ProposerAddress: address,
	})
	if err != nil {
		return err
	}
	committed, err := client.Commit(ctx, &abci.RequestCommit{})
	if err != nil {
		return err
	}
	told.ChainAppHash = begun.AppHash
	told.Proposed, told.ProposedSame = len(prepared.Txs), equal(prepared.Txs, transactions)
	told.Accepted = processed.IsAccepted()
	told.VoteExtension, told.ExtensionVerified = extended.VoteExtension, verified.IsAccepted()
	told.Results, told.AppHash, told.RetainHeight = len(finalized.TxResults), finalized.AppHash, committed.RetainHeight
	for _, update := range finalized.ValidatorUpdates {
		told.UpdatePower, told.UpdateKey = update.Power, update.PubKey.GetMldsa65()
	}
	return nil
}

func equal(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func snapshots(client abcicli.Client, _ [][]byte, told *report) error {
	ctx := context.Background()
	listed, err := client.ListSnapshots(ctx, &abci.RequestListSnapshots{})
	if err != nil {
		return err
	}
	if len(listed.Snapshots) == 0 {
		return fmt.Errorf("no snapshots")
	}
	first := listed.Snapshots[0]
	offered, err := client.OfferSnapshot(ctx, &abci.RequestOfferSnapshot{Snapshot: first, AppHash: first.Hash})
	if err != nil {
		return err
	}
	loaded, err := client.LoadSnapshotChunk(ctx, &abci.RequestLoadSnapshotChunk{Height: first.Height, Format: first.Format})
	if err != nil {
		return err
	}
	applied, err := client.ApplySnapshotChunk(ctx, &abci.RequestApplySnapshotChunk{Chunk: loaded.Chunk, Sender: "peer"})
	if err != nil {
		return err
	}
	told.SnapshotHeight, told.Offer = first.Height, offered.Result.String()
	told.ChunkBytes, told.Apply = len(loaded.Chunk), applied.Result.String()
	return nil
}
