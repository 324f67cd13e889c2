// @ts-check
// Changes the order of clips.
import { Refusal, send } from "./api.js";

/** @typedef {{ clip_id: string, clip_order: number }} Positioned */

/**
 * Moves a clip to another place. The clips between make room one after the other. No two clips may
 * have one position, also for a moment, so that the clip goes to the end meanwhile. If one of the
 * others cannot be moved because somebody else has changed it, the clip goes to the place that is
 * free then.
 *
 * @param {string} job address of the job in the API
 * @param {string[]} shown the ids of the clips in the order that the reader sees
 * @param {string} id of the clip
 * @param {number} to its place among them, from 0
 * @throws {Refusal} also with status 412, if the stored order is not the shown one
 */
export async function moveTo(job, shown, id, to) {
  /** @type {Positioned[]} */
  const all = (await send("GET", `${job}/clips`)).json.clips;
  const from = shown.indexOf(id);
  const isStored = from >= 0 && shown.every((one, i) => all[i]?.clip_id === one);
  const last = all.at(-1);
  if (!isStored || !last) throw new Refusal(412, "");
  // The one beside the clip first.
  const between = to > from ? shown.slice(from + 1, to + 1) : shown.slice(to, from).reverse();
  if (between.length === 0) return;
  const [own, ...others] = await Promise.all([id, ...between].map((one) => send("GET", address(one))));
  if (!own) return;
  const moved = await move(id, last.clip_order + 1, own.version);
  let free = own.json.clip_order;
  try {
    for (const { json, version } of others) {
      await move(json.clip_id, free, version);
      free = json.clip_order;
    }
  } finally {
    await finish(id, free, moved.version);
  }
}

/**
 * Moves a clip from the end to its place, also if somebody else has changed it meanwhile: only
 * its position is changed.
 *
 * @param {string} id
 * @param {number} position
 * @param {string | undefined} version
 */
async function finish(id, position, version) {
  try {
    await move(id, position, version);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 412) throw error;
    await move(id, position, (await send("GET", address(id))).version);
  }
}

/**
 * @param {string} id of a clip
 * @param {number} position
 * @param {string | undefined} version
 */
function move(id, position, version) {
  return send("PATCH", address(id), { body: { clip_order: position }, version });
}

/** @param {string} id of a clip */
function address(id) {
  return `../api/v1/clips/${encodeURIComponent(id)}`;
}
