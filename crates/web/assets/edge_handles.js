// @ts-check
// Handles with which the edges of clips are moved.
import { exactClock } from "./page.js";

/** @typedef {"start" | "end"} Edge */
/** @typedef {{ start: number, end: number }} Times in seconds */

/** @type {Edge[]} */
export const EDGES = ["start", "end"];

/**
 * @param {SVGElement} bar
 * @param {Edge} edge
 * @param {Record<string, string>} labels
 */
export function makeHandle(bar, edge, labels) {
  const handle = document.createElement("div");
  handle.className = `edge ${edge}`;
  handle.dataset.clip = bar.dataset.clip;
  handle.dataset.edge = edge;
  // Not a slider, which would have a minimum and a maximum that the other edge moves.
  handle.setAttribute("role", "spinbutton");
  const title = bar.parentElement?.querySelector("text")?.textContent ?? "";
  const label = edge === "start" ? labels.edge_start : labels.edge_end;
  handle.setAttribute("aria-label", (label ?? "").replace("#", () => title));
  handle.title = labels.edge_help ?? "";
  setTime(handle, timesOf(bar)[edge]);
  return handle;
}

/** The times of a clip in the timeline. @param {SVGElement} bar @returns {Times} */
export function timesOf({ dataset }) {
  return { start: Number(dataset.start), end: Number(dataset.end) };
}

/**
 * @param {HTMLElement} handle
 * @param {number} seconds
 */
export function setTime(handle, seconds) {
  handle.setAttribute("aria-valuenow", String(seconds));
  handle.setAttribute("aria-valuetext", exactClock(seconds));
}

/** The address of a handle's clip in the API. @param {HTMLElement} handle */
export function addressOf({ dataset }) {
  return `../api/v1/clips/${encodeURIComponent(dataset.clip ?? "")}`;
}
