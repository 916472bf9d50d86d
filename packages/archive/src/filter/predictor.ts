/**
 * The predictor of the lossless filter in WebAssembly memory: samples of an image become differences from what their neighbours
 * foretell, high bytes before low bytes, which a fast entropy coder then makes small. Exactly reversible, whatever the bytes are.
 * Source: ITU-T T.87 (JPEG-LS), A.3 (the median predictor); design.md, "Archive" (lossless filter where it pays).
 */
import { invariant } from "@xinglin/primitives";
import { kernelBase64 } from "./kernel.generated.ts";

/** Most bytes that are filtered at once: what a reader decodes to get at one of them, and what filtering costs in memory a few times. */
export const MAX_UNIT_BYTES = 2 ** 20;
/** Widest row that is predicted; what is wider is no image of a patient. */
export const MAX_ROW_BYTES = 2 ** 18;

/** How samples lie in memory. Rows follow one another without gaps, across frames too. */
export interface SampleLayout {
  /** Bytes of a sample, little-endian. */
  readonly sampleBytes: number;
  /** Samples of a row, all channels counted. */
  readonly row: number;
  /** Samples from one to its left neighbour: the channels of a pixel. */
  readonly step: number;
  readonly signed: boolean;
}

type Kernel = (at: number, count: number, row: number, step: number, flip: number, out: number) => void;
type Kernels = { readonly [Name in "encode8" | "encode16" | "decode8" | "decode16"]: Kernel };

const PAGE = 65_536;
/** Zeros before each image: what its first row is foretold from. A row and a step of it at most. */
const MARGIN = 2 * MAX_ROW_BYTES;
const SAMPLES = MARGIN;
const CHECKED = SAMPLES + MAX_UNIT_BYTES + MARGIN;
const DIFFERENCES = CHECKED + MAX_UNIT_BYTES;
const MEMORY_PAGES = Math.ceil((DIFFERENCES + MAX_UNIT_BYTES) / PAGE);

let compiled: WebAssembly.Module | undefined;

/** Buffers and kernels for one unit of at most `MAX_UNIT_BYTES`. Not shared between threads. Costs 4 MiB. */
export class Predictor {
  /** The image that `foretell` takes. */
  readonly samples: Uint8Array;
  /** What `foretell` makes of it, and what `restore` takes. */
  readonly differences: Uint8Array;
  /** The image that `restore` makes. */
  readonly restored: Uint8Array;
  readonly #kernels: Kernels;

  constructor() {
    compiled ??= new WebAssembly.Module(Buffer.from(kernelBase64, "base64"));
    const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
    this.#kernels = new WebAssembly.Instance(compiled, { env: { memory } }).exports as Kernels;
    this.samples = new Uint8Array(memory.buffer, SAMPLES, MAX_UNIT_BYTES);
    this.restored = new Uint8Array(memory.buffer, CHECKED, MAX_UNIT_BYTES);
    this.differences = new Uint8Array(memory.buffer, DIFFERENCES, MAX_UNIT_BYTES);
  }

  /** The differences of `samples` from byte `from` to before `to`, in a view that the next call overwrites. What stands before `from` foretells too. */
  foretell(layout: SampleLayout, from: number, to: number): Uint8Array {
    invariant(fits(layout, to - from) && from % layout.sampleBytes === 0, "the layout fits the unit");
    const encode = layout.sampleBytes === 2 ? this.#kernels.encode16 : this.#kernels.encode8;
    encode(SAMPLES + from, (to - from) / layout.sampleBytes, layout.row, layout.step, flipOf(layout), DIFFERENCES);
    return this.differences.subarray(0, to - from);
  }

  /** The image of `length` bytes whose differences stand in `differences`, in a view of `restored`. */
  restore(layout: SampleLayout, length: number): Uint8Array {
    invariant(fits(layout, length), "the layout fits the unit");
    const decode = layout.sampleBytes === 2 ? this.#kernels.decode16 : this.#kernels.decode8;
    decode(CHECKED, length / layout.sampleBytes, layout.row, layout.step, flipOf(layout), DIFFERENCES);
    return this.restored.subarray(0, length);
  }
}

const flipOf = ({ sampleBytes, signed }: SampleLayout): number => (signed ? 0 : sampleBytes === 2 ? 0x8000 : 0x80);

/** Whether `length` bytes of this layout can be predicted: asked of every layout from outside before memory is touched. */
export function fits({ sampleBytes, row, step }: SampleLayout, length: number): boolean {
  const inside = (sampleBytes === 1 || sampleBytes === 2) && step >= 1 && step <= row && row * sampleBytes <= MAX_ROW_BYTES;
  return inside && length > 0 && length <= MAX_UNIT_BYTES && length % sampleBytes === 0;
}
