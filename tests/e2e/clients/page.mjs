// Executes every operation of the page /docs in Chromium as it is prefilled, in the order in
// which a job lives.
//
//     node page.mjs CHROMIUM URL
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { storeFiles } from "./files.mjs";

const [executablePath, url] = process.argv.slice(2);

// The operations that store the output of a stage while its lease is held.
const OUTPUTS = {
  silence_detection: ["putSilenceRegions"],
  transcription: ["putTranscript", "appendTranscript", "appendLog", "reportProgress"],
  content_analysis: ["putContentSegments"],
  segmentation: ["putClips"],
  compilation: [],
};

// Status of the successful responses that are not 200.
const STATUS = {
  createJob: 201,
  createUpload: 201,
  createWorkUpload: 201,
  appendTranscript: 201,
  addClip: 201,
  appendLog: 201,
  deleteTranscriptSegment: 204,
  deleteContentSegment: 204,
  deleteClip: 204,
  deleteJob: 204,
  deleteSession: 204,
  watchJob: 101,
  getTusOptions: 204,
  createTusUpload: 201,
  getTusUploadOptions: 204,
  appendTusUpload: 204,
  deleteTusUpload: 204,
  overrideTusMethod: 204,
};

const document = await (await fetch(`${url}/openapi.json`)).json();
const operations = new Map();
// The section of the page that has an operation.
const sections = new Map();
for (const [path, item] of Object.entries(document.paths)) {
  for (const [method, { operationId, tags }] of Object.entries(item)) {
    operations.set(operationId, [path, method]);
    sections.set(operationId, tags[0]);
  }
}

const browser = await chromium.launch({
  executablePath,
  // Chromium has no sandbox for root.
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});
const page = await browser.newPage();
const errors = [];
page.on("pageerror", (error) => errors.push(String(error)));
page.on("console", (message) => {
  if (message.type() === "error") errors.push(message.text());
});

const executed = new Set();
// The only section that is open, and the operations in it that are being tried out.
let shown;
const tried = new Set();

const toggle = (section) => page.locator(`.opblock-tag[data-tag="${section}"]`).click();

// Opens a section and closes the one before: after each action, the page renders all that is open.
async function show(section) {
  if (section === shown) return;
  if (shown) await toggle(shown);
  await toggle(section);
  shown = section;
  tried.clear();
}

// Executes an operation as the page has prefilled it; returns the JSON of the response.
async function execute(id) {
  await show(sections.get(id));
  const block = page.locator(`.opblock[id$="-${id}"]`);
  const summary = block.locator(".opblock-summary-control");
  await page.evaluate((operation) => ui.specActions.clearResponse(...operation), operations.get(id));
  await summary.click();
  if (!tried.has(id)) await block.locator(".try-out__btn").click();
  tried.add(id);
  await block.locator("button.execute").click();
  const status = await block.locator(".live-responses-table tbody .response-col_status").innerText();
  assert.equal(parseInt(status), STATUS[id] ?? 200, `${id}: ${await block.innerText()}`);
  executed.add(id);
  // Many open operations make the page slow.
  await summary.click();
  const text = await page.evaluate(
    (operation) => ui.specSelectors.responseFor(...operation).get("text"),
    operations.get(id),
  );
  return typeof text === "string" && /^[{[]/.test(text) ? JSON.parse(text) : undefined;
}

async function executeAll(...ids) {
  for (const id of ids) await execute(id);
}

// With and without a slash at the end.
await page.goto(`${url}/docs`);
await page.locator(".opblock").first().waitFor();
assert.equal(page.url(), `${url}/docs`);
await page.goto(`${url}/docs/`);
await page.locator(".opblock").nth(operations.size - 1).waitFor();
assert.equal(page.url(), `${url}/docs`);

assert.equal(await page.locator(".opblock").count(), operations.size);
// The page would be painted again in every frame of a transition.
await page.addStyleTag({ content: "*, *::before, *::after { transition: none !important }" });
await page.locator(".models-control").click();
for (const section of new Set(sections.values())) await toggle(section);
await page.locator(".opblock").first().waitFor({ state: "detached" });

await executeAll("getOpenapi", "getHealth", "getReadiness", "getMetrics", "listAudit");
await executeAll("pauseStage", "resumeStage", "getWorkStats", "getWorkHistory", "listWorkers");
await executeAll("getSession", "createSession", "deleteSession");

const { job_id } = await execute("createUpload");
await executeAll("createUploadUrl", "putObject", "confirmUpload", "getJob", "listJobs", "listStages", "getEvents");
const snapshot = await execute("watchJob");
assert.equal(snapshot.type, "snapshot");
assert.equal(snapshot.job_id, job_id);
const { token } = await execute("createWatchToken");
assert.match(token, /^lwt_/);
const latest = await execute("getAllEvents");
assert.equal(typeof latest.next_cursor, "string");

for (let status; status !== "completed"; ) {
  const { claims } = await execute("claimWork");
  assert.equal(claims[0]?.job.job_id, job_id);
  await executeAll("heartbeat", "listWorkObjects", "createWorkUpload", ...OUTPUTS[claims[0].stage]);
  if (claims[0].stage === "silence_detection") await storeFiles(url, claims[0].lease_id);
  const run = await execute("completeStage");
  assert.equal(run.status, "completed");
  status = run.job_status;
}
// The mode of the example has no stage for it.
await execute("putLayoutAnalysis");

const results = await execute("getResults");
assert.equal(results.job_id, job_id);
assert.equal(results.clips.length, 1);
assert.equal(results.transcript.length, 4);
await executeAll("getTranscript", "getSilenceRegions", "getLayoutAnalysis", "getContentSegments");
await executeAll("getWaveform", "getThumbnails", "getThumbnailPicture");
await executeAll("getClips", "getClipsArchive", "putSubtitles", "getSubtitles", "listLogs", "updateJob", "getStats");
await execute("getObject");

await executeAll("getTranscriptSegment", "getContentSegment");
await executeAll("updateTranscriptSegment", "updateContentSegment");
await executeAll("deleteTranscriptSegment", "deleteContentSegment");
const added = await execute("addClip");
assert.deepEqual(await execute("getClip"), added);
await executeAll("updateClip", "deleteClip");

const queued = await execute("rerunJob");
assert.equal(queued.status, "queued");
const again = await execute("claimWork");
assert.equal(again.claims[0].job.job_id, job_id);
const released = await execute("releaseStage");
assert.equal(released.status, "ready");
await execute("deleteJob");

const other = await execute("createJob");
assert.notEqual(other.job_id, job_id);
await executeAll("cancelJob", "retryJob", "claimWork");
const failed = await execute("failStage");
assert.equal(failed.job_id, other.job_id);
await execute("deleteJob");

await executeAll("getTusOptions", "createTusUpload", "getTusUpload", "getTusUploadOptions");
await executeAll("appendTusUpload", "deleteTusUpload", "createTusUpload", "overrideTusMethod");

assert.deepEqual([...executed].sort(), [...operations.keys()].sort());
assert.deepEqual(errors, []);
await browser.close();
console.log(`Chromium: ${executed.size} operations`);
