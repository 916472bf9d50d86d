/** Records a round of audits in an actor's name over the API: its counts on the chain, its statements in a folder. Source: requirement D3. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Identity, TrustedChain } from "@xinglin/client";
import { auditHead, keys } from "@xinglin/contracts";
import { randomBytes } from "@xinglin/crypto";
import { writeFileDurably } from "@xinglin/custody";
import { type Bytes, cbor, Fault } from "@xinglin/primitives";
import { headerHash } from "@xinglin/verifier";
import { type AuditRoundFile, encodeRound } from "./audit-round.ts";
import { type AuditDraw, countStatements } from "./audit-statement.ts";
import type { Gateway } from "./keep-record.ts";
import { requireAccepted } from "./receipts.ts";

/** Tries, should another round of the member be recorded at the same moment. */
const TRIES = 4;

/** Where a member of a data folder keeps the statements of its recorded rounds; made when it is first needed. */
export const auditFolder = (data: string): string => join(data, "audits");
/** The file of one round. */
export const auditFile = (folder: string, member: string, number: number): string => join(folder, `${member}-${number}.audit`);

/** Writes the statements of a recorded round into a folder, for their owner only. */
export function keepRound(folder: string, round: Omit<AuditRoundFile, "type">): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileDurably(auditFile(folder, round.member, round.number), Buffer.from(encodeRound(round)));
}

/** A draw for an audit that was not announced: a fresh secret, and the newest block that the validators signed. */
export async function freshDraw({ client }: Pick<Gateway, "client">): Promise<AuditDraw> {
  const chain = await TrustedChain.of(client);
  const header = await chain.header(await client.getBytes("/v1/light-blocks/newest"));
  return { secret: randomBytes(32), height: header.height, hash: headerHash(header) };
}

/** Records statements as the member's next round and keeps them below `folder`. Returns the round's number. Throws the rules' refusals. */
export async function recordAudits(
  { client }: Pick<Gateway, "client">,
  by: Identity,
  {
    statements,
    endangered,
    folder,
  }: { readonly statements: readonly Bytes[]; readonly endangered: number; readonly folder: string },
): Promise<number> {
  const counts = countStatements(statements);
  const { value } = await client.prove(by, keys.auditHead(by.member));
  let number = 1 + (value === undefined ? 0 : auditHead.parse(cbor.decodeTrusted(value)).count);
  for (let tries = 1; ; tries++) {
    try {
      requireAccepted(await client.submit(by, [{ op: "recordAudits", number, endangered, ...counts }]));
      break;
    } catch (error) {
      const expected = error instanceof Fault && error.code === "audit_number_wrong" ? Number(error.facts.expected) : undefined;
      if (expected === undefined || tries === TRIES) throw error;
      number = expected;
    }
  }
  keepRound(folder, { member: by.member, number, statements: [...statements] });
  return number;
}
