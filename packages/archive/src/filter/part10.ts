/**
 * Where the pixels of a DICOM Part 10 file lie, if they are native (little-endian, not encapsulated, eight or sixteen bits a sample),
 * and which instance it is. Reads as little as that takes and believes nothing: what is odd is `opaque`, and is kept as it is.
 * Source: DICOM PS3.10, 7.1 (file meta information); PS3.5, 7.1 (data elements), 7.5 (nesting), 8.1.1 (native pixel data).
 */
import { MAX_ROW_BYTES, type SampleLayout } from "./predictor.ts";

/** Native pixels in a file: `frames` frames of `rows` rows from byte `at` on; what follows them belongs to the tail. */
export interface Pixels extends SampleLayout {
  readonly at: number;
  readonly frames: number;
  readonly rows: number;
}

/**
 * What a file's beginning shows. `plain`: native elements, but no pixels that could be foretold. `opaque`: no Part 10 file, a
 * compressed or big-endian one, or an odd one. `more`: a longer beginning is needed.
 */
export type Part10 = { readonly identity: Identity } & (
  | { readonly kind: "pixels"; readonly pixels: Pixels }
  | { readonly kind: "plain" | "opaque" | "more" }
);

/** The identifiers that a file gives itself. */
export interface Identity {
  readonly study?: string;
  readonly series?: string;
  readonly instance?: string;
}

const PREAMBLE = 128;
const MAGIC = 0x4d434944; // "DICM"
const IMPLICIT = "1.2.840.10008.1.2";
const EXPLICIT = "1.2.840.10008.1.2.1";
/** Encapsulated pixels behind explicit little-endian elements: JPEG and its kin, RLE. */
const ENCAPSULATED = /^1\.2\.840\.10008\.1\.2\.(4\.(?!95$)[0-9]+|5)$/;
/** Value representations whose length takes four bytes. */
const LONG = new Set(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]);
const UNDEFINED_LENGTH = 0xffff_ffff;
const ITEM = 0xfffe_e000;
const ITEM_END = 0xfffe_e00d;
const SEQUENCE_END = 0xfffe_e0dd;
const MAX_DEPTH = 32;
const MAX_CHANNELS = 4;

const TRANSFER_SYNTAX = 0x0002_0010;
const SAMPLES_PER_PIXEL = 0x0028_0002;
const PLANAR = 0x0028_0006;
const FRAMES = 0x0028_0008;
const ROWS = 0x0028_0010;
const COLUMNS = 0x0028_0011;
const BITS_ALLOCATED = 0x0028_0100;
const REPRESENTATION = 0x0028_0103;
const PIXEL_DATA = 0x7fe0_0010;
const IDENTIFIERS = new Map<number, keyof Identity>([
  [0x0008_0018, "instance"],
  [0x0020_000d, "study"],
  [0x0020_000e, "series"],
]);
const NUMBERS = new Set([SAMPLES_PER_PIXEL, PLANAR, ROWS, COLUMNS, BITS_ALLOCATED, REPRESENTATION]);

interface Element {
  readonly tag: number;
  readonly vr: string;
  readonly length: number;
  readonly at: number;
}

/** Looks for pixels in a file of `fileBytes` that begins with `head`. */
export function readPart10(head: Uint8Array, fileBytes: number): Part10 {
  const walk = new Walk(head);
  try {
    return { ...walk.read(fileBytes), identity: walk.identity };
  } catch (cause) {
    const { identity } = walk;
    if (cause === OUT_OF_REACH && !walk.isCompressed && head.length < fileBytes) return { kind: "more", identity };
    if (cause === ODD || cause === OUT_OF_REACH) return { kind: "opaque", identity };
    throw cause;
  }
}

/** Reasons to stop, thrown from any depth; no errors, because making a stack trace would cost more than the reading. */
const OUT_OF_REACH = Symbol("out of reach");
const ODD = Symbol("odd");

class Walk {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #numbers = new Map<number, number>();
  readonly identity: { -readonly [Name in keyof Identity]: Identity[Name] } = {};
  isCompressed = false;

  constructor(head: Uint8Array) {
    this.#bytes = head;
    this.#view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  }

  read(fileBytes: number): { kind: "pixels"; pixels: Pixels } | { kind: "plain" | "opaque" } {
    if (fileBytes < PREAMBLE + 8 || this.#uint32(PREAMBLE) !== MAGIC) return { kind: "opaque" };
    let at = PREAMBLE + 4;
    let syntax: string | undefined;
    for (; this.#uint16(at) === 0x0002; ) {
      const element = this.#element(at, true);
      if (element.length === UNDEFINED_LENGTH) throw ODD;
      if (element.tag === TRANSFER_SYNTAX) syntax = this.#text(element);
      at = element.at + element.length;
    }
    this.isCompressed = ENCAPSULATED.test(syntax ?? "");
    if (syntax !== IMPLICIT && syntax !== EXPLICIT && !this.isCompressed) return { kind: "opaque" };
    const explicit = syntax !== IMPLICIT;
    while (at !== fileBytes) {
      const element = this.#element(at, explicit);
      const identifier = IDENTIFIERS.get(element.tag);
      if (identifier !== undefined) this.#identify(identifier, element);
      if (this.isCompressed && (element.tag === PIXEL_DATA || this.#isIdentified)) return { kind: "opaque" };
      if (element.tag === PIXEL_DATA) return this.#pixels(element, fileBytes);
      if (NUMBERS.has(element.tag) && element.length === 2) this.#numbers.set(element.tag, this.#uint16(element.at));
      if (element.tag === FRAMES) this.#numbers.set(FRAMES, this.#decimal(element));
      at = this.#after(element, explicit, 0);
      if (at > fileBytes) throw ODD;
    }
    return { kind: "plain" };
  }

  #pixels({ at, length }: Element, fileBytes: number): { kind: "pixels"; pixels: Pixels } | { kind: "plain" } {
    if (length === UNDEFINED_LENGTH || at + length > fileBytes) throw ODD;
    const number = (tag: number, missing?: number): number => {
      const value = this.#numbers.get(tag) ?? missing;
      if (value === undefined) throw ODD;
      return value;
    };
    const channels = number(SAMPLES_PER_PIXEL, 1);
    const bits = number(BITS_ALLOCATED);
    const frames = number(FRAMES, 1);
    if (bits !== 8 && bits !== 16) return { kind: "plain" };
    if (channels < 1 || channels > MAX_CHANNELS) throw ODD;
    // Channel by channel, a colour frame is so many grey ones below one another.
    const byChannel = channels > 1 && number(PLANAR, 0) === 1;
    const step = byChannel ? 1 : channels;
    const sampleBytes = bits / 8;
    const row = number(COLUMNS) * step;
    const rows = number(ROWS) * (byChannel ? channels : 1);
    if (row === 0 || rows === 0 || frames === 0 || frames * rows * row * sampleBytes > length) throw ODD;
    if (row * sampleBytes > MAX_ROW_BYTES) return { kind: "plain" };
    const signed = number(REPRESENTATION, 0) === 1;
    return { kind: "pixels", pixels: { at, frames, rows, sampleBytes, row, step, signed } };
  }

  /** Where the element after this one begins, which may be out of reach. */
  #after({ at, length, vr }: Element, explicit: boolean, depth: number): number {
    if (length !== UNDEFINED_LENGTH) return at + length;
    // A sequence of unknown representation is written implicitly, PS3.5, 6.2.2.
    return this.#afterItems(at, explicit && vr !== "UN", depth);
  }

  #afterItems(from: number, explicit: boolean, depth: number): number {
    if (depth > MAX_DEPTH) throw ODD;
    for (let at = from; ; ) {
      const item = this.#element(at, explicit);
      if (item.tag === SEQUENCE_END) return item.at;
      if (item.tag !== ITEM) throw ODD;
      at = item.length === UNDEFINED_LENGTH ? this.#afterElements(item.at, explicit, depth) : item.at + item.length;
    }
  }

  #afterElements(from: number, explicit: boolean, depth: number): number {
    for (let at = from; ; ) {
      const element = this.#element(at, explicit);
      if (element.tag === ITEM_END) return element.at;
      if (element.tag === ITEM || element.tag === SEQUENCE_END) throw ODD;
      at = this.#after(element, explicit, depth + 1);
    }
  }

  #element(at: number, explicit: boolean): Element {
    const tag = this.#uint16(at) * 0x1_0000 + this.#uint16(at + 2);
    if (!explicit || tag >= ITEM) return { tag, vr: "", length: this.#uint32(at + 4), at: at + 8 };
    const vr = String.fromCharCode(this.#bytes[at + 4] ?? 0, this.#bytes[at + 5] ?? 0);
    const short = this.#uint16(at + 6); // also tells whether the representation is in reach
    if (!/^[A-Z]{2}$/.test(vr)) throw ODD;
    return LONG.has(vr) ? { tag, vr, length: this.#uint32(at + 8), at: at + 12 } : { tag, vr, length: short, at: at + 8 };
  }

  #identify(name: keyof Identity, element: Element): void {
    const uid = this.#text(element);
    if (!/^[0-9][0-9.]{0,63}$/.test(uid)) throw ODD;
    this.identity[name] = uid;
  }

  get #isIdentified(): boolean {
    const { study, series, instance } = this.identity;
    return study !== undefined && series !== undefined && instance !== undefined;
  }

  #text({ at, length }: Element): string {
    if (length > 64) throw ODD;
    if (at + length > this.#bytes.length) throw OUT_OF_REACH;
    return Buffer.from(this.#bytes.subarray(at, at + length))
      .toString("latin1")
      .replace(/[\0 ]+$/, "");
  }

  #decimal(element: Element): number {
    const text = this.#text(element).trim();
    if (!/^[0-9]{1,10}$/.test(text)) throw ODD;
    return Number(text);
  }

  #uint16(at: number): number {
    if (at + 2 > this.#bytes.length) throw OUT_OF_REACH;
    return this.#view.getUint16(at, true);
  }

  #uint32(at: number): number {
    if (at + 4 > this.#bytes.length) throw OUT_OF_REACH;
    return this.#view.getUint32(at, true);
  }
}
