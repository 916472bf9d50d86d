/** A key that this browser makes and can never give away. Source: design.md, "Identity" (a non-extractable key enrolled by a one-time link). */
import type { PublicKey } from "@xinglin/contracts";
import { type Signer, webCryptoP256Signer } from "@xinglin/crypto";
import type { DeviceKey } from "./holding.ts";

/** Makes a P-256 pair whose private half is not extractable. */
export async function makeDeviceKey(): Promise<{ key: DeviceKey; publicKey: PublicKey }> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  const signer = await webCryptoP256Signer(pair);
  return { key: { kind: "device", pair }, publicKey: { suite: "p256", key: signer.publicKey } };
}

/** Signs with the browser's key. */
export const deviceSigner = ({ pair }: DeviceKey): Promise<Signer> => webCryptoP256Signer(pair);
