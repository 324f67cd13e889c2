"""Makes the tables of docs/quality.md, and compares the results with their floors."""

import statistics

START, END = "<!-- measured -->\n", "<!-- end of measured -->\n"
# The lowest permitted share of starts and ends at sentences.
EDGE_FLOORS = {
    "sentences": 0.99,
    "captions": 0.98,
    "captions, noise": 0.95,
    "captions, no silences": 0.95,
    "plain words with times": 0.93,
    "plain captions": 0.84,
    "plain captions, noise": 0.83,
}
# Speech that is freer is harder to divide: for these lectures, all floors are lower.
SPONTANEOUS = "spontaneous"
SPONTANEOUS_EDGES, SPONTANEOUS_EDGES_PLAIN = 0.93, 0.78
MAX_WINDOW_DIFF, MAX_WINDOW_DIFF_SPONTANEOUS = 0.2, 0.35
SPONTANEOUS_TITLE_FLOOR, SPONTANEOUS_DESCRIPTION_FLOOR = 0.5, 0.65
# The lowest permitted share of good titles, of plain transcripts too, and of good descriptions.
TITLE_FLOOR, TITLE_FLOOR_PLAIN, DESCRIPTION_FLOOR = 0.75, 0.55, 0.75


def is_spontaneous(kind):
    """Whether the lectures of a kind are spoken with fillers and corrections."""
    return kind.startswith(SPONTANEOUS)


def edge_floor(kind, variant):
    if not is_spontaneous(kind):
        return EDGE_FLOORS[variant]
    return SPONTANEOUS_EDGES_PLAIN if variant.startswith("plain captions") else SPONTANEOUS_EDGES


def title_floor(kind, variant):
    if is_spontaneous(kind):
        return SPONTANEOUS_TITLE_FLOOR
    return TITLE_FLOOR_PLAIN if variant.startswith("plain") else TITLE_FLOOR


def total(results, name):
    return sum(result[name] for result in results)


def mean(results, name):
    return statistics.mean(result[name] for result in results)


def percent(part, whole):
    return f"{100 * part / whole:.0f} %" if whole else "–"


def make(results, others, titles, titled):
    """The tables in Markdown, and the results that are below their floors."""
    lines, failures = [], []
    lines += ["### Clips", ""]
    lines.append("| lectures | transcript | clips | starts | ends | housekeeping | connective | repeated topic | of the recording | median |")
    lines.append("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for (kind, variant), found in results.items():
        clips, seconds = total(found, "clips"), total(found, "seconds")
        starts, ends = total(found, "starts"), total(found, "ends")
        lengths = [length for result in found for length in result["lengths"]]
        housekeeping = total(found, "housekeeping") / seconds
        share = max(result["seconds"] / result["duration"] for result in found)
        lines.append(
            f"| {kind} | {variant} | {clips} | {percent(starts, clips)} | {percent(ends, clips)} "
            f"| {percent(housekeeping, 1)} | {percent(total(found, 'connectives'), clips)} "
            f"| {percent(total(found, 'repeated'), clips)} | ≤ {percent(share, 1)} | {statistics.median(lengths):.0f} s |"
        )
        for name, right in (("starts", starts), ("ends", ends)):
            if right < edge_floor(kind, variant) * clips:
                failures.append(f"{kind}, {variant}: {right} of {clips} {name} at sentences")
        if total(found, "repeated titles"):
            failures.append(f"{kind}, {variant}: {total(found, 'repeated titles')} clips have the title of another clip")
        if share > 0.3 + 1e-9:
            failures.append(f"{kind}, {variant}: clips are {share:.2f} of a recording")
        if housekeeping > 0.02:
            failures.append(f"{kind}, {variant}: {housekeeping:.2f} of the clips is housekeeping")
    lines += ["", "### Topics", ""]
    lines.append("| lectures | transcript | precision | recall | WindowDiff |")
    lines.append("|---|---|--:|--:|--:|")
    for (kind, variant), found in results.items():
        lines.append(
            f"| {kind} | {variant} | {mean(found, 'precision'):.2f} | {mean(found, 'recall'):.2f} "
            f"| {mean(found, 'window_diff'):.2f} |"
        )
        if mean(found, "window_diff") > (MAX_WINDOW_DIFF_SPONTANEOUS if is_spontaneous(kind) else MAX_WINDOW_DIFF):
            failures.append(f"{kind}, {variant}: WindowDiff is {mean(found, 'window_diff'):.2f}")
    for kind, found in others.items():
        if all("precision" in other for other in found):
            lines.append(
                f"| {kind} | sentences, TextTiling | {mean(found, 'precision'):.2f} | {mean(found, 'recall'):.2f} "
                f"| {mean(found, 'window_diff'):.2f} |"
            )
    lines += ["", "### Titles and descriptions", ""]
    lines += ["| lectures | transcript | good titles | good descriptions |", "|---|---|--:|--:|"]
    for (kind, variant), found in titled.items():
        judged = [title for result in found for title in result["titles"]]
        good, clips = sum(is_good for *_, is_good in judged), total(found, "clips")
        described = total(found, "descriptions")
        lines.append(f"| {kind} | {variant} | {percent(good, len(judged))} | {percent(described, clips)} |")
        if good < title_floor(kind, variant) * len(judged):
            failures.append(f"{kind}, {variant}: {good} of {len(judged)} titles are good")
        if described < (SPONTANEOUS_DESCRIPTION_FLOOR if is_spontaneous(kind) else DESCRIPTION_FLOOR) * clips:
            failures.append(f"{kind}, {variant}: {described} of {clips} descriptions are good")
    judged = [title for found in others.values() for other in found for title in other.get("titles", [])]
    if judged:
        good = sum(is_good for *_, is_good in judged)
        lines.append(f"| all | true topics, YAKE | {percent(good, len(judged))} | |")
    lines += ["", "| lecture | topic | title | YAKE |", "|---|---|---|---|"]
    by_topic = {title[0]: title[1] for found in others.values() for other in found for title in other.get("titles", [])}
    for name, found in titles.items():
        for topic, title, is_good in found:
            mark = "" if is_good else " (✗)"
            lines.append(f"| {name} | {topic} | {title}{mark} | {by_topic.get(topic, '')} |")
    return "\n".join(lines) + "\n", failures


def write(path, table):
    """Replaces the measured part of the document."""
    before, rest = path.read_text().split(START)
    _, after = rest.split(END)
    path.write_text(f"{before}{START}\n{table}\n{END}{after}")
