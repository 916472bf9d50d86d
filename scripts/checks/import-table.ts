/**
 * Which package may import which, from the one table `scripts/import-table.json`: a package may import what its row names and what
 * those may import. Services and the benches may import every package; nothing imports them.
 * Source: design.md, "Packages, and which way imports point".
 */
import rows from "../import-table.json" with { type: "json" };

/** The rows as written: only what is imported directly. `crypto/pure` is the part of crypto that rules may use. */
export const table: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(rows));

/** Everything that `unit` may import, itself included. Throws on a name that has no row, and on a circle. */
export function reachable(
  unit: string,
  from: ReadonlyMap<string, readonly string[]> = table,
  above: readonly string[] = [],
): Set<string> {
  const row = from.get(unit);
  if (row === undefined) throw new Error(`"${unit}" has no row in scripts/import-table.json`);
  if (above.includes(unit)) throw new Error(`imports go round: ${[...above, unit].join(" → ")}`);
  return new Set([unit, ...row.flatMap((next) => [...reachable(next, from, [...above, unit])])]);
}

/** Top folders whose code may import every package. */
const ABOVE_ALL = ["services", "bench", "test", "scripts"];

/**
 * The unit of the table that a file belongs to: `crypto/pure` for its part of crypto, `*` for what may import every package, nothing
 * for a file outside of both.
 */
export function unitOf(path: string): string | undefined {
  const [top = "", name = "", ...rest] = path.split("/");
  if (ABOVE_ALL.includes(top)) return "*";
  if (top !== "packages") return undefined;
  return name === "crypto" && rest[0] === "src" && rest[1] === "pure" ? "crypto/pure" : name;
}

/** The unit that an import of `@xinglin/…` reaches into: its package, or `crypto/pure`. */
export const importedUnit = (specifier: string): string => {
  const [, name = "", part] = specifier.split("/");
  return name === "crypto" && part === "pure" ? "crypto/pure" : name;
};

/** Whether code of `unit` may import `target`. */
export const mayImport = (unit: string, target: string): boolean =>
  unit === "*" ? table.has(target) : reachable(unit).has(target);
