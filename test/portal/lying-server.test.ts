import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { decodeGenesis, encodeGenesis } from "@xinglin/contracts";
import type { Browser, Page } from "playwright-core";
import { enrol, launch, visit } from "./browser.ts";
import { nowSeconds, openStage, type Stage, skip } from "./stage.ts";

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

interface Row {
  permit?: number;
  purpose: string;
  by: { member: string };
  outcome: string;
  code?: string;
}
type Lie = (answer: { items: Row[] }) => void;

/** Between the page and its server: changes what the lists of accesses say. */
async function lieAbout(page: Page, path: string, change: (answer: never) => void): Promise<void> {
  await page.route(new RegExp(path), async (route) => {
    const answer = await route.fetch();
    const told = await answer.json();
    change(told as never);
    await route.fulfill({ response: answer, json: told });
  });
}

const LIES: readonly { readonly name: string; readonly lie: Lie; readonly told: string }[] = [
  {
    name: "withholds a read",
    lie: (answer) =>
      answer.items.splice(
        answer.items.findIndex(({ permit }) => permit === 1),
        1,
      ),
    told: "第 1 次没有显示",
  },
  {
    name: "names another institution",
    lie: ({ items }) => Object.assign(items.find(({ permit }) => permit === 2)?.by ?? {}, { member: "hospital-a" }),
    told: "这一条的“机构”与链上不同",
  },
  {
    name: "names another purpose",
    lie: ({ items }) => Object.assign(items.find(({ permit }) => permit === 2) ?? {}, { purpose: "HRESCH" }),
    told: "这一条的“目的”与链上不同",
  },
  {
    name: "changes why a read was refused",
    lie: ({ items }) => Object.assign(items.find(({ outcome }) => outcome === "refused") ?? {}, { code: "denied" }),
    told: "这一条的“拒绝原因”与链上不同",
  },
];

test("a server that lies about the list is caught and named", { skip }, async (t) => {
  const { page, context } = await visit(browser, stage);
  const patient = await stage.newPatient();
  await enrol(page, patient.link);
  assert.equal(await stage.read(patient), "no_directive");
  await page.getByRole("link", { name: "授权", exact: true }).click();
  await page.getByRole("button", { name: "新的授权" }).click();
  await page.getByLabel("对哪家机构").selectOption("hospital-b");
  await page.getByLabel("影像").check();
  await page.getByRole("button", { name: "签署授权" }).click();
  await page.getByText("已可证明").waitFor();
  assert.equal(await stage.read(patient), undefined);
  assert.equal(await stage.read(patient), undefined);
  await page.getByRole("link", { name: "谁看过" }).click();

  await t.test("honest, it passes", async () => {
    await page.reload();
    await page.getByRole("button", { name: "验证整个列表" }).click();
    await page.getByText("链上计数共有 2 次获准查看").waitFor();
  });
  for (const { name, lie, told } of LIES)
    await t.test(name, async () => {
      await page.unrouteAll({ behavior: "wait" });
      await lieAbout(page, `/v1/patients/${patient.atA.patient}/accesses`, lie);
      await page.reload();
      await page.getByRole("button", { name: "验证整个列表" }).click();
      const alert = page.getByRole("alert");
      await alert.getByText("验证失败：服务器显示的内容与链上不符").waitFor();
      await alert.getByText(told).waitFor();
    });
  await t.test("gives an institution another name", async () => {
    await page.unrouteAll({ behavior: "wait" });
    await lieAbout(page, "/v1/members", (members: { id: string; name: { zh: string } }[]) => {
      for (const member of members) if (member.id === "hospital-b") member.name.zh = "杏林市中医院";
    });
    await page.reload();
    await page.getByRole("button", { name: "验证整个列表" }).click();
    await page.getByRole("alert").getByText("的名称与链上登记不同").waitFor();
  });
  await t.test("widens a consent that it shows", async () => {
    await page.unrouteAll({ behavior: "wait" });
    await lieAbout(
      page,
      `/v1/patients/${patient.atA.patient}/consents`,
      ({ items }: { items: { terms: { notAfter: number } }[] }) => {
        for (const { terms } of items) terms.notAfter = nowSeconds() + 60;
      },
    );
    await page.reload();
    await page.getByRole("button", { name: "验证整个列表" }).click();
    await page.getByRole("alert").getByText("您的第 1 号授权的“内容”与链上不同").waitFor();
  });
  await t.test("answers with a proof that was tampered with", async () => {
    await page.unrouteAll({ behavior: "wait" });
    await page.route(/\/v1\/state\?key=access/, async (route) => {
      const answer = await route.fetch();
      const body = Buffer.from(await answer.body());
      // Within the value: the permit would say something else.
      const at = body.indexOf("TREAT");
      if (at > 0) body.write("ETREA", at);
      await route.fulfill({ response: answer, body });
    });
    await page.reload();
    await page.getByRole("button", { name: "验证整个列表" }).click();
    await page.getByRole("alert").getByText("服务器给出的证明不成立").waitFor();
  });
  await page.unrouteAll({ behavior: "wait" });
  await context.close();
});

test("a server that only pretends to have revoked a consent is found out", { skip }, async () => {
  const { page, context } = await visit(browser, stage);
  const patient = await stage.newPatient();
  await enrol(page, patient.link);
  await page.getByRole("link", { name: "授权", exact: true }).click();
  await page.getByRole("button", { name: "新的授权" }).click();
  await page.getByLabel("对哪家机构").selectOption("hospital-b");
  await page.getByLabel("影像").check();
  await page.getByRole("button", { name: "签署授权" }).click();
  await page.getByText("已可证明").waitFor();
  // The transaction is kept back, and the answer made up.
  const height = stage.ledger.provableHeight();
  const results = [{ operation: "revokeConsent", outcome: "accepted", subject: { number: 1 }, sequence: 0 }];
  const receipt = { id: "00".repeat(32), height, time: nowSeconds(), results };
  await page.route(/\/v1\/transactions/, (route) => route.fulfill({ json: { id: receipt.id, receipt } }));
  await page.route(/\/v1\/receipts/, (route) => route.fulfill({ json: receipt }));
  const consent = page.locator(".consent");
  await consent.getByRole("button", { name: "撤销" }).click();
  await consent.getByRole("button", { name: "确定撤销" }).click();
  await consent.getByRole("alert").getByText("与您签署的不同").waitFor();
  await context.close();
});

test("a server with another chain than the link's is found out", { skip }, async () => {
  const { page, context } = await visit(browser, stage);
  const patient = await stage.newPatient();
  await enrol(page, patient.link);
  // The same page and keys, but a genesis in which the time is another: its hash is not the one in the link's chain id.
  const other = encodeGenesis({ ...decodeGenesis(stage.ledger.genesis), time: nowSeconds() });
  await page.route(/\/v1\/genesis/, (route) => route.fulfill({ body: Buffer.from(other), contentType: "application/cbor" }));
  await page.reload();
  await page.getByRole("button", { name: "验证整个列表" }).click();
  await page.getByText("服务器运行的不是您登记时的那条链").waitFor();
  // Nothing is signed for it either.
  await page.getByRole("link", { name: "授权", exact: true }).click();
  await page.getByRole("button", { name: "新的授权" }).click();
  await page.getByLabel("对哪家机构").selectOption("hospital-b");
  await page.getByLabel("影像").check();
  await page.getByRole("button", { name: "签署授权" }).click();
  await page.getByRole("alert").filter({ hasText: "没有成功" }).getByText("不是您登记时的那条链").waitFor();
  await context.close();
});
