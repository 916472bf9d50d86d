import type { TestContext } from "node:test";
import { CONSORTIUM_ELECTION, encodeGenesis } from "@xinglin/contracts";
import { cometbft } from "@xinglin/crypto/pure";
import type { MemberId } from "@xinglin/primitives";
import { systemClock } from "../../src/block-time.ts";
import { type DriverLedgerOptions, openDriverLedger } from "../../src/driver-ledger.ts";
import type { Ledger } from "../../src/ledger.ts";
import { SimulatedValidators } from "../../src/simulator/driver.ts";
import { driverContract } from "../driver-contract.ts";
import { genesisWith, keyOf } from "../support/chain.ts";
import { atEnd, folder } from "../support/folder.ts";

const keys = [0, 1, 2].map((i) => keyOf(`simulated validator ${i}`));
const members = ["commission", "hospital-a", "hospital-b"] as unknown as readonly MemberId[];
const validators = keys.map(({ publicKey }, i) => ({ publicKey, power: 10, member: members[i] as MemberId }));
const election = { ...CONSORTIUM_ELECTION, minSeats: 3, maxSeats: 4 };
/** A block a second when nothing happens. */
const genesis = encodeGenesis({ ...genesisWith({ maxBlockGapSeconds: 1, election }), validators });

const opened = new Map<Ledger, { readonly options: DriverLedgerOptions; ledger: Ledger }>();

async function open(context: TestContext): Promise<Ledger> {
  const others = new SimulatedValidators(1, { genesis, keys, clock: systemClock });
  const options: DriverLedgerOptions = {
    directory: await folder(context),
    genesis,
    verifyWorkers: 0,
    kind: "simulator",
    driver: others.driver,
  };
  const entry = { options, ledger: await openDriverLedger(options) };
  opened.set(entry.ledger, entry);
  atEnd(context, () => entry.ledger.close());
  return entry.ledger;
}

async function reopen(ledger: Ledger): Promise<Ledger> {
  const entry = opened.get(ledger)!;
  await ledger.close();
  entry.ledger = await openDriverLedger(entry.options);
  opened.set(entry.ledger, entry);
  return entry.ledger;
}

driverContract("simulator", {
  open,
  reopen,
  // The genesis asks for a block a second: the driver's own timer makes it.
  idle: () => {},
  validatorKey: cometbft.sortValidators(validators.map(({ publicKey, power }) => ({ publicKey, power }))),
});
