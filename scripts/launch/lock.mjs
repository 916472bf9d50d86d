// @ts-check
/** One preparation of a folder at a time: a lock directory that names its holder and that a crash does not leave behind for good. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** A holder touches its lock this often; one silent for `STALE_MS` is taken for dead even if its pid lives on in another program. */
const BEAT_MS = 2_000;
const STALE_MS = 60_000;

/**
 * Runs `work` while holding `folder`/`name`. A lock whose holder died is broken.
 * @template T
 * @param {string} folder
 * @param {string} name
 * @param {() => Promise<T>} work
 * @param {(pid: number) => void} onWait told once, if another process holds the lock
 * @returns {Promise<T>}
 */
export async function withLock(folder, name, work, onWait) {
  const lock = join(folder, name);
  for (let waited = false; !take(folder, lock); ) {
    const holder = holderOf(lock);
    if (holder !== undefined && isStale(lock, holder)) breakLock(lock, holder);
    else if (holder !== undefined && !waited) {
      waited = true;
      onWait(holder);
    }
    await delay(100 + Math.random() * 100);
  }
  const beat = setInterval(() => utimesSync(lock, new Date(), new Date()), BEAT_MS);
  const release = () => rmSync(lock, { recursive: true, force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    process.off("exit", release);
    release();
  }
}

/**
 * The lock appears with its holder's pid already in it: a filled directory is renamed into place, which fails if one is there.
 * @param {string} folder
 * @param {string} lock
 */
function take(folder, lock) {
  const mine = mkdtempSync(join(folder, ".xinglin-taking-"));
  writeFileSync(join(mine, "pid"), String(process.pid));
  try {
    renameSync(mine, lock);
    return true;
  } catch (error) {
    rmSync(mine, { recursive: true, force: true });
    const code = /** @type {NodeJS.ErrnoException} */ (error).code ?? "";
    if (["ENOTEMPTY", "EEXIST", "EPERM", "EACCES"].includes(code) && holderOf(lock) !== undefined) return false;
    if (code === "ENOTEMPTY" || code === "EEXIST") return false; // given back between the two calls
    throw error;
  }
}

/** @param {string} lock */
function holderOf(lock) {
  try {
    return Number(readFileSync(join(lock, "pid"), "utf8"));
  } catch {
    return undefined; // given back meanwhile
  }
}

/**
 * @param {string} lock
 * @param {number} pid
 */
function isStale(lock, pid) {
  try {
    process.kill(pid, 0);
    return Date.now() - statSync(lock).mtimeMs > STALE_MS;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "ESRCH"; // EPERM: it lives, under another user
  }
}

/**
 * Removes the lock of a dead holder. Two waiters may find it dead at once and a third may take it anew in between, so only one at a
 * time removes, and it looks again first.
 * @param {string} lock
 * @param {number} dead
 */
function breakLock(lock, dead) {
  const breaking = `${lock}-breaking`;
  try {
    mkdirSync(breaking);
  } catch {
    try {
      if (Date.now() - statSync(breaking).mtimeMs > STALE_MS) rmSync(breaking, { recursive: true, force: true }); // its maker died, too
    } catch {
      // gone meanwhile
    }
    return;
  }
  try {
    if (holderOf(lock) === dead && isStale(lock, dead)) rmSync(lock, { recursive: true, force: true });
  } finally {
    rmSync(breaking, { recursive: true, force: true });
  }
}
