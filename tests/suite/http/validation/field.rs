//! The types of fields, with valid and invalid values of each.

/// The type of a field.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Text with a minimum and a maximum of characters.
    Text(usize, usize),
    /// ASCII text with this prefix and suffix, something between them, and a
    /// maximum of characters.
    Affixed(&'static str, &'static str, usize),
    /// Empty, or ASCII text with this prefix, something after it, and a maximum of
    /// characters.
    MayBeEmpty(&'static str, usize),
    /// Text that is not blank.
    NotBlank,
    /// A number between two bounds; an infinity is no bound.
    Number(f64, f64),
    /// A number greater than 0.
    Positive,
    /// An integer between two bounds.
    Integer(i64, i64),
    /// A value of an enumeration, with an example.
    Enum(&'static str),
    /// A list of at least one value of an enumeration, with an example.
    Enums(&'static str),
    /// A language tag.
    Language,
    /// A boolean.
    Bool,
    /// An id.
    Id,
    /// A time.
    Time,
    /// Any JSON object.
    AnyObject,
    /// An object whose fields are in the table.
    Object,
    /// A list of such objects.
    Objects,
    /// A list of texts, each with a minimum and a maximum of characters.
    Texts(usize, usize),
}

/// Whether a field may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    MayBeAbsent,
    MayBeNull,
}

/// A field of a body, such as `segments[0].text`.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) path: &'static str,
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
}

/// An invalid value, as a JSON literal.
#[derive(Debug, Clone)]
pub(crate) struct Invalid {
    pub(crate) literal: Vec<u8>,
    /// The expected status: 400 if it is not JSON, otherwise 422.
    pub(crate) status: u16,
    /// The location of the error within the field, such as `[0]`; `None` if a
    /// parser cannot attribute the error to this field.
    pub(crate) location: Option<&'static str>,
}

impl Field {
    /// Valid literals, up to the bounds.
    pub(crate) fn valid(&self) -> Vec<String> {
        let mut valid = match self.kind {
            Kind::Text(min, usize::MAX) => vec![text(min), text(70_000)],
            Kind::Text(min, max) => vec![text(min), text(max)],
            Kind::Affixed(begin, end, max) => {
                let (least, most) = (1, max - begin.len() - end.len());
                [least, most]
                    .map(|length| affixed(begin, length, end))
                    .into()
            }
            Kind::MayBeEmpty(begin, max) => {
                vec![
                    text(0),
                    affixed(begin, 1, ""),
                    affixed(begin, max - begin.len(), ""),
                ]
            }
            Kind::Number(min, max) => {
                let bounds = [min, max].into_iter().filter(|bound| bound.is_finite());
                bounds.map(|bound| bound.to_string()).collect()
            }
            Kind::Language => [
                r#""en""#,
                r#""PT_br""#,
                r#""zh-Hant-TW-x-12345678-12345678-1234""#,
            ]
            .map(str::to_owned)
            .into(),
            Kind::Integer(min, max) => vec![min.to_string(), max.to_string(), format!("{min}.0")],
            Kind::Texts(min, max) => vec!["[]".into(), format!("[{},{}]", text(min), text(max))],
            Kind::AnyObject => vec![objects(64), r#"{"id":1,"":[1e300,-0.0,"\u0001"]}"#.into()],
            _ => Vec::new(),
        };
        if self.presence == Presence::MayBeNull {
            valid.push("null".to_owned());
        }
        valid
    }

    /// Invalid literals.
    pub(crate) fn invalid(&self) -> Vec<Invalid> {
        let mut invalid: Vec<Invalid> = values_of_other_types(self.kind)
            .into_iter()
            .map(|literal| rule_violation(&literal))
            .collect();
        match self.kind {
            Kind::Text(min, max) => invalid.extend(texts(min, max)),
            Kind::Affixed(begin, end, max) => {
                invalid.extend(texts(1, max));
                invalid.push(rule_violation(&affixed(
                    begin,
                    max + 1 - begin.len() - end.len(),
                    end,
                )));
                invalid.push(rule_violation(&affixed(begin, 1, &format!("{end} "))));
                invalid.extend((!begin.is_empty()).then(|| rule_violation(&affixed("", 1, end))));
                invalid
                    .extend((!begin.is_empty()).then(|| rule_violation(&affixed(begin, 0, end))));
                invalid.extend((!end.is_empty()).then(|| rule_violation(&affixed(begin, 1, ""))));
            }
            Kind::MayBeEmpty(begin, max) => {
                invalid.extend(texts(0, max));
                invalid.push(rule_violation(&affixed(begin, max + 1 - begin.len(), "")));
                invalid.extend((!begin.is_empty()).then(|| rule_violation(&affixed("", 1, ""))));
                invalid.extend((!begin.is_empty()).then(|| rule_violation(&affixed(begin, 0, ""))));
            }
            Kind::NotBlank => {
                invalid.extend([r#""""#, r#"" \t\n""#, "\"\u{a0}\u{2003}\""].map(rule_violation));
                invalid.extend(texts(0, usize::MAX));
            }
            Kind::Number(min, max) => {
                invalid.extend(non_json_numbers().chain(out_of_range(min, max)));
            }
            Kind::Positive => {
                invalid.extend(non_json_numbers().chain(["0", "-0.0", "-1"].map(rule_violation)));
            }
            Kind::Integer(min, max) => {
                invalid.extend(non_json_numbers().chain(integers_out_of_range(min, max)));
            }
            Kind::Texts(min, max) => {
                let other_types = values_of_other_types(Kind::Text(min, max))
                    .into_iter()
                    .map(|literal| rule_violation(&literal));
                invalid.extend(other_types.chain(texts(min, max)).map(|invalid| Invalid {
                    literal: [b"[", &invalid.literal[..], b"]"].concat(),
                    location: Some("[0]"),
                    ..invalid
                }));
            }
            Kind::Enums(word) => {
                let other_values = values_of_other_types(Kind::Enum(word));
                invalid.extend(other_values.iter().map(|literal| Invalid {
                    location: Some("[0]"),
                    ..rule_violation(&format!("[{literal}]"))
                }));
                invalid.push(rule_violation("[]"));
            }
            Kind::AnyObject => invalid.extend(unstorable_objects()),
            Kind::Bool
            | Kind::Enum(_)
            | Kind::Language
            | Kind::Id
            | Kind::Time
            | Kind::Object
            | Kind::Objects => {}
        }
        if self.presence != Presence::MayBeNull {
            invalid.push(rule_violation("null"));
        }
        if self.path.starts_with("processing_config.") {
            // An object of any form is parsed as a whole before its options are checked.
            let is_deep = |invalid: &Invalid| invalid.literal.len() > DEEP;
            for invalid in invalid.iter_mut().filter(|invalid| is_deep(invalid)) {
                *invalid = Invalid {
                    location: None,
                    status: 400,
                    ..invalid.clone()
                };
            }
        }
        invalid
    }
}

/// A literal of more bytes is nested deeper than JSON may be.
const DEEP: usize = 10_000;

/// JSON of another type.
fn values_of_other_types(kind: Kind) -> Vec<String> {
    let literals: &[&str] = match kind {
        Kind::Text(..) | Kind::Affixed(..) | Kind::MayBeEmpty(..) | Kind::NotBlank => {
            &["5", "true", "[]", "{}", r#"["a"]"#, &arrays(10_000)]
        }
        Kind::Number(..) | Kind::Positive => {
            &[r#""1""#, "true", "[]", "{}", "[1]", &arrays(10_000)]
        }
        Kind::Integer(..) => &[
            r#""1""#,
            "false",
            "[]",
            "{}",
            "[1]",
            "1.5",
            &objects(10_000),
        ],
        Kind::AnyObject => &["5", r#""x""#, "true", "[]", "[{}]", r#"[["a",1]]"#],
        Kind::Object => &["5", r#""x""#, "true", "[]", &arrays(10_000)],
        Kind::Objects => &["5", r#""x""#, "true", "{}", &objects(10_000)],
        Kind::Bool => &[
            "0",
            "1",
            r#""true""#,
            r#""""#,
            "[]",
            "[true]",
            "{}",
            &arrays(10_000),
        ],
        Kind::Texts(..) | Kind::Enums(_) => &["5", r#""x""#, "true", "{}", r#"{"0":"a"}"#],
        Kind::Id => &[
            "5",
            "[]",
            "{}",
            r#""""#,
            r#""x""#,
            r#""019b76da-a87b-7763-a830-6c97ee0bf06""#,
        ],
        Kind::Time => &[
            "5",
            "true",
            "[]",
            "{}",
            r#""""#,
            r#""yesterday""#,
            r#""2026-01-01""#,
            r#""2026-02-30T00:00:00Z""#,
        ],
        Kind::Language => &[
            "5",
            "true",
            "[]",
            "{}",
            r#""""#,
            r#""e""#,
            r#""english""#,
            r#""en-""#,
            r#""en gb""#,
            r#""en\u0000""#,
            r#""en-123456789""#,
            r#""zh-Hant-TW-x-12345678-12345678-12345""#,
        ],
        Kind::Enum(word) => &[
            "5",
            "0",
            "true",
            "[]",
            "{}",
            r#""""#,
            r#""nothing_known""#,
            r#""a\u0000""#,
            // Other serializers write an enum value like this.
            &format!(r#"{{"{word}":null}}"#),
            &format!(r#"["{word}"]"#),
            &format!(r#""{word} ""#),
            &format!(r#""{}""#, word.to_uppercase()),
        ],
    };
    literals.iter().map(ToString::to_string).collect()
}

/// Text that is too short, too long or malformed.
fn texts(min: usize, max: usize) -> Vec<Invalid> {
    let mut invalid = vec![
        rule_violation(r#""\u0000""#),
        rule_violation(r#""a\u0000b""#),
    ];
    invalid.extend((min > 0).then(|| rule_violation(r#""""#)));
    invalid.extend((max < usize::MAX).then(|| rule_violation(&text(max + 1))));
    // A lone surrogate, an unknown escape, a raw line break, a raw NUL.
    invalid.extend([r#""\ud800""#, r#""\x41""#, "\"a\nb\"", "\"a\0b\""].map(malformed));
    // Latin-1, a truncated character, a surrogate in UTF-8, an overlong slash.
    let bytes = [
        &b"\"\xe9\""[..],
        b"\"\xf0\x9f\x8e\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xc0\xaf\"",
    ];
    invalid.extend(bytes.map(malformed));
    invalid
}

/// Number literals of other languages, which are not JSON.
fn non_json_numbers() -> impl Iterator<Item = Invalid> {
    let never_valid = "NaN nan Infinity -Infinity inf +1 .5 --1 1e400 -1e400 01 1. 1e";
    // The error is after the number, so that a parser does not attribute it.
    let valid_at_first = "0x10 1_000 1,5 1f";
    let attributed = never_valid.split(' ').map(malformed);
    attributed.chain(valid_at_first.split(' ').map(unattributed))
}

/// Numbers just beyond the bounds and far beyond.
fn out_of_range(min: f64, max: f64) -> impl Iterator<Item = Invalid> {
    let below = [min.next_down(), min - 1.0, -1e300]
        .into_iter()
        .filter(move |_| min.is_finite());
    let above = [max.next_up(), max + 1.0, 1e300]
        .into_iter()
        .filter(move |_| max.is_finite());
    below
        .chain(above)
        .map(|number| rule_violation(&format!("{number:e}")))
}

/// The same for integers.
fn integers_out_of_range(min: i64, max: i64) -> impl Iterator<Item = Invalid> {
    let (min, max) = (i128::from(min), i128::from(max));
    let numbers = [
        min - 1,
        max + 1,
        i64::MIN.into(),
        u64::MAX.into(),
        i128::MAX,
    ];
    numbers
        .into_iter()
        .map(|number| rule_violation(&number.to_string()))
        .chain([rule_violation("1e300")])
}

/// Objects that a database cannot store or that are nested too deep.
fn unstorable_objects() -> Vec<Invalid> {
    let nuls = [
        r#"{"a":"\u0000"}"#,
        r#"{"\u0000":1}"#,
        r#"{"a":{"b\u0000":1}}"#,
        r#"{"a":[1,["\u0000"]]}"#,
    ];
    let deep = [
        objects(65),
        objects(100),
        format!(r#"{{"a":{}}}"#, arrays(64)),
    ];
    let non_json_numbers = [
        r#"{"a":1e400}"#,
        r#"{"a":[NaN]}"#,
        r#"{"a":{"b":-Infinity}}"#,
    ];
    let invalid_json = ["{a:1}", "{'a':1}", r#"{"a":1,}"#, r#"{"a"}"#, r#"{"a":1]"#];
    let too_deep = [objects(10_000), format!(r#"{{"a":{}}}"#, arrays(10_000))];
    let rule_violation = nuls
        .map(rule_violation)
        .into_iter()
        .chain(deep.map(|literal| rule_violation(&literal)));
    let malformed = non_json_numbers
        .map(malformed)
        .into_iter()
        .chain(too_deep.map(malformed))
        .chain(invalid_json.map(unattributed));
    rule_violation.chain(malformed).collect()
}

/// JSON that breaks a rule.
fn rule_violation(literal: &str) -> Invalid {
    Invalid {
        literal: literal.into(),
        status: 422,
        location: Some(""),
    }
}

/// Text that is not JSON.
fn malformed(literal: impl Into<Vec<u8>>) -> Invalid {
    Invalid {
        literal: literal.into(),
        status: 400,
        location: Some(""),
    }
}

/// The same where a parser cannot attribute the error to a field.
fn unattributed(literal: &str) -> Invalid {
    Invalid {
        location: None,
        ..malformed(literal)
    }
}

/// A literal of `length` characters of two bytes each.
fn text(length: usize) -> String {
    format!("\"{}\"", "é".repeat(length))
}

/// A literal of `length` characters between a prefix and a suffix.
fn affixed(begin: &str, length: usize, end: &str) -> String {
    format!("\"{begin}{}{end}\"", "a".repeat(length))
}

/// `{"a":{"a":{}}}`, nested this deep.
fn objects(levels: usize) -> String {
    format!(
        "{}{{}}{}",
        r#"{"a":"#.repeat(levels - 1),
        "}".repeat(levels - 1)
    )
}

/// `[[[]]]`, nested this deep.
pub(crate) fn arrays(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}
