/**
 * ICS-23 proofs from a version of the tree, in the form that the reference's own `SmtSpec` takes: raw keys, neighbours' too.
 */
import type { ics23 } from "@xinglin/crypto/pure";
import type { Path } from "./page-store.ts";
import type { StoredValue } from "./values.ts";
import type { Step, View } from "./view.ts";

const INNER_PREFIX = Uint8Array.of(1);
const NOTHING = new Uint8Array(0);

const operation = ({ sibling, isRight }: Step): ics23.InnerOp =>
  isRight ? { prefix: Buffer.concat([INNER_PREFIX, sibling]), suffix: NOTHING } : { prefix: INNER_PREFIX, suffix: sibling };

export const existence = (view: View, path: Path, stored: StoredValue): ics23.ExistenceProof => ({
  key: stored.rawKey,
  value: stored.value,
  path: view.stepsFrom(path).map(operation),
});

/** Proof that `rawKey`, whose tree key is `treeKey`, is absent; `stored` reads a neighbour. In an empty map it has no neighbours. */
export function absence(
  view: View,
  rawKey: Uint8Array,
  treeKey: Uint8Array,
  stored: (path: Path) => StoredValue,
): ics23.CommitmentProof {
  const neighbour = (direction: -1 | 1): ics23.ExistenceProof | undefined => {
    const bytes = view.neighbour(treeKey, direction);
    if (bytes === undefined) return undefined;
    const path = { bytes, at: 0 };
    return existence(view, path, stored(path));
  };
  const left = neighbour(-1);
  const right = neighbour(1);
  return { nonexist: { key: rawKey, ...(left && { left }), ...(right && { right }) } };
}
