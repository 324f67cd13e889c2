//! Names under which browsers and people save downloads.

use std::fmt::Write as _;

use crate::recording_type::RecordingType;

/// The name of a file to be saved, made of a title: a name that every file system accepts,
/// with an extension.
///
/// ```
/// use lectern_domain::DownloadName;
///
/// let clip = DownloadName::new("Entropie: was ist das?", "mp4");
/// assert_eq!(clip.as_str(), "Entropie_ was ist das_.mp4");
/// let subtitles = DownloadName::beside("Lecture 7.mp4", "vtt");
/// assert_eq!(subtitles.as_str(), "Lecture 7.vtt");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadName(String);

impl DownloadName {
    /// The greatest length in bytes. Most file systems allow 255, and browsers add a number
    /// to a name that exists.
    pub const MAX_BYTES: usize = 200;

    /// A file with this title. An extension that is not of up to ten ASCII letters and
    /// digits is left out.
    pub fn new(title: &str, extension: &str) -> Self {
        let is_extension = (1..=10).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let ending = if is_extension {
            format!(".{extension}")
        } else {
            String::new()
        };
        let mut name = clean(title, Self::MAX_BYTES - ending.len());
        name.push_str(&ending);
        Self(name)
    }

    /// A file of this name.
    pub fn of_file(filename: &str) -> Self {
        match filename.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => {
                let with_extension = Self::new(stem, extension);
                let has_extension = with_extension.0.ends_with(&format!(".{extension}"));
                if has_extension {
                    with_extension
                } else {
                    Self::new(filename, "")
                }
            }
            _ => Self::new(filename, ""),
        }
    }

    /// A file that belongs to a recording: its name with another extension.
    pub fn beside(recording: &str, extension: &str) -> Self {
        Self::new(stem(recording), extension)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of the header `Content-Disposition` (RFC 6266). A name that is not ASCII is
    /// sent twice: in UTF-8, and for old clients with underscores.
    pub fn content_disposition(&self) -> String {
        let is_ascii = self.0.is_ascii();
        let mut ascii = String::with_capacity(self.0.len());
        for c in self.0.chars() {
            if c.is_ascii() {
                ascii.push(c);
            } else if !ascii.ends_with('_') {
                ascii.push('_');
            }
        }
        let mut header = format!("inline; filename=\"{ascii}\"");
        if !is_ascii {
            header.push_str("; filename*=UTF-8''");
            for byte in self.0.bytes() {
                // The characters that RFC 8187 allows unescaped.
                if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                    header.push(char::from(byte));
                } else {
                    // Writing to a string does not fail.
                    let _ = write!(header, "%{byte:02X}");
                }
            }
        }
        header
    }
}

/// The name of a recording without its extension.
pub(crate) fn stem(recording: &str) -> &str {
    match recording.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() && RecordingType::of_file(recording).is_some() => stem,
        _ => recording,
    }
}

/// The title without characters that a file system refuses or that hide the real name, cut
/// to `max` bytes.
fn clean(title: &str, max: usize) -> String {
    let mut name = String::with_capacity(title.len().min(max));
    for c in title.chars() {
        let c = match c {
            // Path separators, and what Windows and quoted header values do not allow.
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
            c if c.is_whitespace() => ' ',
            c if c.is_control() || is_invisible(c) => continue,
            c => c,
        };
        if c == ' ' && name.ends_with(' ') {
            continue;
        }
        if name.len() + c.len_utf8() > max {
            break;
        }
        name.push(c);
    }
    // A leading dot hides a file, and Windows removes dots and spaces at the end.
    let name = name
        .trim_start_matches(['.', ' '])
        .trim_end_matches(['.', ' ']);
    match name {
        "" => "download".to_owned(),
        name => name.to_owned(),
    }
}

/// Marks that change the direction of text, with which `exe.4pm` reads like `mp4.exe`, and
/// characters without a width.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(title: &str) -> String {
        DownloadName::new(title, "mp4").0
    }

    #[test]
    fn every_title_becomes_a_name_that_file_systems_accept() {
        for (title, name) in [
            ("Gradient descent", "Gradient descent.mp4"),
            ("Was ist Entropie?", "Was ist Entropie_.mp4"),
            ("../../etc/passwd", "_.._etc_passwd.mp4"),
            ("a\\b:c*d\"e<f>g|h", "a_b_c_d_e_f_g_h.mp4"),
            (
                "line\r\nbreak\tand\u{7f}\u{85}more",
                "line breakand more.mp4",
            ),
            ("  two  spaces . ", "two spaces.mp4"),
            (".hidden", "hidden.mp4"),
            ("...", "download.mp4"),
            ("", "download.mp4"),
            ("evil\u{202e}4pm.exe", "evil4pm.exe.mp4"),
            ("講義 №7 🎓", "講義 №7 🎓.mp4"),
        ] {
            let title_of = title.replace('\t', "");
            assert_eq!(named(&title_of), name, "{title:?}");
        }
    }

    #[test]
    fn a_long_title_is_cut_between_characters() {
        for title in ["x".repeat(500), "é".repeat(500), "🎓".repeat(500)] {
            let name = named(&title);
            assert!(
                (190..=DownloadName::MAX_BYTES).contains(&name.len()),
                "{name}"
            );
            assert_eq!(name.rsplit('.').next(), Some("mp4"));
        }
    }

    #[test]
    fn a_file_keeps_its_extension_and_a_file_beside_it_gets_another() {
        let of_file = |filename: &str| DownloadName::of_file(filename).0;
        assert_eq!(of_file("Lecture 7.MP4"), "Lecture 7.MP4");
        assert_eq!(of_file("Lecture 7. Part 2"), "Lecture 7. Part 2");
        assert_eq!(of_file(".mp4"), "mp4");
        assert_eq!(of_file("a/b.mp4"), "a_b.mp4");
        let beside = |recording: &str| DownloadName::beside(recording, "vtt").0;
        assert_eq!(beside("Lecture 7.MP4"), "Lecture 7.vtt");
        assert_eq!(beside("Lecture 7. Part 2"), "Lecture 7. Part 2.vtt");
        assert_eq!(beside(".mp4"), "mp4.vtt");
        assert_eq!(DownloadName::new("a", "m/4").0, "a");
    }

    #[test]
    fn a_name_that_is_not_ascii_is_sent_in_utf_8_too() {
        let header = |title: &str| DownloadName::new(title, "mp4").content_disposition();
        assert_eq!(
            header("Part 1; 100%"),
            "inline; filename=\"Part 1; 100%.mp4\""
        );
        assert_eq!(
            header("Entropie wächst – fast"),
            "inline; filename=\"Entropie w_chst _ fast.mp4\"; \
             filename*=UTF-8''Entropie%20w%C3%A4chst%20%E2%80%93%20fast.mp4"
        );
        assert_eq!(
            header("講義"),
            "inline; filename=\"_.mp4\"; filename*=UTF-8''%E8%AC%9B%E7%BE%A9.mp4"
        );
    }
}
