"""Random values: usual ones, those at limits, and those that databases treat differently."""

from __future__ import annotations

import json
import random
import re
from typing import Any
from urllib.parse import quote

from request import REFERENCE

# Pairs of texts that some comparisons take for the same: by case, by decomposition, by width.
WORDS = [
    "Lecture", "LECTURE", "lecture", "ΟΔΥΣΣΕΥΣ", "οδυσσευς", "οδυσσευσ", "Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ",
    "İstanbul", "ISTANBUL", "ıstanbul", "istanbul", "i̇stanbul", "straße", "STRASSE", "STRAẞE",
    "é", "e\u0301", "É", "Å", "\u212b", "å", "ǅ", "ǆ", "Ǆ", "ﬁ", "fi", "ﬀ", "K", "k", "\u212a", "ſ",
    "s", "S", "µ", "μ", "Μ", "Ω", "\u2126", "ω", "ŉ", "ʼn", "ΐ", "\u0390", "ᾳ", "ᾼ", "Ꭰ", "ꭰ",
    "ა", "Ა", "𐐀", "𐐨", "𝔘", "漢字", "한글", "한글", "ｱ", "ア", "שלום", "العربية", "\u202eabc\u202c",
    "👩‍👩‍👧", "🏳️‍🌈", "\u200b", "\ufeff", "\u00ad", "\u2028", "\u0085", "\uffff", "\U0010ffff", "\u0345",
    "a\tb", "a\nb", "a\r\nb", "\x01", "\x7f", " ", "  a  ", "\u3000", "\u00a0",
    "%", "_", "100%", "a_b", "\\", "\\\\", "*", "?", "[a]", "[^a]", "^a", "a|b", "(a)", "{1}", ".*",
    "'", "''", '"', "--", ";", "$1", "?1", ":a", "@a", "null", "true", "1", "1.0", "{}", "[]",
]  # fmt: skip

# Numbers as they are spelled in JSON.
INTEGERS = [
    "0", "1", "2", "3", "-1", "2147483647", "2147483648", "-2147483648", "-2147483649",
    "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "-9223372036854775809", "18446744073709551615", "18446744073709551616",
    "36893488147419103232", "10000000000000000", "123456789012345678901234567890",
]  # fmt: skip
FLOATS = [
    "0.0", "-0.0", "-0", "0e5", "1.0", "0.1", "0.30000000000000004", "0.3", "0.1e1", "1e0", "1e2",
    "1e15", "1e16", "1.5e16", "-1e16", "1e19", "1e22", "1e23", "1.8446744073709552e19",
    "9.223372036854776e18", "9007199254740993.0", "4.35", "2.675", "1.005", "33.333333333333336",
    "99.995", "0.005", "0.015", "49.995", "28.999999999999996", "1e-7", "1e-5", "0.0001", "5e-324",
    "2.2250738585072014e-308", "2.2250738585072011e-308", "1e300", "1e308",
    "1.7976931348623157e308", "1e309", "-1e309", "1e400", "1E+2", "0.1000000000000000055511151231",
]  # fmt: skip

RATIOS = [
    "0", "1", "0.0", "1.0", "-0.0", "1e0", "0.1", "0.30000000000000004", "0.3", "0.005", "0.015", "1e-7",
    "5e-324", "2.2250738585072011e-308", "0.9999999999999999", "0.1000000000000000055511151231",
]  # fmt: skip

TIMES = [
    "2026-01-01", "2000-02-29", "1900-02-29", "2026-02-30", "0001-01-01", "0000-01-01", "9999-12-31",
    "10000-01-01", "-0001-01-01", "+12026-01-01T00:00:00Z", "2000-01-01T00:00:00Z",
    "2100-01-01T00:00:00.123456789Z", "2100-01-01T00:00:00.1Z", "2100-01-01T00:00:00.1234567Z",
    "2000-01-01T00:00:00+14:00", "2000-01-01T00:00:00-23:59", "2000-01-01T00:00:00+24:00",
    "0000-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-01:00", "2016-12-31T23:59:60Z",
    "2026-06-30T12:00:60Z", "2100-01-01t00:00:00z", "2100-01-01 00:00:00Z", "2100-01-01T00:00:00",
    "2100-01-01T24:00:00Z", "2100-01-01T00:00Z", "4714-11-24", "294276-12-31T23:59:59Z", "now",
    "infinity", "-infinity", "epoch", "1700000000", "",
]  # fmt: skip


# JSON that Python would write otherwise.
FRAGMENTS = [
    '{"a": 1, "a": 2}',
    '{"n": {"b": 1, "b": null}}',
    "[1, ]",
    "NaN",
    "01",
    "+1",
    ".5",
    "1.",
    "tru",
    r'"\x"',
]

_SPELLED = "@spelled "


def spelled(text: str) -> str:
    """A number, or other JSON, that `body` writes exactly so."""
    return f"{_SPELLED}{text}@"


def spelling(value: Any) -> str:
    """What `body` writes of a value of `spelled`; of another value, its JSON, and a text as it is."""
    if not isinstance(value, str):
        return json.dumps(value)
    return value.removeprefix(_SPELLED).removesuffix("@") if value.startswith(_SPELLED) else value


def body(value: Any, rng: random.Random) -> str:
    """JSON with what is `spelled`, and characters now escaped and now not."""
    text = json.dumps(value, ensure_ascii=rng.random() < 0.3)
    # References stay as they are.
    text = text.replace("\\u00ab", "«").replace("\\u00bb", "»")
    return re.sub(rf'"{_SPELLED}((?:[^"\\]|\\.)*?)@"', lambda found: json.loads(f'"{found[1]}"'), text)


def query(parameters: list[tuple[str, str]]) -> str:
    """A query string; references stay as they are."""
    pairs = (f"{_quoted(name)}={_quoted(value)}" for name, value in parameters)
    return "?" + "&".join(pairs) if parameters else ""


def _quoted(text: str) -> str:
    quoted, end = "", 0
    for found in REFERENCE.finditer(text):
        quoted += quote(text[end : found.start()], safe="", errors="surrogatepass") + found[0]
        end = found.end()
    return quoted + quote(text[end:], safe="", errors="surrogatepass")


class Values:
    """Random values of one sequence."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def word(self) -> str:
        rng = self.rng
        if rng.random() < 0.6:
            return rng.choice(WORDS)
        # Any character but a surrogate, which UTF-8 does not have.
        ranges = [(1, 0x7F), (0x80, 0x24F), (0x370, 0x3FF), (0x1E00, 0x1FFF), (0x10400, 0x1044F),
                  (0x2160, 0x218F), (0x24B0, 0x24EF), (0x2C00, 0x2D2F), (0xA640, 0xA7FF), (1, 0xD7FF),
                  (0xE000, 0x10FFFF)]  # fmt: skip
        return "".join(chr(rng.randint(*rng.choice(ranges))) for _ in range(rng.randint(1, 4)))

    def text(self, limit: int, least: int = 1) -> str:
        """A text, mostly valid where the limit is one of characters."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.8:
            return " ".join(self.word() for _ in range(rng.randint(1, 3)))[: max(limit, 1)] or "a"
        if kind < 0.87:
            # At the limit, in characters of one to four bytes.
            return rng.choice(["a", "é", "漢", "𝔘", "e\u0301"][: 5 if limit > 1 else 1])[0] * (
                limit + rng.choice([-1, 0, 0, 0, 1])
            )
        if kind < 0.91:
            return "" if least == 0 or rng.random() < 0.2 else "b" * least
        if kind < 0.92:
            return rng.choice(["\0", "a\0b", "\ud800", "\udc00\ud800"])
        return rng.choice(WORDS)

    def filename(self) -> str:
        extension = self.rng.choice([".mp4"] * 5 + [".MP4", ".mkv", ".wav", ".mP3", ".txt", "", ".", ".mp4 "])
        name = self.text(255)
        return (name[: 255 - len(extension)] if len(name) < 256 else name) + extension

    def integer(self, least: int, greatest: int) -> Any:
        rng = self.rng
        kind = rng.random()
        if kind < 0.75:
            return rng.randint(least, min(greatest, least + 10))
        if kind < 0.9:
            return rng.choice([least, greatest])
        if kind < 0.96:
            return rng.choice([least - 1, greatest + 1, spelled(rng.choice(INTEGERS))])
        return rng.choice([spelled("1.0"), spelled("1e0"), spelled("1.5"), "1", None, True, []])

    def float(self, least: float, greatest: float) -> Any:
        rng = self.rng
        kind = rng.random()
        if kind < 0.6:
            return round(rng.uniform(least, min(greatest, least + 100)), rng.randint(0, 4))
        if kind < 0.85:
            return spelled(rng.choice(FLOATS + INTEGERS))
        if kind < 0.95:
            return rng.choice([least, greatest, rng.uniform(least, min(greatest, 1e6))])
        return rng.choice([least - 1, "0.5", None, True, {}])

    def seconds(self) -> Any:
        return self.float(0, 1e308) if self.chance(0.15) else self.rng.randint(0, 400) / 4

    def ratio(self) -> Any:
        if self.chance(0.9):
            return self.rng.choice(
                [round(self.rng.random(), 2), self.rng.random(), spelled(self.rng.choice(RATIOS))]
            )
        return self.float(0, 1)

    def json(self, depth: int = 0) -> Any:
        rng = self.rng
        kind = rng.random()
        if kind < 0.01:
            return spelled(rng.choice(FRAGMENTS))
        if depth > 2 or kind < 0.3:
            return spelled(rng.choice(INTEGERS + FLOATS[:-7]))
        if kind < 0.55:
            return self.text(100, 0)
        if kind < 0.75:
            return rng.choice([None, True, False, [], {}])
        if kind < 0.88:
            return [self.json(depth + 1) for _ in range(rng.randint(0, 3))]
        return self.object(depth + 1)

    def key(self) -> str:
        if self.chance(0.7):
            return self.rng.choice(["course", "year", "n", "Course", "a.b", "a", "ς", "σ", "é", "e\u0301"])
        return self.text(30, 0)

    def object(self, depth: int = 0) -> Any:
        if depth == 0 and self.chance(0.04):
            nested: Any = {}
            for _ in range(self.rng.choice([61, 62, 63, 64, 65, 130])):
                nested = {"a": nested}
            return nested
        if depth == 0 and self.chance(0.04):
            return self.rng.choice([None, [], "{}", 1])
        return {self.key(): self.json(depth) for _ in range(self.rng.randint(0, 4))}

    def time(self, known: list[str]) -> str:
        """A time of a query; `known` are references to times of the server."""
        if known and self.chance(0.6):
            time = self.rng.choice(known)
            # Not at the precision of the databases: a microsecond.
            return time if self.chance(0.6) else time[:-1] + self.rng.choice(["|999Z»", "|0Z»", "|500Z»"])
        return self.rng.choice(TIMES)
