/** What the importer is told of the code: whether it keeps 99.9999 %, and if not, what would help. Source: requirement D2; docs/internals/durability.md. */
import { DEFAULT_GOAL } from "@xinglin/archive";
import type { Say, StoragePromise } from "@xinglin/gateway";

/** `10+4`, as codes are written. */
export const codeText = ({ code: { k, m } }: Pick<StoragePromise, "code">): string => `${k}+${m}`;

/** `99.99998`: as many digits as it takes to show what is missing, never rounded up. */
export function percentText(missing: number): string {
  const digits = missing <= 0 ? 6 : Math.max(0, Math.min(12, Math.ceil(-Math.log10(missing)) - 1));
  const text = (Math.floor((1 - missing) * 100 * 10 ** digits + 1e-6) / 10 ** digits).toFixed(digits);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** The sentences: none if the promise is kept and no single event can break it. */
export function promiseLines(say: Say, promise: StoragePromise): string[] {
  const { code, stores, epochs, unreadable, yearlyLoss, isKept, needs, exposed } = promise;
  const lines: string[] = [];
  if (!isKept) {
    const facts = { stores, code: codeText(promise), readable: percentText(unreadable), loss: yearlyLoss.toExponential(0) };
    lines.push(say.text("promise.missed", { ...facts, goal: percentText(DEFAULT_GOAL.unreadable) }));
    const { moreStores, availability } = needs;
    if (moreStores !== undefined) lines.push(say.text("promise.needs_stores", { count: moreStores }));
    if (availability !== undefined)
      lines.push(say.text("promise.needs_availability", { percent: percentText(1 - availability) }));
    if (moreStores === undefined && availability === undefined) lines.push(say.text("promise.needs_much"));
    if (epochs === 0) lines.push(say.text("promise.assumed"));
  }
  for (const { kind, name, piecesGone } of exposed)
    lines.push(say.text(`promise.exposed_${kind}`, { name, pieces: piecesGone, columns: code.k + code.m, spare: code.m }));
  return lines;
}

/** Tells each promise once, on the stream for troubles: what was imported is imported. */
export function tellPromises(say: Say, imported: readonly { readonly promise: StoragePromise }[]): void {
  const lines = new Set(imported.flatMap(({ promise }) => promiseLines(say, promise)));
  for (const line of lines) process.stderr.write(`${line}\n`);
}
