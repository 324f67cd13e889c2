// Uses the page of one recording in Chromium: plays, follows, searches and corrects it, changes
// a clip, and watches what workers and other readers do, with and without scripts.
//
//     node recording.mjs CHROMIUM URL RECORDING
//
// RECORDING is a WebM file of 30 seconds with picture and sound.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { chromium } from "playwright-core";
import { storeFiles } from "./files.mjs";

const [executablePath, url, file] = process.argv.slice(2);
const HOSTILE = "<script>alert(1)</script>";
const LINES = 450;

async function send(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`${url}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
  assert(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
  return response.status === 204 ? undefined : response.json();
}

async function upload() {
  const recording = await readFile(file);
  const announced = await send("POST", "/upload", {
    filename: `Lecture ${HOSTILE}.webm`,
    file_size: recording.length,
    content_type: "video/webm",
  });
  const put = await fetch(announced.upload_url, { method: "PUT", body: recording });
  assert(put.ok, `PUT: ${put.status}`);
  await send("POST", "/upload/confirm", { job_id: announced.job_id });
  return announced.job_id;
}

const jobId = await upload();
const job = `/jobs/${jobId}`;
// Jobs of earlier clients may wait in the same database: this one is claimed before them.
await send("PATCH", job, { priority: 1_000_000, video_duration: 30 });
const text = (i) => (i === 333 ? "a needle in it" : i === 7 ? HOSTILE : `sentence ${i}`);
await send("PUT", `${job}/transcripts`, {
  segments: Array.from({ length: LINES }, (_, i) => ({
    start_time: i * 2,
    end_time: i * 2 + 1.5,
    text: text(i),
    speaker_id: i % 2 === 0 ? "Anna" : "Ben",
  })),
});
await send("PUT", `${job}/silence-regions`, {
  regions: [{ start_time: 1.5, end_time: 2, silence_type: "audio_silence" }],
});
await send("PUT", `${job}/content-segments`, {
  segments: [{ start_time: 0, end_time: 20, topic: "Entropy", description: "Why it grows", importance_score: 0.8 }],
});
const clip = (title) => ({ title, start_time: 2, end_time: 3, importance_score: 0.5 });
await send("PUT", `${job}/clips`, { clips: [clip("First clip")] });

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
  const response = await page.goto(`${url}${job}${query}`);
  assert.equal(response.status(), 200);
  return page;
}

const plain = await open({ javaScriptEnabled: false });
const lineOf = (page, name) => page.locator("#lines li").filter({ hasText: name });
assert.equal(await plain.locator("#lines li").count(), 200);
await plain.getByRole("link", { name: "Next lines" }).click();
await lineOf(plain, "sentence 205").waitFor();
assert.equal(await plain.getByRole("button", { name: "Edit" }).count(), 0, "buttons need the script");
await plain.goto(`${url}${job}?q=NEEDLE`);
assert.equal(await plain.locator("#lines li").count(), 1);

const page = await open({});
await page.evaluate(() => (window.isFirst = true));
const media = (property) => page.evaluate((name) => document.querySelector("#media")[name], property);
const position = (seconds) =>
  page.waitForFunction((at) => Math.abs(document.querySelector("#media").currentTime - at) < 0.3, seconds);
await page.getByRole("heading", { name: `Lecture ${HOSTILE}.webm` }).waitFor();
await page.waitForFunction(() => document.querySelector("#media").readyState >= 1);

// The whole transcript is loaded, and only what is in view is laid out.
await page.waitForFunction((count) => document.querySelectorAll("#lines li").length === count, LINES);
await lineOf(page, HOSTILE).waitFor();
await page.getByRole("searchbox").fill("NEEDLE");
await page.getByText("1 line found").waitFor();
assert.deepEqual(await page.locator("#lines li:visible .text").allTextContents(), ["a needle in it"]);
assert.equal(await page.locator("#lines mark").textContent(), "needle");
await page.getByRole("searchbox").fill("");
await lineOf(page, "sentence 0").waitFor();

// A line seeks, and the line that is spoken is marked and in view.
await lineOf(page, "sentence 5").first().getByRole("link").click();
await position(10);
await page.locator("#lines li[aria-current]").filter({ hasText: "sentence 5" }).waitFor();
assert.equal(new URL(page.url()).hash, "#t=10");
const track = page.getByRole("slider");
await track.focus();
await page.keyboard.press("ArrowRight");
await position(15);
await page.keyboard.press("Shift+ArrowLeft");
await position(0);
await page.keyboard.press("End");
await position(30);
const current = page.locator("#lines li[aria-current]").filter({ hasText: "sentence 15" });
await current.waitFor();
const isInView = await current.evaluate((line) => {
  const [inner, outer] = [line.getBoundingClientRect(), line.closest("#lines").getBoundingClientRect()];
  return inner.top >= outer.top && inner.bottom <= outer.bottom;
});
assert(isInView, "the list follows the playback");
await page.keyboard.press("+");
assert.equal(await page.locator("#bars").getAttribute("width"), "200%");
await page.getByRole("button", { name: "Zoom out" }).click();
assert.equal(await page.locator("#bars").getAttribute("width"), "100%");
const { x, y, width } = await page.locator("#bars").boundingBox();
await page.mouse.click(x + width / 2, y + 20);
await position(15);

// A clip is played from the recording, and the playback stops at its end.
const card = page.locator(".clip-card");
await card.getByRole("button", { name: "Play from the recording" }).click();
await page.waitForFunction(() => {
  const media = document.querySelector("#media");
  return media.paused && media.currentTime >= 3;
});
assert((await media("currentTime")) < 4, "it stops at the end of the clip");

// A title is changed in place, and is no markup.
await card.getByRole("button", { name: "Edit" }).click();
await card.getByLabel("Title").fill(HOSTILE);
await card.getByLabel("End").fill("0:04.5");
await card.getByRole("button", { name: "Save" }).click();
await page.getByRole("heading", { name: HOSTILE, level: 3 }).waitFor();
await card.getByText("0:02–0:04").waitFor();
const [changed] = (await send("GET", `${job}/clips`)).clips;
assert.deepEqual([changed.title, changed.start_time, changed.end_time], [HOSTILE, 2, 4.5]);

// A line is corrected in place.
const line = lineOf(page, "sentence 3").first();
await line.hover();
await line.getByRole("button", { name: "Edit this line" }).click();
await line.getByRole("textbox").fill("corrected here");
await line.getByRole("textbox").press("Enter");
await lineOf(page, "corrected here").waitFor();
assert.equal((await send("GET", `${job}/transcripts?q=corrected`)).total, 1);

// What workers and others do appears without a reload by the reader.
const status = page.locator("#summary .status");
await status.filter({ hasText: "Queued" }).waitFor();
const work = { worker: "browser", stages: ["silence_detection"] };
const { claims } = await send("POST", "/work/claim", work);
assert.equal(claims[0].job.job_id, jobId, "the job of the highest priority");
await status.filter({ hasText: "Running" }).waitFor();
await send("PUT", `${job}/clips`, { clips: [clip("First clip"), clip("Second clip")] });
await send("PUT", `${job}/transcripts`, {
  segments: [{ start_time: 0, end_time: 2, text: "a new transcript" }],
});
assert.equal(await page.locator("#waveform, #show-regions, .preview:visible").count(), 0, "without files");
await storeFiles(url, claims[0].lease_id);
await send("PUT", `${job}/layout-analysis`, {
  layout_type: "picture_in_picture",
  confidence_score: 0.9,
  screen_region: { x: 0, y: 0, width: 320, height: 180 },
  stretches: [
    { start_time: 0, end_time: 10, layout_type: "screen_only", confidence_score: 0.9,
      screen_region: { x: 0, y: 0, width: 320, height: 180 } },
    { start_time: 10, end_time: 30, layout_type: "picture_in_picture", confidence_score: 0.9,
      screen_region: { x: 0, y: 0, width: 320, height: 180 },
      camera_region: { x: 240, y: 120, width: 64, height: 48 } },
  ],
});
await send("POST", `/work/${claims[0].lease_id}/complete`, {});
await page.locator("#stages tr[data-stage=silence_detection] .status.completed").waitFor();
await page.getByRole("heading", { name: "Second clip" }).waitFor();
await lineOf(page, "a new transcript").waitFor();
assert.equal(await page.locator("#lines li").count(), 1);

// The waveform is drawn over its time: loud until half of the recording, from -100 to 90. The
// loudest sample fills the row.
await page.waitForFunction(() => document.querySelector("#waveform path")?.getAttribute("d"));
const drawn = await page.locator("#waveform path").evaluate((path) => {
  const inside = (x, y) => path.isPointInFill(new DOMPoint(x, y));
  return [inside(5, -110), inside(5, 122), inside(5, -122), inside(25, -80), inside(25, 0)];
});
assert.deepEqual(drawn, [true, true, false, false, true]);

// A thumbnail is shown where the mouse points, and where keys seek.
const timeline = page.locator("#bars");
await timeline.evaluate((element) => element.scrollIntoView({ block: "center" }));
const bars = await timeline.boundingBox();
const preview = page.locator(".preview");
const shownAt = () =>
  preview.evaluate((element) => {
    const { backgroundPosition, backgroundImage } = getComputedStyle(element.firstElementChild);
    return [backgroundPosition, new URL(backgroundImage.slice(5, -2)).pathname.split("/").pop()];
  });
await page.mouse.move(bars.x + bars.width * 0.75, bars.y + 20);
await preview.getByText("0:22").waitFor();
assert.deepEqual(await shownAt(), ["-160px 0px", "thumbnails.jpg"]);
await page.mouse.move(bars.x + bars.width * 0.1, bars.y + 20);
await preview.getByText("0:03").waitFor();
assert.deepEqual(await shownAt(), ["0px 0px", "thumbnails.jpg"]);
await page.mouse.move(0, 0);
await preview.waitFor({ state: "hidden" });
await track.focus();
await page.keyboard.press("Home");
await preview.getByText("0:00").waitFor();
await page.keyboard.press("Shift+ArrowRight");
await page.waitForFunction(() => /^0:(29|3\d)$/.test(document.querySelector(".preview span").textContent));
assert.deepEqual(await shownAt(), ["-160px 0px", "thumbnails.jpg"]);

// The regions follow the position.
const regions = page.getByRole("button", { name: "Mark screen and camera" });
await regions.click();
await page.locator("#show-regions[aria-pressed=true]").waitFor();
await track.focus();
await page.keyboard.press("Home");
await page.locator(".regions .screen").waitFor({ state: "attached" });
await page.locator(".regions .camera").waitFor({ state: "detached" });
for (const _ of [1, 2, 3]) await page.keyboard.press("ArrowRight");
await position(15);
await page.locator(".regions .camera").waitFor({ state: "attached" });
const [camera, video] = await page.evaluate(() =>
  [".regions .camera", "#media"].map((found) => document.querySelector(found).getBoundingClientRect().toJSON()));
const { videoWidth, videoHeight } = await page.evaluate(() => {
  const { videoWidth, videoHeight } = document.querySelector("#media");
  return { videoWidth, videoHeight };
});
const fitted = Math.min(video.width / videoWidth, video.height / videoHeight);
const left = video.left + (video.width - videoWidth * fitted) / 2;
assert(Math.abs(camera.left - (left + 240 * fitted)) < 3, "the frame is where the camera is");
assert(Math.abs(camera.width - 64 * fitted) < 6, "the frame is as wide as the camera");
await regions.click();
await page.locator(".regions").waitFor({ state: "detached" });

page.on("dialog", (dialog) => void dialog.accept());
const second = card.filter({ hasText: "Second clip" });
await second.getByRole("button", { name: "Delete" }).click();
await second.waitFor({ state: "detached" });
assert.equal((await send("GET", `${job}/clips`)).total, 1);
await page.getByRole("button", { name: "Cancel" }).click();
await status.filter({ hasText: "Cancelled" }).waitFor();
await page.getByRole("button", { name: "Try again" }).click();
await status.filter({ hasText: "Queued" }).waitFor();

const german = await open({ locale: "de-DE", viewport: { width: 390, height: 800 } });
await german.getByRole("heading", { name: "Verlauf" }).waitFor();
const overflow = await german.evaluate(() => document.documentElement.scrollWidth - innerWidth);
assert(overflow <= 0, `the page is ${overflow} pixels wider than a phone`);

await send("DELETE", job);
await page.getByRole("alert").filter({ hasText: "deleted" }).waitFor();
assert(await page.evaluate(() => window.isFirst), "the page was loaded again");
await browser.close();
assert.deepEqual(errors, []);
console.log("chromium: the page of a recording plays, follows, searches and changes it");
