/**
 * Gathers an evidence file: statements about the chain with everything that a stranger needs to check them offline.
 * Source: requirement F12; `@xinglin/verifier` (evidence file).
 */
import { type Bytes, equal, Fault } from "@xinglin/primitives";
import {
  decodeLightBlock,
  encodeEvidence,
  genesisTrust,
  type LightBlock,
  type Statement,
  verifyEvidence,
} from "@xinglin/verifier";
import type { ApiClient } from "./api-client.ts";
import type { Identity } from "./identity.ts";
import { TrustedChain } from "./trusted-chain.ts";

/** What to prove: keys of the state (their value or absence) and entries of the audit log by sequence. */
export interface EvidenceRequest {
  readonly keys: readonly string[];
  readonly sequences: readonly number[];
}

/** The bytes of an evidence file, checked as its reader will. */
export async function collectEvidence(client: ApiClient, identity: Identity, request: EvidenceRequest): Promise<Bytes> {
  const chain = await TrustedChain.of(client);
  const blocks = new Map<number, LightBlock>();
  const statements: Statement[] = [];
  const remember = (lightBlock: Bytes): void => {
    const block = decodeLightBlock(lightBlock);
    blocks.set(block.header.height, block);
  };
  for (const key of request.keys) {
    const { height, value, proof, lightBlock } = await chain.prove(identity, key);
    remember(lightBlock);
    statements.push({ kind: "state", height, key, proof, ...(value === undefined ? {} : { value }) });
  }
  for (const sequence of request.sequences) {
    const { epoch, index, entry, path, head } = (await chain.proveEntry(identity, sequence)).proof;
    const { height, key, value, proof, lightBlock } = head;
    if (value === undefined) throw new Fault("proof_wrong", { key });
    remember(lightBlock);
    statements.push({ kind: "log", height, epoch, index, entry, path, key, value, proof });
  }
  const { bytes, chainId } = await client.genesis();
  const trust = genesisTrust(bytes);
  await addValidatorChanges(client, blocks, trust.validators);
  const evidence = encodeEvidence({ chainId, headers: [...blocks.values()], statements });
  const verdict = await verifyEvidence(evidence, { genesis: trust });
  if (!verdict.ok) throw new Fault(verdict.code, verdict.facts);
  return evidence;
}

/** Adds each block whose header names other validators for the next height, so that the file leads from the genesis to its newest header. */
async function addValidatorChanges(
  client: ApiClient,
  blocks: Map<number, LightBlock>,
  genesisValidators: LightBlock["validators"],
): Promise<void> {
  const fetchBlock = async (height: number): Promise<LightBlock> =>
    decodeLightBlock(await client.getBytes(`/v1/light-blocks/${height}`));
  const first = await fetchBlock(1);
  if (first.validators.length !== genesisValidators.length) throw new Fault("header_validators", { height: 1 });
  let known = { height: 1, validatorsHash: first.header.validatorsHash };
  for (const height of [...blocks.keys()].sort((a, b) => a - b)) {
    const target = (blocks.get(height) as LightBlock).header;
    while (!equal(known.validatorsHash, target.validatorsHash)) {
      // The last height in [known, target) that still has the known validators: its header names the next ones.
      let low = known.height;
      let high = target.height;
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (equal((await fetchBlock(middle)).header.validatorsHash, known.validatorsHash)) low = middle;
        else high = middle;
      }
      const change = await fetchBlock(low);
      blocks.set(low, change);
      known = { height: high, validatorsHash: change.header.nextValidatorsHash };
    }
  }
}
