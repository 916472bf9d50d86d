/**
 * The transfer syntaxes that are read, and how each lays out a data set and its pixels.
 * Source: DICOM PS3.5 section 10 and Annex A; PS3.6 Annex A (registry of UIDs).
 */

export interface TransferSyntax {
  readonly uid: string;
  readonly isImplicit: boolean;
  readonly isBigEndian: boolean;
  readonly isDeflated: boolean;
  /** Pixel data is a sequence of fragments, even if it is not compressed. */
  readonly isEncapsulated: boolean;
  /** All frames are one stream, so fragments do not count frames. */
  readonly isVideo: boolean;
}

const PREFIX = "1.2.840.10008.1.2";
const PLAIN = { isImplicit: false, isBigEndian: false, isDeflated: false, isEncapsulated: false, isVideo: false };

/** Endings after `1.2.840.10008.1.2` of encapsulated still images: JPEG, JPEG-LS, JPEG 2000, JPEG XL, HTJ2K, RLE, and uncompressed. */
const STILL =
  ".4.50 .4.51 .4.52 .4.53 .4.54 .4.55 .4.56 .4.57 .4.58 .4.59 .4.60 .4.61 .4.62 .4.63 .4.64 .4.65 .4.66 .4.70 .4.80 .4.81 .4.90 .4.91 .4.92 .4.93 .4.94 .4.95 .4.110 .4.111 .4.112 .4.201 .4.202 .4.203 .5 .1.98";
/** MPEG-2, MPEG-4 AVC and HEVC. */
const VIDEO =
  ".4.100 .4.100.1 .4.101 .4.101.1 .4.102 .4.102.1 .4.103 .4.103.1 .4.104 .4.104.1 .4.105 .4.105.1 .4.106 .4.106.1 .4.107 .4.108";

const known = new Map<string, TransferSyntax>();
const add = (ending: string, layout: Partial<Omit<TransferSyntax, "uid">>): void => {
  known.set(PREFIX + ending, { ...PLAIN, ...layout, uid: PREFIX + ending });
};
add("", { isImplicit: true });
add(".1", {});
add(".1.99", { isDeflated: true });
add(".2", { isBigEndian: true });
for (const ending of STILL.split(" ")) add(ending, { isEncapsulated: true });
for (const ending of VIDEO.split(" ")) add(ending, { isEncapsulated: true, isVideo: true });

/** The transfer syntax with this UID, or `undefined` if it is not one that is read. */
export const transferSyntax = (uid: string): TransferSyntax | undefined => known.get(uid);
