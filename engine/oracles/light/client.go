package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/evidence"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/light"
	"github.com/cometbft/cometbft/light/provider"
	"github.com/cometbft/cometbft/light/provider/mock"
	"github.com/cometbft/cometbft/light/store/db"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"
)

// client runs a whole light client over nodes that have what they were given and nothing else.
func client(chainID string, c check) (answer, error) {
	blocks := make([]*types.LightBlock, len(c.Blocks))
	for i, text := range c.Blocks {
		lb, err := decodeLightBlock(text)
		if err != nil {
			return answer{}, err
		}
		blocks[i] = lb
	}
	providers := make([]provider.Provider, len(c.Nodes))
	for i, indexes := range c.Nodes {
		headers := map[int64]*types.SignedHeader{}
		vals := map[int64]*types.ValidatorSet{}
		for _, at := range indexes {
			headers[blocks[at].Height] = blocks[at].SignedHeader
			vals[blocks[at].Height] = blocks[at].ValidatorSet
		}
		providers[i] = mock.New(chainID, headers, vals)
	}
	ctx := context.Background()
	now := time.Unix(c.NowSeconds, 0)
	period := time.Duration(c.PeriodSeconds) * time.Second
	trust := light.TrustOptions{Period: period, Height: blocks[0].Height, Hash: blocks[0].Hash()}
	lc, err := light.NewClient(ctx, chainID, trust, providers[0], providers[1:], db.New(dbm.NewMemDB(), chainID),
		light.Logger(log.NewNopLogger()), light.MaxClockDrift(maxClockDrift), light.MaxBlockLag(0))
	if err != nil {
		return answer{}, fmt.Errorf("start: %w", err)
	}
	_, err = lc.VerifyLightBlockAtHeight(ctx, c.Height, now)
	if errors.Is(err, light.ErrLightClientAttack) {
		return answer{OK: true, Attack: true}, nil
	}
	return answer{}, err
}

// attackEvidence asks whether a node that has the trusted and the common block would take the evidence.
func attackEvidence(c check) (answer, error) {
	raw, err := hex.DecodeString(c.Bytes)
	if err != nil {
		return answer{}, err
	}
	var pb cmtproto.Evidence
	if err := pb.Unmarshal(raw); err != nil {
		return answer{}, err
	}
	ev, err := types.EvidenceFromProto(&pb)
	if err != nil {
		return answer{}, err
	}
	attack, ok := ev.(*types.LightClientAttackEvidence)
	if !ok {
		return answer{}, errors.New("not evidence of an attack on light clients")
	}
	if err := attack.ValidateBasic(); err != nil {
		return answer{}, err
	}
	trusted, err := decodeLightBlock(c.Trusted)
	if err != nil {
		return answer{}, err
	}
	common, err := decodeLightBlock(c.Common)
	if err != nil {
		return answer{}, err
	}
	if attack.CommonHeight == trusted.Height {
		common = trusted
	}
	if err := evidence.VerifyLightClientAttack(attack, common.SignedHeader, trusted.SignedHeader, common.ValidatorSet,
		time.Unix(c.NowSeconds, 0), trustingPeriod); err != nil {
		return answer{}, err
	}
	out, err := types.EvidenceToProto(attack)
	if err != nil {
		return answer{}, err
	}
	again, err := out.Marshal()
	if err != nil {
		return answer{}, err
	}
	return answer{Bytes: hex.EncodeToString(again)}, nil
}
