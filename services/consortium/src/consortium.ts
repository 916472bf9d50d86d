/**
 * Every member of a small consortium in one process: ledger, custodians, stores, read model and API, each with its own keys and folder, wired
 * as separate members would be. Source: design.md, "Runtime"; requirement F13.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DirectoryStore } from "@xinglin/archive";
import type { CustodianService } from "@xinglin/custody";
import { readKeyFile, writeConsortiumFile } from "@xinglin/gateway";
import type { ReadModel, RebuildReason, StoreLocation } from "@xinglin/index";
import { type Ledger, openLedger } from "@xinglin/ledger";
import {
  custodianHere,
  custodianId,
  custodianKey,
  eraseEndedObjects,
  openMember,
  prepareStores,
  soloValidatorKey,
} from "@xinglin/member";
import { CAST, CUSTODY_THRESHOLD } from "./cast.ts";
import { startCustodianProcess } from "./custodian-processes.ts";
import { openGenesis } from "./genesis.ts";
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

/** Store folders of all members, in the order of the cast. */
export const storesOf = (data: string): DirectoryStore[] =>
  CAST.flatMap(({ id, stores }) =>
    Array.from({ length: stores }, (_, i) => {
      const name = `${id}-${i + 1}`;
      return new DirectoryStore({ kind: "directory", id: name, member: id, path: join(data, "stores", name) });
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
    const validator = readKeyFile(soloValidatorKey(data)).signer;
    const ledger = await openLedger({ directory: join(data, "ledger"), genesis, validator });
    closing.push(() => ledger.close());
    const stores = storesOf(data);
    // They lie in the data folder itself: no disk of theirs can be away.
    for (const store of stores) await store.create();
    const { orphans } = await prepareStores(data, { own: stores, all: stores }, ledger);
    const database: StoreLocation =
      options.database === undefined
        ? { kind: "embedded", folder: join(data, "index"), ...(indexTemplate === undefined ? {} : { template: indexTemplate }) }
        : { kind: "postgres", url: options.database };
    const { host, port } = options;
    const tls =
      options.tls === undefined
        ? {}
        : { tls: { cert: readFileSync(options.tls.certificate), key: readFileSync(options.tls.key) } };
    const member = await openMember({ ledger, database, api: { host, port, ...tls } });
    closing.push(() => member.close());
    const { index, custodians, url, rebuilt } = member;
    await eraseEndedObjects({ ledger, index }, stores);

    for (const { id } of CAST) {
      if (options.separateCustodians) {
        const started = await startCustodianProcess(data, id, url);
        closing.push(() => started.stop());
        custodians.set(custodianId(id), started.service);
      } else {
        const files = { keyFile: custodianKey(data, id), shares: join(data, "custodians", id) };
        const custodian = custodianHere(ledger, files);
        await custodian.eraseEnded((key) => ledger.get(key));
        custodians.set(custodianId(id), custodian);
      }
    }
    writeConsortiumFile(data, {
      type: "xinglin-consortium/1",
      chainId: ledger.chainId,
      url,
      threshold: CUSTODY_THRESHOLD,
      stores: stores.map(({ description }) => description),
    });
    return { ledger, index, stores, custodians, url, rebuilt, orphans, close };
  } catch (error) {
    await close();
    throw error;
  }
}
