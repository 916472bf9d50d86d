/** Bounds of probing that a configuration may change. Source: docs/internals/validators.md, "Probes". */

/** Looks at every peer in an epoch. */
export const DEFAULT_ROUNDS = 8;
/** Megabytes that the transfers of an epoch take at most, all peers together. */
export const DEFAULT_MEGABYTES = 16;
/** An answer that takes longer counts as none. */
export const DEFAULT_TIMEOUT_MS = 5_000;
