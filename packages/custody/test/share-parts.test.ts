/** Shares that came in bulk: few files, each share by itself, nothing half, and what was erased stays so. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { randomBytes, splitKey } from "@xinglin/crypto";
import { cbor, type MemberId, type RecordId, toHex } from "@xinglin/primitives";
import type { CommittedShare } from "../src/bulk-contract.ts";
import { ShareStore } from "../src/share-store.ts";

const folder = mkdtempSync(join(tmpdir(), "xinglin-parts-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const source = "hospital-a" as MemberId;
const other = "hospital-b" as MemberId;
const INDEX = 2;
let folders = 0;
const fresh = (): string => join(folder, String(folders++));

async function someShares(count: number, prefix = ""): Promise<CommittedShare[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const { root, openings } = await splitKey(randomBytes(32), 3, 5);
      const record = `${prefix}${toHex(randomBytes(16))}`.slice(0, 32) as RecordId;
      return { record, commitments: root, opening: openings[INDEX] as CommittedShare["opening"] };
    }),
  );
}
const nameOf = ({ record }: CommittedShare, from = source) => ({ source: from, record, version: 1, epoch: 1 });
const stored = ({ commitments, opening }: CommittedShare) => Buffer.from(cbor.encode({ commitments, opening }));
const digest = () => toHex(randomBytes(32));

test("many shares take two files, and each comes back as it was, also after a restart", async () => {
  const directory = fresh();
  // Equal first bytes, as somebody may choose them, cost no share.
  const shares = [...(await someShares(50)), ...(await someShares(20, "00000000")), ...(await someShares(20, "ffffffff"))];
  const store = new ShareStore(directory);
  store.putMany(source, digest(), shares);
  const files = readdirSync(join(directory, "parts"));
  assert.equal(files.length, 2);
  for (const file of files) assert.equal(statSync(join(directory, "parts", file)).mode & 0o077, 0);
  for (const opened of [store, new ShareStore(directory)])
    for (const share of shares) {
      assert.deepEqual(Buffer.from(opened.get(nameOf(share))), stored(share));
      assert.ok(!opened.holds(nameOf(share, other)));
      assert.ok(!opened.holds({ ...nameOf(share), version: 2 }));
      assert.ok(!opened.holds({ ...nameOf(share), epoch: 2 }));
    }
});

test("no share stands in the open in either file", async () => {
  const directory = fresh();
  const shares = await someShares(8);
  new ShareStore(directory).putMany(source, digest(), shares);
  const bytes = readdirSync(join(directory, "parts")).map((file) => readFileSync(join(directory, "parts", file)));
  for (const { opening, record } of shares) {
    assert.ok(bytes.every((content) => !content.includes(Buffer.from(opening.share))));
    assert.ok(bytes.every((content) => !content.includes(Buffer.from(opening.salt))));
    assert.ok(bytes.some((content) => content.includes(Buffer.from(record, "hex"))));
  }
});

test("one share is erased for good: not its neighbours, and no later deposit brings it back", async () => {
  const directory = fresh();
  const shares = await someShares(5);
  const [gone, ...kept] = shares as [CommittedShare, ...CommittedShare[]];
  const deposit = digest();
  const store = new ShareStore(directory);
  store.putMany(source, deposit, shares);
  const copy = readdirSync(join(directory, "parts")).find((file) => file.endsWith(".shares")) as string;
  const backup = readFileSync(join(directory, "parts", copy));
  store.erase(nameOf(gone));
  store.erase(nameOf(gone));
  writeFileSync(join(directory, "parts", copy), backup); // the sealed rows from a backup don't help
  for (const opened of [store, new ShareStore(directory)]) {
    assert.throws(() => opened.get(nameOf(gone)), { code: "share_erased" });
    assert.throws(() => opened.put(nameOf(gone), stored(gone)), { code: "share_erased" });
    assert.throws(() => opened.putMany(source, digest(), [gone]), { code: "share_erased" });
    opened.putMany(source, deposit, shares); // the same deposit again, as after a lost answer
    assert.ok(!opened.holds(nameOf(gone)));
    for (const share of kept) assert.deepEqual(Buffer.from(opened.get(nameOf(share))), stored(share));
  }
});

test("a share that is here displaces none and is displaced by none, in bulk or alone", async () => {
  const store = new ShareStore(fresh());
  const [single, erased, inBulk, another] = (await someShares(4)) as [
    CommittedShare,
    CommittedShare,
    CommittedShare,
    CommittedShare,
  ];
  store.put(nameOf(single), stored(single));
  store.erase(nameOf(erased)); // never deposited: the mark keeps a late deposit out
  store.putMany(source, digest(), [inBulk]);
  assert.throws(() => store.putMany(source, digest(), [another, single]), { code: "share_exists" });
  assert.throws(() => store.putMany(source, digest(), [another, erased]), { code: "share_erased" });
  assert.throws(() => store.putMany(source, digest(), [another, inBulk]), { code: "share_exists" });
  assert.throws(() => store.putMany(source, digest(), [another, another]), { code: "share_exists" });
  assert.throws(() => store.put(nameOf(inBulk), stored(another)), { code: "share_exists" });
  assert.ok(!store.holds(nameOf(another)), "all or none");
  store.put(nameOf(inBulk), stored(inBulk)); // the same
  store.putMany(other, digest(), [inBulk]); // another source's is another share
  assert.ok(store.holds(nameOf(inBulk, other)));
});

test("what a crash left of a deposit is as if it never came", async () => {
  const directory = fresh();
  const shares = await someShares(3);
  const deposit = digest();
  new ShareStore(directory).putMany(source, deposit, shares);
  const parts = join(directory, "parts");
  rmSync(join(parts, `${source}.${deposit}.keys`)); // cut off before the keys
  writeFileSync(join(parts, `${source}.${deposit}.keys.1234.tmp`), "half");
  const store = new ShareStore(directory);
  assert.deepEqual(readdirSync(parts), []);
  for (const share of shares) assert.throws(() => store.get(nameOf(share)), { code: "share_missing" });
  store.putMany(source, deposit, shares);
  for (const share of shares) assert.ok(store.holds(nameOf(share)));
});

test("a changed row is damaged, not a wrong share", async () => {
  const directory = fresh();
  const [share] = (await someShares(1)) as [CommittedShare];
  const store = new ShareStore(directory);
  store.putMany(source, digest(), [share]);
  const file = join(directory, "parts", readdirSync(join(directory, "parts")).find((name) => name.endsWith(".shares")) as string);
  const bytes = readFileSync(file);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  writeFileSync(file, bytes);
  assert.throws(() => store.get(nameOf(share)), { code: "share_damaged" });
  assert.ok(existsSync(file));
});
