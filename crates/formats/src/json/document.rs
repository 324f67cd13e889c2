//! JSON that is taken apart piece by piece, so that one bad piece does not refuse a file and a
//! large file is never in memory as a tree.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The text of a JSON value.
pub(super) type Raw<'a> = &'a RawValue;

/// The fields of a JSON object, without those that are `null`.
#[derive(Debug, Default)]
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, Raw<'a>)>);

impl<'a> Object<'a> {
    /// `None` if the value is not an object.
    pub(super) fn of(raw: Raw<'a>) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, name: &str) -> Option<Raw<'a>> {
        let field = self.0.iter().find(|(field, _)| field == name);
        field.map(|(_, raw)| *raw)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The first of these fields that the object has.
    pub(super) fn first(&self, names: &[&str]) -> Option<Raw<'a>> {
        names.iter().find_map(|name| self.get(name))
    }

    pub(super) fn object(&self, name: &str) -> Option<Object<'a>> {
        Object::of(self.get(name)?)
    }

    /// The fields that are objects.
    pub(super) fn objects(&self) -> Vec<Object<'a>> {
        self.0
            .iter()
            .filter_map(|(_, raw)| Object::of(raw))
            .collect()
    }

    /// The items of a list; empty if the field is missing or no list.
    pub(super) fn list(&self, name: &str) -> Vec<Raw<'a>> {
        self.get(name).and_then(list).unwrap_or_default()
    }

    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| text(self.get(name)?))
    }

    pub(super) fn number(&self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| number(self.get(name)?))
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        let mut fields = Vec::new();
        while let Some((Name(name), raw)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
            if raw.get() != "null" {
                fields.push((name, raw));
            }
        }
        Ok(Object(fields))
    }
}

/// The items of a list.
pub(super) fn list(raw: Raw<'_>) -> Option<Vec<Raw<'_>>> {
    serde_json::from_str(raw.get()).ok()
}

/// A string, or a number as it is written.
pub(super) fn text(raw: Raw<'_>) -> Option<String> {
    let json = raw.get();
    if json.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return Some(json.to_owned());
    }
    serde_json::from_str(json).ok()
}

/// A finite number, or one in a string.
pub(super) fn number(raw: Raw<'_>) -> Option<f64> {
    let number: f64 = text(raw)?.trim().parse().ok()?;
    number.is_finite().then_some(number)
}

/// Finds the lines of values.
#[derive(Debug)]
pub(super) struct LineFinder<'a> {
    text: &'a str,
    /// An offset and its line.
    last: Cell<(usize, usize)>,
}

impl<'a> LineFinder<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            last: Cell::new((0, 1)),
        }
    }

    /// The line on which a part of the text begins, counted from 1. Takes time linear in the
    /// distance from the last part, if parts come in the order of the text.
    pub(super) fn line(&self, raw: Raw<'a>) -> usize {
        let offset = raw
            .get()
            .as_ptr()
            .addr()
            .wrapping_sub(self.text.as_ptr().addr());
        let offset = offset.min(self.text.len());
        let (last_offset, last_line) = self.last.get();
        let (from, line) = if offset >= last_offset {
            (last_offset, last_line)
        } else {
            (0, 1)
        };
        let bytes = &self.text.as_bytes()[from..offset];
        let line = line + bytes.split(|byte| *byte == b'\n').count() - 1;
        self.last.set((offset, line));
        line
    }
}
