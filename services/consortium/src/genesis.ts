/**
 * The first start on an empty folder: keys for every member, custodian and the validator, and the genesis document over them.
 * Source: design.md, "Ledger".
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SOLO_ELECTION } from "@xinglin/contracts";
import { writeFileDurably } from "@xinglin/custody";
import { createKeyFile } from "@xinglin/gateway";
import { cardOf, createMemberKeys, type MemberCard, newGenesis, soloValidatorKey } from "@xinglin/member";
import type { ActorId, Bytes, MemberId, UnixSeconds } from "@xinglin/primitives";
import { CAST } from "./cast.ts";

export const genesisFile = (data: string): string => join(data, "genesis.cbor");
/** Who validates a solo chain. */
const COMMISSION = "commission" as MemberId;

/** Reads the genesis of a data folder, or makes keys and genesis for an empty one. `port` is where the patient page will be. */
export async function openGenesis(data: string, port: number): Promise<Bytes> {
  const path = genesisFile(data);
  if (existsSync(path)) return readFileSync(path);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const cards: MemberCard[] = [];
  for (const { id: member, kind, name } of CAST) {
    createMemberKeys(data, member, { node: false });
    cards.push(await cardOf(data, { member, kind, name }, {}));
  }
  const validator = createKeyFile(soloValidatorKey(data), { actor: "validator" as ActorId, member: COMMISSION });
  const genesis = newGenesis(cards, {
    name: "xinglin",
    time: Math.floor(Date.now() / 1000) as UnixSeconds,
    validators: [{ member: COMMISSION, publicKey: validator.signer.publicKey }],
    election: SOLO_ELECTION,
    // Passkeys need a domain name: the page is at `localhost`, never at an address.
    page: { domain: "localhost", origins: [`http://localhost:${port}`] },
  });
  writeFileDurably(path, genesis); // last: without it the folder counts as empty
  return genesis;
}
