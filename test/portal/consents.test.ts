import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { openPointer } from "@xinglin/client";
import { getDirective } from "@xinglin/contracts";
import { genesisTrust, verifyEvidence } from "@xinglin/verifier";
import type { Browser, Page } from "playwright-core";
import { DESK, enrol, launch, PHONE, visit } from "./browser.ts";
import { openStage, type Patient, type Stage, skip } from "./stage.ts";

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

const directiveOf = ({ atA }: Patient, number: number) =>
  getDirective({ get: (key) => stage.ledger.get(key) }, atA.patient, number);

async function grant(page: Page): Promise<void> {
  await page.getByRole("link", { name: "授权", exact: true }).click();
  await page.getByRole("button", { name: "新的授权" }).click();
  await page.getByLabel("对哪家机构").selectOption("hospital-b");
  await page.getByLabel("科研").check();
  await page.getByLabel("影像").check();
  await page.getByLabel("检验").check();
  await page.getByRole("button", { name: "签署授权" }).click();
  await page.getByText("已可证明").waitFor();
  await page.getByRole("button", { name: "完成" }).click();
}

test("reads arrive live; a grant opens, narrowing and revoking close; all of it verifies", { skip }, async () => {
  const { page, context, complaints } = await visit(browser, stage);
  const patient = await stage.newPatient();
  await enrol(page, patient.link);

  assert.equal(await stage.read(patient), "no_directive");
  const refused = page.locator(".access.refused.fresh");
  await refused.getByText("杏林市第二医院的医生想为了诊疗查看您的影像记录（敏感级），被拒绝。").waitFor();
  await refused.getByText("您还没有作出任何授权。").waitFor();

  await grant(page);
  const granted = directiveOf(patient, 1);
  assert.deepEqual(granted?.terms.purposes, ["TREAT", "HRESCH"]);
  assert.deepEqual(granted?.terms.categories, ["laboratory", "imaging"]);
  const [pointer] = granted?.pointers ?? [];
  assert.ok(pointer);
  const opened = await openPointer(
    stage.ledger.chainId,
    pointer.member,
    patient.atA.patient,
    stage.b.hpke.privateKey,
    pointer.sealed,
  );
  assert.deepEqual(opened, { source: "hospital-a", patient: patient.atA.patient, local: patient.atB.patient });

  await page.getByRole("link", { name: "谁看过" }).click();
  assert.equal(await stage.read(patient), undefined);
  const read = page.locator(".access.read.fresh");
  await read.getByText("杏林市第二医院的医生为了诊疗获准查看您的影像记录（敏感级）。").waitFor();
  await read.getByText("为什么是这个结果").click();
  await read.getByText("第 1 号指令（允许）覆盖此次调阅").waitFor();
  await read.getByRole("button", { name: "验证这一条" }).click();
  await read.getByText("第 1 号许可原样存在于链的状态中").waitFor();
  await read.getByText("掌握这一把密钥的人可以改写历史").waitFor();
  await page.getByRole("button", { name: "验证整个列表" }).click();
  await page.getByText("列表完整：链上计数共有 1 次获准查看").waitFor();

  await read.getByRole("link", { name: "我的第 1 号授权" }).click();
  const consent = page.locator(".consent.chosen");
  await consent.getByText("已有 1 次查看依据此授权").waitFor();
  await consent.getByRole("button", { name: "收窄" }).click();
  assert.ok(await consent.getByRole("button", { name: "签署收窄" }).isDisabled(), "nothing is narrower yet");
  assert.equal(await consent.getByLabel("基因与样本库").count(), 0, "nothing is offered that would widen");
  await consent.getByLabel("科研").uncheck();
  await consent.getByLabel("提前结束").selectOption("30");
  await consent.getByRole("button", { name: "签署收窄" }).click();
  await consent.getByText("已可证明").waitFor();
  assert.deepEqual(directiveOf(patient, 1)?.terms.purposes, ["TREAT"]);
  assert.equal(await stage.read(patient, "HRESCH"), "not_permitted");

  await consent.getByRole("button", { name: "撤销" }).click();
  await consent.getByRole("button", { name: "确定撤销" }).click();
  await consent.getByText("已撤销").waitFor();
  await consent.getByText("已可证明").last().waitFor();
  assert.equal(await stage.read(patient), "none_in_force");
  await page.getByRole("link", { name: "谁看过" }).click();
  await page.getByText("您的授权当时都已失效").waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("the exported list holds evidence that verifies offline", { skip }, async () => {
  const { page, context } = await visit(browser, stage);
  const patient = await stage.newPatient();
  await enrol(page, patient.link);
  await grant(page);
  await stage.read(patient);
  await page.getByRole("link", { name: "设置" }).click();
  const waiting = page.waitForEvent("download");
  await page.getByRole("button", { name: "导出列表与证明（JSON）" }).click();
  const file = JSON.parse(readFileSync(await (await waiting).path(), "utf8")) as {
    pseudonyms: { patient: string; accesses: unknown[]; evidence: string }[];
  };
  const atA = file.pseudonyms.find((one) => one.patient === patient.atA.patient);
  assert.equal(atA?.accesses.length, 1);
  const verdict = await verifyEvidence(Buffer.from(atA.evidence, "base64url"), { genesis: genesisTrust(stage.ledger.genesis) });
  assert.ok(verdict.ok);
  assert.equal(verdict.proves.length, 3, "the count, the permit, the entry");
  await context.close();
});

test("the page says that it is offline, and catches up when the server is back", { skip }, async () => {
  const { page, context } = await visit(browser, stage);
  const patient = await stage.newPatient();
  await enrol(page, patient.link);
  await stage.stopServer();
  await page.locator(".line.offline").waitFor();
  await stage.startServer();
  await stage.read(patient);
  await page.locator(".line.live").waitFor();
  await page.locator(".access.refused").waitFor();
  await context.close();
});

test("a ledger that stands still and a clock that is off are told with what to do", { skip }, async () => {
  const { page, context } = await visit(browser, stage);
  const patient = await stage.newPatient();
  await enrol(page, patient.link);
  const halted = {
    type: "urn:xinglin:error:ledger_unavailable",
    status: 503,
    code: "ledger_unavailable",
    facts: {},
    retry: true,
  };
  await page.route(/\/v1\/transactions/, (route) =>
    route.fulfill({ status: 503, contentType: "application/problem+json", json: halted }),
  );
  await page.getByRole("link", { name: "授权", exact: true }).click();
  await page.getByRole("button", { name: "新的授权" }).click();
  await page.getByLabel("对哪家机构").selectOption("hospital-b");
  await page.getByLabel("影像").check();
  await page.getByRole("button", { name: "签署授权" }).click();
  await page.getByRole("alert").getByText("账本暂时停止").waitFor();
  assert.equal(directiveOf(patient, 1), undefined);

  await page.unrouteAll();
  await page.route(/\/v1\/status/, async (route) => {
    const answer = await route.fetch();
    const date = new Date(Date.now() + 90_000).toUTCString();
    await route.fulfill({ response: answer, headers: { ...answer.headers(), date } });
  });
  await page.reload();
  await page.getByText("设备时间不准").waitFor();
  await page.getByText(/相差 (89|90|91) 秒/).waitFor();
  await page.unrouteAll({ behavior: "wait" });
  await context.close();
});

test("both languages, phone and desk, light and dark: nothing for axe to say, nothing cut off", { skip }, async () => {
  const patient = await stage.newPatient();
  const { page, context } = await visit(browser, stage);
  await page.goto(patient.link);
  await page.getByRole("button", { name: "在本浏览器生成密钥" }).waitFor();
  await inspect(page, "enrol");
  await page.getByRole("button", { name: "在本浏览器生成密钥" }).click();
  await page.locator(".line.live").waitFor();
  await grant(page);
  await stage.read(patient);
  await stage.read(patient, "ETREAT");
  await page.getByRole("link", { name: "授权", exact: true }).click();
  await page.getByRole("button", { name: "新的授权" }).click();
  await inspect(page, "grant");
  for (const [language, tabs] of [
    ["English", ["谁看过", "授权", "换手机", "设置"]],
    ["中文", ["Who looked", "Consents", "New phone", "Settings"]],
  ] as const) {
    for (const [i, tab] of tabs.entries()) {
      await page.getByRole("navigation").getByRole("link", { name: tab }).click();
      if (i === 0) {
        await page
          .locator("details")
          .first()
          .evaluate((element) => element.setAttribute("open", ""));
        await page.locator("section > .actions button").click();
        await page.locator(".notice.good").waitFor();
      }
      if (i === 1) await page.locator(".consent button").first().click();
      if (i === 2) {
        await page.locator("button.primary:enabled").click();
        await page.locator("svg.qr").waitFor();
      }
      await inspect(page, `${language === "English" ? "zh" : "en"}-${i}`);
    }
    await page.getByRole("banner").getByRole("button", { name: language }).click();
  }
  await context.close();
});

/**
 * Looks at the page on a phone in the light and at a desk in the dark, so that each state is seen in both sizes and both schemes. With
 * `SCREENSHOTS=folder` it leaves pictures there.
 */
async function inspect(page: Page, name: string): Promise<void> {
  for (const [size, viewport, colorScheme] of [
    ["phone", PHONE, "light"],
    ["desk", DESK, "dark"],
  ] as const) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // The language changes words, not roles and colours: axe looks at the Chinese page, and at the English one's names on the phone.
    if (!name.startsWith("en") || size === "phone") {
      const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
      const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`));
      assert.deepEqual(found, [], `${name} ${size}`);
    }
    const { wide, small } = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      small: [...document.querySelectorAll("button, select, nav a, summary, .check")]
        .filter((element) => element.getBoundingClientRect().height < 44 && element.getBoundingClientRect().height > 0)
        .map((element) => element.outerHTML.slice(0, 100)),
    }));
    assert.equal(wide, 0, `${name} ${size} is wider than the screen`);
    assert.deepEqual(small, [], `${name} ${size}: too small to touch`);
    const folder = process.env["SCREENSHOTS"];
    if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}-${size}-${colorScheme}.png`, fullPage: true });
  }
  await page.setViewportSize(PHONE);
}
