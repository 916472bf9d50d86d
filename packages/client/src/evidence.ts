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
  validatorsHash,
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
  await addValidatorChanges(client, blocks, validatorsHash(trust.validators));
  const evidence = encodeEvidence({ chainId, headers: [...blocks.values()], statements });
  const verdict = await verifyEvidence(evidence, { genesis: trust });
  if (!verdict.ok) throw new Fault(verdict.code, verdict.facts);
  return evidence;
}

/**
 * Adds the blocks at which the validators change, so that the file leads from the genesis to its newest header without a jump. Blocks in
 * between are not needed: validators that a header names speak for every later block that has them. A change costs as many requests as the
 * distance to it has binary digits.
 */
async function addValidatorChanges(
  client: Pick<ApiClient, "getBytes">,
  blocks: Map<number, LightBlock>,
  genesisValidatorsHash: Bytes,
): Promise<void> {
  const fetchBlock = async (height: number): Promise<LightBlock> =>
    blocks.get(height) ?? decodeLightBlock(await client.getBytes(`/v1/light-blocks/${height}`));
  let known = { height: 0, validatorsHash: genesisValidatorsHash };
  for (const height of [...blocks.keys()].sort((a, b) => a - b)) {
    const target = (blocks.get(height) as LightBlock).header;
    while (!equal(known.validatorsHash, target.validatorsHash)) {
      // A height in [known, target) that has the known validators, and its successor that has not: its header names the next ones.
      let low = known.height;
      let high = target.height;
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (equal((await fetchBlock(middle)).header.validatorsHash, known.validatorsHash)) low = middle;
        else high = middle;
      }
      // A node that contradicts itself would have this go round for ever.
      if (low === 0 || low === high) throw new Fault("header_validators", { height: high });
      const change = await fetchBlock(low);
      if (!equal(change.header.validatorsHash, known.validatorsHash)) throw new Fault("header_validators", { height: low });
      blocks.set(low, change);
      known = { height: high, validatorsHash: change.header.nextValidatorsHash };
    }
    known = { height: target.height, validatorsHash: target.validatorsHash };
  }
}
