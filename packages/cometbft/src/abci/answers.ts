/**
 * Answers as protobuf has them, for the methods where more than a field is to be put in its place; and what a `Fault` is answered with.
 * Messages of which there is one for each transaction are written out as literals: `create` would take three times as long.
 * Source: CometBFT v0.40, proto `tendermint.abci`.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Bytes, Fault } from "@xinglin/primitives";
import {
  ResponseApplySnapshotChunk_Result as Applied,
  type ExecTxResult,
  ResponseOfferSnapshot_Result as Offered,
  ResponseProcessProposal_ProposalStatus as Proposal,
  ResponseApplySnapshotChunkSchema,
  ResponseCheckTxSchema,
  ResponseExceptionSchema,
  ResponseFinalizeBlockSchema,
  ResponseListSnapshotsSchema,
  ResponseLoadSnapshotChunkSchema,
  ResponseOfferSnapshotSchema,
  ResponsePrepareProposalSchema,
  ResponseProcessProposalSchema,
  ResponseQuerySchema,
  ResponseReapTxsSchema,
  ResponseVerifyVoteExtensionSchema,
  ResponseVerifyVoteExtension_VerifyStatus as Verified,
} from "../proto/tendermint/abci/types_pb.js";
import type { Answered, Kind } from "./envelope.ts";
import {
  type ApplySnapshotChunkResponse,
  type CheckTxResponse,
  type FinalizeBlockResponse,
  type InsertTxResponse,
  type OfferSnapshotResult,
  type QueryResponse,
  RETRY_CODE,
  type TxResult,
} from "./handlers.ts";
import { writeConsensusParams, writeValidators } from "./values.ts";

/** Whose codes these are. */
const CODESPACE = "xinglin";
/** A refusal that will stand. */
const REFUSED = 1;
const NOTHING = new Uint8Array(0);

export const query = ({ height, proofOps, ...rest }: QueryResponse): Answered => {
  const init: MessageInitShape<typeof ResponseQuerySchema> = { ...rest };
  if (height !== undefined) init.height = BigInt(height);
  if (proofOps !== undefined) init.proofOps = { ops: [...proofOps] };
  return { case: "query", value: create(ResponseQuerySchema, init) };
};

export const checkTx = (answer: CheckTxResponse): Answered => ({ case: "checkTx", value: create(ResponseCheckTxSchema, answer) });

export const insertTx = ({ code }: InsertTxResponse): Answered => ({
  case: "insertTx",
  value: { $typeName: "tendermint.abci.ResponseInsertTx", code },
});

export const reapTxs = (transactions: readonly Bytes[]): Answered => ({
  case: "reapTxs",
  value: create(ResponseReapTxsSchema, { txs: [...transactions] }),
});

export const prepareProposal = (transactions: readonly Bytes[]): Answered => ({
  case: "prepareProposal",
  value: create(ResponsePrepareProposalSchema, { txs: [...transactions] }),
});

export const processProposal = (accept: boolean): Answered => ({
  case: "processProposal",
  value: create(ResponseProcessProposalSchema, { status: accept ? Proposal.ACCEPT : Proposal.REJECT }),
});

export const verifyVoteExtension = (accept: boolean): Answered => ({
  case: "verifyVoteExtension",
  value: create(ResponseVerifyVoteExtensionSchema, { status: accept ? Verified.ACCEPT : Verified.REJECT }),
});

const NO_EVENTS: ExecTxResult["events"] = [];
const txResult = ({ code, data = NOTHING, gasWanted = 0, gasUsed = 0 }: TxResult): ExecTxResult => ({
  $typeName: "tendermint.abci.ExecTxResult",
  code,
  data,
  log: "",
  info: "",
  gasWanted: BigInt(gasWanted),
  gasUsed: BigInt(gasUsed),
  events: NO_EVENTS,
  codespace: "",
});

export function finalizeBlock(answer: FinalizeBlockResponse): Answered {
  const init: MessageInitShape<typeof ResponseFinalizeBlockSchema> = {
    txResults: answer.results.map(txResult),
    validatorUpdates: writeValidators(answer.validatorUpdates),
    appHash: answer.appHash,
  };
  if (answer.consensusParams !== undefined) init.consensusParamUpdates = writeConsensusParams(answer.consensusParams);
  return { case: "finalizeBlock", value: create(ResponseFinalizeBlockSchema, init) };
}

const OFFERED: Readonly<Record<OfferSnapshotResult, Offered>> = {
  accept: Offered.ACCEPT,
  abort: Offered.ABORT,
  reject: Offered.REJECT,
  reject_format: Offered.REJECT_FORMAT,
  reject_sender: Offered.REJECT_SENDER,
};
export const offerSnapshot = (result: OfferSnapshotResult): Answered => ({
  case: "offerSnapshot",
  value: create(ResponseOfferSnapshotSchema, { result: OFFERED[result] }),
});

const APPLIED: Readonly<Record<ApplySnapshotChunkResponse["result"], Applied>> = {
  accept: Applied.ACCEPT,
  abort: Applied.ABORT,
  retry: Applied.RETRY,
  retry_snapshot: Applied.RETRY_SNAPSHOT,
  reject_snapshot: Applied.REJECT_SNAPSHOT,
};
export const applySnapshotChunk = (answer: ApplySnapshotChunkResponse): Answered => {
  const { result, refetchChunks = [], rejectSenders = [] } = answer;
  const init = { result: APPLIED[result], refetchChunks: [...refetchChunks], rejectSenders: [...rejectSenders] };
  return { case: "applySnapshotChunk", value: create(ResponseApplySnapshotChunkSchema, init) };
};

/** Upon an exception CometBFT stops, and logs the text. */
export const exception = (text: string): Answered => ({
  case: "exception",
  value: create(ResponseExceptionSchema, { error: text }),
});

/**
 * What a handler's `Fault` is answered with where the method has a way to say no, so that neither a client nor a peer can stop CometBFT
 * with a request that can't be served; undefined where only an exception is left.
 */
export function refusal(kind: Kind, fault: Fault): Answered | undefined {
  const code = fault.retry ? RETRY_CODE : REFUSED;
  switch (kind) {
    case "query":
      return query({ code, codespace: CODESPACE, log: fault.code });
    case "checkTx":
      return checkTx({ code, codespace: CODESPACE, log: fault.code });
    case "insertTx":
      return insertTx({ code });
    case "verifyVoteExtension":
      return verifyVoteExtension(false);
    case "listSnapshots":
      return { case: "listSnapshots", value: create(ResponseListSnapshotsSchema) };
    case "loadSnapshotChunk":
      return { case: "loadSnapshotChunk", value: create(ResponseLoadSnapshotChunkSchema) };
    default:
      return undefined;
  }
}
