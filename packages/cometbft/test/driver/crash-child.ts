/**
 * One node of a network under load that is meant to be killed: prints every transaction that it acknowledged as committed. Argument: its options as
 * JSON, bytes in base64.
 */
import { writeSync } from "node:fs";
import { anchor, signed } from "@xinglin/ledger/testing/chain";
import { toHex } from "@xinglin/primitives";
import { openCometbftLedger } from "../../src/open.ts";
import { optionsFromText } from "../support/options-text.ts";

const [text, round] = process.argv.slice(2) as [string, string];
const ledger = await openCometbftLedger(optionsFromText(text));
// Straight to the descriptor: a line that was written survives the kill.
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};
say(`engine ${ledger.engine.pid}`);
let n = 0;
const send = async (): Promise<void> => {
  for (;;) {
    const operations = [anchor(`${round} ${process.pid} ${n++}`)];
    const { id } = await ledger.submit(signed({ chain: ledger.chainId, key: "hospital-a", operations }));
    const { height } = await ledger.receipt(id, "committed");
    say(`committed ${toHex(id)} ${height}`);
  }
};
await Promise.all(Array.from({ length: 20 }, send));
