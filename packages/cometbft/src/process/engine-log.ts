/**
 * What a line of CometBFT's log says about consensus. Only lines that CometBFT begins itself count: behind its own words a line holds what peers
 * sent, names and errors of theirs among it, and nobody shall stop a node by a word.
 * Source: CometBFT v0.40 `libs/log/tmfmt_logger.go` (level, time, message, then values), `consensus/state.go` (receiveRoutine, enterPrecommit,
 * finalizeCommit), `consensus/replay.go` (assertAppHashEqualsOne…).
 */

/** Consensus has ended, or the whole process by a panic. */
const ENDED = /^(?:E\[[^\]]*\] CONSENSUS FAILURE!!! |panic: )/;
const DIVERGED = /\+2\/3 (?:committed|prevoted for) an invalid block|AppHash does not match AppHash after replay/;

/**
 * `diverged`: this node's state is not the one that two thirds of the validators signed for, at run time or at a start. `stuck`: consensus has
 * ended for another reason, such as a disk without room. Undefined for every other line.
 */
export function consensusEnd(line: string): "diverged" | "stuck" | undefined {
  if (!ENDED.test(line)) return undefined;
  return DIVERGED.test(line) ? "diverged" : "stuck";
}
