/**
 * Every member of a small consortium in one process: ledger, custodians, stores, read model and API, each with its own keys and folder, wired
 * as separate members would be. Source: design.md, "Runtime"; requirement F13.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Api, createApi, ledgerSource } from "@xinglin/api";
import { DirectoryStore } from "@xinglin/archive";
import { nodeCurves } from "@xinglin/crypto/node";
import { Custodian, type CustodianService, type ProvenState } from "@xinglin/custody";
import { importJournal, readKeyFile, writeConsortiumFile } from "@xinglin/gateway";
import { ReadModel, type RebuildReason, type StoreLocation } from "@xinglin/index";
import { FhirValidator } from "@xinglin/interop";
import { type Ledger, openLedger } from "@xinglin/ledger";
import { type Bytes, Fault, type Height, type MemberId, type UnixSeconds } from "@xinglin/primitives";
import { decodeLightBlock, type LightBlockSource } from "@xinglin/verifier";
import { CAST, CUSTODY_THRESHOLD } from "./cast.ts";
import { startCustodianProcess } from "./custodian-processes.ts";
import { custodianId, custodianKey, openGenesis, validatorKey } from "./genesis.ts";
import type { Options } from "./options.ts";

export interface Consortium {
  readonly ledger: Ledger;
  readonly index: ReadModel;
  readonly stores: readonly DirectoryStore[];
  /** Who answers for each custodian; a caller may put another in its place. */
  readonly custodians: Map<string, CustodianService>;
  /** Address of the API and of the patient page. */
  readonly url: string;
  readonly rebuilt: RebuildReason | undefined;
  /** Objects that no anchor names, left by an interrupted import, removed at start. */
  readonly orphans: number;
  close(): Promise<void>;
}

const PORTAL = fileURLToPath(new URL("../../../packages/portal/dist/", import.meta.url));

/** Store folders of all members, in the order of the cast. */
export const storesOf = (data: string): DirectoryStore[] =>
  CAST.flatMap(({ id, stores }) =>
    Array.from({ length: stores }, (_, i) => {
      const name = `${id}-${i + 1}`;
      return new DirectoryStore({ id: name, member: id, path: join(data, "stores", name) });
    }),
  );

/**
 * Opens everything in `options.data`, or makes it; what was opened is closed again if a later part fails. `indexTemplate` is an image that a new
 * embedded read model starts from, as `ReadModel.dump` makes it.
 */
export async function openConsortium(options: Options, indexTemplate?: string): Promise<Consortium> {
  const { data } = options;
  const closing: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const genesis = await openGenesis(data, options.port);
    const validator = readKeyFile(validatorKey(data)).signer;
    const ledger = await openLedger({ directory: join(data, "ledger"), genesis, validator });
    closing.push(() => ledger.close());

    let rebuilt: RebuildReason | undefined;
    const location: StoreLocation =
      options.database === undefined
        ? { kind: "embedded", folder: join(data, "index"), ...(indexTemplate === undefined ? {} : { template: indexTemplate }) }
        : { kind: "postgres", url: options.database };
    const index = await ReadModel.open({
      location,
      source: ledgerSource(ledger),
      onRebuild: (reason) => {
        rebuilt = reason;
      },
    });
    closing.push(() => index.close());

    const stores = storesOf(data);
    const orphans = await prepareStores(data, stores, ledger);

    const custodians = new Map<string, CustodianService>();
    const fhir = new FhirValidator();
    closing.push(() => fhir.close());
    const api = await createApi({
      ledger,
      index,
      custodians,
      validateFhir: async (json) => {
        const checked = await fhir.validateBundle(json);
        return checked.ok ? { issues: [], more: 0 } : checked.refusal;
      },
      portalDirectory: PORTAL,
      host: options.host,
      port: options.port,
      ...(options.tls === undefined
        ? {}
        : { tls: { cert: readFileSync(options.tls.certificate), key: readFileSync(options.tls.key) } }),
    });
    closing.push(() => api.close());
    const url = await listen(api);
    for (const { id } of CAST) {
      if (options.separateCustodians) {
        const started = await startCustodianProcess(data, id, url);
        closing.push(() => started.stop());
        custodians.set(custodianId(id), started.service);
      } else custodians.set(custodianId(id), custodianInProcess(data, id, genesis, ledger));
    }
    writeConsortiumFile(data, {
      type: "xinglin-consortium/1",
      chainId: ledger.chainId,
      url,
      threshold: CUSTODY_THRESHOLD,
      stores: stores.map(({ description: { id, member, path } }) => ({ id, member, path })),
    });
    return { ledger, index, stores, custodians, url, rebuilt, orphans, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const listen = async (api: Api): Promise<string> => {
  await api.listen();
  return api.url;
};

/** The same code as in a process of its own; its node is this one. */
function custodianInProcess(data: string, member: MemberId, genesis: Bytes, ledger: Ledger): Custodian {
  const key = readKeyFile(custodianKey(data, member));
  if (key.hpkeSeed === undefined) throw new Fault("key_file_unreadable", { path: custodianKey(data, member) });
  return new Custodian({
    id: key.actor,
    member,
    directory: join(data, "custodians", member),
    signer: key.signer,
    hpkePrivateKey: key.hpkeSeed,
    trust: {
      genesis,
      curves: nodeCurves,
      now: () => Math.floor(Date.now() / 1000) as UnixSeconds,
      lightBlocks: lightBlocksOf(ledger),
      newest: async (names): Promise<ProvenState> => {
        const height = ledger.provableHeight();
        const proofs = names.map((name) => ledger.prove(name, height));
        return {
          height: height as Height,
          lightBlock: ledger.lightBlock(height + 1) as Bytes,
          proofs: proofs.map(({ key: name, value, proof }) => ({ key: name, proof, ...(value === undefined ? {} : { value }) })),
        };
      },
    },
  });
}

/** The ledger as its custodians' node, for changes of the validators. */
const lightBlocksOf = (ledger: Ledger): LightBlockSource => ({
  name: "ledger",
  lightBlock: async (height) => {
    const block = height === "newest" ? ledger.newestLightBlock() : ledger.lightBlock(height);
    if (block === undefined) throw new Fault("height_unknown", { height: ledger.height() });
    return decodeLightBlock(block);
  },
});

/** Makes missing store folders, and removes what an interrupted import left. */
async function prepareStores(data: string, stores: readonly DirectoryStore[], ledger: Ledger): Promise<number> {
  for (const store of stores) await store.create();
  for (const store of stores) await store.collect();
  return importJournal(data).collect(stores, (key) => ledger.get(key));
}
