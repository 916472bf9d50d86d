/** What must not be found outside the places that are for it: what is clinical or names a person in the examples, and every private key. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { BUNDLE } from "./open-stage.ts";

/** Something to look for, and what it is; short ones would be found by chance in sealed pieces. */
export interface Secret {
  readonly what: string;
  readonly bytes: Buffer;
}
const MIN_BYTES = 6;
const secret = (what: string, bytes: string | Uint8Array): Secret => ({ what, bytes: Buffer.from(bytes as string) });

/** In `examples/ct`, by every way it could be written. `王^小明` in GB18030 is cd f5 5e d0 a1 c3 f7. */
export const DICOM_SECRETS: readonly Secret[] = [
  secret("name in GB18030", Buffer.from("cdf55ed0a1c3f7", "hex")),
  secret("name in Latin letters", "Wang^XiaoMing"),
  secret("birth date", "19900307"),
  secret("patient id", "SYNTHETIC-0001"),
  secret("study description in GB18030", Buffer.from("cdb7c2add0d8d7b54354c6bdc9a8", "hex")),
];
/** The same in UTF-8: it stands in no file, so a program that decoded it put it there. */
export const DECODED_SECRETS: readonly Secret[] = [
  secret("name in UTF-8", "王^小明"),
  secret("given name in UTF-8", "小明"),
  secret("study description in UTF-8", "头颅胸椎CT平扫"),
];

/** In `examples/fhir/record.json`: who it is about, and what was found and done. */
export function fhirSecrets(): Secret[] {
  const texts = new Set<string>();
  const add = (value: unknown, key = ""): void => {
    if (typeof value === "string") {
      if (/^(family|birthDate|line|display)$/.test(key) && value.length >= 10) texts.add(value);
    } else if (typeof value === "object" && value !== null)
      for (const [name, one] of Object.entries(value)) add(one, Array.isArray(value) ? key : name);
  };
  add(JSON.parse(readFileSync(BUNDLE, "utf8")));
  for (const one of ["Heuvel", "738472983", "0648352638", "p.heuvel@gmail.com"]) texts.add(one);
  return [...texts].map((text) => secret(`FHIR: ${text}`, text));
}

/** Every private seed of the key files of a data folder, as bytes and in the usual spellings. */
export function keySecrets(data: string): Secret[] {
  return filesOf(data)
    .filter((path) => isKeyFile(relative(data, path)))
    .flatMap((path) => {
      const secrets = JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;
      return ["seed", "hpkeSeed", "key"].flatMap((name) => {
        const text = secrets[name];
        if (text === undefined) return [];
        const raw = Buffer.from(text, "base64url");
        const what = `${name} of ${relative(data, path)}`;
        return [secret(what, text), secret(what, raw), secret(what, raw.toString("hex")), secret(what, raw.toString("base64"))];
      });
    });
}

const isKeyFile = (path: string): boolean =>
  path === "validator.json" || (/^members\/.*\.json$/.test(path) && !path.includes("/originals/"));
/** Where a member keeps its own originals, what a doctor received, what the story generated, and the keys themselves. */
const isForSecrets = (path: string): boolean =>
  isKeyFile(path) || /^members\/[^/]+\/originals\//.test(path) || /^(received|generated-study)\//.test(path);

export const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));

/** Which of the secrets stand in these bytes. */
export const secretsIn = (bytes: Uint8Array, secrets: readonly Secret[]): string[] => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [...new Set(secrets.filter((one) => one.bytes.length >= MIN_BYTES && text.includes(one.bytes)).map(({ what }) => what))];
};

/** Every secret in a file of the data folder that is not for it, or in the name of one. */
export function scanFolder(data: string, secrets: readonly Secret[]): { findings: string[]; files: number } {
  const scanned = filesOf(data)
    .map((path) => relative(data, path))
    .filter((path) => !isForSecrets(path));
  const findings = scanned.flatMap((path) =>
    [...secretsIn(readFileSync(join(data, path)), secrets), ...secretsIn(Buffer.from(path), secrets)].map(
      (what) => `${path}: ${what}`,
    ),
  );
  return { findings, files: scanned.length };
}
