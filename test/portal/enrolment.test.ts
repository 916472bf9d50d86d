import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { getActor } from "@xinglin/contracts";
import type { Browser } from "playwright-core";
import { addAuthenticator, enrol, launch, visit } from "./browser.ts";
import { nowSeconds, openStage, type Patient, type Stage, skip } from "./stage.ts";

let stage: Stage;
let browser: Browser;
before(async () => {
  if (skip !== false) return;
  [stage, browser] = await Promise.all([openStage(), launch()]);
});
after(async () => {
  await browser?.close();
  await stage?.close();
});

const keysOf = ({ atA, atB }: Patient) =>
  [atA, atB].map(({ patient }) => getActor({ get: (key) => stage.ledger.get(key) }, patient)?.keys ?? []);

test("a one-time link becomes a key of its own for each pseudonym, which no script can read", { skip }, async () => {
  const { page, context, foreign, complaints } = await visit(browser, stage);
  const patient = await stage.newPatient();
  await enrol(page, patient.link);

  assert.equal(page.url(), `${stage.url}/`, "the secret is gone from the address");
  const [atA, atB] = keysOf(patient);
  assert.equal(atA?.[0]?.publicKey.suite, "p256");
  assert.equal(atB?.[0]?.publicKey.suite, "p256");
  assert.notDeepEqual(atA?.[0]?.publicKey.key, atB?.[0]?.publicKey.key, "no key joins two pseudonyms");
  const stored = await page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open("xinglin-wallet");
      request.onsuccess = () => resolve(request.result);
    });
    const holdings = await new Promise<{ key: { pair: CryptoKeyPair } }[]>((resolve) => {
      const request = database.transaction("holdings").objectStore("holdings").getAll();
      request.onsuccess = () => resolve(request.result);
    });
    return Promise.all(
      holdings.map(async ({ key: { pair } }) => ({
        extractable: pair.privateKey.extractable,
        exported: await crypto.subtle.exportKey("pkcs8", pair.privateKey).then(
          () => true,
          () => false,
        ),
      })),
    );
  });
  assert.deepEqual(stored, Array(2).fill({ extractable: false, exported: false }));

  // The key is still there after the browser was closed to all appearances.
  await page.reload();
  await page.locator(".line.live").waitFor();
  assert.deepEqual(foreign, []);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a passkey enrols, is asked once a session, and signs a consent", { skip }, async () => {
  const opened = await visit(browser, stage);
  const { page, context, foreign, complaints } = opened;
  await page.goto(`${stage.url}/favicon.svg`);
  const prompts = await addAuthenticator(opened);
  const patient = await stage.newPatient();
  await page.goto(patient.link);
  await page.getByRole("button", { name: "使用通行密钥" }).click();
  await page.getByRole("button", { name: "解锁" }).click();
  await page.locator(".line.live").waitFor();
  assert.deepEqual(
    keysOf(patient).map((keys) => keys.map(({ publicKey }) => publicKey.suite)),
    [["webauthn"], ["webauthn"]],
  );
  assert.equal(prompts(), 2, "one session for each pseudonym");

  await page.getByRole("link", { name: "授权" }).click();
  await page.getByRole("button", { name: "新的授权" }).click();
  await page.getByLabel("对哪家机构").selectOption("hospital-b");
  await page.getByLabel("影像").check();
  await page.getByRole("button", { name: "签署授权" }).click();
  await page.getByText("已可证明").waitFor();
  assert.equal(prompts(), 3, "one more for the consent");
  assert.equal(await stage.read(patient), undefined);
  await page.getByRole("link", { name: "谁看过" }).click();
  await page.locator(".access.read").waitFor();
  await page.getByRole("button", { name: "验证整个列表" }).click();
  await page.getByText("验证通过").waitFor();
  assert.equal(prompts(), 3, "none for looking and verifying");

  // A page that is opened again asks nothing of the authenticator until its owner does.
  await page.reload();
  await page.getByRole("button", { name: "解锁" }).waitFor();
  assert.equal(prompts(), 3);
  assert.deepEqual(foreign, []);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a link that was used, replaced, over or broken is refused with what to do", { skip }, async () => {
  const patient = await stage.newPatient();
  const first = await visit(browser, stage);
  await enrol(first.page, patient.link);
  await first.context.close();

  const second = await visit(browser, stage);
  await second.page.goto(patient.link);
  await second.page.getByRole("button", { name: "在本浏览器生成密钥" }).click();
  await second.page.getByRole("heading", { name: "这个链接已经用过了" }).waitFor();
  await second.page.getByText("索取新的链接").waitFor();
  assert.equal(keysOf(patient)[0]?.length, 1);

  const expiring = await stage.newPatient(2);
  await second.page.goto("about:blank");
  await second.page.goto(expiring.link);
  // A block's time is what counts: wait until one is past the link's end.
  const end = nowSeconds() + 3;
  while (nowSeconds() <= end) await second.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
  await second.page.getByRole("button", { name: "在本浏览器生成密钥" }).click();
  await second.page.getByRole("heading", { name: "这个链接已经过期" }).waitFor();

  await second.page.goto("about:blank");
  await second.page.goto(patient.link.slice(0, -20));
  await second.page.getByText("这个链接不完整").waitFor();
  await second.page.getByText("一次性链接或二维码").waitFor();
  await second.context.close();
});

test("a new phone takes over by a link, and the old one learns that its key is retired", { skip }, async () => {
  const old = await visit(browser, stage);
  const fresh = await visit(browser, stage);
  const patient = await stage.newPatient();
  await enrol(old.page, patient.link);
  await old.page.getByRole("link", { name: "换手机" }).click();
  await old.page.getByRole("button", { name: "为新手机生成链接" }).click();
  await old.page.getByRole("img", { name: "新手机登记二维码" }).waitFor();
  await old.page.getByRole("button", { name: "复制链接" }).click();
  const link = await old.page.evaluate(() => navigator.clipboard.readText());
  assert.match(link, new RegExp(`^${stage.url}/#enrol=`));

  await enrol(fresh.page, link);
  await old.page.getByText("这台设备的密钥已被更换").waitFor();
  for (const keys of keysOf(patient))
    assert.deepEqual(
      keys.map(({ until }) => until === undefined),
      [false, true],
    );
  assert.deepEqual([...old.complaints, ...fresh.complaints], []);
  await old.context.close();

  // And the way of a patient whose phone is gone: the registrar's link.
  const third = await visit(browser, stage);
  await enrol(third.page, await stage.recover(patient));
  await fresh.page.getByText("这台设备的密钥已被更换").waitFor();
  await fresh.context.close();
  await third.context.close();
});
