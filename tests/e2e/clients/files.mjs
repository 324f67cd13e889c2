// Stores the files of the timeline under a lease of silence_detection, as workers do.
import assert from "node:assert/strict";

// A JPEG of two by two pixels.
const PICTURE =
  "/9j/4AAQSkZJRgABAgAAAQABAAD/2wBDAAg+Pkk+SVVVVVVVVWRdZGhoaGRkZGRoaGhwcHCDg4NwcHBoaHBwfHyDg4+Tj4eHg4eT" +
  "k5ubm7q6srLZ2eD/////xABMAAEBAAAAAAAAAAAAAAAAAAAABgEBAQAAAAAAAAAAAAAAAAAABgcQAQAAAAAAAAAAAAAAAAAAAAAR" +
  "AQAAAAAAAAAAAAAAAAAAAAD/wAARCAACAAIDASIAAhEAAxEA/9oADAMBAAIRAxEAPwCLAFF/f//Z";

const THUMBNAILS = `WEBVTT

00:00.000 --> 00:15.000
thumbnails.jpg#xywh=0,0,160,90

00:15.000 --> 00:30.000
thumbnails.jpg#xywh=160,0,160,90
`;

// For a recording of 30 seconds: two points a second, loud in the first half.
const WAVEFORM = {
  version: 2,
  channels: 1,
  sample_rate: 8000,
  samples_per_pixel: 4000,
  bits: 8,
  length: 60,
  data: Array.from({ length: 60 }, (_, i) => (i < 30 ? [-100, 90] : [-2, 3])).flat(),
};

export async function storeFiles(url, lease) {
  const files = {
    "waveform.json": JSON.stringify(WAVEFORM),
    "thumbnails.jpg": Buffer.from(PICTURE, "base64"),
    "thumbnails.vtt": THUMBNAILS,
  };
  for (const [filename, body] of Object.entries(files)) {
    const announced = await fetch(`${url}/api/v1/work/${lease}/objects`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ filename, file_size: body.length }),
    });
    assert.equal(announced.status, 201);
    const { upload_url } = await announced.json();
    const stored = await fetch(upload_url, { method: "PUT", body });
    assert.equal(stored.status, 200);
  }
}
