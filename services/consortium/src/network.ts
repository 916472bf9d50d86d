/**
 * `npm run network`: a consortium of several members on this machine, each member's node a process of its own with a CometBFT of its own, and the
 * story over them. Source: docs/guides/run-a-consortium.md; requirements A1, A3, J1.
 */
import { existsSync, rmSync } from "node:fs";
import { closeWorkers, DEFAULT_CODE, DirectoryStore, describeLoss } from "@xinglin/archive";
import type { ApiClient } from "@xinglin/client";
import { ensureEngine } from "@xinglin/cometbft";
import { chainIdOf, type ValidatorStatus } from "@xinglin/contracts";
import { createSay, type Say, writeConsortiumFile } from "@xinglin/gateway";
import { isDivided, readGenesis } from "@xinglin/member";
import { Fault } from "@xinglin/primitives";
import { CUSTODY_THRESHOLD } from "./cast.ts";
import { type HeldFolder, holdFolder } from "./folder-in-use.ts";
import { genesisFile } from "./genesis.ts";
import { addMember, removeMember, validatorsOf } from "./network/change-members.ts";
import { lendServedStores } from "./network/lend-stores.ts";
import { isNetwork, type NetworkFile, readNetworkFile } from "./network/network-file.ts";
import { type NetworkArguments, readNetworkArguments } from "./network/network-options.ts";
import { networkDatabase, networkStage, nodeClients } from "./network/network-stage.ts";
import { createNetwork, isServed, storesOfMembers } from "./network/new-network.ts";
import { RunningNetwork } from "./network/running-network.ts";
import { aborted, run, stopSignal } from "./run.ts";
import { tellStory } from "./tell.ts";

const MESSAGES = new URL("../messages/", import.meta.url);
const DEFAULT_VALIDATORS = 4;
/** Of the story's study, if it is not the real slices alone. */
const STUDY_BYTES = 500e6;

async function main(): Promise<void> {
  const options = readNetworkArguments(process.argv.slice(2), process.env);
  const { data, language } = options;
  const say = createSay(MESSAGES, language);
  if (options.help) {
    say.plain("network.usage_title");
    return say.plain("network.usage");
  }
  const signal = stopSignal();
  await ensureEngine({
    say: (notice) =>
      notice.event === "building"
        ? say("network.building", { version: notice.version })
        : say("network.built", { version: notice.version, seconds: notice.seconds }),
  });
  const held = await holdFolder(data);
  try {
    if (options.reset) reset(data, say);
    await serveFolder(options, say, { signal, held });
  } finally {
    await held.release();
  }
}

async function serveFolder(
  options: NetworkArguments,
  say: Say,
  { signal, held }: { readonly signal: AbortSignal; readonly held: HeldFolder },
): Promise<void> {
  const { data, language } = options;
  const started = performance.now();
  const file = await openOrCreate(options);
  held.note();
  const network = new RunningNetwork({ data, language, ...debugging() }, file);
  const closing = aborted(signal).then(() => network.close());
  try {
    say("network.starting", { nodes: network.withNode.length });
    await network.start();
    await serve(network, options, say, { signal, started });
  } catch (error) {
    // What breaks off because it was stopped is no failure.
    if (!signal.aborted) throw error;
  } finally {
    if (signal.aborted) await closing;
    await network.close();
    await closeWorkers();
    say("network.stopped");
  }
}

async function serve(
  network: RunningNetwork,
  options: NetworkArguments,
  say: Say,
  { signal, started }: { readonly signal: AbortSignal; readonly started: number },
): Promise<void> {
  const { data, language } = options;
  const chainId = chainIdOf(readGenesis({ genesis: genesisFile(data) }));
  const clientOf = nodeClients(network, chainId, language);
  const change = { data, network, say, clientOf };
  if (options.add) await addMember(change);
  if (options.remove !== undefined) await removeMember(change, options.remove, options.force);
  const { members } = network.file;
  const stores = storesOfMembers(data, members);
  await lendServedStores(data, network.file, clientOf);
  const url = network.urlOf("");
  writeConsortiumFile(data, {
    type: "xinglin-consortium/1",
    chainId,
    url,
    threshold: CUSTODY_THRESHOLD,
    stores: storesOfMembers(
      data,
      members.filter((member) => !isServed(member)),
    ),
  });
  await introduce(network, clientOf, say, { chainId, stores: stores.map((store) => new DirectoryStore(store)) });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const page = network.urlOf("hospital-a");
  say("open.ready", { seconds, page: `${page}/` });
  for (const [member, node] of network.nodes)
    node.ended.then(({ told }) => {
      if (!network.isClosing && network.nodes.get(member) === node)
        say("network.node_ended", { member, reason: told.trim().split("\n").at(-1) ?? "-" });
    });
  if (!options.empty) {
    const stage = networkStage(network, clientOf, { data, say, chainId });
    const story = tellStory(stage, networkDatabase(network, clientOf, data), say, {
      studyBytes: options.studyReal ? undefined : STUDY_BYTES,
      signal,
    });
    await Promise.race([story, aborted(signal)]);
  }
  say.plain("network.stop");
  await aborted(signal);
  say("open.stopping");
}

/** What is in the folder, or a new network in an empty one. Throws `validators_fixed` when it has another number than was asked for. */
async function openOrCreate({ data, validators, port }: NetworkArguments): Promise<NetworkFile> {
  if (!isNetwork(data)) {
    if (isDivided(data)) throw new Fault("folder_divided", { path: data });
    if (existsSync(genesisFile(data))) throw new Fault("not_a_network", { path: data });
    return createNetwork(data, validators ?? DEFAULT_VALIDATORS, port);
  }
  const file = readNetworkFile(data);
  const found = file.members.filter(({ hasNode }) => hasNode).length;
  if (validators !== undefined && validators !== found) throw new Fault("validators_fixed", { found, wanted: validators });
  return file;
}

/** Only a folder that is a network's is deleted. */
function reset(data: string, say: Say): void {
  if (!existsSync(data)) return;
  if (!isNetwork(data)) throw new Fault("reset_refused", { path: data });
  rmSync(data, { recursive: true });
  say("open.reset", { path: data });
}

async function introduce(
  network: RunningNetwork,
  clientOf: (member: string) => ApiClient,
  say: Say,
  { chainId, stores }: { readonly chainId: string; readonly stores: readonly DirectoryStore[] },
): Promise<void> {
  const status = (await clientOf("").getJson("/v1/status")) as { height: number };
  const validators = await validatorsOf(clientOf(""));
  const name = (id: string): string => {
    const names = network.file.members.find((member) => member.id === id)?.name;
    return (say.language === "en" ? names?.en : names?.zh) ?? id;
  };
  say("open.ledger", { chain: chainId, height: status.height });
  for (const { id } of network.withNode) {
    const key = seatOf(validators, id);
    say.plain("network.member", { name: name(id), member: id, url: network.urlOf(id), validator: key.address, power: key.share });
  }
  const without = network.file.members.filter(({ hasNode }) => !hasNode);
  if (without.length > 0)
    say.plain("network.without_node", { members: without.map(({ id }) => name(id)).join(say.language === "en" ? ", " : "、") });
  say.plain(validators.isCapMissing ? "network.cap_missing" : "network.cap", {
    validators: validators.active.length,
    faults: validators.toleratedFaults,
  });
  const loss = describeLoss([...stores], DEFAULT_CODE);
  say.plain("network.stores", { stores: stores.length, members: loss.anyMembers });
}

/** How a member's validator is shown: the beginning of its key, and its share of the power. */
function seatOf({ active, standby }: ValidatorStatus, member: string): { address: string; share: string } {
  const found = [...active, ...standby].find((one) => one.member === member);
  return found === undefined
    ? { address: "-", share: "0" }
    : { address: found.publicKey.slice(0, 16), share: (found.sharePerMille / 10).toFixed(1) };
}

/** With XINGLIN_DEBUG what the nodes say is shown. */
function debugging() {
  if (process.env.XINGLIN_DEBUG === undefined) return {};
  return { onLine: (member: string, line: string) => process.stderr.write(`[${member}] ${line}\n`) };
}

await run(main);
