// Watches the page for operators in Chromium while a stage is claimed, paused, resumed and failed,
// with and without scripts, in two languages.
//
//     node operation.mjs CHROMIUM URL
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [executablePath, url] = process.argv.slice(2);

async function send(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`${url}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
  assert(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
  return response.status === 204 ? undefined : response.json();
}

const browser = await chromium.launch({
  executablePath,
  // Chromium has no sandbox for root.
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});
const errors = [];

async function open(options, path = "operation") {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  const response = await page.goto(`${url}/${path}`);
  assert.equal(response.status(), 200);
  return page;
}

const start = await open({}, "");
await start.getByRole("link", { name: "Operation" }).click();
await start.waitForURL(/\/operation$/);

const page = await open({});
await page.evaluate(() => (window.isFirst = true));
const stage = (of = page) => of.locator('[data-stage="silence_detection"]');
const isPaused = async () => {
  const { stages } = await send("GET", "/work/stats");
  return stages.find((entry) => entry.stage === "silence_detection").paused_at !== null;
};

// What happens is shown without a reload by the reader.
const job = await send("POST", "/jobs", {
  filename: "Operated <b>talk</b>.mp4",
  file_size: 734003200,
  s3_key: "talks/talk.mp4",
  // Jobs of earlier clients may wait in the same database: this one is claimed before them.
  priority: 1_000_000,
});
const work = { worker: "browser-worker", stages: ["silence_detection"] };
const { claims } = await send("POST", "/work/claim", work);
assert.equal(claims[0].job.job_id, job.job_id, "the job of the highest priority");
const held = page.getByRole("row").filter({ hasText: "browser-worker" });
await held.waitFor();
assert.match(await held.getByRole("link").getAttribute("href"), new RegExp(`^jobs/${job.job_id}$`));
await stage().getByRole("img", { name: /^Running 1, / }).waitFor();

// A button changes the stage without leaving the page, and keeps the focus.
await stage().getByRole("button", { name: "Pause: Detecting silence" }).click();
const resume = stage().getByRole("button", { name: "Resume: Detecting silence" });
await resume.waitFor();
assert(await isPaused());
assert(await resume.evaluate((button) => button === document.activeElement), "the focus is lost");
await stage().getByText("Paused").waitFor();
await resume.press("Enter");
await stage().getByRole("button", { name: "Pause: Detecting silence" }).waitFor();
assert(!(await isPaused()));

const failure = { error: "no <i>sound</i> in the recording", retryable: false };
await send("POST", `/work/${claims[0].lease_id}/fail`, failure);
const failed = page.getByRole("row").filter({ hasText: "Operated <b>talk</b>.mp4" });
await failed.filter({ hasText: "no <i>sound</i> in the recording" }).waitFor();
await held.waitFor({ state: "detached" });

// Without a server, the page says that it is old, and goes on when it is back.
await page.context().setOffline(true);
await page.getByText("The server does not respond").waitFor();
await page.context().setOffline(false);
await page.getByText("The server does not respond").waitFor({ state: "detached" });
assert(await page.evaluate(() => window.isFirst), "the page was loaded again");

// Without scripts, the button leads back to the page.
const plain = await open({ javaScriptEnabled: false });
await stage(plain).getByRole("button", { name: "Pause: Detecting silence" }).click();
await plain.waitForURL(`${url}/operation`);
await stage(plain).getByRole("button", { name: "Resume: Detecting silence" }).click();
await stage(plain).getByRole("button", { name: "Pause: Detecting silence" }).waitFor();
assert(!(await isPaused()));

const german = await open({ locale: "de-DE" });
assert.equal(await german.locator("html").getAttribute("lang"), "de");
await german.getByRole("heading", { name: "Betrieb" }).waitFor();

// Nothing is wider than a phone.
const phone = await open({ viewport: { width: 390, height: 800 } });
const width = await phone.evaluate(() => document.documentElement.scrollWidth);
assert(width <= 390, `${width} px on a phone`);

await send("DELETE", `/jobs/${job.job_id}`);
await browser.close();
// Chromium reports requests without a network itself.
assert.deepEqual(errors.filter((error) => !error.includes("ERR_INTERNET_DISCONNECTED")), []);
console.log("chromium: the page for operators follows what happens");
