/**
 * Four validators of which one is minutes ahead and one minutes behind, both halves of the node alike: CometBFT, built with a clock that can be wrong,
 * and ours. Block time stays with those who are right, and whoever submits to a wrong node is told what the documentation says.
 */
import assert from "node:assert/strict";
import { cometbft } from "@xinglin/crypto/pure";
import { type Ledger, systemClock, type Time } from "@xinglin/ledger";
import { anchor, PARAMETERS, signed } from "@xinglin/ledger/testing/chain";
import { type Bytes, toHex } from "@xinglin/primitives";
import type { NodeNotice } from "../../src/driver/node-options.ts";
import { publicKeyOf } from "../../src/home/keys.ts";
import type { LocalNetwork } from "../../src/testing/local-network.ts";
import { emptyFolder, engineTest, network, submit, TEST_TIMES, untilHeight } from "../support/network.ts";
import { checkOneChain } from "../support/one-chain.ts";
import { clockOf, skewedEngine } from "../support/skewed-engine.ts";

const MINUTES = 180;
/** Seconds by which the clock of each node is ahead. */
const AHEAD = [0, 0, MINUTES, -MINUTES] as const;
/** What a vote and a test on a busy machine take. */
const SLACK = 30;

/** Blocks that are looked at. */
const BLOCKS = 16;
const now = (): number => Math.floor(Date.now() / 1000);

engineTest("four validators, one three minutes ahead and one three minutes behind", async (context) => {
  const engine = await skewedEngine();
  const folder = await emptyFolder(context);
  const engines = await Promise.all(AHEAD.map((seconds) => clockOf(seconds, engine, folder)));
  const offsets = AHEAD.map(() => Promise.withResolvers<number>());
  const net = await network(
    context,
    engine,
    4,
    {},
    {
      optionsOf: (index) => ({
        binary: engines[index]!,
        clock: (): Time => {
          const { seconds, nanos } = systemClock();
          return { seconds: seconds + AHEAD[index]!, nanos };
        },
        times: TEST_TIMES,
        verifyWorkers: 1,
        onNotice: (notice: NodeNotice) => {
          if (notice.event === "clock_differs" && notice.seconds !== 0) offsets[index]!.resolve(notice.seconds);
        },
      }),
    },
  );
  await context.test("both wrong clocks are told, and by how much", async () => {
    for (const index of [2, 3]) assert.ok(Math.abs((await offsets[index]!.promise) - AHEAD[index]!) <= SLACK);
    for (const index of [0, 1]) assert.ok(Math.abs(net.nodes[index]!.ledger.engine.clockOffsetSeconds ?? 0) <= SLACK);
  });
  await context.test("block time is that of the right clocks, although the wrong ones vote and propose", () => blockTime(net));
  await context.test("what a wrong node takes, and what it turns away", () => taken(net));
});

async function blockTime({ nodes }: LocalNetwork): Promise<void> {
  const first: Ledger = nodes[0]!.ledger;
  const from = first.height();
  const started = now();
  while (first.height() < from + BLOCKS) await first.receipt(await submit(first), "committed");
  await Promise.all(nodes.map(({ ledger }) => untilHeight(ledger, from + BLOCKS)));
  checkOneChain(nodes.map(({ ledger }) => ledger));
  const addresses = nodes.map(({ options }) => toHex(cometbft.addressOf(publicKeyOf(options.validatorSeed!))));
  const seen = { proposers: new Set<string>(), ahead: 0, behind: 0 };
  for (let height = from + 1; height <= from + BLOCKS; height++) {
    const { header, commit } = cometbft.decodeLightBlock(first.lightBlock(height) as Bytes);
    const { time } = header;
    assert.ok(time.seconds >= started - SLACK && time.seconds <= now() + SLACK, `block ${height} has the time of a wrong clock`);
    seen.proposers.add(toHex(header.proposerAddress));
    for (const signature of commit.signatures) {
      if (signature.flag !== "commit") continue;
      const late = secondsBetween(time, signature.timestamp);
      const voter = addresses.indexOf(toHex(signature.validatorAddress));
      // CometBFT itself has no vote earlier than a millisecond after its block: as that the one that is behind shows.
      if (voter === 3) assert.ok(late < 0.002, `the one behind voted ${late} s after its block`);
      if (voter === 2) assert.ok(late > MINUTES - SLACK, `the one ahead voted ${late} s after its block`);
      if (voter === 3) seen.behind++;
      if (voter === 2) seen.ahead++;
    }
  }
  assert.equal(seen.proposers.size, 4, "each of them proposed");
  assert.ok(seen.ahead > 0 && seen.behind > 0, "both wrong ones voted");
}

async function taken({ nodes }: LocalNetwork): Promise<void> {
  const [right, , ahead, behind] = nodes.map(({ ledger }): Ledger => ledger) as [Ledger, Ledger, Ledger, Ledger];
  let named = 0;
  const ending = (time: number): Bytes => {
    const operations = [anchor(`wrong clocks ${named++}`)];
    return signed({ chain: right.chainId, key: "hospital-a", operations, notAfter: { time, height: 90_000 } });
  };
  const committed = async (ledger: Ledger, bytes: Bytes): Promise<void> => {
    const { id } = await ledger.submit(bytes);
    const { results } = await ledger.receipt(id, "committed");
    assert.equal(results[0]?.outcome, "accepted");
  };
  // To the one ahead it is over; the others take it and have it in a block, whoever proposes.
  const soonOver = ending(now() + MINUTES / 2);
  await assert.rejects(ahead.submit(soonOver), { code: "expired" });
  await committed(right, soonOver);
  // The one ahead takes what is too far ahead for everybody else, and keeps it until the chain's time has come.
  const tooFar = ending(now() + PARAMETERS.maxValiditySeconds + 4);
  await assert.rejects(right.submit(tooFar), { code: "too_far_ahead" });
  await committed(ahead, tooFar);
  // The one behind goes by the newest block where that is later than its clock, so it judges nearly as the others do.
  await assert.rejects(behind.submit(ending(now() - MINUTES / 2)), { code: "expired" });
  await committed(behind, ending(now() + MINUTES / 2));
  checkOneChain(nodes.map(({ ledger }) => ledger));
}

const secondsBetween = (from: Time, to: Time): number => to.seconds - from.seconds + (to.nanos - from.nanos) / 1e9;
