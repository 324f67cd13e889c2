//! TTML (`.ttml`, `.dfxp`, also IMSC and SMPTE-TT), <https://www.w3.org/TR/ttml2/>, and the XML
//! of `YouTube`.
//!
//! Styles, regions and metadata are dropped, except the names of agents, who are speakers, and
//! languages (`xml:lang`).

mod times;
mod xml;
mod youtube;

use std::collections::HashMap;

use lectern_domain::LanguageTag;

use crate::cue::{Word, collapse_whitespace};
use crate::entry::Entry;
use crate::error::FormatError;
use crate::notes::{Change, Notes};
use crate::parsed_file::ParsedFile;
use crate::time::non_negative;
use crate::word_grouping::is_unspaced;
use times::Rates;
use xml::{Element, Part, Parts};

/// How deep elements may be nested.
const MAX_DEPTH: usize = 100;

/// Reads a file. Times are relative to those of the elements around, as in the
/// specification. A `p` is a cue; if it has no times, each of its `span`s with times is.
///
/// Fails on anything but XML with the root `tt`, `transcript` or `timedtext`, and on a file
/// without a cue whose times can be read.
pub(crate) fn parse(text: &str) -> Result<ParsedFile, FormatError> {
    let mut parts = Parts::of(text);
    let root = loop {
        match parts.next()? {
            Some(Part::Start(root)) => break root,
            Some(_) => {}
            None => return Err(FormatError::new(1, "expected TTML")),
        }
    };
    let (entries, notes) = match root.name.as_str() {
        "tt" => {
            let mut reader = TtmlReader::new(&root);
            while let Some(part) = parts.next()? {
                reader.read(part)?;
            }
            (reader.entries, reader.notes)
        }
        "transcript" | "timedtext" => youtube::read(&mut parts)?,
        _ => {
            let message = "expected TTML, whose first element is tt";
            return Err(FormatError::new(root.line, message));
        }
    };
    if entries.is_empty()
        && let Some(line) = notes.lines(Change::UnreadableTimes).first()
    {
        let message = "expected times such as 00:00:01.000, 1.5s or 36f";
        return Err(FormatError::new(*line, message));
    }
    Ok(ParsedFile {
        entries,
        notes,
        may_roll: true,
        ..ParsedFile::default()
    })
}

/// An element that is not closed yet.
#[derive(Debug, Default)]
struct Open {
    name: String,
    line: usize,
    /// From the start of the recording, in milliseconds.
    start_ms: i64,
    end_ms: Option<i64>,
    /// Whether the element itself has times.
    is_timed: bool,
    /// Whether it has times that cannot be read.
    is_malformed: bool,
    speaker: Option<String>,
    language: Option<LanguageTag>,
    /// Where its text begins in the text of the paragraph.
    text_start: usize,
}

#[derive(Debug)]
struct TtmlReader {
    rates: Rates,
    /// Of the whole file.
    language: Option<LanguageTag>,
    open: Vec<Open>,
    /// The text of the paragraph.
    text: String,
    words: Vec<Word>,
    is_in_paragraph: bool,
    /// The names of agents by their ids.
    agents: HashMap<String, String>,
    agent: Option<String>,
    entries: Vec<Entry>,
    notes: Notes,
}

impl TtmlReader {
    fn new(root: &Element) -> Self {
        Self {
            rates: Rates::of(root),
            language: root.attribute("lang").and_then(LanguageTag::of_name),
            open: Vec::new(),
            text: String::new(),
            words: Vec::new(),
            is_in_paragraph: false,
            agents: HashMap::new(),
            agent: None,
            entries: Vec::new(),
            notes: Notes::default(),
        }
    }

    fn read(&mut self, part: Part) -> Result<(), FormatError> {
        match part {
            Part::Start(element) => self.begin(&element)?,
            Part::End(name) => self.end(&name),
            Part::Text(text) if self.is_in_paragraph => self.push_text(&text),
            Part::Text(text) => {
                let is_name = self.open.last().is_some_and(|open| open.name == "name");
                if let Some(agent) = self.agent.as_ref().filter(|_| is_name) {
                    self.agents
                        .entry(agent.clone())
                        .or_default()
                        .push_str(&text);
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, element: &Element) -> Result<(), FormatError> {
        if element.name == "br" {
            if self.is_in_paragraph {
                self.text.push('\n');
            }
            return Ok(());
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(FormatError::new(
                element.line,
                "elements are nested too deeply",
            ));
        }
        if element.name == "agent" {
            self.agent = element.attribute("id").map(str::to_owned);
        }
        if element.name == "p" {
            self.is_in_paragraph = true;
            self.text.clear();
            self.words.clear();
        }
        let open = self.opened(element);
        self.open.push(open);
        if element.is_empty {
            self.end(&element.name);
        }
        Ok(())
    }

    /// The times of an element are relative to the start of the one around it.
    fn opened(&self, element: &Element) -> Open {
        let outer = self.open.last();
        let outer_start = outer.map_or(0, |outer| outer.start_ms);
        let outer_end = outer.and_then(|outer| outer.end_ms);
        let mut is_malformed = outer.is_some_and(|outer| outer.is_malformed);
        let mut time = |name| {
            let expression = element.attribute(name)?;
            let millis = self.rates.millis(expression);
            is_malformed |= millis.is_none();
            millis
        };
        let (begin, end, duration) = (time("begin"), time("end"), time("dur"));
        let start_ms = outer_start.saturating_add(begin.unwrap_or(0));
        let end_ms = match (end, duration) {
            (Some(end), _) => Some(outer_start.saturating_add(end)),
            (None, Some(duration)) => Some(start_ms.saturating_add(duration)),
            (None, None) => outer_end,
        };
        // An empty or unknown language ends that of the element around.
        let language = match element.attribute("lang") {
            Some(name) => LanguageTag::of_name(name),
            None => outer.map_or(self.language.clone(), |outer| outer.language.clone()),
        };
        let speaker = element.attribute("agent").map(str::to_owned);
        Open {
            name: element.name.clone(),
            line: element.line,
            start_ms,
            end_ms,
            is_timed: begin.is_some() || end.is_some() || duration.is_some(),
            is_malformed,
            speaker: speaker.or_else(|| outer.and_then(|outer| outer.speaker.clone())),
            language,
            text_start: self.text.len(),
        }
    }

    fn end(&mut self, name: &str) {
        if !self.open.iter().any(|open| open.name == name) {
            return;
        }
        while let Some(open) = self.open.pop() {
            self.close(&open);
            if open.name == name {
                return;
            }
        }
    }

    fn close(&mut self, open: &Open) {
        match open.name.as_str() {
            "agent" => self.agent = None,
            "span" if self.is_in_paragraph && open.is_timed => {
                let is_part = self
                    .open
                    .iter()
                    .any(|outer| outer.name == "p" && outer.is_timed);
                let text = self.text.get(open.text_start..).unwrap_or_default();
                if is_part {
                    let start_ms = non_negative(open.start_ms);
                    self.words.push(Word {
                        start_ms,
                        end_ms: open.end_ms.map_or(start_ms, non_negative).max(start_ms),
                        text: collapse_whitespace(text),
                        probability: None,
                    });
                } else {
                    let text = text.to_owned();
                    self.text.truncate(open.text_start);
                    self.push_entry(open, &text, Vec::new());
                }
            }
            "p" => {
                self.is_in_paragraph = false;
                let text = std::mem::take(&mut self.text);
                let mut words = std::mem::take(&mut self.words);
                words.retain(|word| !word.text.is_empty());
                let is_timed = open.is_timed
                    || self
                        .open
                        .iter()
                        .any(|outer| outer.is_timed && outer.name == "div");
                if is_timed || open.is_malformed {
                    self.push_entry(open, &text, words);
                } else if !text.trim().is_empty() {
                    self.notes.add(Change::NoTimes, open.line);
                }
            }
            _ => {}
        }
    }

    fn push_entry(&mut self, open: &Open, text: &str, words: Vec<Word>) {
        if text.trim().is_empty() {
            return;
        }
        if open.is_malformed {
            self.notes.add(Change::UnreadableTimes, open.line);
            return;
        }
        let name = |id: &String| {
            let name = self.agents.get(id).map(|name| name.trim());
            name.filter(|name| !name.is_empty())
                .unwrap_or(id)
                .to_owned()
        };
        self.entries.push(Entry {
            line: open.line,
            start_ms: Some(open.start_ms),
            end_ms: open.end_ms,
            text: trim_lines(text),
            speaker: open.speaker.as_ref().map(name),
            words,
            language: open.language.clone(),
            ..Entry::default()
        });
    }

    /// Appends text in which line breaks mean spaces, or nothing in languages without spaces.
    fn push_text(&mut self, text: &str) {
        for c in text.chars() {
            if !c.is_ascii_whitespace() {
                if c != ' ' && self.text.ends_with(' ') && is_unspaced(c) {
                    let before = self.text.trim_end_matches(' ');
                    if before.ends_with(is_unspaced) {
                        self.text.truncate(before.len());
                    }
                }
                self.text.push(c);
            } else if !self.text.ends_with([' ', '\n']) {
                self.text.push(' ');
            }
        }
    }
}

fn trim_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(str::trim).collect();
    lines.join("\n").trim().to_owned()
}
