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

// The charts of the stage are drawn, have a description, and stay as they are while the rest is
// refreshed.
const charted = await open({}, "operation?hours=1");
const chart = charted.getByRole("img", { name: "Detecting silence: Runs" });
await chart.waitFor();
assert.match(await chart.locator("desc").textContent(), /^At most [\d.]+ running and [\d.]+ ready; \d+ failed\.$/);
assert((await chart.locator("path.running").boundingBox()).height > 0, "nothing is running in the chart");
const values = charted.locator("#history-silence_detection-values");
await values.getByText("Values").click();
await values.getByRole("cell").first().waitFor();
await chart.evaluate((svg) => (svg.isFirst = true));
const isRefreshed = (request) => request.url() === `${url}/operation?hours=1&charts=no`;
await charted.waitForRequest(isRefreshed);
await charted.waitForResponse((response) => isRefreshed(response.request()));
assert(await chart.evaluate((svg) => svg.isFirst === true), "the charts were replaced");
// When the page comes into view again, the charts are, too, and what was opened stays open.
await charted.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
await charted.waitForFunction(() => {
  const image = document.querySelector("#history-silence_detection-values")?.parentElement?.querySelector("svg.chart");
  return image && !("isFirst" in image);
});
assert(await values.evaluate((details) => details.open), "the values were closed");

// Periods are links.
await charted.getByRole("link", { name: "7 days" }).click();
await charted.waitForURL(`${url}/operation?hours=168`);
assert.equal(await charted.getByRole("link", { name: "7 days" }).getAttribute("aria-current"), "true");

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

const plainCharts = await open({ javaScriptEnabled: false }, "operation?hours=24");
await plainCharts.getByRole("img", { name: "Detecting silence: Duration" }).waitFor();
await plainCharts.getByRole("link", { name: "30 days" }).click();
await plainCharts.waitForURL(`${url}/operation?hours=720`);

const german = await open({ locale: "de-DE" });
assert.equal(await german.locator("html").getAttribute("lang"), "de");
await german.getByRole("heading", { name: "Betrieb" }).waitFor();

// Nothing is wider than a phone.
const phone = await open({ viewport: { width: 390, height: 800 } });
const width = await phone.evaluate(() => document.documentElement.scrollWidth);
assert(width <= 390, `${width} px on a phone`);
await phone.locator("#history-silence_detection-values summary").click();
const openWidth = await phone.evaluate(() => document.documentElement.scrollWidth);
assert(openWidth <= 390, `${openWidth} px on a phone with values`);

await send("DELETE", `/jobs/${job.job_id}`);
await browser.close();
// Chromium reports requests without a network itself.
assert.deepEqual(errors.filter((error) => !error.includes("ERR_INTERNET_DISCONNECTED")), []);
console.log("chromium: the page for operators follows what happens");
