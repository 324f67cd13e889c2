// Watches the page of recordings in Chromium while jobs are created, claimed, cancelled and
// deleted, with and without scripts, in two languages.
//
//     node recordings.mjs CHROMIUM URL
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [executablePath, url] = process.argv.slice(2);

async function send(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`${url}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
  assert(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
  return response.status === 204 ? undefined : response.json();
}

// Jobs of earlier clients may wait in the same database: this one is claimed before them.
const create = (filename) =>
  send("POST", "/jobs", { filename, file_size: 734003200, s3_key: "talks/talk.mp4", priority: 1_000_000 });

const browser = await chromium.launch({
  executablePath,
  // Chromium has no sandbox for root.
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});
const errors = [];

async function open(options, query = "") {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  const response = await page.goto(`${url}/${query}`);
  assert.equal(response.status(), 200);
  return page;
}

const page = await open({});
const row = (name) => page.getByRole("row").filter({ hasText: name });

// Each change is shown without a reload by the reader.
await page.evaluate(() => (window.isFirst = true));
const talk = await create("Talk <b>one</b> & two.mp4");
await row("Talk <b>one</b> & two.mp4").filter({ hasText: "Queued" }).waitFor();
const work = { worker: "browser", stages: ["silence_detection"] };
const { claims } = await send("POST", "/work/claim", work);
assert.equal(claims[0].job.job_id, talk.job_id, "the job of the highest priority");
await row("Talk").filter({ hasText: "Running" }).waitFor();
await send("POST", `/jobs/${talk.job_id}/cancel`, {});
await row("Talk").filter({ hasText: "Cancelled" }).waitFor();
const other = await create("Another.mp4");
await row("Another.mp4").waitFor();
await send("DELETE", `/jobs/${talk.job_id}`);
await row("Talk").waitFor({ state: "detached" });
assert(await page.evaluate(() => window.isFirst), "the page was loaded again");

// The choice is in the address, and going back undoes it.
await page.getByRole("link", { name: "Failed" }).click();
await page.waitForURL(/status=failed/);
assert.equal(await row("Another.mp4").count(), 0);
await page.goBack();
await row("Another.mp4").waitFor();

const plain = await open({ javaScriptEnabled: false });
assert.equal(await plain.getByRole("row").filter({ hasText: "Another.mp4" }).count(), 1);
const german = await open({ locale: "de-DE" }, "?filename=another");
assert.equal(await german.locator("html").getAttribute("lang"), "de");
await german.getByRole("row").filter({ hasText: "Wartet" }).waitFor();

await send("DELETE", `/jobs/${other.job_id}`);
await browser.close();
assert.deepEqual(errors, []);
console.log("chromium: the page of recordings follows what happens");
