/**
 * What each kind of request calls, and how its answer is written. A request is read completely before anything is called, so a malformed
 * one never reaches a handler. Source: CometBFT v0.40, proto `tendermint.abci`.
 */
import { create } from "@bufbuild/protobuf";
import {
  CheckTxType,
  type RequestExtendVote,
  type RequestFinalizeBlock,
  type RequestPrepareProposal,
  type RequestProcessProposal,
  ResponseCommitSchema,
  ResponseEchoSchema,
  ResponseExtendVoteSchema,
  ResponseFlushSchema,
  ResponseInfoSchema,
  ResponseInitChainSchema,
  ResponseListSnapshotsSchema,
  ResponseLoadSnapshotChunkSchema,
} from "../proto/tendermint/abci/types_pb.js";
import * as answers from "./answers.ts";
import type { Answered, Asked, Kind } from "./envelope.ts";
import { malformed } from "./frames.ts";
import type { AbciBlock, AbciHandlers, PrepareProposalRequest, Snapshot } from "./handlers.ts";
import {
  readBound,
  readCommit,
  readConsensusParams,
  readExtendedCommit,
  readInteger,
  readMisbehaviour,
  readTime,
  readValidators,
  writeConsensusParams,
  writeValidators,
} from "./values.ts";

/** A request that was read, ready to be asked. */
export type Call = (handlers: AbciHandlers) => Promise<Answered>;

/** Kinds of which several may be under way at once on one connection: they change nothing that a block rests on. */
export const OVERLAPPING: ReadonlySet<Kind> = new Set<Kind>(["echo", "flush", "info", "query", "checkTx", "insertTx"]);

type WireBlock = RequestProcessProposal | RequestFinalizeBlock | RequestExtendVote;

function readBlock(block: WireBlock): AbciBlock {
  const commit = block.$typeName === "tendermint.abci.RequestFinalizeBlock" ? block.decidedLastCommit : block.proposedLastCommit;
  return {
    height: readInteger(block.height),
    time: readTime(block.time),
    transactions: block.txs,
    misbehaviour: readMisbehaviour(block.misbehavior),
    lastCommit: readCommit(commit),
    hash: block.hash,
    nextValidatorsHash: block.nextValidatorsHash,
    proposerAddress: block.proposerAddress,
  };
}

const readPrepare = (request: RequestPrepareProposal): PrepareProposalRequest => ({
  maxTxBytes: readInteger(request.maxTxBytes),
  transactions: request.txs,
  localLastCommit: readExtendedCommit(request.localLastCommit),
  misbehaviour: readMisbehaviour(request.misbehavior),
  height: readInteger(request.height),
  time: readTime(request.time),
  nextValidatorsHash: request.nextValidatorsHash,
  proposerAddress: request.proposerAddress,
});

const writeSnapshot = ({ height, ...rest }: Snapshot) => ({ height: BigInt(height), ...rest });

/** Reads a request. Throws `Fault("malformed")`. */
export function callOf(asked: Asked): Call {
  switch (asked.case) {
    case "echo": {
      const { message } = asked.value;
      return async () => ({ case: "echo", value: create(ResponseEchoSchema, { message }) });
    }
    case "flush":
      return async () => ({ case: "flush", value: create(ResponseFlushSchema) });
    case "info": {
      const { version, abciVersion, blockVersion, p2pVersion } = asked.value;
      const request = { version, abciVersion, blockVersion: readInteger(blockVersion), p2pVersion: readInteger(p2pVersion) };
      return async (handlers) => {
        const { appVersion, lastBlockHeight, ...rest } = await handlers.info(request);
        const wire = { ...rest, appVersion: BigInt(appVersion), lastBlockHeight: BigInt(lastBlockHeight) };
        return { case: "info", value: create(ResponseInfoSchema, wire) };
      };
    }
    case "initChain": {
      const { time, chainId, consensusParams, validators, appStateBytes, initialHeight } = asked.value;
      const request = {
        time: readTime(time),
        chainId,
        consensusParams: readConsensusParams(consensusParams),
        validators: readValidators(validators),
        appState: appStateBytes,
        initialHeight: readInteger(initialHeight),
      };
      return async (handlers) => {
        const answer = await handlers.initChain(request);
        const wire = {
          ...(answer.consensusParams && { consensusParams: writeConsensusParams(answer.consensusParams) }),
          validators: writeValidators(answer.validators),
          appHash: answer.appHash,
        };
        return { case: "initChain", value: create(ResponseInitChainSchema, wire) };
      };
    }
    case "query": {
      const { data, path, height, prove } = asked.value;
      const request = { data, path, height: readInteger(height), prove };
      return async (handlers) => answers.query(await handlers.query(request));
    }
    case "checkTx": {
      const request = { transaction: asked.value.tx, recheck: asked.value.type === CheckTxType.RECHECK };
      return async (handlers) => answers.checkTx(await handlers.checkTx(request));
    }
    case "insertTx": {
      const request = { transaction: asked.value.tx };
      return async (handlers) => answers.insertTx(await handlers.insertTx(request));
    }
    case "reapTxs": {
      const request = { maxBytes: readBound(asked.value.maxBytes), maxGas: readBound(asked.value.maxGas) };
      return async (handlers) => answers.reapTxs((await handlers.reapTxs(request)).transactions);
    }
    case "prepareProposal": {
      const request = readPrepare(asked.value);
      return async (handlers) => answers.prepareProposal((await handlers.prepareProposal(request)).transactions);
    }
    case "processProposal": {
      const request = readBlock(asked.value);
      return async (handlers) => answers.processProposal((await handlers.processProposal(request)).accept);
    }
    case "extendVote": {
      const request = readBlock(asked.value);
      return async (handlers) => {
        const { extension } = await handlers.extendVote(request);
        return { case: "extendVote", value: create(ResponseExtendVoteSchema, { voteExtension: extension }) };
      };
    }
    case "verifyVoteExtension": {
      const { hash, validatorAddress, height, voteExtension } = asked.value;
      const request = { hash, validatorAddress, height: readInteger(height), extension: voteExtension };
      return async (handlers) => answers.verifyVoteExtension((await handlers.verifyVoteExtension(request)).accept);
    }
    case "finalizeBlock": {
      const request = readBlock(asked.value);
      return async (handlers) => answers.finalizeBlock(await handlers.finalizeBlock(request));
    }
    case "commit":
      return async (handlers) => {
        const { retainHeight } = await handlers.commit();
        return { case: "commit", value: create(ResponseCommitSchema, { retainHeight: BigInt(retainHeight) }) };
      };
    case "listSnapshots":
      return async (handlers) => {
        const snapshots = (await handlers.listSnapshots()).snapshots.map(writeSnapshot);
        return { case: "listSnapshots", value: create(ResponseListSnapshotsSchema, { snapshots }) };
      };
    case "offerSnapshot": {
      const { snapshot, appHash } = asked.value;
      if (snapshot === undefined) throw malformed("snapshot");
      const { height, format, chunks, hash, metadata } = snapshot;
      const request = { snapshot: { height: readInteger(height), format, chunks, hash, metadata }, appHash };
      return async (handlers) => answers.offerSnapshot((await handlers.offerSnapshot(request)).result);
    }
    case "loadSnapshotChunk": {
      const { height, format, chunk } = asked.value;
      const request = { height: readInteger(height), format, chunk };
      return async (handlers) => {
        const answer = await handlers.loadSnapshotChunk(request);
        return { case: "loadSnapshotChunk", value: create(ResponseLoadSnapshotChunkSchema, { chunk: answer.chunk }) };
      };
    }
    case "applySnapshotChunk": {
      const { index, chunk, sender } = asked.value;
      return async (handlers) => answers.applySnapshotChunk(await handlers.applySnapshotChunk({ index, chunk, sender }));
    }
  }
}
