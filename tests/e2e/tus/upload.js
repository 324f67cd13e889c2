// Uploads a file with tus-js-client: node upload.js ENDPOINT FILE. Prints the URL of the upload.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const tus = require("tus-js-client");

const [endpoint, file] = process.argv.slice(2);

const upload = new tus.Upload(fs.createReadStream(file), {
  endpoint,
  retryDelays: [0, 200, 500, ...Array(30).fill(1000)],
  metadata: { filename: path.basename(file), filetype: "video/mp4" },
  onError(error) {
    console.error(error);
    process.exitCode = 1;
  },
  onSuccess() {
    console.log(upload.url);
  },
});
upload.start();
