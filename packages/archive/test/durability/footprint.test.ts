/** Cost and energy: the arithmetic, and what is claimed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ARCHIVE_USAGE, copies, footprintOf, type Scheme, savedAgainst } from "../../src/durability/footprint.ts";
import { BOUGHT_DISKS } from "../../src/durability/prices.ts";

const plain = { monthsKept: 10, auditedPerMonth: 0.5, storeLossesPerYear: 0.12 };
const prices = {
  disk: { yuanPerTb: 600, months: 60, wattsPerTb: 1 },
  powerUsageEffectiveness: 2,
  yuanPerKwh: 3.6,
  core: { watts: 10, yuanPerHour: 3.6 },
  network: { joulesPerGb: 100, yuanPerGb: 1 },
};
const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual / expected - 1) < 1e-12, `${actual}, not ${expected}`);

test("each cause is counted once", () => {
  const scheme: Scheme = {
    overhead: 1.5,
    reduction: 0.5,
    readsPerLostByte: 4,
    bytesPerCpuSecond: { ingest: 1e8, audit: 5e8, repair: 2e8 },
  };
  const { joules, yuan } = footprintOf(scheme, plain, prices);
  const month = (365 * 86_400) / 12;
  near(joules.disks, 0.00075 * month * 2); // 0.75 GB at 1 W a TB, twice for the room
  const cpu = 10 / 10 + 2 * 0.5 + 5 * 0.01 * 1.5 * 4; // import over ten months, half an audit, what is repaired
  near(joules.processors, cpu * 10 * 2);
  const sent = 0.75 * (1 / 10 + 0.01 * 5);
  near(joules.network, sent * 100);
  near(yuan.disks, (0.00075 * 600) / 60 + joules.disks * 1e-6);
  near(yuan.processors, cpu * 0.001 + joules.processors * 1e-6);
  near(yuan.network, sent + joules.network * 1e-6);
  near(yuan.total, yuan.disks + yuan.processors + yuan.network);
});

test("copies cost as many times one copy as there are, but for nothing computed", () => {
  const of = (count: number) => footprintOf(copies(count), plain, prices);
  near(of(5).yuan.total, 5 * of(1).yuan.total);
  assert.deepEqual(savedAgainst(of(3), of(3)), { yuan: 0, joules: 0 });
  assert.ok(savedAgainst(of(3), of(1)).yuan < 0);
});

test("at stated prices 10+4 saves what is demanded, without any compression, at a tenth of the speed that is measured", () => {
  const slow = { ingest: 30e6, audit: 50e6, repair: 10e6 };
  const ours = footprintOf(
    { overhead: 1.41, reduction: 1, readsPerLostByte: 10, bytesPerCpuSecond: slow },
    ARCHIVE_USAGE,
    BOUGHT_DISKS,
  );
  for (const count of [3, 5]) {
    const saved = savedAgainst(ours, footprintOf(copies(count), ARCHIVE_USAGE, BOUGHT_DISKS));
    assert.ok(saved.yuan >= 0.4 && saved.joules >= 0.35, `${count} copies: ${JSON.stringify(saved)}`);
  }
});
