/** The files for real hosts: what can be checked of them without a host. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../", import.meta.url));
const units = readdirSync(join(root, "deploy/systemd")).map((name) => join(root, "deploy/systemd", name));
const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

test("systemd takes the units", { skip: !hasSystemd && "systemd-analyze is not on this machine" }, () => {
  const folder = mkdtempSync(join(tmpdir(), "xinglin-units-"));
  try {
    const copies = units.map((unit) => {
      const copy = join(folder, basename(unit));
      // The programs are not at their places on this machine.
      writeFileSync(copy, readFileSync(unit, "utf8").replace(/^ExecStart=\S+/m, "ExecStart=/usr/bin/env"));
      return copy;
    });
    const said = execFileSync("systemd-analyze", ["verify", ...copies], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    assert.equal(said, "");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a unit gives its service no more than it needs, and runs what is there", () => {
  assert.equal(units.length, 2);
  for (const unit of units) {
    const text = readFileSync(unit, "utf8");
    for (const setting of [
      "NoNewPrivileges=yes",
      "ProtectSystem=strict",
      "ProtectHome=yes",
      "CapabilityBoundingSet=",
      "UMask=0077",
    ])
      assert.ok(text.split("\n").includes(setting), `${basename(unit)}: ${setting}`);
    const programs = [...text.matchAll(/\/opt\/xinglin\/((?:services|docs)\S+)/g)].map(([, path]) => path as string);
    assert.ok(programs.length > 0);
    for (const path of programs) assert.ok(existsSync(join(root, path)), path);
  }
});

test("the compose file runs the image's program over one folder, with no right that it does not need", () => {
  const file = parse(readFileSync(join(root, "deploy/compose.yaml"), "utf8")) as { services: { node: Record<string, unknown> } };
  const { node } = file.services;
  assert.deepEqual(node.cap_drop, ["ALL"]);
  assert.equal(node.read_only, true);
  assert.deepEqual(node.security_opt, ["no-new-privileges:true"]);
  const { dockerfile } = node.build as { dockerfile: string };
  const image = readFileSync(join(root, dockerfile), "utf8");
  const { test: check } = node.healthcheck as { test: string[] };
  for (const program of [...image.matchAll(/\/opt\/xinglin\/([\w./-]+\.ts)/g)]
    .map(([, path]) => path as string)
    .concat(check[2]!.slice(13)))
    assert.ok(existsSync(join(root, program)), program);
  assert.match(image, /^USER xinglin$/m);
  assert.match(
    readFileSync(join(root, "engine/cometbft/go.mod"), "utf8"),
    new RegExp(`^go ${/golang:(\d+\.\d+)/.exec(image)?.[1]}`, "m"),
  );
});
