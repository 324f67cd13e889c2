//! Languages, as tags of BCP 47.

use isolang::Language;

use crate::value::text::text_impls;
use crate::value::{BoundedText, Invalid};

/// ISO 639-2 has two codes for these languages. Recordings have the first one (bibliographic),
/// and ISO 639-3 knows only the other one.
const BIBLIOGRAPHIC_CODES: [(&str, &str); 20] = [
    ("alb", "sq"),
    ("arm", "hy"),
    ("baq", "eu"),
    ("bur", "my"),
    ("chi", "zh"),
    ("cze", "cs"),
    ("dut", "nl"),
    ("fre", "fr"),
    ("geo", "ka"),
    ("ger", "de"),
    ("gre", "el"),
    ("ice", "is"),
    ("mac", "mk"),
    ("mao", "mi"),
    ("may", "ms"),
    ("per", "fa"),
    ("rum", "ro"),
    ("slo", "sk"),
    ("tib", "bo"),
    ("wel", "cy"),
];

/// Words that programs append to a language. They have the form of a script, but ISO 15924 has no
/// such scripts: `YouTube` calls captions in the language of the speech `en-orig`.
const NO_SUBTAGS: [&str; 2] = ["orig", "auto"];

/// A language such as `de` or `pt-BR`: a tag of BCP 47 with the shortest code of the language
/// and the usual case. Has 2 to 35 characters.
///
/// ```
/// use lectern_domain::LanguageTag;
///
/// assert_eq!(LanguageTag::new("ger")?.as_str(), "de");
/// assert_eq!(LanguageTag::new("PT_br")?.as_str(), "pt-BR");
/// assert!(LanguageTag::new("not a tag").is_err());
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LanguageTag(String);

impl LanguageTag {
    /// The least number of characters.
    pub const MIN: usize = 2;
    /// The greatest number of characters.
    pub const MAX: usize = 35;
    /// The form of a tag, as a regular expression. `_` becomes `-`.
    pub const PATTERN: &str = "^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$";

    /// Checks the form of the tag, not whether the language exists.
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        let invalid = || Invalid::new("must be a language tag such as en or pt-BR");
        if text.len() > Self::MAX {
            return Err(invalid());
        }
        let mut subtags = text.split(['-', '_']);
        let primary = subtags.next().unwrap_or_default();
        let is_primary = matches!(primary.len(), 2 | 3)
            && primary.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !is_primary {
            return Err(invalid());
        }
        let mut tag = shortest_code(primary);
        for subtag in subtags {
            let is_subtag = matches!(subtag.len(), 1..=8)
                && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if !is_subtag {
                return Err(invalid());
            }
            if !NO_SUBTAGS
                .iter()
                .any(|word| word.eq_ignore_ascii_case(subtag))
            {
                tag.push('-');
                tag.push_str(&in_usual_case(subtag));
            }
        }
        Ok(Self(tag))
    }

    /// The language that a file or a recognizer names: by a tag, or by its name in English.
    /// `None` if there is no such language, or if it is not determined (`und`).
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.trim();
        if let Ok(tag) = Self::new(name) {
            return tag.is_known().then_some(tag);
        }
        let mut characters = name.chars();
        let first = characters.next()?.to_uppercase();
        let capitalized: String = first
            .chain(characters.flat_map(char::to_lowercase))
            .collect();
        let language = Language::from_name(&capitalized)?;
        Self::new(language.to_639_1().unwrap_or(language.to_639_3())).ok()
    }

    /// Whether the language is in ISO 639. Codes for undetermined and several languages are not.
    pub fn is_known(&self) -> bool {
        let code = self.primary();
        let is_special = matches!(code, "und" | "mul" | "mis" | "zxx");
        !is_special && language(code).is_some()
    }

    /// Whether the language has a code of two letters, as most written languages have.
    pub fn has_short_code(&self) -> bool {
        self.primary().len() == 2 && self.is_known()
    }

    /// The code of the language, without script and region.
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// The name of the language in English. `None` if the code is not in ISO 639.
    pub fn english_name(&self) -> Option<&'static str> {
        language(self.primary()).map(|language| language.to_name())
    }

    /// Whether the two differ at most in script, region and variant.
    pub fn is_same_language(&self, other: &Self) -> bool {
        self.primary() == other.primary()
    }

    /// Whether `other` is this language or a more specific one: `en` includes `en-GB`, as in
    /// RFC 4647, section 3.3.1.
    pub fn includes(&self, other: &Self) -> bool {
        let rest = other.0.strip_prefix(&self.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

text_impls!(LanguageTag);

impl BoundedText for LanguageTag {
    const MIN: usize = Self::MIN;
    const MAX: usize = Self::MAX;
}

fn language(code: &str) -> Option<Language> {
    match code.len() {
        2 => Language::from_639_1(code),
        _ => Language::from_639_3(code),
    }
}

/// The code in lower case, with two letters if the language has such a code.
fn shortest_code(code: &str) -> String {
    let code = code.to_ascii_lowercase();
    let mut bibliographic = BIBLIOGRAPHIC_CODES.iter();
    if let Some((_, short)) = bibliographic.find(|(long, _)| *long == code) {
        return (*short).to_owned();
    }
    match language(&code).and_then(|language| language.to_639_1()) {
        Some(short) => short.to_owned(),
        None => code,
    }
}

/// A region in upper case, a script capitalized, and anything else in lower case.
fn in_usual_case(subtag: &str) -> String {
    let lower = subtag.to_ascii_lowercase();
    let is_alphabetic = subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
    match lower.len() {
        2 if is_alphabetic => lower.to_ascii_uppercase(),
        4 if is_alphabetic => lower[..1].to_ascii_uppercase() + &lower[1..],
        _ => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> LanguageTag {
        LanguageTag::new(text).unwrap()
    }

    #[test]
    fn a_tag_has_the_shortest_code_and_the_usual_case() {
        for (written, expected) in [
            ("en", "en"),
            ("EN", "en"),
            ("eng", "en"),
            ("fre", "fr"),
            ("fra", "fr"),
            ("gsw", "gsw"),
            ("qqq", "qqq"),
            ("zh_hant_tw", "zh-Hant-TW"),
            ("de-1996", "de-1996"),
            ("en-orig", "en"),
            ("pt-BR-orig", "pt-BR"),
        ] {
            assert_eq!(tag(written).as_str(), expected);
            assert_eq!(tag(expected).as_str(), expected);
        }
    }

    #[test]
    fn other_texts_are_no_tags() {
        for text in [
            "",
            "e",
            "engl",
            "en-",
            "en--GB",
            "é1",
            "e1",
            "en-123456789",
            "en GB",
        ] {
            assert!(LanguageTag::new(text).is_err(), "{text}");
        }
        assert!(LanguageTag::new(format!("en{}", "-abcdefgh".repeat(4))).is_err());
    }

    #[test]
    fn bibliographic_codes_are_those_of_known_languages() {
        for (code, short) in BIBLIOGRAPHIC_CODES {
            assert!(tag(short).has_short_code(), "{short}");
            assert_eq!(tag(code).as_str(), short);
        }
    }

    #[test]
    fn recognizers_name_languages_in_english() {
        let named = |name: &str| LanguageTag::of_name(name).map(LanguageTag::into_string);
        assert_eq!(named("german").as_deref(), Some("de"));
        assert_eq!(named(" en-us ").as_deref(), Some("en-US"));
        for name in ["", "und", "qqq", "gibberish"] {
            assert_eq!(named(name), None, "{name}");
        }
        assert_eq!(tag("pt-BR").english_name(), Some("Portuguese"));
        assert_eq!(tag("qqq").english_name(), None);
    }

    #[test]
    fn a_language_includes_its_regions() {
        assert!(tag("en").includes(&tag("en")));
        assert!(tag("en").includes(&tag("en-GB")));
        assert!(!tag("en-GB").includes(&tag("en")));
        assert!(!tag("gs").includes(&tag("gsw")));
        assert!(tag("en-GB").is_same_language(&tag("en-US")));
    }
}
