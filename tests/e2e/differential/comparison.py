"""Sends requests to both servers and compares the answers."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from naming import Comparable, Names
from request import Answer, Client, Request
from servers import Server, Servers

# Changes an answer of the second server, to check that the difference is found.
Alteration = Callable[[Request, Answer], Answer]


@dataclass
class Difference:
    """A request that the servers answered differently."""

    request: Request
    answers: list[Comparable]

    def kind(self) -> tuple[int, list[int]]:
        """What stays the same in a shorter sequence with the same difference."""
        return self.request.step, [answer.status for answer in self.answers]

    def changes(self) -> str:
        """The lines that differ."""
        first, second = (answer.text.split("\n") for answer in self.answers)
        return "\n".join(difflib.unified_diff(first, second, *Servers.NAMES, n=1, lineterm=""))

    def __str__(self) -> str:
        whole = (
            f"--- {name} answered\n{_shortened(answer.text)}"
            for name, answer in zip(Servers.NAMES, self.answers, strict=True)
        )
        return "\n".join([str(self.request), *whole, self.changes()])


def _shortened(text: str) -> str:
    return text if len(text) <= 6000 else f"{text[:6000]}…"


class Pair:
    """Both servers, as clients see them."""

    def __init__(self, servers: list[Server], alter: Alteration | None = None) -> None:
        self.clients = [Client(server.port) for server in servers]
        self.names = [Names() for _ in servers]
        self.alter = alter

    def send(self, request: Request) -> tuple[Comparable, Difference | None]:
        """The answer of the first server, and the difference if the other one answered otherwise."""
        answers = [
            client.send(request, names.values) for client, names in zip(self.clients, self.names, strict=True)
        ]
        if self.alter:
            answers[1] = self.alter(request, answers[1])
        compared = [
            Comparable(names, request, answer) for names, answer in zip(self.names, answers, strict=True)
        ]
        # Without an answer there is nothing to compare.
        is_same = compared[0].text == compared[1].text and all(answer.status for answer in answers)
        return compared[0], None if is_same else Difference(request, compared)


def first_difference(pair: Pair, requests: Iterable[Request]) -> Difference | None:
    """The difference of the first request that is answered differently."""
    for request in requests:
        _, difference = pair.send(request)
        if difference:
            return difference
    return None
