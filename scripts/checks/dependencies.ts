/**
 * What is installed is pinned to one version, stands in the lock file, and comes under a licence that lets a hospital run it.
 */
import type { Finding, TextFile } from "../project-files.ts";

/** Licences of what runs in production. BlueOak-1.0.0 and 0BSD ask for no more than MIT does. */
const ALLOWED = ["Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "ISC", "MPL-2.0", "BlueOak-1.0.0"];
const EXACT = /^(npm:(@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;

/** Version ranges: the same commit would install something else next month. */
export function checkPins(files: readonly TextFile[]): Finding[] {
  return files
    .filter(({ path }) => /(^|\/)package\.json$/.test(path) && !path.startsWith("examples/"))
    .flatMap(({ path, text }) => {
      const manifest = JSON.parse(text) as Record<string, Record<string, string> | undefined>;
      const ranges = ["dependencies", "devDependencies", "optionalDependencies"].flatMap((kind) =>
        Object.entries(manifest[kind] ?? {}),
      );
      return ranges
        .filter(([, version]) => !EXACT.test(version))
        .map(([name, version]) => ({ path, says: `"${name}": "${version}" is not an exact version` }));
    });
}

type Locked = { version?: string; dev?: boolean; devOptional?: boolean; link?: boolean; license?: string };

/**
 * Production packages of the lock file whose licence is not allowed. `licenceOf` reads what an installed package says of itself, and
 * gives nothing for one that is not installed here, where the lock file's own word counts.
 */
export function checkLicences(lockFile: string, licenceOf: (folder: string) => string | undefined): Finding[] {
  const { packages } = JSON.parse(lockFile) as { packages: Record<string, Locked> };
  return Object.entries(packages)
    .filter(([folder, { dev, devOptional, link }]) => folder.includes("node_modules/") && !dev && !devOptional && !link)
    .map(([folder, locked]) => ({ folder, licence: licenceOf(folder) ?? locked.license ?? "none" }))
    .filter(({ licence }) => !isAllowed(licence))
    .map(({ folder, licence }) => ({ path: "package-lock.json", says: `${folder} is under ${licence}` }));
}

/** `A OR B` leaves the choice to us, `A AND B` does not. */
const isAllowed = (licence: string): boolean =>
  licence
    .replace(/[()]/g, "")
    .split(/ OR /i)
    .some((choice) => choice.split(/ AND /i).every((part) => ALLOWED.includes(part.trim())));

/** Each workspace, and each dependency that it names, stands in the lock file as it is named. */
export function checkLock(files: readonly TextFile[]): Finding[] {
  const lockFile = files.find(({ path }) => path === "package-lock.json");
  if (lockFile === undefined) return [{ path: "package-lock.json", says: "is missing" }];
  const { packages } = JSON.parse(lockFile.text) as {
    packages: Record<string, Record<string, Record<string, string> | undefined>>;
  };
  return files
    .filter(({ path }) => /^((packages|services)\/[^/]+\/|bench\/)?package\.json$/.test(path))
    .flatMap(({ path, text }) => {
      const locked = packages[path.replace(/\/?package\.json$/, "")];
      if (locked === undefined) return [{ path, says: "is not in package-lock.json; run npm install" }];
      const manifest = JSON.parse(text) as Record<string, Record<string, string> | undefined>;
      return ["dependencies", "devDependencies", "optionalDependencies"]
        .filter((kind) => !sameEntries(manifest[kind] ?? {}, locked[kind] ?? {}))
        .map((kind) => ({ path, says: `its ${kind} differ from package-lock.json; run npm install` }));
    });
}

const sameEntries = (a: Record<string, string>, b: Record<string, string>): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([name, version]) => b[name] === version);
