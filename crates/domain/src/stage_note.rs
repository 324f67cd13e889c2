//! Notes of a stage about its output, for people to read.

use serde_json::{Value, json};

use crate::stage::Stage;
use crate::value::string_enum::string_enum;
use crate::value::text::bounded_texts;
use crate::value::{Invalid, JsonValue, ParseEnumError};

bounded_texts! {
    /// The message of a note, 1 to 1,000 characters.
    NoteText: 1 to 1000;
}

string_enum! {
    /// How much a note matters.
    NoteLevel {
        /// Says how the output was made.
        Info = "info",
        /// Something is missing from the output, or may be wrong.
        Warning = "warning",
    }
}

/// A note of a stage about its output, such as the file from which a transcript was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageNote {
    /// How much it matters.
    pub level: NoteLevel,
    /// For people to read.
    pub message: NoteText,
}

impl StageNote {
    /// A note of this level.
    pub fn new(level: NoteLevel, message: NoteText) -> Self {
        Self { level, message }
    }
}

/// The notes of one attempt at a stage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StageNotes(Vec<StageNote>);

impl StageNotes {
    /// The greatest number of notes.
    pub const MAX: usize = 50;

    /// Checks the number of notes.
    pub fn new(notes: Vec<StageNote>) -> Result<Self, Invalid> {
        if notes.len() > Self::MAX {
            return Err(Invalid::new(format!(
                "must have at most {} notes",
                Self::MAX
            )));
        }
        Ok(Self(notes))
    }

    /// The notes, in the order in which they were given.
    pub fn as_slice(&self) -> &[StageNote] {
        &self.0
    }

    /// The messages in one line.
    pub fn joined(&self) -> Option<String> {
        let messages = self.0.iter().map(|note| note.message.as_str());
        (!self.0.is_empty()).then(|| messages.collect::<Vec<_>>().join("; "))
    }
}

impl IntoIterator for StageNotes {
    type Item = StageNote;
    type IntoIter = std::vec::IntoIter<StageNote>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// An array of objects with `level` and `message`.
impl JsonValue for StageNotes {
    fn from_json(json: Value) -> Result<Self, Invalid> {
        let Value::Array(notes) = json else {
            return Err(Invalid::new("must be an array"));
        };
        let note = |note: Value| {
            let text = |name: &str| note.get(name).and_then(Value::as_str);
            let (Some(level), Some(message)) = (text("level"), text("message")) else {
                return Err(Invalid::new("must have objects with level and message"));
            };
            let level = level
                .parse()
                .map_err(|error: ParseEnumError| Invalid::new(error.to_string()))?;
            Ok(StageNote::new(level, NoteText::new(message)?))
        };
        Self::new(notes.into_iter().map(note).collect::<Result<_, _>>()?)
    }

    fn to_json(&self) -> Value {
        let notes = self.0.iter();
        let json = |note: &StageNote| json!({ "level": note.level, "message": note.message });
        notes.map(json).collect()
    }
}

/// A note with the stage that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteOfStage {
    /// The stage.
    pub stage: Stage,
    /// Its note.
    pub note: StageNote,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(level: NoteLevel, message: &str) -> StageNote {
        StageNote::new(level, NoteText::new(message).unwrap())
    }

    #[test]
    fn notes_survive_json() {
        let notes = StageNotes::new(vec![
            note(NoteLevel::Warning, "3 cues dropped"),
            note(NoteLevel::Info, "taken from talk.srt"),
        ])
        .unwrap();
        assert_eq!(StageNotes::from_json(notes.to_json()), Ok(notes.clone()));
        assert_eq!(
            notes.joined().unwrap(),
            "3 cues dropped; taken from talk.srt"
        );
        assert_eq!(StageNotes::default().to_json(), json!([]));
        assert_eq!(StageNotes::default().joined(), None);
    }

    #[test]
    fn other_json_is_refused() {
        for json in [
            json!({}),
            json!(["note"]),
            json!([{ "level": "info" }]),
            json!([{ "level": "loud", "message": "a" }]),
            json!([{ "level": "info", "message": "" }]),
            json!([{ "level": "info", "message": "a\0" }]),
        ] {
            assert!(StageNotes::from_json(json.clone()).is_err(), "{json}");
        }
        let many = vec![note(NoteLevel::Info, "a"); StageNotes::MAX + 1];
        assert!(StageNotes::new(many).is_err());
    }
}
