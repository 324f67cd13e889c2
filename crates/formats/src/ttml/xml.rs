//! The elements and texts of an XML file. Definitions of entities are ignored, so that no text
//! grows beyond the file.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::error::FormatError;
use crate::html_references::unescape_references;

/// A part of a file.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    Start(Element),
    /// The name of the element without its prefix.
    End(String),
    Text(String),
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Element {
    /// Without its prefix.
    pub(super) name: String,
    /// Names, without their prefixes, and values.
    attributes: Vec<(String, String)>,
    /// Where the element begins, counted from 1.
    pub(super) line: usize,
    /// Whether the element has no content; no [`Part::End`] follows.
    pub(super) is_empty: bool,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let attribute = self.attributes.iter().find(|(known, _)| known == name);
        attribute.map(|(_, value)| value.as_str())
    }
}

/// Reads a file part by part.
pub(super) struct Parts<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    /// An offset and its line.
    last: (usize, usize),
}

impl<'a> Parts<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        // Programs write `<br>` as in HTML.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        Self {
            text,
            reader,
            last: (0, 1),
        }
    }

    /// The next part; `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// The file is not XML.
    pub(super) fn next(&mut self) -> Result<Option<Part>, FormatError> {
        loop {
            let before = self.offset();
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => {
                    let line = self.line(before);
                    return Err(FormatError::new(line, format!("invalid XML: {error}")));
                }
            };
            let part = match event {
                Event::Start(start) => Part::Start(self.element(&start, before, false)),
                Event::Empty(start) => Part::Start(self.element(&start, before, true)),
                Event::End(end) => Part::End(utf8(end.local_name().as_ref())),
                Event::Text(text) => Part::Text(utf8(&text)),
                Event::CData(text) => Part::Text(utf8(&text)),
                Event::GeneralRef(name) => {
                    Part::Text(unescape_references(&format!("&{};", utf8(&name))))
                }
                Event::Eof => return Ok(None),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => continue,
            };
            return Ok(Some(part));
        }
    }

    fn element(&mut self, start: &BytesStart<'_>, offset: usize, is_empty: bool) -> Element {
        let mut attributes = start.attributes();
        let attributes = attributes.with_checks(false).flatten().map(|attribute| {
            let name = utf8(attribute.key.local_name().as_ref());
            (name, unescape_references(&utf8(&attribute.value)))
        });
        Element {
            name: utf8(start.local_name().as_ref()),
            attributes: attributes.collect(),
            line: self.line(offset),
            is_empty,
        }
    }

    fn offset(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    /// The line of an offset that is not before that of the last call.
    fn line(&mut self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        let (last_offset, last_line) = self.last;
        let between = self.text.as_bytes().get(last_offset..offset);
        let lines = between
            .unwrap_or_default()
            .split(|byte| *byte == b'\n')
            .count()
            - 1;
        self.last = (offset.max(last_offset), last_line + lines);
        self.last.1
    }
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
