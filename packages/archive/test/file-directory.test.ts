/** Tables of many files: nodes at the end of the stream, found by name without reading them all, and none believed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cbor } from "@xinglin/primitives";
import { sha256 } from "../src/digest.ts";
import type { FileEntry } from "../src/file-entry.ts";
import { type FileTable, FileTableBuilder } from "../src/file-table.ts";
import { shrink } from "../src/filter/entropy.ts";
import type { Manifest } from "../src/manifest.ts";
import { profileNamed } from "../src/profile/profile.ts";
import { FileDirectory } from "../src/work/file-directory.ts";
import { fault } from "./support/consortium.ts";

const SMALL = { inlineBytes: 2000, nodeBytes: 4000 };

function study(files: number): FileEntry[] {
  return Array.from({ length: files }, (_, i) => ({
    path: `研究/s${i % 7}/IM${i}`,
    sizeBytes: 100 + i,
    digest: new Uint8Array(sha256(Buffer.from(`${i}`))),
    mediaType: "application/dicom",
    ...(i % 3 === 0 ? { segments: [1, 40, 100 + i] } : {}),
    study: "1.2.3",
    series: `1.2.3.${Math.floor(i / 50)}`,
    instance: `1.2.3.${Math.floor(i / 50)}.${i * 7919}`,
  }));
}

/** A directory over a table as an import makes it, and how many bytes of the stream it read. */
function directoryOf(files: readonly FileEntry[], change: (table: FileTable) => FileTable = (table) => table) {
  const builder = new FileTableBuilder(profileNamed(), SMALL);
  for (const file of files) builder.add(file);
  const table = change(builder.finish());
  const filesBytes = files.reduce((sum, file) => sum + (file.segments?.[1] ?? file.sizeBytes), 0);
  const tail = "bytes" in table ? Buffer.concat(table.bytes) : Buffer.alloc(0);
  const read = { bytes: 0 };
  const { bytes: _, ...contents } = { bytes: undefined, ...table };
  const directory = new FileDirectory(contents as unknown as Manifest, async (from, to) => {
    read.bytes += to - from;
    assert.ok(from >= filesBytes && to <= filesBytes + tail.length, "nodes are read, nothing else");
    return tail.subarray(from - filesBytes, to - filesBytes);
  });
  return { table, directory, read, tailBytes: tail.length };
}

const gather = async (directory: FileDirectory) => {
  const files = [];
  for await (const some of directory.all()) files.push(...some);
  return files;
};

test("few files stand in the root, many in nodes, and all come back in their order and place", async () => {
  for (const count of [1, 5, 40, 1000]) {
    const files = study(count);
    const { table, directory } = directoryOf(files);
    assert.equal("files" in table, count <= 5);
    const placed = await gather(directory);
    assert.deepEqual(
      placed.map(({ entry }) => entry),
      files,
    );
    let at = 0;
    for (const [i, file] of placed.entries()) {
      assert.deepEqual([file.number, file.at], [i, at]);
      at += file.entry.segments?.[1] ?? file.entry.sizeBytes;
    }
  }
});

test("a path, a series and an instance are found, and little is read for them", async () => {
  const files = study(1000);
  const { directory, read, tailBytes } = directoryOf(files);
  const found = async (...keys: string[]) => (await directory.find(keys)).map(({ number }) => number);
  assert.deepEqual(await found(`p${files[617]!.path}`), [617]);
  assert.ok(read.bytes < tailBytes / 10, `${read.bytes} of ${tailBytes}`);
  assert.deepEqual(await found(`i${files[3]!.instance}`), [3]);
  assert.deepEqual(
    await found(`s${files[400]!.series}`),
    Array.from({ length: 50 }, (_, i) => 400 + i),
  );
  assert.deepEqual(await found(`p${files[900]!.path}`, `p${files[2]!.path}`), [2, 900]);
  for (const key of ["pnone", "s1.2", `i${files[3]!.path}`, "s9"])
    await assert.rejects(directory.find([key]), fault("file_unknown"));
  const few = directoryOf(study(4)).directory;
  assert.deepEqual((await few.find(["s1.2.3.0"])).length, 4);
  await assert.rejects(few.find(["s1.2.3.0", "pnone"]), fault("file_unknown"));
});

type Nodes = Extract<FileTable, { nodes: unknown }>;
/** The table with its `which`th node replaced by another value under a right hash. */
const forge =
  (which: number, value: unknown) =>
  (table: FileTable): FileTable => {
    const { nodes, bytes } = structuredClone(table) as Nodes;
    const plain = cbor.encode(value);
    const stored = shrink(plain);
    const all = [...nodes.files, ...nodes.keys];
    Object.assign(all[which]!.node, { digest: sha256(plain), plainBytes: plain.length, storedBytes: stored.length });
    return { nodes, bytes: bytes.map((old, i) => (i === which ? stored : old)) };
  };

test("nodes that lie are refused", async () => {
  const files = study(100);
  const { table } = directoryOf(files);
  const runs = (table as Nodes).nodes.files;
  const first = files.slice(0, runs[0]!.files);
  const refused = async (change: (table: FileTable) => FileTable, part: string): Promise<void> => {
    const { directory } = directoryOf(files, change);
    await assert.rejects(
      gather(directory).then(() => directory.find([`p${files[0]!.path}`])),
      fault("manifest_mismatch", { part }),
    );
  };
  await refused(forge(0, first.slice(1)), "file_table");
  await refused(forge(0, [{ ...first[0]!, sizeBytes: 1, segments: [1, 40, 1] }, ...first.slice(1)]), "segments");
  await refused((table) => {
    const { nodes, bytes } = structuredClone(table) as Nodes;
    return { nodes, bytes: bytes.map((old, i) => (i === 1 ? old.map((byte) => byte ^ 1) : old)) };
  }, "node");
  await refused(forge(runs.length, [[`p${files[0]!.path}`, 3]]), "index"); // the wrong file under the name
  const { directory: none } = directoryOf(files, forge(runs.length, [[`p${files[0]!.path}`, 999_999]]));
  await assert.rejects(none.find([`p${files[0]!.path}`]), fault("file_unknown"));
  const { directory: twice } = directoryOf(
    files,
    forge(
      0,
      first.map((file) => ({ ...file, path: "../x" })),
    ),
  );
  await assert.rejects(gather(twice), fault("path_refused", { file: 0 }));
  const { directory: odd } = directoryOf(files, forge(0, { not: "a list" }));
  await assert.rejects(gather(odd), fault("malformed"));
});
