/**
 * Keys of the state's rows. All begin with 0x73 ('s'); the rest of the database belongs to others. Pages and values are named by
 * numbers that only grow, so that writes land at the end of their range and the store's compaction has little to merge.
 */
export const STATE_PREFIX = 0x73;

const PAGE = 0x70; // 'p' + row number: a leaf or branch page
const VALUE = 0x76; // 'v' + value id: length of the raw key, raw key, value
const BLOCK = 0x62; // 'b' + version: what a block changed
const HEADER = 0x68; // 'h' + version: height, root and where the version's pages begin
const RAW_KEY = 0x72; // 'r' + raw key: nothing; the order of present keys
const META = 0x6d; // 'm': counters of the newest commit
const IMPORT = 0x69; // 'i': an import is unfinished

/** Writes the key of a value row at `at`; returns its end. Many rows share one buffer. */
export function writeNumberedKey(kind: number, id: number, to: Buffer, at: number): number {
  to[at] = STATE_PREFIX;
  to[at + 1] = kind;
  return to.writeUIntBE(id, at + 2, 6);
}

const numbered = (kind: number, id: number): Buffer => {
  const key = Buffer.allocUnsafe(NUMBERED_KEY_BYTES);
  writeNumberedKey(kind, id, key, 0);
  return key;
};

export const NUMBERED_KEY_BYTES = 8;
export const VALUE_KIND = VALUE;
export const pageKey = (row: number): Uint8Array => numbered(PAGE, row);
export const valueKey = (id: number): Uint8Array => numbered(VALUE, id);
export const blockKey = (version: number): Uint8Array => numbered(BLOCK, version);
export const headerKey = (version: number): Uint8Array => numbered(HEADER, version);
export const META_KEY: Uint8Array = Uint8Array.of(STATE_PREFIX, META);
/** There while an import is unfinished. */
export const IMPORT_KEY: Uint8Array = Uint8Array.of(STATE_PREFIX, IMPORT);

export const rawKeyKey = (rawKey: Uint8Array): Uint8Array => Buffer.concat([Uint8Array.of(STATE_PREFIX, RAW_KEY), rawKey]);
export const RAW_KEY_OFFSET = 2;

/** The smallest key above every key that begins with `prefix`. */
export function endOf(prefix: Uint8Array): Uint8Array {
  const end = Uint8Array.from(prefix);
  for (let i = end.length - 1; i >= 0; i--) {
    if (end[i] !== 0xff) {
      end[i] = (end[i] as number) + 1;
      return end.subarray(0, i + 1);
    }
  }
  throw new RangeError("no key above");
}
