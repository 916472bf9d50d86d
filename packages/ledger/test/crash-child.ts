/**
 * A ledger under load that is meant to be killed: prints every transaction that it acknowledged as committed, and every block it was
 * asked to sign, as lines on standard output. Arguments: data folder, number of the round.
 */
import { writeSync } from "node:fs";
import { chainIdOf } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { type Bytes, toHex } from "@xinglin/primitives";
import { openLedger } from "../src/solo-ledger.ts";
import { anchor, genesisBytes, keyOf, signed, VALIDATOR } from "./support/chain.ts";

const [directory, round] = process.argv.slice(2) as [string, string];
const genesis = genesisBytes({ maxBlockGapSeconds: 1, logEpochEntries: 300 });
const chain = chainIdOf(genesis);
// Straight to the descriptor: a line that was written survives the kill.
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};
const sign = (bytes: Bytes): Bytes => {
  // Bytes 4 to 12 are the height (after length, type and tag); the hash tells two blocks of one height apart.
  say(`signs ${toHex(bytes.subarray(4, 12))} ${toHex(nodeSha256(bytes))}`);
  return keyOf("validator").signSync(bytes);
};
const ledger = await openLedger({ directory, genesis, validator: { publicKey: VALIDATOR.publicKey, sign }, verifyWorkers: 1 });
say("open");
let n = 0;
const send = async (): Promise<void> => {
  for (;;) {
    const key = n % 3 === 0 ? "hospital-b" : "hospital-a";
    const { id } = await ledger.submit(signed({ chain, key, operations: [anchor(`${round} ${n++}`)] }));
    const { height } = await ledger.receipt(id, "committed");
    say(`committed ${toHex(id)} ${height}`);
  }
};
await Promise.all(Array.from({ length: 40 }, send));
