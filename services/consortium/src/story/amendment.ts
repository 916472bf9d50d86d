/**
 * Scene 5: a nurse changes an allergy at night, and the trail names her key, the work station and the block time; then a byte of a stored
 * piece and a row of the read model are changed behind everyone's back, and the audit names both. Source: requirements J3, A2, D3.
 */
import { closeSync, openSync, readdirSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { TrustedChain } from "@xinglin/client";
import { keys, record as recordSchema } from "@xinglin/contracts";
import { type Anchored, changeAllergy, instantInShanghai, shanghaiTime } from "@xinglin/gateway";
import { type ActorId, cbor, Fault, toHex } from "@xinglin/primitives";
import type { Stage } from "./stage.ts";

/** The nurse's change, as a new version; the old one stays provable. */
export async function amendAllergyAtNight(stage: Stage, patient: ActorId, allergy: Anchored): Promise<Anchored> {
  const { gateway, client, say } = stage;
  const by = stage.key("hospital-a/nurse");
  const device = stage.key("hospital-a/workstation-7");
  const change = { criticality: "high", lastUpdated: instantInShanghai(Math.floor(Date.now() / 1000)) } as const;
  const amended = await changeAllergy(gateway, allergy, change, { by, device, originals: stage.originals });
  const chain = await TrustedChain.of(client);
  const proven = async (key: string) => {
    const { value } = await chain.prove(by, key);
    if (value === undefined) throw new Fault("proof_wrong", { key });
    return recordSchema.parse(cbor.decodeTrusted(value));
  };
  const newest = await proven(keys.record(allergy.record));
  const old = await proven(keys.recordVersion(allergy.record, allergy.version));
  if (newest.patient !== patient || old.version !== allergy.version)
    throw new Fault("proof_wrong", { key: keys.record(allergy.record) });
  say("story.amended", {
    record: allergy.record,
    version: newest.version,
    key: newest.by.key,
    device: newest.by.device ?? "",
    time: shanghaiTime(newest.at.time),
    height: newest.at.height,
  });
  say.plain("story.night");
  say.plain("story.old_version", { version: old.version, height: old.at.height });
  return amended;
}

/** Flips one byte of a stored piece of `objectId`, in the first store, and says which file. */
export function flipStoredByte(stage: Stage, objectId: Uint8Array): string {
  const object = join(stage.storeFolders[0] as string, "objects", toHex(objectId));
  const name = readdirSync(object).find((entry) => entry.startsWith("pieces."));
  if (name === undefined) throw new Fault("store_absent", { store: object });
  const path = join(object, name);
  const file = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, FLIPPED_AT);
  writeSync(file, Buffer.of((byte[0] as number) ^ 1), 0, 1, FLIPPED_AT);
  closeSync(file);
  return path;
}

const FLIPPED_AT = 1000;
