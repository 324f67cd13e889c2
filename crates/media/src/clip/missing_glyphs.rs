//! Characters that no font can draw.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::burned_subtitles;
use crate::error::Error;
use crate::ffmpeg::Media;
use crate::process::ChildError;

/// How libass, the library that draws subtitles for ffmpeg, says that no font has a character.
/// The code of the character in hexadecimal digits follows.
const MESSAGES: [&str; 2] = ["any fallback with glyph 0x", "Glyph 0x"];
/// The greatest number of different characters that are looked for: as many as a picture of text
/// has room for.
const MAX_CHARACTERS: usize = 4000;
/// The number of characters in a line of the picture.
const LINE_CHARACTERS: usize = 50;

impl Media {
    /// Finds characters of a text that no font of this machine has: subtitles in the picture
    /// would show boxes instead. At most about 20 are named, in order. `file` is a path for a
    /// temporary file. ffmpeg draws one small picture for this, unless the text is in ASCII.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or ffmpeg is cancelled or exceeds its limits. If ffmpeg
    /// fails, nothing is missing.
    pub fn characters_without_font(&self, text: &str, file: &Path) -> Result<Vec<char>, Error> {
        let is_drawn = |c: &char| !c.is_ascii() && !c.is_control() && !c.is_whitespace();
        let characters: BTreeSet<char> = text.chars().filter(is_drawn).collect();
        if characters.is_empty() {
            return Ok(Vec::new());
        }
        let mut subtitles = "WEBVTT\n\n00:00.000 --> 00:10.000\n".to_owned();
        for (i, character) in characters.iter().take(MAX_CHARACTERS).enumerate() {
            if i > 0 && i % LINE_CHARACTERS == 0 {
                subtitles.push('\n');
            }
            // Between spaces, no character changes the form of another one.
            let _ = write!(subtitles, "{character} ");
        }
        subtitles.push('\n');
        fs::write(file, subtitles).map_err(Error::io("write", file))?;
        let drawn = self
            .ffmpeg()
            // libass writes warnings.
            .args([
                "-v",
                "warning",
                "-f",
                "lavfi",
                "-i",
                "color=s=640x360:r=1:d=1",
            ])
            .args(["-vf", &format!("null{}", burned_subtitles::filter(file))])
            .args(["-frames:v", "1", "-f", "null", "-"])
            .run(&self.limits, &mut |_| {});
        let messages = match drawn {
            Ok(messages) => messages,
            // For example, without the filter that draws subtitles. Cutting a clip says why.
            Err(ChildError::Failed { .. }) => String::new(),
            Err(error) => return Err(Error::from_child("look for fonts")(error)),
        };
        let mut missing: BTreeSet<char> = messages.lines().filter_map(missing_character).collect();
        missing.retain(|character| characters.contains(character));
        Ok(missing.into_iter().collect())
    }
}

/// The character that a message of libass is about.
fn missing_character(line: &str) -> Option<char> {
    let mut messages = MESSAGES.iter();
    let code = messages.find_map(|message| Some(line.split_once(message)?.1))?;
    let end = code.find(|c: char| !c.is_ascii_hexdigit());
    let code = &code[..end.unwrap_or(code.len())];
    char::from_u32(u32::from_str_radix(code, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::missing_character;

    #[test]
    fn messages_of_libass_name_the_character() {
        let line = "[Parsed_subtitles_1 @ 0x5] fontselect: failed to find any fallback with glyph \
                    0x65E5 for font: (Arial, 400, 0)";
        assert_eq!(missing_character(line), Some('日'));
        let line = "[x] Glyph 0x20BB7 not found in font for (Arial, 400, 0)";
        assert_eq!(missing_character(line), Some('𠮷'));
        for line in ["Glyph 0xD800 not found", "glyph 0x", "Using font provider"] {
            assert_eq!(missing_character(line), None, "{line}");
        }
    }
}
