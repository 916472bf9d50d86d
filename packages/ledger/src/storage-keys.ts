/**
 * Where the ledger's own things stand in the database that it shares with the state map (whose keys begin with `s`): one letter and
 * a big-endian number, so that a range in the database is a range of heights or sequence numbers.
 * Source: design.md, "Drivers" (header, commit and last-signed height are on disk before anyone sees them).
 */
import { type Bytes, utf8 } from "@xinglin/primitives";

function numbered(letter: string, ...numbers: readonly number[]): Bytes {
  const key = Buffer.allocUnsafe(1 + 8 * numbers.length);
  key[0] = letter.charCodeAt(0);
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number;
    key.writeUInt32BE(Math.floor(number / WORD), 1 + 8 * i);
    key.writeUInt32BE(number % WORD, 5 + 8 * i);
  }
  return key;
}
const WORD = 2 ** 32;

export const storageKeys = {
  /** Format, chain and genesis of this folder. */
  folder: utf8("m/folder"),
  /** The kind of driver that makes this folder's blocks, as text. */
  driver: utf8("m/driver"),
  /** The newest height whose light block is kept, where that can lag behind the state. */
  lightTip: utf8("m/light-tip"),
  /** The last height that this validator signed or was about to sign, and the hash of that block. */
  lastSigned: utf8("m/last-signed"),
  /** By which snapshot this node joined the chain, see `joined.ts`. */
  joined: utf8("m/joined"),
  /** Below which height blocks were let go, see `retention.ts`. */
  retained: utf8("m/retained"),
  /** Protobuf bytes of a block. Without a light block beside it, it was saved but not yet applied. */
  block: (height: number): Bytes => numbered("b", height),
  /** Protobuf bytes of header, commit and validators of a final block. */
  lightBlock: (height: number): Bytes => numbered("h", height),
  /** How the transactions of a block came out, see `results.ts`. */
  results: (height: number): Bytes => numbered("r", height),
  /** Canonical bytes of an audit entry, by its place over all epochs. */
  entry: (sequence: number): Bytes => numbered("e", sequence),
  /** The leaf hashes of a full tile of an epoch's log. */
  logTile: (epoch: number, tile: number): Bytes => numbered("l", epoch, tile),
  /** The root of a complete subtree of an epoch's log. */
  logNode: (epoch: number, level: number, index: number): Bytes => numbered("n", epoch, level, index),
} as const;
