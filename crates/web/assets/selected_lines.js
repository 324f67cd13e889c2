// @ts-check
// What the reader has selected in the transcript.
import { send } from "./api.js";

/**
 * @typedef {object} Selected
 * @property {HTMLElement} first line
 * @property {HTMLElement} last line
 * @property {number} from where it begins in the text of the first line
 * @property {number} to where it ends in the text of the last line
 * @property {string} text
 */

/** The selected part of the transcript, if there is one. @returns {Selected | undefined} */
export function selectedLines() {
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed || selection.rangeCount === 0) return undefined;
  const range = selection.getRangeAt(0);
  const lists = [...document.querySelectorAll("#lines ol")].filter((list) => range.intersectsNode(list));
  const lines = /** @type {HTMLElement[]} */ (lists.flatMap((list) => [...list.children]));
  /** @type {Selected | undefined} */
  let selected;
  for (const line of lines) {
    const text = line.querySelector(".text");
    if (!text || line.hidden || !range.intersectsNode(text)) continue;
    const from = offsetIn(text, range.startContainer, range.startOffset);
    const to = offsetIn(text, range.endContainer, range.endOffset);
    const part = (text.textContent ?? "").slice(from, to).trim();
    if (part === "") continue;
    selected = selected
      ? { ...selected, last: line, to, text: `${selected.text} ${part}` }
      : { first: line, last: line, from, to, text: part };
  }
  return selected;
}

/**
 * How many characters of an element are before a position: none if it begins later, and all if
 * it ends before.
 *
 * @param {Element} element
 * @param {Node} container
 * @param {number} offset
 */
function offsetIn(element, container, offset) {
  const range = document.createRange();
  range.selectNodeContents(element);
  const side = range.comparePoint(container, offset);
  if (side < 0) return 0;
  if (side > 0) return element.textContent?.length ?? 0;
  range.setEnd(container, offset);
  return range.toString().length;
}

/**
 * The times of the lines of a selection, in seconds.
 *
 * @param {Selected} selected
 */
export function timesOfLines({ first, last }) {
  return { start: Number(first.dataset.start), end: Number(last.dataset.end) };
}

/**
 * The times of the selected words, or of the lines where those of words are not known.
 *
 * @param {Selected} selected
 */
export async function timesOfWords(selected) {
  const { first, last, from, to } = selected;
  const lines = timesOfLines(selected);
  const [ofFirst, ofLast] = await Promise.all([first, last].map(wordsOf));
  const start = ofFirst?.find((word) => word.to > from)?.start;
  const end = ofLast?.filter((word) => word.from < to).at(-1)?.end;
  return { start: start ?? lines.start, end: end ?? lines.end };
}

/**
 * The words of a line with their places in its text; `undefined` if they are not known, or are
 * others than the line shows.
 *
 * @param {HTMLElement} line
 */
async function wordsOf(line) {
  const id = encodeURIComponent(line.dataset.id ?? "");
  const { json } = await send("GET", `../api/v1/transcripts/${id}?words=true`);
  const text = line.querySelector(".text")?.textContent ?? "";
  /** @type {{ text: string, start: number, end: number }[]} */
  const words = json.words ?? [];
  const placed = [];
  let after = 0;
  for (const word of words) {
    const shown = word.text.trim();
    const from = text.indexOf(shown, after);
    if (from < 0) return undefined;
    after = from + shown.length;
    placed.push({ from, to: after, start: word.start, end: word.end });
  }
  return placed.length > 0 ? placed : undefined;
}
