/** The page checks the chain by itself and compares with other members' nodes; one of them lies. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { genesisTrust, verifyFork } from "@xinglin/verifier";
import type { Browser, Page } from "playwright-core";
import { enrol, launch, PHONE, type Visit, visit } from "./browser.ts";
import type { Peers } from "./peers.ts";
import { openStage, type Patient, type Stage, skip } from "./stage.ts";

let stage: Stage;
let browser: Browser;
let peers: Peers;
let patient: Patient;
let device: Visit;
before(async () => {
  if (skip !== false) return;
  [stage, browser] = await Promise.all([openStage(true), launch()]);
  assert.ok(stage.peers !== undefined);
  peers = stage.peers;
  patient = await stage.newPatient();
  device = await visit(browser, stage);
  await enrol(device.page, patient.link);
});
after(async () => {
  await browser?.close();
  await stage?.close();
});

const fitsPhone = async (page: Page): Promise<void> =>
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= PHONE.width, "no sideways scrolling");

test("it says in words what it checked and how many nodes agreed", { skip }, async () => {
  const { page, complaints } = device;
  const chain = page.locator("details.chain");
  await chain.getByText(/链已核对到区块 \d+。询问的 2 个其他成员节点中，2 个给出相同内容。/).waitFor();
  await chain.locator("summary").click();
  for (const told of [
    /本设备自 \d{4}-\d\d-\d\d 起跟随这条链/,
    /最新核对过的区块：\d+（/,
    /有 1 个验证者，1 个签名/,
    /谁掌握该密钥|密钥/,
  ])
    await chain.getByText(told).first().waitFor();
  await fitsPhone(page);
  assert.deepEqual(complaints, []);
  await page.getByRole("button", { name: "English" }).click();
  await chain
    .getByText(/2 of 2 other members’ nodes show the same/)
    .first()
    .waitFor();
  await chain.getByText(/one validator for now: whoever holds that key could rewrite its history/).waitFor();
  await page.getByRole("button", { name: "中文" }).click();
});

test("a node that can't be reached is said aloud, and a server that stops naming the others does not make them forgotten", {
  skip,
}, async () => {
  const { page } = device;
  await peers.stopHonest();
  await page.route(/\/v1\/peers/, (route) => route.fulfill({ json: { peers: [] } }));
  await page.reload();
  const chain = page.locator("details.chain");
  await chain
    .getByText(/询问的 2 个其他成员节点中，1 个给出相同内容/)
    .first()
    .waitFor();
  await chain.locator("summary").click();
  await chain.getByText(`${peers.urls[0]} 无法连接：它没有确认任何内容`).waitFor();
  await page.unrouteAll({ behavior: "wait" });
  await peers.startHonest();
});

test("a device whose visits used what a day may cost says so, until there is room again", { skip }, async () => {
  const { page, context, complaints } = await visit(browser, stage);
  await enrol(page, (await stage.newPatient()).link);
  await page
    .locator("details.chain")
    .getByText(/链已核对到/)
    .waitFor();
  await page.evaluate(async () => {
    const request = indexedDB.open("xinglin-chain", 1);
    const database = await new Promise<IDBDatabase>((resolve) => {
      request.onsuccess = () => resolve(request.result);
    });
    const table = database.transaction("kept", "readwrite").objectStore("kept");
    const names = table.getAllKeys();
    await new Promise<void>((resolve) => {
      names.onsuccess = () => resolve();
    });
    const name = names.result.find((one) => String(one).endsWith("/looks"));
    const at = Math.floor(Date.now() / 1_000);
    await new Promise<void>((resolve) => {
      table.put([{ at, bytes: 1_000_000 }], name as IDBValidKey).onsuccess = () => resolve();
    });
  });
  await page.reload();
  const chain = page.locator("details.chain");
  await chain.getByText("今天核对链的 1 MB 流量已在先前访问中用完").waitFor();
  await fitsPhone(page);
  await page.getByRole("button", { name: "English" }).click();
  await chain.getByText("Earlier visits used today’s 1 MB").waitFor();
  await fitsPhone(page);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a device that was off for too long wants a checkpoint, and takes nothing else for one", { skip }, async () => {
  const { page, context } = await visit(browser, stage);
  await enrol(page, (await stage.newPatient()).link);
  await page
    .locator("details.chain")
    .getByText(/链已核对到/)
    .waitFor();
  await page.clock.setFixedTime(Date.now() + 40 * 86_400_000);
  await page.reload();
  const notice = page.getByRole("status").filter({ hasText: "太久没有核对过这条链" });
  await notice.getByText(/已过去 4\d 天；超过 30 天/).waitFor();
  await notice.getByRole("textbox").fill("12345");
  await notice.getByRole("button", { name: "这是我信任的人告诉我的" }).click();
  await page.getByText("这不是检查点").waitFor();
  await fitsPhone(page);
  await context.close();
});

test("a lying node raises the alarm, which stays, and nothing is verified or signed under it", { skip }, async (t) => {
  const { page } = device;
  peers.lieFrom(stage.ledger.height());
  await page.reload();
  const alarm = page.getByRole("alert").filter({ hasText: "警报：有节点说谎" });
  await alarm.getByText(/两个节点给出了这条链的两段不同历史/).waitFor();
  await fitsPhone(page);

  await t.test("the proof can be saved, and convinces a stranger", async () => {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      alarm.getByRole("button", { name: /保存证明/ }).click(),
    ]);
    const file = new Uint8Array(await readFile((await download.path()) as string));
    const verdict = await verifyFork(file, { genesis: genesisTrust(stage.ledger.genesis) });
    assert.ok(verdict.ok, JSON.stringify(verdict));
    assert.equal(verdict.sides[0].kind, "lunatic");
  });
  await t.test("nothing is verified", async () => {
    await page.getByRole("button", { name: "验证整个列表" }).click();
    await page.getByRole("alert").getByText("查清之前，什么都无法验证").waitFor();
  });
  await t.test("nothing is signed", async () => {
    await page.getByRole("link", { name: "授权", exact: true }).click();
    await page.getByRole("button", { name: "新的授权" }).click();
    await page.getByLabel("对哪家机构").selectOption("hospital-b");
    await page.getByLabel("影像").check();
    await page.getByRole("button", { name: "签署授权" }).click();
    await page.getByText("查清之前不会签署任何内容").waitFor();
    await alarm.waitFor();
  });
  await t.test("it stays, though the node is honest again", async () => {
    peers.lieFrom(undefined);
    await page.reload();
    await alarm.waitFor();
    await page.getByRole("button", { name: "English" }).click();
    await page
      .getByRole("alert")
      .filter({ hasText: "ALARM: a node lied" })
      .getByRole("button", { name: /Save the proof/ })
      .waitFor();
  });
});
