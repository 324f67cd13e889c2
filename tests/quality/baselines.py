"""nltk's TextTiling and YAKE's titles on the same lectures. Both get the true sentences, and
YAKE the true topics."""

import measure

try:
    from nltk.tokenize import TextTilingTokenizer
except ImportError:
    TextTilingTokenizer = None
try:
    import yake
except ImportError:
    yake = None

# TextTiling's paragraphs have at least this many characters.
PARAGRAPH_CHARACTERS = 200


def measured(lecture):
    """The results of each that is installed; an empty dictionary without them."""
    return text_tiling(lecture) | yake_titles(lecture)


def text_tiling(lecture):
    if TextTilingTokenizer is None:
        return {}
    # It finds boundaries only between paragraphs, so a paragraph is a few sentences.
    paragraphs, firsts, text = [], [], ""
    for i, sentence in enumerate(lecture.sentences):
        if not text:
            firsts.append(i)
        text += sentence.text + " "
        if len(text) >= PARAGRAPH_CHARACTERS:
            paragraphs.append(text)
            text = ""
    if text:
        paragraphs.append(text)
    stop_words = [word for word in measure.FILLERS | measure.CONNECTIVES]
    tiles = TextTilingTokenizer(stopwords=stop_words).tokenize("\n\n" + "\n\n".join(paragraphs))
    boundaries, seen = [], 0
    for tile in tiles[:-1]:
        seen += sum(bool(paragraph.strip()) for paragraph in tile.split("\n\n"))
        boundaries.append(firsts[min(seen, len(firsts) - 1)])
    boundaries = sorted(set(boundaries) - {0})
    precision, recall = measure.precision_and_recall(measure.true_boundaries(lecture), boundaries)
    return {"precision": precision, "recall": recall, "window_diff": measure.window_diff(lecture, boundaries)}


def yake_titles(lecture):
    if yake is None:
        return {}
    language = "de" if any(sentence.text.startswith("Die ") for sentence in lecture.sentences) else "en"
    titles = []
    for index, topic in enumerate(lecture.topics):
        if topic.is_housekeeping:
            continue
        text = " ".join(sentence.text for sentence in lecture.sentences if sentence.topic == index)
        found = yake.KeywordExtractor(lan=language, n=3, top=1).extract_keywords(text)
        title = found[0][0] if found else ""
        names = measure.names_topic(lecture, index, title)
        titles.append((topic.terms[0], title, names, measure.is_good_title(lecture, index, title)))
    return {"titles": titles}
