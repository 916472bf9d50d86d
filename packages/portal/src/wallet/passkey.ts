/**
 * Passkeys of this device: the private key is the authenticator's, and each signature needs the owner's finger, face or PIN.
 * Source: W3C WebAuthn Level 3, sections 5.1.3 and 5.1.4; `@xinglin/crypto` (webauthn suite).
 */
import type { Genesis, PublicKey } from "@xinglin/contracts";
import { compressP256, encodeAssertion, randomBytes, type Signer, webauthnChallenge } from "@xinglin/crypto";
import { sha256 } from "@xinglin/crypto/pure";
import { type Bytes, equal, Fault, utf8 } from "@xinglin/primitives";
import type { Attention } from "./attention.ts";
import type { PasskeyKey } from "./holding.ts";

const ES256 = -7;
/** SubjectPublicKeyInfo of a P-256 key ends with the uncompressed point. */
const POINT_BYTES = 65;

/** Why no passkey can be made here: the browser or device has none, or the consortium does not know this address. */
export type PasskeyGap = "no_authenticator" | "other_address";

/** Whether this device and this address can make passkeys that the consortium accepts; undefined if so. */
export async function passkeyGap({ parameters }: Genesis): Promise<PasskeyGap | undefined> {
  const { origins, rpIdHash } = parameters.webauthn;
  if (!origins.includes(location.origin) || !equal(rpIdHash, sha256(utf8(location.hostname)))) return "other_address";
  const isThere = await globalThis.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable?.();
  return isThere === true ? undefined : "no_authenticator";
}

/** Makes a passkey under a name that its owner will recognise. Throws `Fault("passkey_refused")` if the owner or the device says no. */
export async function makePasskey(name: string, attention: Attention): Promise<{ key: PasskeyKey; publicKey: PublicKey }> {
  const credential = await attention.ask(() =>
    prompt(() =>
      navigator.credentials.create({
        publicKey: {
          rp: { id: location.hostname, name },
          user: { id: buffer(randomBytes(16)), name, displayName: name },
          challenge: buffer(randomBytes(32)),
          pubKeyCredParams: [{ type: "public-key", alg: ES256 }],
          authenticatorSelection: {
            authenticatorAttachment: "platform",
            residentKey: "preferred",
            userVerification: "required",
          },
          attestation: "none",
        },
      }),
    ),
  );
  const response = credential.response as AuthenticatorAttestationResponse;
  const spki = response.getPublicKeyAlgorithm() === ES256 ? response.getPublicKey() : null;
  if (spki === null) throw new Fault("passkey_refused");
  const publicKey = compressP256(new Uint8Array(spki).slice(-POINT_BYTES));
  const key: PasskeyKey = { kind: "passkey", credentialId: new Uint8Array(credential.rawId), publicKey };
  return { key, publicKey: { suite: "webauthn", key: publicKey } };
}

/** Signs with a passkey while its owner is at hand. */
export const passkeySigner = ({ credentialId, publicKey }: PasskeyKey, attention: Attention): Signer => ({
  suite: "webauthn",
  publicKey,
  sign: (message) =>
    attention.ask(async () => {
      const credential = await prompt(() =>
        navigator.credentials.get({
          publicKey: {
            rpId: location.hostname,
            challenge: buffer(webauthnChallenge(message)),
            allowCredentials: [{ type: "public-key", id: buffer(credentialId) }],
            userVerification: "required",
          },
        }),
      );
      const { authenticatorData, clientDataJSON, signature } = credential.response as AuthenticatorAssertionResponse;
      return encodeAssertion({
        authenticatorData: new Uint8Array(authenticatorData),
        clientDataJSON: new Uint8Array(clientDataJSON),
        signature: new Uint8Array(signature),
      });
    }),
});

async function prompt(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  let credential: Credential | null;
  try {
    credential = await ask();
  } catch (cause) {
    throw new Fault("passkey_refused", {}, { cause, retry: true });
  }
  if (credential === null) throw new Fault("passkey_refused", {}, { retry: true });
  return credential as PublicKeyCredential;
}

const buffer = (bytes: Bytes): ArrayBuffer => new Uint8Array(bytes).buffer;
