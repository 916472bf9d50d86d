/** The launcher: what it finds missing, one preparation at a time, signals and exit codes passed on. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { isInstalled } from "../scripts/launch/install.mjs";
import { chooseLanguage, speaker } from "../scripts/launch/language.mjs";
import { isAtLeast, PINNED } from "../scripts/launch/runtime.mjs";
import { root } from "../scripts/project-files.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "xinglin-launch-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const module = (name: string): string => pathToFileURL(join(root, "scripts/launch", name)).href;
const launch = (...args: string[]): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, [join(root, "scripts/launch.mjs"), ...args], { encoding: "utf8" });

test("the language comes from --lang, else from the shell, else from the system", () => {
  assert.equal(chooseLanguage(["--lang", "en"], { LANG: "zh_CN.UTF-8" }), "en");
  assert.equal(chooseLanguage(["--lang=zh-CN"], { LANG: "en_US.UTF-8" }), "zh-CN");
  assert.equal(chooseLanguage([], { LANG: "zh_CN.UTF-8" }), "zh-CN");
  assert.equal(chooseLanguage([], { LC_ALL: "C.UTF-8", LANG: "zh_CN.UTF-8" }), "en");
  assert.equal(chooseLanguage([], {}, "zh-Hans-CN"), "zh-CN");
  assert.equal(chooseLanguage([], {}, "de-DE"), "en");
  assert.match(speaker("zh-CN")("unknown_command", { command: "x" }), /^没有“x”这个命令/);
});

test("versions are compared by number", () => {
  for (const version of ["24.6.0", "24.21.0", "25.0.0", "24.6.1"]) assert.ok(isAtLeast(version, "24.6.0"), version);
  for (const version of ["24.5.9", "20.19.0", "9.99.99", "24.6.0-nightly".replace("24.6", "24.5")])
    assert.ok(!isAtLeast(version, "24.6.0"), version);
});

test("an unknown command and none end with 1 and the usage", () => {
  const unknown = launch("nope", "--lang", "en");
  assert.equal(unknown.status, 1);
  assert.match(String(unknown.stderr), /no command "nope"[\s\S]*Usage:/);
  assert.equal(launch().status, 1);
});

const lockFiles = (wanted: object, present?: object): void => {
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages: wanted }));
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  if (present !== undefined)
    writeFileSync(join(folder, "node_modules", ".package-lock.json"), JSON.stringify({ packages: present }));
};
const wanted = {
  "": {},
  "packages/a": { version: "0.1.0" },
  "node_modules/@x/a": { resolved: "packages/a", link: true },
  "node_modules/b": { version: "1.0.0" },
  "packages/a/node_modules/b": { version: "2.0.0" },
  "node_modules/only-elsewhere": { version: "1.0.0", optional: true },
};
const present = {
  "node_modules/@x/a": { resolved: "packages/a", link: true },
  "node_modules/b": { version: "1.0.0" },
  "packages/a/node_modules/b": { version: "2.0.0" },
};
const states: Record<string, { present: object | undefined; installed: boolean }> = {
  "complete, without a package for another platform": { present, installed: true },
  "never installed, or broken off": { present: undefined, installed: false },
  "a package missing": { present: { ...present, "node_modules/b": undefined }, installed: false },
  "a nested package missing": { present: { ...present, "packages/a/node_modules/b": undefined }, installed: false },
  "a package in another version": { present: { ...present, "node_modules/b": { version: "0.9.0" } }, installed: false },
  "an optional package in another version": {
    present: { ...present, "node_modules/only-elsewhere": { version: "0.9.0" } },
    installed: false,
  },
  "a workspace not linked": { present: { ...present, "node_modules/@x/a": undefined }, installed: false },
};
test("installed? without the Node that is pinned for this platform: false", () => {
  const withNode = { ...wanted, [PINNED]: { version: "24.0.0", optional: true } };
  lockFiles(withNode, present);
  assert.equal(isInstalled(folder), false);
  lockFiles(withNode, { ...present, [PINNED]: { version: "24.0.0", optional: true } });
  assert.equal(isInstalled(folder), true);
});

for (const [name, state] of Object.entries(states))
  test(`installed? ${name}: ${state.installed}`, () => {
    lockFiles(wanted, state.present);
    assert.equal(isInstalled(folder), state.installed);
  });

/** A process that takes the lock in `folder`, tells so, and gives it back when its input ends. */
function holder(): ChildProcess {
  const script = `
    import { withLock } from ${JSON.stringify(module("lock.mjs"))};
    await withLock(${JSON.stringify(folder)}, "lock", async () => {
      console.log("taken");
      await new Promise((resolve) => process.stdin.on("end", resolve).resume());
      console.log("given back");
    }, (pid) => console.log("waits for " + pid));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdout!.setEncoding("utf8");
  return child;
}
const told = async (child: ChildProcess): Promise<string> => String((await once(child.stdout!, "data"))[0]).trim();

test("a second process waits for the lock, says for whom, and gets it", async () => {
  const first = holder();
  assert.equal(await told(first), "taken");
  const second = holder();
  assert.equal(await told(second), `waits for ${first.pid}`);
  first.stdin!.end();
  await once(first, "exit");
  assert.equal(await told(second), "taken");
  second.stdin!.end();
  await once(second, "exit");
  assert.deepEqual(readdirSync(folder), []);
});

test("the lock of a killed process is broken, by one of several that find it", async () => {
  const killed = holder();
  await told(killed);
  killed.kill("SIGKILL");
  await once(killed, "exit");
  assert.ok(existsSync(join(folder, "lock")));
  const rivals = [holder(), holder(), holder()];
  const done = rivals.map(async (child) => {
    while ((await told(child)) !== "taken");
    const holding = readFileSync(join(folder, "lock", "pid"), "utf8");
    assert.equal(holding, String(child.pid)); // no other has it
    child.stdin!.end();
    await once(child, "exit");
  });
  await Promise.all(done);
  assert.deepEqual(readdirSync(folder), []);
});

test("a lock that no one touches any more is stale even if its pid lives on", async () => {
  mkdirSync(join(folder, "lock"));
  writeFileSync(join(folder, "lock", "pid"), String(process.pid));
  const longAgo = new Date(Date.now() - 10 * 60_000);
  utimesSync(join(folder, "lock"), longAgo, longAgo);
  const child = holder();
  assert.equal(await told(child), "taken");
  child.stdin!.end();
  await once(child, "exit");
});

/** A launcher whose program is `body`. */
function become(body: string): ChildProcess {
  writeFileSync(join(folder, "program.mjs"), body);
  const script = `
    import { become } from ${JSON.stringify(module("child.mjs"))};
    process.exitCode = await become(process.execPath, [${JSON.stringify(join(folder, "program.mjs"))}, "--port", "80 80"]);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdout!.setEncoding("utf8");
  return child;
}

test("arguments and the exit code are passed on", async () => {
  const child = become("console.log(process.argv.slice(2).join('|')); process.exitCode = 7;");
  assert.equal(await told(child), "--port|80 80");
  assert.deepEqual(await once(child, "exit"), [7, null]);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  test(`${signal} reaches the program, which ends in its own way`, {
    skip: process.platform === "win32" && "windows: has no signals",
  }, async () => {
    const child = become(
      `process.on("${signal}", () => { console.log("bye"); process.exit(5); }); console.log("up"); setInterval(() => {}, 1000);`,
    );
    assert.equal(await told(child), "up");
    child.kill(signal);
    assert.equal(await told(child), "bye");
    assert.deepEqual(await once(child, "exit"), [5, null]);
  });

test("a program that a signal ends gives 128 and its number", {
  skip: process.platform === "win32" && "windows: has no signals",
}, async () => {
  const child = become('console.log("up"); setInterval(() => {}, 1000);');
  await told(child);
  child.kill("SIGTERM");
  assert.deepEqual(await once(child, "exit"), [143, null]);
  const own = become('process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);');
  assert.deepEqual(await once(own, "exit"), [137, null]);
});

test("a program that npm runs ends when npm's shell is killed", {
  skip: process.platform === "win32" && "windows: has no signals",
}, async () => {
  writeFileSync(
    join(folder, "program.mjs"),
    'process.on("SIGTERM", () => { console.log("bye"); process.exit(0); }); console.log("up"); setInterval(() => {}, 1000);',
  );
  writeFileSync(
    join(folder, "main.mjs"),
    `import { become } from ${JSON.stringify(module("child.mjs"))};
    process.exitCode = await become(process.execPath, [${JSON.stringify(join(folder, "program.mjs"))}], { underNpm: true });`,
  );
  // Two commands, so that no shell puts the first in its own place.
  const shell = spawn("sh", ["-c", `"${process.execPath}" "${join(folder, "main.mjs")}"; true`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  shell.stdout.setEncoding("utf8");
  assert.equal(await told(shell), "up");
  shell.kill("SIGKILL");
  assert.equal(await told(shell), "bye");
});
