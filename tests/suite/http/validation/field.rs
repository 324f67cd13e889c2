//! The types of fields, with valid and invalid values of each.

/// The type of a field.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Text with a minimum and a maximum of characters.
    Text(usize, usize),
    /// ASCII text with this prefix and suffix, something between them, and a
    /// maximum of characters.
    Between(&'static str, &'static str, usize),
    /// Text that is not blank.
    Spoken,
    /// A number between two bounds; an infinity is no bound.
    Number(f64, f64),
    /// A number greater than 0.
    Positive,
    /// An integer between two bounds.
    Whole(i64, i64),
    /// A value of an enumeration, with an example.
    Word(&'static str),
    /// A list of at least one value of an enumeration, with an example.
    Words(&'static str),
    /// A boolean.
    Bool,
    /// An id.
    Id,
    /// Any JSON object.
    Free,
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
pub(crate) struct Bad {
    pub(crate) literal: Vec<u8>,
    /// The expected status: 400 if it is not JSON, otherwise 422.
    pub(crate) status: u16,
    /// The place of the error below the field; `None` if a parser cannot
    /// attribute it to this field.
    pub(crate) place: Option<&'static str>,
}

impl Field {
    /// Valid literals, up to the bounds.
    pub(crate) fn good(&self) -> Vec<String> {
        let mut good = match self.kind {
            Kind::Text(min, usize::MAX) => vec![text(min), text(70_000)],
            Kind::Text(min, max) => vec![text(min), text(max)],
            Kind::Between(begin, end, max) => {
                let (least, most) = (1, max - begin.len() - end.len());
                [least, most]
                    .map(|length| between(begin, length, end))
                    .into()
            }
            Kind::Number(min, max) => {
                let bounds = [min, max].into_iter().filter(|bound| bound.is_finite());
                bounds.map(|bound| bound.to_string()).collect()
            }
            Kind::Whole(min, max) => vec![min.to_string(), max.to_string(), format!("{min}.0")],
            Kind::Texts(min, max) => vec!["[]".into(), format!("[{},{}]", text(min), text(max))],
            Kind::Free => vec![objects(64), r#"{"id":1,"":[1e300,-0.0,"\u0001"]}"#.into()],
            _ => Vec::new(),
        };
        if self.presence == Presence::MayBeNull {
            good.push("null".to_owned());
        }
        good
    }

    /// Invalid literals.
    pub(crate) fn bad(&self) -> Vec<Bad> {
        let mut bad: Vec<Bad> = misfits(self.kind)
            .into_iter()
            .map(|literal| ruled(&literal))
            .collect();
        match self.kind {
            Kind::Text(min, max) => bad.extend(texts(min, max)),
            Kind::Between(begin, end, max) => {
                bad.extend(texts(1, max));
                bad.push(ruled(&between(
                    begin,
                    max + 1 - begin.len() - end.len(),
                    end,
                )));
                bad.push(ruled(&between(begin, 1, &format!("{end} "))));
                bad.extend((!begin.is_empty()).then(|| ruled(&between("", 1, end))));
                bad.extend((!begin.is_empty()).then(|| ruled(&between(begin, 0, end))));
                bad.extend((!end.is_empty()).then(|| ruled(&between(begin, 1, ""))));
            }
            Kind::Spoken => {
                bad.extend([r#""""#, r#"" \t\n""#, "\"\u{a0}\u{2003}\""].map(ruled));
                bad.extend(texts(0, usize::MAX));
            }
            Kind::Number(min, max) => bad.extend(no_numbers().chain(beyond(min, max))),
            Kind::Positive => bad.extend(no_numbers().chain(["0", "-0.0", "-1"].map(ruled))),
            Kind::Whole(min, max) => bad.extend(no_numbers().chain(beyond_whole(min, max))),
            Kind::Texts(min, max) => {
                let wrong = misfits(Kind::Text(min, max))
                    .into_iter()
                    .map(|literal| ruled(&literal));
                bad.extend(wrong.chain(texts(min, max)).map(|bad| Bad {
                    literal: [b"[", &bad.literal[..], b"]"].concat(),
                    place: Some("[0]"),
                    ..bad
                }));
            }
            Kind::Words(word) => {
                let wrong = misfits(Kind::Word(word));
                bad.extend(wrong.iter().map(|literal| Bad {
                    place: Some("[0]"),
                    ..ruled(&format!("[{literal}]"))
                }));
                bad.push(ruled("[]"));
            }
            Kind::Free => bad.extend(not_storable()),
            Kind::Bool | Kind::Word(_) | Kind::Id | Kind::Object | Kind::Objects => {}
        }
        if self.presence != Presence::MayBeNull {
            bad.push(ruled("null"));
        }
        bad
    }
}

/// JSON of another type.
fn misfits(kind: Kind) -> Vec<String> {
    let literals: &[&str] = match kind {
        Kind::Text(..) | Kind::Between(..) | Kind::Spoken => {
            &["5", "true", "[]", "{}", r#"["a"]"#, &arrays(10_000)]
        }
        Kind::Number(..) | Kind::Positive => {
            &[r#""1""#, "true", "[]", "{}", "[1]", &arrays(10_000)]
        }
        Kind::Whole(..) => &[
            r#""1""#,
            "false",
            "[]",
            "{}",
            "[1]",
            "1.5",
            &objects(10_000),
        ],
        Kind::Free => &["5", r#""x""#, "true", "[]", "[{}]", r#"[["a",1]]"#],
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
        Kind::Texts(..) | Kind::Words(_) => &["5", r#""x""#, "true", "{}", r#"{"0":"a"}"#],
        Kind::Id => &[
            "5",
            "[]",
            "{}",
            r#""""#,
            r#""x""#,
            r#""019b76da-a87b-7763-a830-6c97ee0bf06""#,
        ],
        Kind::Word(word) => &[
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
fn texts(min: usize, max: usize) -> Vec<Bad> {
    let mut bad = vec![ruled(r#""\u0000""#), ruled(r#""a\u0000b""#)];
    bad.extend((min > 0).then(|| ruled(r#""""#)));
    bad.extend((max < usize::MAX).then(|| ruled(&text(max + 1))));
    // A lone surrogate, an unknown escape, a raw line break, a raw NUL.
    bad.extend([r#""\ud800""#, r#""\x41""#, "\"a\nb\"", "\"a\0b\""].map(broken));
    // Latin-1, a truncated character, a surrogate in UTF-8, an overlong slash.
    let bytes = [
        &b"\"\xe9\""[..],
        b"\"\xf0\x9f\x8e\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xc0\xaf\"",
    ];
    bad.extend(bytes.map(broken));
    bad
}

/// Numbers in other languages that are not JSON.
fn no_numbers() -> impl Iterator<Item = Bad> {
    let named = "NaN nan Infinity -Infinity inf +1 .5 --1 1e400 -1e400 01 1. 1e";
    // A valid number followed by invalid text.
    let unnamed = "0x10 1_000 1,5 1f";
    let named = named.split(' ').map(broken);
    named.chain(unnamed.split(' ').map(lost))
}

/// Numbers just beyond the bounds and far beyond.
fn beyond(min: f64, max: f64) -> impl Iterator<Item = Bad> {
    let below = [min.next_down(), min - 1.0, -1e300]
        .into_iter()
        .filter(move |_| min.is_finite());
    let above = [max.next_up(), max + 1.0, 1e300]
        .into_iter()
        .filter(move |_| max.is_finite());
    below
        .chain(above)
        .map(|number| ruled(&format!("{number:e}")))
}

/// The same for integers.
fn beyond_whole(min: i64, max: i64) -> impl Iterator<Item = Bad> {
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
        .map(|number| ruled(&number.to_string()))
        .chain([ruled("1e300")])
}

/// Objects that a database cannot store or that are nested too deep.
fn not_storable() -> Vec<Bad> {
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
    let no_numbers = [
        r#"{"a":1e400}"#,
        r#"{"a":[NaN]}"#,
        r#"{"a":{"b":-Infinity}}"#,
    ];
    let no_json = ["{a:1}", "{'a':1}", r#"{"a":1,}"#, r#"{"a"}"#, r#"{"a":1]"#];
    let too_deep = [objects(10_000), format!(r#"{{"a":{}}}"#, arrays(10_000))];
    let ruled = nuls
        .map(ruled)
        .into_iter()
        .chain(deep.map(|literal| ruled(&literal)));
    let broken = no_numbers
        .map(broken)
        .into_iter()
        .chain(too_deep.map(broken))
        .chain(no_json.map(lost));
    ruled.chain(broken).collect()
}

/// JSON that breaks a rule.
fn ruled(literal: &str) -> Bad {
    Bad {
        literal: literal.into(),
        status: 422,
        place: Some(""),
    }
}

/// Text that is not JSON.
fn broken(literal: impl Into<Vec<u8>>) -> Bad {
    Bad {
        literal: literal.into(),
        status: 400,
        place: Some(""),
    }
}

/// The same where a parser cannot attribute the error to a field.
fn lost(literal: &str) -> Bad {
    Bad {
        place: None,
        ..broken(literal)
    }
}

/// A literal of `length` characters of two bytes each.
fn text(length: usize) -> String {
    format!("\"{}\"", "é".repeat(length))
}

/// A literal of `length` characters between a prefix and a suffix.
fn between(begin: &str, length: usize, end: &str) -> String {
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
