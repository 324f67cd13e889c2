// Starts Swagger UI, and carries ids and signed URLs from one operation to the next: a client
// creates a job and then executes the other operations in the order in which a job lives, as
// they are prefilled.
"use strict";

const OBJECTS = "/api/v1/objects/";
const SAMPLE = "sample.wav";
const METHODS = ["get", "head", "options", "put", "post", "patch", "delete"];

// Headers that hold an id, by the name of the id.
const HEADERS = { "Lease-Id": "lease_id" };

// Ids by `idKey`, from the requests and responses so far.
const ids = {};

// The key in `ids` of the id that requests to `path` and their responses have by this name: the
// name, except that segments of transcripts and content segments share one.
const idKey = (name, path) =>
  name === "segment_id" ? `${path.includes("/content-segments") ? "content" : "transcript"} ${name}` : name;

// What has been filled in, so that only changes are: the page is rendered again after each.
const filled = new Map();

function isNew(key, value) {
  const old = filled.get(key);
  filled.set(key, value);
  return old !== value;
}

const operations = (api) =>
  Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, ...item[method] })),
  );

const resolve = (api, parameter) =>
  parameter.$ref ? api.components.parameters[parameter.$ref.split("/").pop()] : parameter;

const bodies = (operation) => Object.values(operation.requestBody?.content ?? {});

// An upload that resumes may begin without a part of the file, and does so here.
const takesFile = (operation) =>
  operation.requestBody?.required && bodies(operation).some(({ schema }) => schema?.format === "binary");

// Changes the document for this page.
function adapt(text) {
  const api = JSON.parse(text);
  for (const operation of operations(api)) {
    const original = api.paths[operation.path][operation.method];
    // Swagger UI would send the example of an optional parameter, such as a filter.
    for (const parameter of operation.parameters ?? []) {
      const resolved = resolve(api, parameter);
      if (!resolved.required) delete resolved.example;
    }
    if (takesFile(operation)) {
      original.description += `\n\nThis page sends a short sample, \`${SAMPLE}\`, unless you choose a file.`;
    }
    if (101 in operation.responses) {
      original.description += "\n\nThis page opens a WebSocket and shows its first message.";
    }
  }
  api.info.description +=
    "\n\nOn this page, ids and signed URLs in responses are filled into the other operations. To " +
    "try a whole job, begin with *Request the upload of a recording*. A server with a worker of " +
    "its own claims the stages before you do; `--with-worker=false` leaves them to you.";
  return JSON.stringify(api);
}

// The parameters of an operation on the object at a signed URL of this server.
function signedParameters(url) {
  const { pathname, searchParams } = new URL(url, location.href);
  const key = pathname.split(OBJECTS)[1];
  return key && { key: decodeURIComponent(key), ...Object.fromEntries(searchParams) };
}

// All names and values in JSON, at any depth.
function* members(json) {
  if (json === null || typeof json !== "object") return;
  for (const [name, value] of Object.entries(json)) {
    yield [name, value];
    yield* members(value);
  }
}

// The ids in the URL of a request, by `idKey`.
function pathIds(path, url) {
  const names = [...path.matchAll(/{(\w+)}/g)].map((match) => match[1]);
  const pattern = path.replace(/{\w+}/g, "([^/]+)") + "$";
  const values = new URL(url, location.href).pathname.match(pattern)?.slice(1) ?? [];
  return Object.fromEntries(values.map((value, i) => [idKey(names[i], path), decodeURIComponent(value)]));
}

// The ids in a `Location`, by `idKey`.
const locationIds = (api, location) =>
  Object.assign({}, ...Object.keys(api.paths).map((path) => location && pathIds(path, location)));

// Remembers the ids and URLs in a successful request and its response, and fills them in.
function learn(system, path, method, response) {
  const api = system.specSelectors.specJson().toJS();
  const isId = new Set(operations(api).flatMap(({ path }) => path.match(/\w+_id(?=})/g) ?? []));
  Object.assign(ids, pathIds(path, response.url), locationIds(api, response.headers?.location));
  let body = null;
  try {
    body = JSON.parse(response.text);
  } catch {
    // Not JSON.
  }
  const seen = new Set();
  for (const [name, value] of members(body)) {
    if (typeof value !== "string" || seen.has(name)) continue;
    seen.add(name);
    // A list may have jobs of other people.
    if (isId.has(name) && method !== "get") ids[idKey(name, path)] = value;
    const verb = { upload_url: "put", source_url: "get", url: "get" }[name];
    const parameters = verb && signedParameters(value);
    if (parameters) fill(system, api, (to) => to.path.startsWith(OBJECTS) && to.method === verb, parameters);
  }
  // The end of an attempt is that of its lease.
  if (/\/{lease_id}\/(complete|fail|release)$/.test(path)) delete ids.lease_id;
  fill(system, api, (to) => !to.path.startsWith(OBJECTS), ids);
}

// Fills values into the parameters and bodies of the operations that `matches` selects.
function fill({ specActions, specSelectors, oas3Actions }, api, matches, values) {
  for (const operation of operations(api).filter(matches)) {
    const { path, method } = operation;
    const shown = specSelectors.specJsonWithResolvedSubtrees().getIn(["paths", path, method, "parameters"]);
    for (const [i, parameter] of (operation.parameters ?? []).entries()) {
      const { name, in: place } = resolve(api, parameter);
      const header = place === "header" && HEADERS[name];
      const value = values[idKey(header || name, path)];
      if (!isNew([path, method, place, name].join(), value)) continue;
      specActions.changeParam([path, method], name, place, value ?? null);
      // An operation that has been opened has its own key for the value.
      if (shown?.get(i)?.has("name")) {
        specActions.changeParamByIdentity([path, method], shown.get(i), value ?? null);
      }
    }
    // Without a value, the body is the prefilled one.
    if (isNew([path, method].join(), prefilledBody(operation, values))) {
      oas3Actions.setRequestBodyValue({ value: undefined, pathMethod: [path, method] });
    }
  }
}

// The body that this page prefills instead of Swagger UI, if any: a file, which Swagger UI
// cannot prefill, or an example with ids.
function prefilledBody(operation, values) {
  const [{ example } = {}] = bodies(operation);
  if (takesFile(operation)) return example;
  const known = Object.keys(Object(example)).filter((name) => values[name] !== undefined);
  if (known.length === 0) return undefined;
  const filled = Object.fromEntries(known.map((name) => [name, values[name]]));
  return JSON.stringify({ ...example, ...filled }, null, 2);
}

// A substitute for `fetch` that opens a WebSocket and returns its first message.
function firstMessage(url) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace(/^http/, "ws"));
    socket.onerror = () => reject(new TypeError("the WebSocket cannot be opened"));
    socket.onmessage = ({ data }) => {
      socket.close();
      const response = new Response(data, { headers: { "Content-Type": "application/json" } });
      // The constructor refuses the status of a handshake.
      resolve(Object.defineProperty(response, "status", { value: 101 }));
    };
  });
}

const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor(request) {
    if (new URL(request.url, location.href).pathname.includes("/ws/")) request.userFetch = firstMessage;
    return request;
  },
  plugins: [
    {
      statePlugins: {
        spec: {
          wrapActions: {
            updateSpec: (original) => (text) => original(adapt(text)),
            setResponse: (original, system) => (path, method, response) => {
              const result = original(path, method, response);
              if (!response.error) learn(system, path, method, response);
              return result;
            },
          },
        },
        oas3: {
          wrapActions: {
            setRequestBodyValue: (original, system) => ({ value, pathMethod }) => {
              const [path, method] = pathMethod;
              const operation = system.specSelectors.specJson().getIn(["paths", path, method]).toJS();
              let body = prefilledBody(operation, ids);
              if (body !== undefined && takesFile(operation)) body = new File([body], SAMPLE);
              return original({ value: value ?? body, pathMethod });
            },
          },
          wrapSelectors: {
            // Swagger UI would offer to reset the prefilled body.
            hasUserEditedBody: (original, system) => (state, path, method) => {
              const operation = system.specSelectors.specJson().getIn(["paths", path, method]).toJS();
              const value = state.getIn(["requestData", path, method, "bodyValue"]);
              const isPrefilled = value?.name === SAMPLE || value === prefilledBody(operation, ids);
              return isPrefilled ? false : original(state, path, method);
            },
          },
        },
      },
    },
  ],
});
