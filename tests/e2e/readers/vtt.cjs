// Reads WebVTT from standard input with vtt.js, as browsers without subtitles of their own do, and
// writes the cues as JSON: start and end in milliseconds, and the text as it is shown.
const { WebVTT, VTTCue } = require("vtt.js");

// vtt.js asks for the browser.
globalThis.navigator ??= { userAgent: "" };

const fakeWindow = { VTTCue };
const nodes = {
  createElement: () => ({ children: [], appendChild(child) { this.children.push(child); return child; } }),
  createTextNode: (text) => ({ text }),
  createProcessingInstruction: () => ({ text: "" }),
};
fakeWindow.document = nodes;

const textOf = (node) => node.text ?? node.children.map(textOf).join("");

let input = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (part) => (input += part));
process.stdin.on("end", () => {
  const cues = [];
  const parser = new WebVTT.Parser(fakeWindow, WebVTT.StringDecoder());
  parser.oncue = (cue) => cues.push(cue);
  parser.onparsingerror = (error) => {
    throw error;
  };
  parser.parse(input);
  parser.flush();
  const millis = (seconds) => Math.round(seconds * 1000);
  const shown = (cue) => textOf(WebVTT.convertCueToDOMTree(fakeWindow, cue.text));
  const found = cues.map((cue) => [millis(cue.startTime), millis(cue.endTime), shown(cue)]);
  process.stdout.write(JSON.stringify(found));
});
