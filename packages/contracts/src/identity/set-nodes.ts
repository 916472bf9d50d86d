/**
 * setNodes: a member says which nodes are its own, by the ids that peers know them by: these are let in by the other members' nodes. A new node
 * key, a second node or a sentry in front of the validator needs no vote, only its member's word.
 * Source: requirement A3; docs/internals/cometbft.md, "Who may connect".
 */
import { accept, type Bytes, equal, type Infer, type MemberId, type Result, refuse, schema, toHex } from "@xinglin/primitives";
import { MAX_NODES, nodeId } from "../model/actor.ts";
import { getMember, getMemberOfNode } from "../reads.ts";
import { type Change, put, type Rule, refuseWith, type StateReader } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { isAdministration } from "./administration.ts";

/** All of a member's nodes from now on; none closes its nodes out. */
export const setNodesOperation = schema.object({ nodes: schema.list(nodeId, MAX_NODES) });
export type SetNodes = Infer<typeof setNodesOperation>;

/** A node belongs to one member. */
export type NodeRefusal = { code: "node_in_use"; node: string };

/** In the order of the checks. */
export type SetNodesRefusal = { code: "not_administration" } | { code: "unchanged" } | NodeRefusal;

/** By the administration of the member. Writes `member/{id}` and `node/{id}` of each node that comes or goes. */
export const setNodes: Rule<SetNodes, SetNodesRefusal["code"]> = (state, { nodes }, { caller }) => {
  const { member: id } = caller.actor;
  const subject = { member: id };
  const member = getMember(state, id);
  if (!isAdministration(caller, id) || member === undefined)
    return refuseWith<SetNodesRefusal>({ code: "not_administration" }, subject);
  const before = member.nodes ?? [];
  const isSame = before.length === nodes.length && before.every((node, i) => equal(node, nodes[i] as Bytes));
  if (isSame) return refuseWith<SetNodesRefusal>({ code: "unchanged" }, subject);
  const named = nodeChanges(state, id, before, nodes);
  if (!named.ok) return refuseWith<SetNodesRefusal>(named.refusal, subject);
  return accept({ changes: [put(keys.member(id), { ...member, nodes }), ...named.value], subject });
};

/** What has to change for a member's nodes to be `after` instead of `before`. */
export function nodeChanges(
  state: StateReader,
  member: MemberId,
  before: readonly Bytes[],
  after: readonly Bytes[],
): Result<readonly Change[], NodeRefusal> {
  const wanted = new Set(after.map(toHex));
  const had = new Set(before.map(toHex));
  for (const [i, bytes] of after.entries()) {
    const node = toHex(bytes);
    const isRepeated = after.slice(0, i).some((one) => equal(one, bytes));
    if (isRepeated || (!had.has(node) && getMemberOfNode(state, node) !== undefined))
      return refuse({ code: "node_in_use", node });
  }
  const gone = [...had].filter((node) => !wanted.has(node)).map((node) => put(keys.node(node), {}));
  const come = [...wanted].filter((node) => !had.has(node)).map((node) => put(keys.node(node), { member }));
  return accept([...gone, ...come]);
}
