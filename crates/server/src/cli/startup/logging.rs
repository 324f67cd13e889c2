//! Log lines, as text or as JSON.

use std::io::{self, Write as _};

use anyhow::Context as _;
use env_logger::fmt::Formatter;
use log::kv::{self, Key, Value, VisitSource};
use log::{LevelFilter, Record};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::config::LogFormat;

/// Writes log records that pass `filter` to standard error, panics included.
///
/// # Errors
///
/// When a logger is already set.
pub fn init(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let mut logger = env_logger::Builder::new();
    // actix logs the start and end of each thread.
    logger.filter_module("actix_server", LevelFilter::Warn);
    // Clients that do not speak HTTP are no error of the server.
    logger.filter_module("actix_http", LevelFilter::Off);
    logger.parse_filters(filter);
    match format {
        LogFormat::Text => logger.format(text),
        LogFormat::Json => logger.format(json),
    };
    logger.try_init().context("cannot set up logging")?;
    std::panic::set_hook(Box::new(
        |panic| log::error!(target: "lectern::panic", "{panic}"),
    ));
    Ok(())
}

fn text(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let style = out.default_level_style(record.level());
    let (time, level) = (out.timestamp_millis(), record.level());
    let mut message = record.args().to_string();
    if message.contains('\n') {
        // One record is one line, even when a driver's text has line breaks.
        message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let target = record.target();
    write!(out, "{time} {style}{level:<5}{style:#} {target} {message}")?;
    // A field without a value, such as the key of a request without one, only makes the line long.
    for (key, value) in fields(record)
        .into_iter()
        .filter(|(_, value)| !value.is_null())
    {
        match value.as_str().filter(|text| is_plain(text)) {
            Some(text) => write!(out, " {key}={text}")?,
            None => write!(out, " {key}={value}")?,
        }
    }
    writeln!(out)
}

/// Whether a value needs no quotes.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"')
}

fn json(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let line = Line {
        time: out.timestamp_millis().to_string(),
        record,
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}

/// A log record as JSON.
struct Line<'r> {
    time: String,
    record: &'r Record<'r>,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("time", &self.time)?;
        line.serialize_entry("level", self.record.level().as_str())?;
        line.serialize_entry("target", self.record.target())?;
        line.serialize_entry("message", &self.record.args().to_string())?;
        for (key, value) in fields(self.record) {
            line.serialize_entry(&key, &value)?;
        }
        line.end()
    }
}

type Fields = Vec<(String, serde_json::Value)>;

/// The structured fields of a record.
fn fields(record: &Record<'_>) -> Fields {
    struct Collect(Fields);

    impl<'kv> VisitSource<'kv> for Collect {
        fn visit_pair(&mut self, key: Key<'kv>, value: Value<'kv>) -> Result<(), kv::Error> {
            let json = serde_json::to_value(&value).unwrap_or_else(|_| value.to_string().into());
            self.0.push((key.to_string(), json));
            Ok(())
        }
    }

    let mut fields = Collect(Vec::new());
    // An unreadable field must not suppress the record.
    let _ = record.key_values().visit(&mut fields);
    fields.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_line_holds_the_message_and_the_fields_by_their_types() {
        let fields: &[(&str, Value<'_>)] = &[("status", 200_u16.into()), ("path", "/a\"b".into())];
        let args = format_args!("answered\nin two lines");
        let record = Record::builder()
            .args(args)
            .target("t")
            .key_values(&fields)
            .build();
        let time = "now".to_owned();
        let record = &record;
        let line = serde_json::to_string(&Line { time, record }).unwrap();
        assert_eq!(
            line,
            r#"{"time":"now","level":"INFO","target":"t","message":"answered\nin two lines","status":200,"path":"/a\"b"}"#
        );
    }
}
