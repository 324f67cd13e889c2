"""Compares topics and clips with a lecture whose truth is known."""

import re
import statistics

# A found topic boundary is right if it is at most this many sentences from a true one.
TOLERANCE_SENTENCES = 2
# Words with which a clip should not begin, because they refer to what was said before.
CONNECTIVES = set(
    """however but and or therefore thus hence because although yet moreover furthermore also this that
    these those it they he she such another neither aber und oder deshalb darum daher denn jedoch trotzdem
    außerdem dabei dadurch damit dafür dagegen davon daraus dies diese dieser dieses er es solche auch""".split()
)
# Words that no title begins or ends with.
FILLERS = set(
    """a an the of to in on at and or but so this that it is are was we you i whatever okay um well
    der die das und oder aber in im von zu ist sind war wir sie ich also so ja gut ähm""".split()
)


def words_in(lecture, start, end):
    """The words of which at least half is between two times."""
    return [word for word in lecture.words if start <= (word.start + word.end) / 2 <= end]


def clip_edges(lecture, clip):
    """Whether the first word heard in a clip begins a sentence, and whether the last one ends one."""
    heard = words_in(lecture, clip["start"], clip["end"])
    if not heard:
        return False, False
    first, last = heard[0], heard[-1]
    return (
        first is lecture.sentences[first.sentence].words[0],
        last is lecture.sentences[last.sentence].words[-1],
    )


def margins(lecture, clip):
    """The time before the first and after the last word of a clip, in seconds."""
    heard = words_in(lecture, clip["start"], clip["end"])
    return heard[0].start - clip["start"], clip["end"] - heard[-1].end


def main_topic(lecture, start, end):
    """Index of the topic of most of the words between two times; None without words."""
    topics = [lecture.sentences[word.sentence].topic for word in words_in(lecture, start, end)]
    return statistics.mode(topics) if topics else None


def housekeeping_seconds(lecture, clip):
    return sum(
        word.end - word.start
        for word in words_in(lecture, clip["start"], clip["end"])
        if lecture.topics[lecture.sentences[word.sentence].topic].is_housekeeping
    )


def begins_with_connective(lecture, clip):
    heard = words_in(lecture, clip["start"], clip["end"])
    return bool(heard) and heard[0].text.lower().strip(",.") in CONNECTIVES


def repeated_topics(lecture, clips):
    """The number of clips of a topic that has another clip, while a topic has none."""
    contents = {i for i, topic in enumerate(lecture.topics) if not topic.is_housekeeping}
    shown = [main_topic(lecture, clip["start"], clip["end"]) for clip in clips]
    without = contents - set(shown)
    return min(len(shown) - len(set(shown)), len(without))


def is_good_description(description):
    """Whether a description is one sentence of four to forty words, with a capital letter and a
    full stop, and neither refers to another sentence in its first word nor has fillers."""
    words = re.findall(r"[\w'-]+", description or "")
    return (
        4 <= len(words) <= 40
        and description[0].isupper()
        and description[-1] in ".?!"
        and words[0].lower() not in CONNECTIVES | {"so", "also"}
        and not any(word.lower() in ("um", "uh", "ähm", "äh") for word in words)
    )


def true_boundaries(lecture):
    """Indices of the sentences with which a topic begins, without the first."""
    sentences = lecture.sentences
    return [i for i in range(1, len(sentences)) if sentences[i].topic != sentences[i - 1].topic]


def found_boundaries(lecture, topics):
    """Index of the sentence nearest to the start of each topic, without the first topic."""
    starts = [sentence.words[0].start for sentence in lecture.sentences]
    nearest = lambda time: min(range(len(starts)), key=lambda i: abs(starts[i] - time))
    return sorted({nearest(topic["start"]) for topic in topics[1:]} - {0})


def precision_and_recall(true, found):
    def share(these, those):
        near = [any(abs(a - b) <= TOLERANCE_SENTENCES for b in those) for a in these]
        return sum(near) / len(near) if near else 1.0

    return share(found, true), share(true, found)


def window_diff(lecture, found):
    """WindowDiff (Pevzner & Hearst 2002), 0 (equal) to 1."""
    true, count = true_boundaries(lecture), len(lecture.sentences)
    window = max(1, round(count / (len(true) + 1) / 2))
    within = lambda boundaries, i: sum(i < boundary <= i + window for boundary in boundaries)
    windows = range(count - window)
    return sum(within(true, i) != within(found, i) for i in windows) / len(windows)


def names_topic(lecture, topic, title):
    """Whether a title has one of the terms of a topic; an inflected form counts."""
    title = title.lower()
    return any(term.lower() in title for term in lecture.topics[topic].terms)


def is_good_title(lecture, topic, title):
    """Whether a title has three to eight words and a term of its topic, no filler at its ends,
    and its words are written as they are in the lecture."""
    words = re.findall(r"[\w'-]+", title)
    spellings = {token.strip(".,?!:;\"") for sentence in lecture.sentences for token in sentence.text.split()}
    # "What is …?", "How a … works", "The body clock" and "Die Erfindung …" are good beginnings.
    begins_well = title.endswith("?") or title.startswith(("The ", "Der ", "Die ", "Das "))
    ends = [words[-1].lower()] + ([] if begins_well else [words[0].lower()]) if words else []
    return (
        3 <= len(words) <= 8
        and names_topic(lecture, topic, title)
        and not any(word in FILLERS for word in ends)
        and all(word in spellings or word in ("and", "und") for word in words[1:])
    )
