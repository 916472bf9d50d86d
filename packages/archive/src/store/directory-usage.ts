/**
 * What the objects of a folder take, for its quota. Each thread remembers the sizes of the objects that it has seen, since a published object keeps its
 * size: only names that are new are looked at, and nothing at all as long as the folder has not changed.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Objects that are looked at at once. */
const AT_ONCE = 32;
/** File systems tell time in steps: of two changes so close the second may not show. */
const SETTLED_MS = 1_000;

interface Usage {
  sizes: Map<string, number>;
  total: number;
  /** When the folder had last changed before it was listed, in nanoseconds; undefined if that may not be all. */
  changed: bigint | undefined;
}

const usages = new Map<string, Usage>();

/** Bytes of all objects in `objects`, a folder of folders. */
export async function objectBytes(objects: string): Promise<number> {
  let usage = usages.get(objects);
  if (usage === undefined) {
    usage = { sizes: new Map(), total: 0, changed: undefined };
    usages.set(objects, usage);
  }
  const { mtimeNs, mtimeMs } = await stat(objects, { bigint: true });
  if (usage.changed === mtimeNs) return usage.total;
  const known = usage.sizes;
  const sizes = new Map<string, number>();
  const unknown: string[] = [];
  let total = 0;
  for (const name of await readdir(objects)) {
    const size = known.get(name);
    if (size === undefined) unknown.push(name);
    else sizes.set(name, size);
    total += size ?? 0;
  }
  const look = async (): Promise<void> => {
    for (let name = unknown.pop(); name !== undefined; name = unknown.pop()) {
      const size = await bytesBelow(join(objects, name));
      sizes.set(name, size);
      total += size;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  const isSettled = Date.now() - Number(mtimeMs) > SETTLED_MS;
  Object.assign(usage, { sizes, total, changed: isSettled ? mtimeNs : undefined });
  return total;
}

/** Has an object looked at anew: a repair may give it back what it had lost. */
export function forgetObjectBytes(objects: string, name: string): void {
  const usage = usages.get(objects);
  if (usage?.sizes.delete(name) === true) usage.changed = undefined;
}

/** Bytes of the files in a folder and below; what vanishes meanwhile counts nothing. */
export async function bytesBelow(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []))
    if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0;
  return sum;
}
