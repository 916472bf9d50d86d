/**
 * Text of DICOM elements in every character set that SpecificCharacterSet can name, ISO 2022 escapes included. Chinese systems write
 * GB18030, GBK, UTF-8 or `\ISO 2022 IR 58`; Japanese and Korean ones switch sets in the middle of a name. Node's decoders know the tables;
 * which table applies to which byte is decided here.
 * Source: DICOM PS3.3 C.12.1.1.2 (defined terms), PS3.5 6.1.2 and Annexes H to K; ISO/IEC 2022.
 */

/** Decoded text. `isExact` is false if some byte had no meaning under the declared set and became U+FFFD. */
export interface DecodedText {
  readonly text: string;
  readonly isExact: boolean;
}

/** Which half of the code table a set is used from, how wide its characters are, and how to turn a run of them into text. */
interface Repertoire {
  readonly half: "G0" | "G1";
  readonly width: 1 | 2;
  readonly decode: (bytes: Uint8Array) => string;
}

const decoders = new Map<string, TextDecoder>();
function decodeAs(label: string, bytes: Uint8Array): string {
  const decoder = decoders.get(label) ?? new TextDecoder(label, { ignoreBOM: true });
  decoders.set(label, decoder);
  return decoder.decode(bytes);
}

const raised = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte | 0x80);
function withPrefix(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array((bytes.length / 2) * 3);
  for (let i = 0, o = 0; i < bytes.length; i += 2) out.set([0x8f, (bytes[i] ?? 0) | 0x80, (bytes[i + 1] ?? 0) | 0x80], o++ * 3);
  return out;
}
const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

const ASCII: Repertoire = { half: "G0", width: 1, decode: ascii };
/** JIS X 0201 romaji: ASCII but for yen and overline. */
const ROMAJI: Repertoire = { half: "G0", width: 1, decode: (bytes) => ascii(bytes).replaceAll("\\", "¥").replaceAll("~", "‾") };
const KATAKANA: Repertoire = { half: "G1", width: 1, decode: (bytes) => decodeAs("shift_jis", bytes) };
const JIS_X_0208: Repertoire = { half: "G0", width: 2, decode: (bytes) => decodeAs("euc-jp", raised(bytes)) };
const JIS_X_0212: Repertoire = { half: "G0", width: 2, decode: (bytes) => decodeAs("euc-jp", withPrefix(bytes)) };
const KS_X_1001: Repertoire = { half: "G1", width: 2, decode: (bytes) => decodeAs("euc-kr", bytes) };
const GB_2312: Repertoire = { half: "G1", width: 2, decode: (bytes) => decodeAs("gbk", bytes) };
const right = (label: string): Repertoire => ({ half: "G1", width: 1, decode: (bytes) => decodeAs(label, bytes) });

/** By ISO registration number: the sets, and the escape sequences that bring them in (without ESC, as text). */
const REGISTRATIONS: ReadonlyMap<number, readonly (readonly [string, Repertoire])[]> = new Map([
  [6, [["(B", ASCII]]],
  [100, [["-A", right("iso-8859-1")]]],
  [101, [["-B", right("iso-8859-2")]]],
  [109, [["-C", right("iso-8859-3")]]],
  [110, [["-D", right("iso-8859-4")]]],
  [144, [["-L", right("iso-8859-5")]]],
  [127, [["-G", right("iso-8859-6")]]],
  [126, [["-F", right("iso-8859-7")]]],
  [138, [["-H", right("iso-8859-8")]]],
  [148, [["-M", right("windows-1254")]]],
  [203, [["-b", right("iso-8859-15")]]],
  [166, [["-T", right("windows-874")]]],
  [
    13,
    [
      ["(J", ROMAJI],
      [")I", KATAKANA],
    ],
  ],
  [87, [["$B", JIS_X_0208]]],
  [159, [["$(D", JIS_X_0212]]],
  [149, [["$)C", KS_X_1001]]],
  [58, [["$)A", GB_2312]]],
]);
const ESCAPES: ReadonlyMap<string, Repertoire> = new Map([...REGISTRATIONS.values()].flat());

/** The sets that fill both halves by themselves and know no escapes. */
function wholeStream(term: string): string | undefined {
  if (/192$|UTF-?8/i.test(term)) return "utf-8";
  if (/GB ?18030/i.test(term)) return "gb18030";
  if (/GBK/i.test(term)) return "gbk";
  return undefined;
}

/** Registration number of `ISO_IR 100`, `ISO 2022 IR 100` and the misspellings that occur in the field. */
function registration(term: string): number | undefined {
  const match = /^ISO[ _-]*(?:2022)?[ _-]*IR[ _-]*(\d+)$/i.exec(term);
  return match === null ? undefined : Number(match[1]);
}

/**
 * Text of one element value. `characterSets` are the values of SpecificCharacterSet in force (empty: ASCII). `isPersonName` makes `^` and
 * `=` return to the first set as well as `\` and line ends.
 */
export function decodeText(bytes: Uint8Array, characterSets: readonly string[], isPersonName = false): DecodedText {
  const terms = characterSets.map((term) => term.trim());
  const whole = wholeStream(terms[0] ?? "");
  if (whole !== undefined) {
    const text = decodeAs(whole, bytes);
    return { text, isExact: !text.includes("\ufffd") };
  }
  return new Switcher(bytes, terms, isPersonName).run();
}

const ESC = 0x1b;
/** CR, LF, FF, TAB and backslash. */
const TEXT_DELIMITERS = new Set([0x0d, 0x0a, 0x0c, 0x09, 0x5c]);
/** `^` and `=` besides. */
const NAME_DELIMITERS = new Set([...TEXT_DELIMITERS, 0x5e, 0x3d]);

/** Follows the escapes of ISO 2022 through one value. */
class Switcher {
  private readonly bytes: Uint8Array;
  private readonly delimiters: ReadonlySet<number>;
  private readonly initial: { readonly G0: Repertoire; readonly G1: Repertoire | undefined };
  /** For writers that declare a set and forget to escape to it. */
  private readonly forgotten: Repertoire | undefined;
  private G0: Repertoire;
  private G1: Repertoire | undefined;
  private text = "";
  private isExact = true;

  constructor(bytes: Uint8Array, terms: readonly string[], isPersonName: boolean) {
    this.bytes = bytes;
    this.delimiters = isPersonName ? NAME_DELIMITERS : TEXT_DELIMITERS;
    const sets = terms.map((term) => (REGISTRATIONS.get(registration(term) ?? 6) ?? []).map(([, repertoire]) => repertoire));
    const first = sets[0] ?? [];
    this.initial = {
      G0: first.find((set) => set.half === "G0" && set.width === 1) ?? ASCII,
      G1: first.find((set) => set.half === "G1"),
    };
    this.forgotten = sets.flat().find((set) => set.half === "G1");
    this.G0 = this.initial.G0;
    this.G1 = this.initial.G1;
  }

  run(): DecodedText {
    let at = 0;
    while (at < this.bytes.length) {
      const byte = this.bytes[at] as number;
      if (byte === ESC) at = this.escape(at);
      else if (byte >= 0x80) at = this.right(at);
      else at = this.left(at);
    }
    return { text: this.text, isExact: this.isExact };
  }

  private escape(at: number): number {
    for (const length of [2, 3]) {
      const sequence = ascii(this.bytes.subarray(at + 1, at + 1 + length));
      const repertoire = ESCAPES.get(sequence);
      if (repertoire === undefined || sequence.length !== length) continue;
      this[repertoire.half] = repertoire;
      return at + 1 + length;
    }
    return this.unknown(at, 1);
  }

  private left(at: number): number {
    const byte = this.bytes[at] as number;
    const isControl = byte < 0x21 || byte === 0x7f;
    if (this.G0.width === 2 && !isControl) return this.take(at, this.G0, (next) => next >= 0x21 && next < 0x7f);
    if (this.delimiters.has(byte)) {
      this.text += String.fromCharCode(byte);
      this.G0 = this.initial.G0;
      this.G1 = this.initial.G1;
      return at + 1;
    }
    this.text += isControl ? String.fromCharCode(byte) : this.G0.decode(this.bytes.subarray(at, at + 1));
    return at + 1;
  }

  private right(at: number): number {
    const set = this.G1 ?? this.forgotten;
    if (set === undefined) return this.unknown(at, 1);
    if (this.G1 === undefined) this.isExact = false;
    // 0x80 to 0x9f are control characters in every one of these sets.
    return this.take(at, set, (next) => next >= 0xa0);
  }

  /** Decodes a run of bytes of one set. */
  private take(at: number, set: Repertoire, belongs: (byte: number) => boolean): number {
    let end = at;
    while (end + set.width <= this.bytes.length && this.bytes.subarray(end, end + set.width).every(belongs)) end += set.width;
    if (end === at) return this.unknown(at, 1);
    const text = set.decode(this.bytes.subarray(at, end));
    if (text.includes("\ufffd")) this.isExact = false;
    this.text += text;
    return end;
  }

  private unknown(at: number, length: number): number {
    this.isExact = false;
    this.text += "\ufffd";
    return at + length;
  }
}
