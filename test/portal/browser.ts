/** Chromium and the page in it. */
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { chromiumPath, type Stage } from "./stage.ts";

export const PHONE = { width: 390, height: 844 };
export const DESK = { width: 1280, height: 800 };

export const launch = (): Promise<Browser> =>
  chromium.launch({ ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }), args: ["--no-sandbox"] });

export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Addresses that the page asked for beyond its own server, and what it complained of. */
  readonly foreign: string[];
  readonly complaints: string[];
}

/** A device of its own: nothing is shared with other visits. */
export async function visit(browser: Browser, stage: Stage, viewport = PHONE): Promise<Visit> {
  const context = await browser.newContext({ viewport, permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const foreign: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => {
    const address = request.url();
    if (!address.startsWith(`${stage.url}/`) && !address.startsWith("blob:")) foreign.push(address);
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // A refused request is told in the page; the browser notes it as well.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complaints.push(message.text());
  });
  return { page, context, foreign, complaints };
}

/** Opens a link and enrols a key kept in the browser. */
export async function enrol(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.getByRole("button", { name: "在本浏览器生成密钥" }).click();
  await page.getByRole("heading", { name: "谁看过我的记录" }).waitFor();
  await page.locator(".line.live").waitFor();
}

/** A platform authenticator whose owner always says yes. Returns how often it was asked to sign. */
export async function addAuthenticator({ context, page }: Visit): Promise<() => number> {
  const devtools = await context.newCDPSession(page);
  let signed = 0;
  devtools.on("WebAuthn.credentialAsserted", () => {
    signed += 1;
  });
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return () => signed;
}
