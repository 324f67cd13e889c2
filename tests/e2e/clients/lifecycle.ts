// Takes a job through its whole life with the types that openapi-typescript generates.
//
//     node out/lifecycle.js URL
import createClient from "openapi-fetch";
import type { components, paths } from "./openapi.js";

declare const process: { argv: string[] };

type Claim = components["schemas"]["ClaimResponse"];
type Stage = components["schemas"]["WorkStage"];

const STAGES: Stage[] = [
  "silence_detection",
  "transcription",
  "layout_analysis",
  "content_analysis",
  "segmentation",
  "compilation",
];

// Without the media types, responses would also have the type of their other formats.
const client = createClient<paths, "application/json" | "application/problem+json">({ baseUrl: process.argv[2] ?? "" });

function assert(condition: boolean, what: unknown): asserts condition {
  if (!condition) throw new Error(JSON.stringify(what));
}

// The body of a successful response.
function ok<T>({ data, error, response }: { data?: T; error?: unknown; response: Response }): NonNullable<T> {
  assert(data !== undefined && data !== null, [response.url, response.status, error]);
  return data;
}

async function upload(recording: Uint8Array<ArrayBuffer>): Promise<string> {
  const announced = ok(
    await client.POST("/api/v1/upload", {
      body: {
        filename: "lecture.wav",
        file_size: recording.length,
        content_type: "audio/wav",
        processing_config: { processing_mode: "audio", language: "en" },
      },
    }),
  );
  const put = await fetch(announced.upload_url, { method: "PUT", body: recording });
  assert(put.status === 200, put.status);
  const job = ok(await client.POST("/api/v1/upload/confirm", { body: { job_id: announced.job_id } }));
  assert(job.status === "queued", job);
  return job.job_id;
}

// Stores the output of a stage under its lease.
async function storeOutput({ job, stage, lease_id }: Claim): Promise<void> {
  const params = { path: { job_id: job.job_id }, header: { "Lease-Id": lease_id } };
  if (stage === "transcription") {
    const segments = [{ start_time: 0, end_time: 2.5, text: "Welcome back.", confidence: 0.9 }];
    const stored = ok(await client.PUT("/api/v1/jobs/{job_id}/transcripts", { params, body: { segments } }));
    assert(stored.total === 1 && stored.segments[0]?.speaker_id === null, stored);
  }
  if (stage === "segmentation") {
    const clips = [{ title: "Welcome", start_time: 0, end_time: 2.5, extra_metadata: { cut: [1, null, "x"] } }];
    const stored = ok(await client.PUT("/api/v1/jobs/{job_id}/clips", { params, body: { clips } }));
    assert(JSON.stringify(stored.clips[0]?.extra_metadata) === '{"cut":[1,null,"x"]}', stored);
  }
}

// Claims one stage after the other until the job is completed; returns the stages.
async function work(job_id: string): Promise<string[]> {
  const worked: string[] = [];
  for (;;) {
    const { claims } = ok(
      await client.POST("/api/v1/work/claim", { body: { worker: "typescript", stages: STAGES } }),
    );
    const [claim] = claims;
    assert(claim !== undefined && claim.job.job_id === job_id, claims);
    const params = { path: { lease_id: claim.lease_id } };
    const beat = await client.POST("/api/v1/work/{lease_id}/heartbeat", { params, body: { percent: 50 } });
    assert(!ok(beat).cancelled, beat.data);
    await storeOutput(claim);
    const run = ok(await client.POST("/api/v1/work/{lease_id}/complete", { params }));
    assert(run.status === "completed", run);
    worked.push(claim.stage);
    if (run.job_status === "completed") return worked;
  }
}

async function checkEvents(job_id: string): Promise<void> {
  const params = { path: { job_id }, query: { after: 0 } };
  const { events } = ok(await client.GET("/api/v1/jobs/{job_id}/events", { params }));
  const stages = new Set<string>();
  for (const event of events) {
    // The compiler knows the form of `data` by the type of the message.
    if (event.type === "stage") stages.add(event.data.stage);
    if (event.type === "complete") assert(event.data.status === "completed", event);
  }
  assert(stages.has("transcription") && events.at(-1)?.type === "complete", events);
}

const job_id = await upload(new TextEncoder().encode("a lecture"));
const worked = await work(job_id);
await checkEvents(job_id);

const path = { job_id };
const results = ok(await client.GET("/api/v1/results/{job_id}", { params: { path } }));
assert(results.clips[0]?.title === "Welcome", results);
assert(results.transcript[0]?.text === "Welcome back.", results);
const url = results.metadata.original_video.url;
assert(url !== null, results);
assert((await (await fetch(url)).text()) === "a lecture", url);

const other = ok(
  await client.POST("/api/v1/jobs", {
    body: { filename: "other.mp4", file_size: 1, s3_key: "in/other.mp4", extra_metadata: { course: { id: 7 } } },
  }),
);
const query = { status: ["queued" as const], limit: 10 };
const { jobs } = ok(await client.GET("/api/v1/jobs", { params: { query } }));
assert(jobs.some((job) => job.job_id === other.job_id), jobs);
const cancelled = ok(
  await client.POST("/api/v1/jobs/{job_id}/cancel", { params: { path: { job_id: other.job_id } } }),
);
assert(cancelled.status === "cancelled", cancelled);

const again = ok(await client.POST("/api/v1/jobs", { body: { source_job_id: job_id } }));
assert(again.source_job_id === job_id, again);

for (const id of [job_id, other.job_id, again.job_id]) {
  const params = { path: { job_id: id } };
  assert((await client.DELETE("/api/v1/jobs/{job_id}", { params })).response.status === 204, id);
  const { error } = await client.GET("/api/v1/jobs/{job_id}", { params });
  assert(error?.code === "job_not_found", error);
}
console.log(`openapi-typescript: a job with ${worked.length} stages`);
