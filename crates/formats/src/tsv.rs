//! Text with tabs: the `.tsv` of Whisper, and the labels of Audacity.
//!
//! A line is a start, an end and a text. Whisper writes a header and whole milliseconds
//! (`start`, `end`, `text`), Audacity seconds with decimals and no header. A header may have the
//! columns in any order, and a speaker.

use crate::entry::Entry;
use crate::error::FormatError;
use crate::lines::{Line, lines};
use crate::notes::{Change, Notes};
use crate::parsed_file::ParsedFile;
use crate::time::millis;
use crate::timing_line::parse_time;

const EXPECTED: &str =
    "expected a start, an end and a text with tabs between, or a header with these";

/// The header of Whisper, whose times are whole milliseconds.
const WHISPER_HEADER: &str = "start\tend\ttext";

/// Reads a file.
///
/// Fails on a file with text, but without a line that has a start.
pub(crate) fn parse(text: &str) -> Result<ParsedFile, FormatError> {
    let lines = lines(text.trim_start_matches('\u{feff}'));
    let (mut entries, mut notes) = (Vec::new(), Notes::default());
    // Audacity continues a label with its frequencies in a line that begins with a backslash.
    let is_row = |line: &&Line<'_>| !line.is_blank() && !line.text.starts_with('\\');
    let mut rows = lines.iter().filter(is_row).peekable();
    let header = rows.next_if(|line| Columns::of_header(line.text).is_some());
    let columns = header.and_then(|line| Columns::of_header(line.text));
    let first_row = rows.peek().copied().or(header);
    let columns = columns.unwrap_or(Columns::WITHOUT_HEADER);
    let unit = Unit::of(header, rows.clone(), &columns);
    for line in rows {
        let cells: Vec<&str> = line.text.split('\t').map(str::trim).collect();
        let time = |column: Option<usize>| unit.time(cells.get(column?)?);
        let Some(start_ms) = time(Some(columns.start)) else {
            notes.add(Change::UnreadableTimes, line.number);
            continue;
        };
        let speaker = columns.speaker.and_then(|column| cells.get(column));
        let speaker = speaker.filter(|name| !name.is_empty());
        entries.push(Entry {
            line: line.number,
            start_ms: Some(start_ms),
            end_ms: time(columns.end),
            text: columns.text(&cells),
            speaker: speaker.map(|&name| name.to_owned()),
            ..Entry::default()
        });
    }
    match first_row {
        Some(line) if entries.is_empty() => Err(FormatError::new(line.number, EXPECTED)),
        _ => Ok(ParsedFile {
            entries,
            notes,
            is_unit_undeclared: unit == Unit::Unknown,
            ..ParsedFile::default()
        }),
    }
}

/// Whether the first line that is not blank is a header, or has two times and a text.
pub(crate) fn detect(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty());
    first.is_some_and(|line| {
        let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
        let are_times = || {
            cells[..2]
                .iter()
                .all(|cell| Unit::Seconds.time(cell).is_some())
        };
        Columns::of_header(line).is_some() || (cells.len() >= 3 && are_times())
    })
}

/// Which column is what, counted from 0.
struct Columns {
    start: usize,
    end: Option<usize>,
    text: usize,
    speaker: Option<usize>,
    /// Whether the text is all of the line after its tab: texts of Audacity may have tabs.
    is_text_last: bool,
}

impl Columns {
    const WITHOUT_HEADER: Self = Self {
        start: 0,
        end: Some(1),
        text: 2,
        speaker: None,
        is_text_last: true,
    };

    /// `None` if the line is no header.
    fn of_header(line: &str) -> Option<Self> {
        let names: Vec<String> = line
            .split('\t')
            .map(|name| name.trim_matches([' ', '"', '\u{feff}']).to_lowercase())
            .collect();
        let column = |known: &[&str]| {
            let is_known = |name: &String| {
                // `start (s)`, `start_time`
                let word = name.split([' ', '_', '(']).next().unwrap_or_default();
                known.contains(&word)
            };
            names.iter().position(is_known)
        };
        let text = column(&[
            "text",
            "transcript",
            "content",
            "caption",
            "label",
            "sentence",
        ])?;
        Some(Self {
            start: column(&["start", "begin", "from", "onset", "in", "tmin"])?,
            end: column(&["end", "to", "stop", "offset", "out", "tmax"]),
            text,
            speaker: column(&["speaker", "name", "participant"]),
            is_text_last: text + 1 == names.len(),
        })
    }

    fn text(&self, cells: &[&str]) -> String {
        let last = if self.is_text_last {
            cells.len()
        } else {
            self.text + 1
        };
        cells.get(self.text..last).unwrap_or_default().join(" ")
    }
}

/// The unit of numbers without a colon.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Milliseconds,
    Seconds,
    /// Read as seconds, until the length of the recording and the texts show the unit.
    Unknown,
}

impl Unit {
    fn of<'a>(
        header: Option<&Line<'_>>,
        mut rows: impl Iterator<Item = &'a Line<'a>>,
        columns: &Columns,
    ) -> Self {
        let header = header.map_or("", |line| line.text).to_lowercase();
        let name = header.split('\t').nth(columns.start).unwrap_or_default();
        let is_fraction = |line: &Line<'_>| {
            let start = line.text.split('\t').nth(columns.start);
            start.is_some_and(|start| start.contains(['.', ',', ':']))
        };
        if name.contains("ms") || name.contains("milli") {
            Self::Milliseconds
        } else if rows.any(is_fraction) {
            Self::Seconds
        } else if header.trim() == WHISPER_HEADER {
            Self::Milliseconds
        } else {
            Self::Unknown
        }
    }

    /// A time in milliseconds: a number in this unit, or one with colons.
    fn time(self, cell: &str) -> Option<i64> {
        if cell.contains(':') {
            return parse_time(cell);
        }
        let number: f64 = cell.replace(',', ".").parse().ok()?;
        if !number.is_finite() {
            return None;
        }
        let seconds = match self {
            Self::Milliseconds => number / 1_000.0,
            Self::Seconds | Self::Unknown => number,
        };
        let magnitude = i64::try_from(millis(seconds.abs())).ok()?;
        Some(if number < 0.0 { -magnitude } else { magnitude })
    }
}
