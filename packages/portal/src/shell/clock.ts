/** How far this device's clock is from the server's: signed requests must be dated within a minute. Source: RFC 9421; RFC 9110 section 6.6.1. */

/** Seconds by which the server is ahead of this device; negative if it is behind. Exact to a second or two. */
export async function clockSkewSeconds(): Promise<number> {
  const before = Date.now();
  const answer = await fetch("/v1/status", { headers: { accept: "application/json" } });
  const after = Date.now();
  const server = Date.parse(answer.headers.get("date") ?? "");
  return Number.isNaN(server) ? 0 : Math.round((server - (before + after) / 2) / 1_000);
}
