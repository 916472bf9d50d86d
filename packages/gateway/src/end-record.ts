/**
 * The end of a record: each custodian erases its share of every version's key and signs that it did. Source: requirements C8, D8; design.md,
 * "Consent, access, custody" (Ending).
 */
import { TrustedChain } from "@xinglin/client";
import { keys, type MedicalRecord, mayBeErased, record as recordSchema } from "@xinglin/contracts";
import { erasureAnswer, erasureRequest, read as readCustody } from "@xinglin/custody/client";
import { type ActorId, cbor, Fault, type RecordId } from "@xinglin/primitives";
import { askCustodians, proveState } from "./custodians.ts";
import type { Gateway } from "./keep-record.ts";
import type { KeyOfFile } from "./key-file.ts";
import { requireAccepted } from "./receipts.ts";

/** What one custodian did about its share of one version; with `code` it did not erase, or the chain did not take its statement. */
export interface ShareErasure {
  readonly version: number;
  readonly custodian: ActorId;
  readonly code?: string;
}

/**
 * Has the shares of every version of `record` erased that may be: all of them after `endRecord`. Each version has a key of its own, so leaving the
 * old ones would leave the record readable. May be called again for those that were not reached.
 */
export async function eraseShares({ client }: Gateway, by: KeyOfFile, record: RecordId): Promise<ShareErasure[]> {
  const chain = await TrustedChain.of(client);
  const proven = async (key: string): Promise<MedicalRecord> => {
    const { value } = await chain.prove(by, key);
    if (value === undefined) throw new Fault("record_unknown", { record });
    return recordSchema.parse(cbor.decodeTrusted(value));
  };
  const newest = await proven(keys.record(record));
  const done: ShareErasure[] = [];
  for (let version = newest.version; version >= 1; version--) {
    const isNewest = version === newest.version;
    const named = isNewest ? newest : await proven(keys.recordVersion(record, version));
    if (!mayBeErased(named, newest)) continue;
    const answers = await askCustodians(
      client,
      named.custody.custodians,
      "erasures",
      () => proveState(client, by, [keys.record(record), ...(isNewest ? [] : [keys.recordVersion(record, version)])]),
      (custodian, state) => erasureRequest({ chain: chain.chainId, custodian, record, version, state }),
    );
    for (const { custodian, answer, refusal } of answers) {
      const code = answer === undefined ? (refusal?.code ?? "") : await state(answer, keys.erasure(record, version, custodian));
      done.push({ version, custodian, ...(code === undefined ? {} : { code }) });
    }
  }
  return done;

  /** Puts a custodian's signed statement on the chain and has it proven at `key`; the code with which it was turned away, if it was. */
  async function state(answer: Uint8Array, key: string): Promise<string | undefined> {
    const { transaction } = readCustody(erasureAnswer, answer);
    try {
      requireAccepted(await client.submitBytes(transaction));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (error.code !== "already_recorded") return error.code;
    }
    // A server that says so has not shown it.
    return (await chain.prove(by, key)).value === undefined ? "proof_wrong" : undefined;
  }
}
