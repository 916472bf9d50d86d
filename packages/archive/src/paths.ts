/**
 * Names of files inside an object: relative, with `/`, safe to create below any folder on any system.
 * Source: CWE-22 (path traversal); Microsoft, "Naming files, paths and namespaces".
 */
const MAX_PATH_BYTES = 1024;
const MAX_SEGMENT_BYTES = 255;

/** Whether `path` may stand in a file table. */
export function isArchivePath(path: string): boolean {
  if (path.length === 0 || Buffer.byteLength(path) > MAX_PATH_BYTES || !path.isWellFormed()) return false;
  // Control characters, and what some system reads as a separator, a drive or a stream.
  if (/[\p{Cc}\\:]/u.test(path)) return false;
  return path.split("/").every((segment) => {
    if (segment === "" || segment === "." || segment === ".." || Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) return false;
    return !/[. ]$/.test(segment); // some systems drop a last dot or space, and two names become one
  });
}

/** The index of the first path that is not an archive path, repeats an earlier one (whatever its case) or runs through another file; -1 if none. */
export function firstBadPath(paths: readonly string[]): number {
  const files = new Set<string>();
  const folders = new Set<string>();
  return paths.findIndex((path) => {
    if (!isArchivePath(path)) return true;
    const folded = path.normalize("NFC").toLowerCase();
    if (files.has(folded) || folders.has(folded)) return true;
    files.add(folded);
    for (let at = folded.indexOf("/"); at >= 0; at = folded.indexOf("/", at + 1)) {
      const folder = folded.slice(0, at);
      if (files.has(folder)) return true;
      folders.add(folder);
    }
    return false;
  });
}
