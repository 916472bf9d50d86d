/** DICOM files made for tests: native pixels of any shape behind explicit or implicit little-endian elements. */

/** What a made file holds; sizes in pixels. */
export interface MadeFile {
  readonly syntax?: string;
  readonly rows?: number;
  readonly columns?: number;
  readonly channels?: number;
  readonly planar?: number;
  readonly bits?: number;
  readonly signed?: boolean;
  readonly frames?: number;
  readonly pixels: Uint8Array;
  readonly tail?: Uint8Array;
  readonly study?: string;
  readonly series?: string;
  readonly instance?: string;
  /** Elements before the pixels, already encoded. */
  readonly more?: Uint8Array;
}

export const EXPLICIT = "1.2.840.10008.1.2.1";
export const IMPLICIT = "1.2.840.10008.1.2";
const LONG = ["OB", "OW", "SQ", "UN", "UT"];

/** One element of group and number, as a transfer syntax writes it. */
export function element(tag: number, vr: string, value: Uint8Array, explicit = true, length = value.length): Buffer {
  const head = Buffer.alloc(explicit && LONG.includes(vr) ? 12 : 8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  if (!explicit) head.writeUInt32LE(length, 4);
  else {
    head.write(vr, 4, "latin1");
    if (LONG.includes(vr)) head.writeUInt32LE(length, 8);
    else head.writeUInt16LE(length, 6);
  }
  return Buffer.concat([head, value]);
}

const text = (value: string): Buffer => Buffer.from(value.length % 2 === 0 ? value : `${value}\0`, "latin1");
const short = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);

/** The bytes of a file. */
export function part10(file: MadeFile): Buffer {
  const { syntax = EXPLICIT, rows = 16, columns = 16, channels = 1, bits = 16, signed = false, frames, planar } = file;
  const explicit = syntax !== IMPLICIT;
  const put = (tag: number, vr: string, value: Uint8Array | undefined): Buffer[] =>
    value === undefined ? [] : [element(tag, vr, value, explicit)];
  const uid = (value: string | undefined): Buffer | undefined => (value === undefined ? undefined : text(value));
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from("DICM"),
    element(0x0002_0010, "UI", text(syntax)),
    ...put(0x0008_0018, "UI", uid(file.instance)),
    ...put(0x0020_000d, "UI", uid(file.study)),
    ...put(0x0020_000e, "UI", uid(file.series)),
    ...put(0x0028_0002, "US", short(channels)),
    ...put(0x0028_0006, "US", planar === undefined ? undefined : short(planar)),
    ...put(0x0028_0008, "IS", frames === undefined ? undefined : text(`${frames}`)),
    ...put(0x0028_0010, "US", short(rows)),
    ...put(0x0028_0011, "US", short(columns)),
    ...put(0x0028_0100, "US", short(bits)),
    ...put(0x0028_0103, "US", short(signed ? 1 : 0)),
    file.more ?? Buffer.alloc(0),
    element(0x7fe0_0010, "OW", file.pixels, explicit),
    file.tail ?? Buffer.alloc(0),
  ]);
}

/** Sixteen-bit samples of something like a body: smooth, with noise, air around. */
export function anatomy(columns: number, rows: number, seed: number, signed = false): Buffer {
  const pixels = Buffer.alloc(columns * rows * 2);
  let state = seed | 1;
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
      const [u, v] = [(2 * x) / columns - 1, (2 * y) / rows - 1];
      const inside = u * u + v * v < 0.7;
      const value = inside ? 1000 + 300 * Math.sin(5 * u + seed) * Math.cos(4 * v) + ((state >>> 16) % 24) : 0;
      pixels.writeUInt16LE((Math.round(value) - (signed ? 1024 : 0)) & 0xffff, 2 * (y * columns + x));
    }
  return pixels;
}
