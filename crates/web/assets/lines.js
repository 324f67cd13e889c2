// @ts-check
// The lines of a transcript, as the template of the server makes them.
import { clock } from "./page.js";

/**
 * @typedef {{
 *   segment_id: string, start_time: number, end_time: number, text: string,
 *   speaker_id: string | null, language: string | null,
 * }} Segment
 */

/** The number of colours of speakers. Further speakers begin again with the first. */
const COLOURS = 8;
/** Lines that the browser lays out together, and only when they are in view. */
const LINES_PER_LIST = 25;

/**
 * Lists of lines for a whole transcript, one after the other: all of them may take longer than a
 * reader should wait.
 *
 * @param {Segment[]} segments
 * @returns {Generator<HTMLOListElement, void>}
 */
export function* lists(segments) {
  /** @type {Map<string, number>} */
  const colours = new Map();
  for (let i = 0; i < segments.length; i += LINES_PER_LIST) {
    const list = document.createElement("ol");
    list.start = i + 1;
    list.append(...segments.slice(i, i + LINES_PER_LIST).map((segment) => line(segment, colours)));
    yield list;
  }
}

/**
 * @param {Segment} segment
 * @param {Map<string, number>} colours by the name of the speaker
 */
function line(segment, colours) {
  const item = document.createElement("li");
  item.dataset.id = segment.segment_id;
  item.dataset.start = String(segment.start_time);
  item.dataset.end = String(segment.end_time);
  if (segment.language) item.lang = segment.language;
  const time = document.createElement("a");
  time.className = "seek";
  time.href = `#t=${segment.start_time}`;
  time.dataset.seek = String(segment.start_time);
  time.textContent = clock(segment.start_time);
  const said = element("span", "said", "");
  if (segment.speaker_id) {
    const colour = colours.get(segment.speaker_id) ?? colours.size % COLOURS;
    colours.set(segment.speaker_id, colour);
    said.append(element("span", `speaker speaker-${colour}`, segment.speaker_id), " ");
  }
  said.append(element("span", "text", segment.text));
  item.append(time, " ", said);
  return item;
}

/**
 * @param {string} name
 * @param {string} className
 * @param {string} text
 */
export function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/**
 * Marks what a search has found in a text.
 *
 * @param {Element} element
 * @param {RegExp | undefined} pattern with the flag `g`; `undefined` removes all marks
 * @returns {boolean} whether something was found
 */
export function mark(element, pattern) {
  const text = element.textContent ?? "";
  const matches = pattern ? [...text.matchAll(pattern)] : [];
  if (matches.length === 0) {
    if (element.childElementCount > 0) element.textContent = text;
    return false;
  }
  const parts = [];
  let end = 0;
  for (const match of matches) {
    parts.push(text.slice(end, match.index), marked(match[0]));
    end = match.index + match[0].length;
  }
  element.replaceChildren(...parts, text.slice(end));
  return true;
}

/** @param {string} text */
function marked(text) {
  const made = document.createElement("mark");
  made.textContent = text;
  return made;
}

/**
 * A pattern that finds a text in any case; `undefined` for an empty one.
 *
 * @param {string} text
 */
export function pattern(text) {
  const literal = text.trim().replace(/[\\^$.*+?()[\]{}|\/]/g, "\\$&");
  return literal === "" ? undefined : new RegExp(literal, "giu");
}
