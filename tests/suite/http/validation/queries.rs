//! Every endpoint that takes a query string, and every parameter of each.

use Kind::{Count, Cursor, Enum, Enums, Event, Flag, Id, Language, Part, Seconds, Text, Time};

/// The type of a parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// A value of an enumeration, with an example.
    Enum(&'static str),
    /// Values of an enumeration, separated by commas, with an example.
    Enums(&'static str),
    /// A timestamp or a date.
    Time,
    /// A media time in seconds.
    Seconds,
    /// An integer from 1 to this.
    Count(u32),
    /// The number of an event, from 0.
    Event,
    /// `true` or `false`.
    Flag,
    /// A UUID.
    Id,
    /// A language tag.
    Language,
    /// Any text.
    Text,
    /// Text with a maximum of characters.
    Part(usize),
    /// The `next_cursor` of the previous page.
    Cursor,
}

/// An endpoint that takes a query string.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) path: &'static str,
    pub(crate) parameters: &'static [(&'static str, Kind)],
    /// Whether unknown parameters are ignored.
    pub(crate) ignores_others: bool,
    /// Values that are valid alone but contradict each other, with the
    /// parameter the error names.
    pub(crate) contradictions: &'static [(&'static str, &'static str)],
}

/// All endpoints that take a query string.
pub(crate) const ENDPOINTS: [Endpoint; 14] = [
    Endpoint {
        path: "/api/v1/jobs",
        parameters: &[
            ("status", Enums("queued")),
            ("stage", Enum("transcription")),
            ("filename", Part(255)),
            ("metadata.course", Text),
            ("created_after", Time),
            ("created_before", Time),
            ("updated_after", Time),
            ("completed_after", Time),
            ("order", Enum("updated_at")),
            ("direction", Enum("asc")),
            ("include", Enum("metadata")),
            ("limit", Count(100)),
            ("cursor", Cursor),
            ("include_total", Flag),
        ],
        ignores_others: false,
        contradictions: &[],
    },
    Endpoint {
        path: "/api/v1/jobs/{job_id}/transcripts",
        parameters: &[
            ("from", Seconds),
            ("to", Seconds),
            ("q", Text),
            ("language", Language),
            ("words", Flag),
            ("format", Enum("vtt")),
        ],
        ignores_others: false,
        contradictions: &[("from=2&to=1", "to")],
    },
    Endpoint {
        path: "/api/v1/transcripts/{segment_id}",
        parameters: &[("words", Flag)],
        ignores_others: false,
        contradictions: &[],
    },
    Endpoint {
        path: "/api/v1/clips/{clip_id}/subtitles",
        parameters: &[("format", Enum("text"))],
        ignores_others: false,
        contradictions: &[],
    },
    Endpoint {
        path: "/api/v1/jobs/{job_id}/silence-regions",
        parameters: &[
            ("silence_type", Enum("both")),
            ("min_duration", Seconds),
            ("from", Seconds),
            ("to", Seconds),
        ],
        ignores_others: false,
        contradictions: &[("from=2&to=1", "to")],
    },
    Endpoint {
        path: "/api/v1/jobs/{job_id}/content-segments",
        parameters: &[("keyword", Text), ("top", Count(1000))],
        ignores_others: false,
        contradictions: &[],
    },
    Endpoint {
        path: "/api/v1/jobs/{job_id}/clips",
        parameters: &[("top", Count(1000))],
        ignores_others: false,
        contradictions: &[],
    },
    Endpoint {
        path: "/api/v1/jobs/{job_id}/logs",
        parameters: &[
            ("stage", Enum("transcription")),
            ("status", Enum("failed")),
            ("limit", Count(100)),
            ("cursor", Cursor),
        ],
        ignores_others: false,
        contradictions: &[],
    },
    Endpoint {
        path: "/api/v1/jobs/{job_id}/events",
        parameters: &[("after", Event)],
        ignores_others: true,
        contradictions: &[],
    },
    Endpoint {
        path: "/api/v1/events",
        parameters: &[("after", Cursor), ("limit", Count(100))],
        ignores_others: true,
        contradictions: &[],
    },
    Endpoint {
        path: "/ws/jobs/{job_id}",
        parameters: &[("after", Event)],
        ignores_others: true,
        contradictions: &[],
    },
    Endpoint {
        path: "/api/v1/audit",
        parameters: &[
            ("job_id", Id),
            ("key_id", Id),
            ("action", Enum("job.cancel")),
            ("limit", Count(100)),
            ("cursor", Cursor),
        ],
        ignores_others: false,
        contradictions: &[],
    },
    Endpoint {
        path: "/api/v1/work/stats/history",
        parameters: &[("hours", Count(720))],
        ignores_others: false,
        contradictions: &[],
    },
    Endpoint {
        path: "/api/v1/workers",
        parameters: &[("limit", Count(100)), ("cursor", Cursor)],
        ignores_others: false,
        contradictions: &[],
    },
];

/// Parameters that no endpoint has, with the name in the error.
const UNKNOWN_PARAMETERS: [(&str, &str); 6] = [
    ("surprise=1", "surprise"),
    ("surprise", "surprise"),
    ("=1", ""),
    ("%00=1", "\0"),
    ("%ff=1", ""),
    ("[]=1", "[]"),
];

impl Kind {
    /// Valid values, percent-encoded.
    pub(crate) fn valid(self) -> Vec<String> {
        let valid: &[&str] = match self {
            Enum(word) => &[word],
            Enums(word) => &[word, &format!("{word},{word}"), &format!("{word}%2C{word}")],
            Time => &[
                "2026-01-01",
                "2026-01-01T00:00:00Z",
                "2026-01-01T00:00:00.123456%2B02:00",
                "9999-12-31T23:59:59Z",
            ],
            Seconds => &["0", "0.5", "1e3", "99999999"],
            Count(max) => &["1", &max.to_string()],
            Event => &["0", "1", "9223372036854775807"],
            Flag => &["true", "false"],
            Id => &[
                "00000000-0000-7000-8000-00000000dead",
                "00000000-0000-7000-8000-00000000DEAD",
            ],
            Language => &["en", "pt_BR", "zh-Hant-TW-x-12345678-12345678-1234"],
            Text => &["a", "100%25", "%C3%A9%20+%5C_", &"a".repeat(20_000)],
            Part(max) => &["", "a", "100%25", "*?[]%5C", &"%C3%A9".repeat(max)],
            Cursor => &[],
        };
        valid.iter().map(ToString::to_string).collect()
    }

    /// Values that cannot be parsed.
    pub(crate) fn unreadable(self) -> Vec<String> {
        let unreadable: &[&str] = match self {
            Enum(word) => &[
                "",
                "nothing_known",
                "%00",
                &word.to_uppercase(),
                &format!("{word}%20"),
                &format!("{word},{word}"),
            ],
            Enums(word) => &[
                "",
                ",",
                "nothing_known",
                "%00",
                &word.to_uppercase(),
                &format!("{word},"),
                &format!(",{word}"),
                &format!("{word},%20{word}"),
                &format!("{word};{word}"),
            ],
            Time => &[
                "",
                "yesterday",
                "1767225600",
                "2026-02-29",
                "2026-1-1",
                "2026-01-01%20",
                "2026-13-01T00:00:00Z",
                "2026-01-01T24:00:01Z",
                "2026-01-01T00:00:00",
                "%00",
            ],
            Seconds => &[
                "",
                "abc",
                "NaN",
                "inf",
                "-Infinity",
                "1e400",
                "1,5",
                "0x10",
                "%00",
                "1s",
            ],
            Count(_) => &[
                "",
                "abc",
                "1.5",
                "1e1",
                "%201",
                "99999999999999999999",
                "%00",
                "0x1",
            ],
            Event => &[
                "",
                "abc",
                "1.5",
                "1e1",
                "%201",
                "9223372036854775808",
                "%00",
                "0x1",
            ],
            Flag => &["", "yes", "1", "TRUE", "%00"],
            Id => &[
                "",
                "1",
                "%00",
                "00000000-0000-7000-8000-00000000dea",
                "00000000-0000-7000-8000-00000000dead%20",
            ],
            Text | Part(_) | Language => &[],
            Cursor => &[
                "",
                "x",
                "%00",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "%C3%A9",
                "../../etc/passwd",
            ],
        };
        // Incomplete and invalid escapes, and invalid UTF-8.
        let malformed = ["%", "%2", "%zz", "%ff", "a%C3b"];
        unreadable
            .iter()
            .chain(&malformed)
            .map(ToString::to_string)
            .collect()
    }

    /// Values that are parsed but out of bounds.
    pub(crate) fn out_of_bounds(self) -> Vec<String> {
        let out_of_bounds: &[&str] = match self {
            Seconds => &["-1", "-5e-324", "-1e300"],
            Count(max) => &[
                "0",
                "-1",
                &(max + 1).to_string(),
                "-9223372036854775808",
                "9223372036854775807",
            ],
            Event => &["-1", "-9223372036854775808"],
            Text => &["%00", "a%00b"],
            Language => &["", "e", "english", "en-", "en%20", "en%00", "en-123456789"],
            Part(max) => &["%00", "a%00b", &"%C3%A9".repeat(max + 1)],
            Enum(_) | Enums(_) | Time | Flag | Id | Cursor => &[],
        };
        out_of_bounds.iter().map(ToString::to_string).collect()
    }
}

impl Endpoint {
    /// Valid query strings.
    pub(crate) fn valid(&self) -> Vec<String> {
        let values = |(name, kind): &(&str, Kind)| -> Vec<String> {
            kind.valid()
                .iter()
                .map(|value| format!("{name}={value}"))
                .collect()
        };
        let others = UNKNOWN_PARAMETERS
            .iter()
            .map(|(query, _)| (*query).to_owned());
        let malformed = ["token=%zz&token=%ff".to_owned(), "AFTER=x".to_owned()];
        let ignored = others.chain(malformed).filter(|_| self.ignores_others);
        self.parameters
            .iter()
            .flat_map(values)
            .chain([String::new()])
            .chain(ignored)
            .collect()
    }

    /// Invalid query strings, each with its status and the parameter the error
    /// names.
    pub(crate) fn invalid(&self) -> Vec<(String, u16, String)> {
        let is_refused = |_: &&_| !self.ignores_others;
        let unknown = UNKNOWN_PARAMETERS.iter().filter(is_refused);
        let mut invalid: Vec<_> = unknown
            .map(|(query, named_field)| ((*query).to_owned(), 400, (*named_field).to_owned()))
            .collect();
        for (name, kind) in self.parameters {
            let query =
                |value: &String, status| (format!("{name}={value}"), status, (*name).to_owned());
            invalid.extend(kind.unreadable().iter().map(|value| query(value, 400)));
            invalid.extend(kind.out_of_bounds().iter().map(|value| query(value, 422)));
            invalid.extend(
                kind.valid()
                    .iter()
                    .map(|value| query(&format!("{value}&{name}={value}"), 400)),
            );
            if !self.ignores_others {
                invalid.push((
                    format!("{}=1", name.to_uppercase()),
                    400,
                    name.to_uppercase(),
                ));
            }
        }
        invalid.extend(
            self.contradictions
                .iter()
                .map(|(query, named_field)| ((*query).to_owned(), 422, (*named_field).to_owned())),
        );
        invalid
    }
}
