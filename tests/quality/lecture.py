"""Lectures with known topics, sentences and times, and transcripts of them.

A lecture is a text file. A line is a sentence; `|` is a place where the lecturer
hesitates. A heading `# topic: a; b` names the topic of the sentences below it by terms of
which a title should contain one, and `# housekeeping: kind` marks an opening, announcements
and the like. There is no sound: the time of each word is computed, with pauses between
sentences, and with hesitations within them that are as long as many pauses.
"""

import random
from dataclasses import dataclass, field

# The time that a word takes, in seconds, and each of its letters. About 160 words a
# minute, without pauses.
WORD_SECONDS, LETTER_SECONDS = 0.12, 0.055
# The range of each, in seconds.
SENTENCE_PAUSE = (0.3, 0.9)
HESITATION = (0.55, 0.95)
# An additional pause before a topic, in seconds.
TOPIC_PAUSE = 1.2
# The fraction of words before which the lecturer hesitates without a mark in the text.
UNMARKED_HESITATIONS = 0.01
# The shortest silence that is detected, in seconds.
MIN_SILENCE = 0.5


@dataclass
class Word:
    text: str
    start: float
    end: float
    sentence: int


@dataclass
class Sentence:
    text: str
    topic: int
    words: list = field(default_factory=list)


@dataclass
class Topic:
    is_housekeeping: bool
    terms: list


@dataclass
class Lecture:
    sentences: list
    topics: list
    words: list
    duration: float

    def pauses(self):
        """The start and end of each pause."""
        ends = [0.0] + [word.end for word in self.words]
        starts = [word.start for word in self.words] + [self.duration]
        return list(zip(ends, starts))


def read(path, seed):
    """Reads a lecture, and speaks it at a speed and with pauses that depend on `seed`."""
    chance = random.Random(f"{path.name} {seed}")
    lecture = Lecture([], [], [], 0.0)
    at = 2.0
    for line in path.read_text().splitlines():
        if line.startswith("# "):
            kind, _, terms = line[2:].partition(": ")
            topic = Topic(kind == "housekeeping", terms.split("; "))
            at += TOPIC_PAUSE
            # An opening and the announcements after it are one stretch.
            if not (topic.is_housekeeping and lecture.topics and lecture.topics[-1].is_housekeeping):
                lecture.topics.append(topic)
            continue
        sentence = Sentence(line.replace(" | ", " "), len(lecture.topics) - 1)
        rate = chance.uniform(0.85, 1.2)
        for i, token in enumerate(line.split()):
            if token == "|":
                at += chance.uniform(*HESITATION)
                continue
            if i > 1 and chance.random() < UNMARKED_HESITATIONS:
                at += chance.uniform(*HESITATION)
            seconds = rate * (WORD_SECONDS + LETTER_SECONDS * len(token))
            word = Word(token, at, at + seconds, len(lecture.sentences))
            sentence.words.append(word)
            lecture.words.append(word)
            at = word.end
        lecture.sentences.append(sentence)
        at += chance.uniform(*SENTENCE_PAUSE)
    lecture.duration = at + 2.0
    return lecture


def silences(lecture):
    """The silences as they are detected in a good recording."""
    return [(start, end) for start, end in lecture.pauses() if end - start >= MIN_SILENCE]


def noisy_silences(lecture, seed):
    """The silences as they are detected in noise: many are missing, the edges are wrong by up
    to 0.1 s, and some are in the middle of speech."""
    chance = random.Random(seed)
    shift = lambda: chance.uniform(-0.1, 0.1)
    found = [(start + shift(), end + shift()) for start, end in silences(lecture) if chance.random() < 0.6]
    false = [chance.uniform(0, lecture.duration - 1) for _ in range(8)]
    found += [(start, start + chance.uniform(MIN_SILENCE, 0.7)) for start in false]
    return sorted((max(start, 0.0), min(end, lecture.duration)) for start, end in found)


def plain(text):
    """As a recognizer without punctuation and capitals writes it."""
    kept = (c for c in text.lower() if c.isalnum() or c in "-'" or c.isspace())
    return "".join(kept)


def sentence_segments(lecture):
    """A segment for each sentence."""
    return [(s.words[0].start, s.words[-1].end, s.text) for s in lecture.sentences]


def captions(lecture, seed, is_contiguous=False):
    """Cues of ten to twelve words, which begin and end anywhere in a sentence. Contiguous
    cues are shown until the next one."""
    chance = random.Random(seed)
    cues, i = [], 0
    while i < len(lecture.words):
        words = lecture.words[i : i + chance.randint(10, 12)]
        i += len(words)
        end = lecture.words[i].start if is_contiguous and i < len(lecture.words) else words[-1].end
        cues.append((words[0].start, end, " ".join(word.text for word in words)))
    return cues


def word_segments(lecture):
    """A segment for each word."""
    return [(word.start, word.end, word.text) for word in lecture.words]


def without_punctuation(segments):
    return [(start, end, plain(text)) for start, end, text in segments if plain(text).strip()]
