/** A chain whose blocks one validator makes alone: those who follow it stay level, also after they were held up. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { consortiumOf } from "../support/consortium.ts";
import { engineTest, network, submit, untilHeight } from "../support/network.ts";

/** Blocks that are made while the follower stands still. */
const BLOCKS = 12;
/** Blocks within which it is level again: with less than two a block it would never be. */
const WITHIN = 12;

engineTest("a follower that was held up is level again", async (context, binary) => {
  const { genesis, seeds } = consortiumOf(1);
  const options = { genesis, seeds: [...seeds, new Uint8Array(randomBytes(32))], optionsOf: () => ({ verifyWorkers: 1 }) };
  const net = await network(context, binary, 1, {}, options);
  const [validator, follower] = net.nodes.map(({ ledger }) => ledger);
  await untilHeight(follower!, validator!.height());
  follower!.engine.kill("SIGSTOP");
  const stopped = validator!.height();
  while (validator!.height() < stopped + BLOCKS) await validator!.receipt(await submit(validator!), "committed");
  follower!.engine.kill("SIGCONT");
  const went = validator!.height();
  await untilHeight(validator!, went + WITHIN);
  assert.ok(follower!.height() >= went + WITHIN - 2, `${follower!.height()} of ${validator!.height()} after ${went}`);
});
