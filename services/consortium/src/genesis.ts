/**
 * The first start on an empty folder: keys for every member, custodian and the validator, and the genesis document over them.
 * Source: design.md, "Ledger"; requirement C4 (the class matrix).
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type BASES, CATEGORIES, encodeGenesis, type Genesis, LEVELS, SOLO_ELECTION } from "@xinglin/contracts";
import { hpkeKeyPair } from "@xinglin/crypto";
import { sha256 } from "@xinglin/crypto/pure";
import { writeFileDurably } from "@xinglin/custody";
import { createKeyFile, type KeyOfFile } from "@xinglin/gateway";
import { type ActorId, type Bytes, type MemberId, type UnixSeconds, utf8 } from "@xinglin/primitives";
import { CAST } from "./cast.ts";

/** What a level demands, whatever the category: requirement C4. */
const BASIS_OF_LEVEL: Readonly<Record<(typeof LEVELS)[number], (typeof BASES)[number]>> = {
  public: "free",
  internal: "review",
  sensitive: "consent",
  core: "ethics",
};

/** Folder of one member's keys. */
export const memberFolder = (data: string, member: MemberId): string => join(data, "members", member);
export const administrationKey = (data: string, member: MemberId): string =>
  join(memberFolder(data, member), "administration.json");
export const custodianKey = (data: string, member: MemberId): string => join(memberFolder(data, member), "custodian.json");
export const validatorKey = (data: string): string => join(data, "validator.json");
/** The custodian of a member: an actor of its own. */
export const custodianId = (member: MemberId): ActorId => `custodian-${member}` as ActorId;

const genesisFile = (data: string): string => join(data, "genesis.cbor");

/** Reads the genesis of a data folder, or makes keys and genesis for an empty one. `port` is where the patient page will be. */
export async function openGenesis(data: string, port: number): Promise<Bytes> {
  const path = genesisFile(data);
  if (existsSync(path)) return readFileSync(path);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const genesis = encodeGenesis(await newGenesis(data, port));
  writeFileDurably(path, genesis); // last: without it the folder counts as empty
  return genesis;
}

async function newGenesis(data: string, port: number): Promise<Genesis> {
  const members: Genesis["members"] = [];
  const custodians: Genesis["custodians"] = [];
  for (const { id, kind, name } of CAST) {
    const administration = createKeyFile(administrationKey(data, id), {
      actor: id as unknown as ActorId,
      member: id,
      withHpke: true,
    });
    members.push({
      id,
      member: { kind, name, status: "active", hpke: await hpkePublicKey(administration) },
      key: publicKeyOf(administration),
    });
    const custodian = createKeyFile(custodianKey(data, id), { actor: custodianId(id), member: id, withHpke: true });
    custodians.push({ id: custodianId(id), member: id, key: publicKeyOf(custodian), hpke: await hpkePublicKey(custodian) });
  }
  const commission = "commission" as MemberId;
  const validator = createKeyFile(validatorKey(data), { actor: "validator" as ActorId, member: commission });
  return {
    type: "xinglin-genesis/1",
    name: "xinglin",
    time: Math.floor(Date.now() / 1000) as UnixSeconds,
    parameters: {
      maxValiditySeconds: 600,
      maxValidityBlocks: 10_000,
      maxBlockGapSeconds: 10,
      permitSeconds: 600,
      memberQuota: 20_000,
      maxTransactionBytes: 1_048_576,
      maxBlockBytes: 16_777_216,
      logEpochEntries: 1_048_576,
      election: SOLO_ELECTION,
      // Passkeys need a domain name: the page is at `localhost`, never at an address.
      webauthn: { origins: [`http://localhost:${port}`], rpIdHash: sha256(utf8("localhost")) },
    },
    members,
    custodians,
    validators: [{ publicKey: validator.signer.publicKey, power: 1, member: commission }],
    matrix: LEVELS.flatMap((level) => CATEGORIES.map((category) => ({ level, category, basis: BASIS_OF_LEVEL[level] }))),
  };
}

const publicKeyOf = ({ signer }: KeyOfFile): { suite: "ed25519"; key: Bytes } => ({ suite: "ed25519", key: signer.publicKey });
const hpkePublicKey = async ({ hpkeSeed }: KeyOfFile): Promise<Bytes> => (await hpkeKeyPair(hpkeSeed)).publicKey;
