// @ts-check
// Exchanges the positions of clips.
import { Refusal, send } from "./api.js";

/** @typedef {{ clip_id: string, clip_order: number }} Positioned */

/**
 * Exchanges two clips that follow each other. No two clips may have one position, also for a
 * moment, so that the first one goes to the end meanwhile, and back if the second one cannot be
 * moved because somebody else has changed it.
 *
 * @param {string} job address of the job in the API
 * @param {string} first id of a clip
 * @param {string} second id of the clip after it
 * @throws {Refusal} also with status 412, if they do not follow each other any more
 */
export async function exchange(job, first, second) {
  /** @type {Positioned[]} */
  const all = (await send("GET", `${job}/clips`)).json.clips;
  const at = all.findIndex((clip) => clip.clip_id === first);
  const isNext = at >= 0 && all[at + 1]?.clip_id === second;
  const last = all.at(-1);
  if (!isNext || !last) throw new Refusal(412, "");
  const [a, b] = await Promise.all([first, second].map((id) => send("GET", address(id))));
  if (!a || !b) return;
  const [from, to] = [a.json.clip_order, b.json.clip_order];
  const moved = await move(first, last.clip_order + 1, a.version);
  try {
    await move(second, from, b.version);
  } catch (error) {
    await finish(first, from, moved.version);
    throw error;
  }
  await finish(first, to, moved.version);
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
