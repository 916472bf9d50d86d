import assert from "node:assert/strict";
import { test } from "node:test";
import { hpkeKeyPair } from "@xinglin/crypto";
import type { ActorId, MemberId } from "@xinglin/primitives";
import { openPointer, sealPointer } from "../src/pointers.ts";

const patient = "11".repeat(16) as ActorId;
const local = "22".repeat(16) as ActorId;
const source = "hospital-a" as MemberId;
const grantee = "hospital-b" as MemberId;
const chain = "xinglin-0123456789abcdef";

test("a pointer opens for the member it was sealed to, and for no other member, patient, chain or key", async () => {
  const { publicKey, privateKey } = await hpkeKeyPair();
  const { member, sealed } = await sealPointer(chain, { id: grantee, hpke: publicKey }, { source, patient, local });
  assert.equal(member, grantee);
  assert.deepEqual(await openPointer(chain, grantee, patient, privateKey, sealed), { source, patient, local });
  assert.ok(!Buffer.from(sealed).includes(local) && !Buffer.from(sealed).includes(patient), "nobody else can join the two");

  await assert.rejects(openPointer("another", grantee, patient, privateKey, sealed));
  await assert.rejects(openPointer(chain, "hospital-c" as MemberId, patient, privateKey, sealed));
  await assert.rejects(openPointer(chain, grantee, local, privateKey, sealed));
  await assert.rejects(openPointer(chain, grantee, patient, (await hpkeKeyPair()).privateKey, sealed));
  for (const at of [0, 1120, sealed.length - 1]) {
    const changed = sealed.map((byte, i) => (i === at ? byte ^ 1 : byte));
    await assert.rejects(openPointer(chain, grantee, patient, privateKey, changed), `byte ${at}`);
  }
});
