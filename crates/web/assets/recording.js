// @ts-check
// The page of one recording. It is complete without this script, which plays its parts, shows
// the whole transcript, changes what the reader may change, and keeps the page up to date.
import { Refusal, send } from "./api.js";
import { once } from "./busy.js";
import { ClipEdges } from "./clip_edges.js";
import { Clips } from "./clips.js";
import { followEvents } from "./live.js";
import { NewClip } from "./new_clip.js";
import { atMostEvery, fetchPage, required, showLocalTimes } from "./page.js";
import { Player } from "./player.js";
import { Regions } from "./regions.js";
import { SnapTimes } from "./snap_times.js";
import { Thumbnails } from "./thumbnails.js";
import { Timeline } from "./timeline.js";
import { Transcript } from "./transcript.js";
import { Waveform } from "./waveform.js";

/** @typedef {import("./live.js").JobEvent} JobEvent */

/** Lower bound of the time between two requests for the page, in milliseconds. */
const RELOAD_INTERVAL = 1000;
/** The same while only progress is reported: lines may be added to the transcript meanwhile. */
const SLOW_RELOAD_INTERVAL = 10_000;

const recording = required("#recording");
const jobId = recording.dataset.jobId ?? "";
const labels = JSON.parse(recording.dataset.labels ?? "{}");
const mayChange = "mayChange" in recording.dataset;
const job = `../api/v1/jobs/${jobId}`;
const notice = required("#notice");

/** @param {string} text */
function notify(text) {
  notice.textContent = text;
  notice.hidden = text === "";
}

const player = new Player(required("#player"), labels.not_playable, async () => {
  const media = (await fetchPage())?.page?.querySelector("#media");
  return media?.getAttribute("src") ?? undefined;
});
const timeline = new Timeline(required("#timeline"), player);
const waveform = new Waveform(required("#timeline"));
const thumbnails = new Thumbnails(required("#timeline"), player);
const regions = new Regions(player, `${job}/layout-analysis`, labels);
const transcript = new Transcript(required("#transcript"), player, {
  address: `${job}/transcripts`,
  labels,
  mayChange,
  onChange: tellOtherTabs,
});

/** The other tabs of this browser with the recording. */
const otherTabs = new BroadcastChannel(`lectern recording ${jobId}`);
otherTabs.addEventListener("message", () => {
  transcript.expectChange();
  // A page that was asked for before the change lacks it.
  reloads++;
  reloadSoon();
});
window.addEventListener("beforeunload", (event) => {
  if (isUnsaved()) event.preventDefault();
});

let reloads = 0;
/** The last event of each kind since the page was asked for. @type {Map<string, [string, JobEvent]>} */
let sinceRequest = new Map();
const reloadSoon = atMostEvery(RELOAD_INTERVAL, reload);
const reloadSlowly = atMostEvery(SLOW_RELOAD_INTERVAL, reloadSoon);
const changes = {
  async onChange() {
    tellOtherTabs();
    // A page that was asked for before the change lacks it.
    await once(`page ${reloads + 1}`, undefined, reload);
  },
  notify,
};
const clips = new Clips(required("#clips"), job, player, labels, changes);
const edges = mayChange
  ? new ClipEdges(required("#timeline"), timeline, clips, new SnapTimes(`${job}/transcripts`), labels, changes)
  : undefined;
const selection = document.querySelector("#selection");
if (selection instanceof HTMLElement) new NewClip(selection, job, player, clips, labels, changes);

/** Replaces the parts of the page by what the server shows at this address now. */
async function reload() {
  const number = ++reloads;
  const since = (sinceRequest = new Map());
  const response = await fetchPage();
  // A later response is newer.
  if (!response || number !== reloads) return;
  // Overloaded, or without its database.
  if (response.status >= 500) reloadSlowly();
  if (response.status === 404) notify(labels.deleted);
  const page = response.page;
  const part = (/** @type {string} */ selector) => page?.querySelector(selector) ?? undefined;
  const summary = part("#summary");
  if (!page || !summary) return;
  showLocalTimes(page);
  replaceUnlessUsed("#summary", summary);
  replaceStages(part("#stages"));
  for (const [section, shown] of /** @type {const} */ ([
    ["#player", player],
    ["#timeline", edges ?? timeline],
    ["#transcript", transcript],
    ["#clips", clips],
  ])) {
    const found = part(section);
    if (found) shown.replace(found);
  }
  waveform.show();
  thumbnails.show();
  regions.replace(part("#player"));
  // The response may be older than what was shown meanwhile.
  for (const [type, event] of since.values()) apply(type, event);
}

/**
 * Replaces a part of the page, unless the reader is choosing something in it.
 *
 * @param {string} selector
 * @param {Element} part
 */
function replaceUnlessUsed(selector, part) {
  const shown = required(selector);
  const isSame = shown.dataset.status === part.getAttribute("data-status");
  if (isSame && document.activeElement instanceof HTMLSelectElement) return;
  if (!isSame) required("#announcement").textContent = part.querySelector(".status")?.textContent ?? "";
  shown.replaceWith(part);
}

/** @param {Element | undefined} part */
function replaceStages(part) {
  if (!part) return;
  const shown = required("#stages");
  const isOpen = shown.querySelector("details")?.open ?? false;
  const details = part.querySelector("details");
  if (details) details.open = isOpen;
  shown.replaceWith(part);
}

/**
 * @param {string} type
 * @param {JobEvent} event
 */
function apply(type, event) {
  if (event.job_id !== jobId) return;
  sinceRequest.set(`${type} ${event.data.stage}`, [type, event]);
  if (type === "deleted") {
    notify(labels.deleted);
    return;
  }
  const isShown = type === "stage" ? showStage(event.data) : showProgress(event.data);
  if (isShown) reloadSlowly();
  else reloadSoon();
}

/**
 * Shows the progress of the recording, if nothing else has changed.
 *
 * @param {JobEvent["data"]} data
 */
function showProgress({ status, progress }) {
  const summary = required("#summary");
  const [bar, stage] = [summary.querySelector("progress"), summary.querySelector(".stage")];
  const percent = summary.querySelector(".percent");
  const isSame = status === "running" && summary.dataset.status === status;
  if (!isSame || !progress || !bar || !stage || !percent) return false;
  const name = labels.stages[progress.stage] ?? progress.stage;
  bar.value = progress.percent;
  bar.setAttribute("aria-label", name);
  stage.textContent = name;
  percent.textContent = `${Math.floor(progress.percent)} %`;
  return true;
}

/**
 * Shows the progress of a stage, if nothing else has changed.
 *
 * @param {JobEvent["data"]} data
 */
function showStage({ stage, status, percent }) {
  const cutting = stage === "compilation" ? document.querySelector("#cutting .percent") : null;
  if (cutting) cutting.textContent = `${Math.floor(percent ?? 0)} %`;
  const row = document.querySelector(`#stages tr[data-stage="${CSS.escape(stage ?? "")}"]`);
  const shown = row?.querySelector(".percent");
  if (status !== "running" || !row?.querySelector(".status.running") || !shown) return false;
  shown.textContent = ` ${Math.floor(percent ?? 0)} %`;
  return true;
}

/**
 * Cancels, retries or reruns the recording.
 *
 * @param {HTMLElement} control the button or form of the action
 */
async function act(control) {
  const { action, confirm, fromStage } = control.dataset;
  if (confirm && !window.confirm(confirm)) return;
  const stage = fromStage ?? control.querySelector("select")?.value;
  const body = stage ? { from_stage: stage } : undefined;
  await once("act", control, async () => {
    try {
      await send("POST", `${job}/${action}`, { body });
      notify("");
    } catch (error) {
      const isKnown = error instanceof Refusal && error.status > 0;
      notify(isKnown ? error.message : labels.failure);
    }
    await reload();
  });
}

/** Tells the other tabs with this recording about a change of a clip or a line, which has no event. */
function tellOtherTabs() {
  otherTabs.postMessage("changed");
}

/** Whether something was typed that is not stored. */
function isUnsaved() {
  const fields = document.querySelectorAll(".clip-form input, .line-form textarea");
  return /** @type {HTMLInputElement[]} */ ([...fields]).some((field) => field.value !== field.defaultValue);
}

/** Seeks to the time in the address, such as `#t=12.5`. */
function seekToAddress() {
  const time = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
  if (time) player.seek(Number(time[1]));
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : undefined;
  const link = target?.closest("a.seek");
  if (link instanceof HTMLElement && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    // The address leads others to the same time.
    history.replaceState(null, "", link.getAttribute("href"));
    seekToAddress();
  }
  const button = target?.closest("button[data-action]");
  if (button instanceof HTMLElement) void act(button);
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.dataset.action) return;
  event.preventDefault();
  void act(form);
});

document.documentElement.classList.add("scripted");
showLocalTimes(document);
seekToAddress();
window.addEventListener("hashchange", seekToAddress);
const types = ["progress", "stage", "complete", "failed", "deleted"];
followEvents("../api/v1/events", recording, types, apply, reloadSoon);
