"""The requests of each operation of the API. A file of this directory has those of some nouns."""

from . import jobs, lists, outputs, uploads, work  # noqa: F401

# Operations of which no request is sent.
LEFT_OUT = {
    "watchJob": "the messages of a WebSocket are those of the pages of events, which are compared",
    "getOpenapi": "compared once, before the first request",
    "getWorkHistory": "means over time depend on when a server did a step; the suite sets the times",
}
