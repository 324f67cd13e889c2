//! The headers of resumable uploads in the protocol tus 1.0.0.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lectern_domain::{
    ContentType, FileSize, Filename, InField as _, Invalid, JsonObject, NewUpload,
    ProcessingConfig, UploadMetadata, check_recording, recording_media_type,
};
use serde_json::{Map, Value};

/// The version of the protocol.
pub const TUS_VERSION: &str = "1.0.0";

/// The extensions of the protocol that are supported, as in `Tus-Extension`.
pub const TUS_EXTENSIONS: &str = "creation,creation-with-upload,expiration,checksum,termination";

/// The algorithms of `Upload-Checksum`, as in `Tus-Checksum-Algorithm`.
pub const TUS_CHECKSUM_ALGORITHMS: &str = "sha1,sha256,sha512";

const UPLOAD_METADATA: &str = "Upload-Metadata";

/// A resumable upload to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct TusUpload {
    /// The recording, and the settings of its job.
    pub upload: NewUpload,
    /// The `extra_metadata` of its job.
    pub extra_metadata: JsonObject,
    /// The header `Upload-Metadata`; `None` if there is none.
    pub metadata: Option<UploadMetadata>,
}

impl TusUpload {
    /// The name of the priority in errors.
    pub const PRIORITY_FIELD: &str = "Upload-Metadata.priority";

    /// Reads the headers `Upload-Length` and `Upload-Metadata`.
    ///
    /// The keys of the metadata are those that clients of the protocol send, `filename` and
    /// `filetype` (Uppy: `name` and `type`), and `processing_config`, `priority` and
    /// `extra_metadata` as in JSON. `filename` is required; without a type, it follows from
    /// the extension. Other keys are ignored.
    ///
    /// ```
    /// use lectern_api::TusUpload;
    ///
    /// // `filename` is "talk.mp4".
    /// let new = TusUpload::parse(Some("1000"), Some("filename dGFsay5tcDQ="))?;
    /// assert_eq!(new.upload.content_type.as_str(), "video/mp4");
    /// # Ok::<(), lectern_domain::Invalid>(())
    /// ```
    pub fn parse(length: Option<&str>, metadata: Option<&str>) -> Result<Self, Invalid> {
        let size = length
            .and_then(parse_size)
            .and_then(|size| i64::try_from(size).ok());
        let size = size.ok_or_else(|| {
            Invalid::field(
                "Upload-Length",
                "must be the number of bytes of the recording",
            )
        })?;
        let file_size = FileSize::new(size).in_field("Upload-Length")?;
        let stored = metadata.map(UploadMetadata::new).transpose();
        let stored = stored.in_field(UPLOAD_METADATA)?;
        let pairs = parse_metadata(metadata.unwrap_or_default())?;
        let text = |names: &[&str]| {
            let mut found = names.iter().filter_map(|name| pairs.get(*name));
            found.find(|value| !value.is_empty()).cloned()
        };
        let field = |name: &str| format!("{UPLOAD_METADATA}.{name}");
        let filename = text(&["filename", "name"])
            .ok_or_else(|| Invalid::field(field("filename"), "is missing"))?;
        let filename = Filename::new(filename).in_field(&field("filename"))?;
        let content_type = text(&["filetype", "type"])
            .or_else(|| {
                let (_, extension) = filename.rsplit_once('.')?;
                recording_media_type(extension).map(str::to_owned)
            })
            // The extension is then refused.
            .unwrap_or_else(|| "application/octet-stream".to_owned());
        let content_type = ContentType::new(content_type).in_field(&field("filetype"))?;
        check_recording(&filename, &content_type).map_err(|invalid| {
            let error = &invalid.errors()[0];
            let name = match &*error.field {
                "content_type" => "filetype",
                name => name,
            };
            Invalid::field(field(name), error.message.clone())
        })?;
        let object = |name: &str| text(&[name]).map(|json| parse_object(&json)).transpose();
        let config_field = field("processing_config");
        let processing_config = object("processing_config").in_field(&config_field)?;
        let processing_config = processing_config.map(ProcessingConfig::new).transpose();
        let extra_metadata = object("extra_metadata").and_then(|json| match json {
            Some(json) => JsonObject::new(json),
            None => Ok(JsonObject::default()),
        });
        let priority = text(&["priority"])
            .map(|number| number.parse::<i32>())
            .transpose();
        Ok(Self {
            upload: NewUpload {
                filename,
                file_size,
                content_type,
                processing_config: processing_config.in_field(&config_field)?,
                priority: priority
                    .map_err(|_| Invalid::field(field("priority"), "must be a 32-bit integer"))?
                    .unwrap_or_default(),
            },
            extra_metadata: extra_metadata.in_field(&field("extra_metadata"))?,
            metadata: stored,
        })
    }
}

/// A checksum of the bytes in a request: the header `Upload-Checksum`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TusChecksum {
    /// The name of the algorithm.
    pub algorithm: String,
    /// The expected hash.
    pub hash: Vec<u8>,
}

impl TusChecksum {
    /// Reads the header: the name of an algorithm, a space, and the hash in Base64.
    pub fn parse(header: &str) -> Result<Self, Invalid> {
        let parsed = header.split_once(' ').and_then(|(algorithm, hash)| {
            Some(Self {
                algorithm: algorithm.to_owned(),
                hash: STANDARD.decode(hash.trim()).ok()?,
            })
        });
        parsed.ok_or_else(|| {
            Invalid::field(
                "Upload-Checksum",
                "must be the name of an algorithm, a space, and the checksum in Base64",
            )
        })
    }
}

/// A number of bytes: decimal digits only.
pub fn parse_size(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// The pairs of a key and its value, which is decoded from Base64.
fn parse_metadata(header: &str) -> Result<BTreeMap<&str, String>, Invalid> {
    let invalid = |reason: String| Invalid::field(UPLOAD_METADATA, reason);
    let mut pairs = BTreeMap::new();
    let items = header
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    for item in items {
        let (key, value) = item.split_once(' ').unwrap_or((item, ""));
        let decoded = STANDARD.decode(value.trim()).ok();
        let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| invalid(format!("has no UTF-8 text in Base64 for {key}")))?;
        if pairs.insert(key, text).is_some() {
            return Err(invalid(format!("has two values for {key}")));
        }
    }
    Ok(pairs)
}

fn parse_object(json: &str) -> Result<Map<String, Value>, Invalid> {
    serde_json::from_str(json).map_err(|_| Invalid::new("must be a JSON object"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(pairs: &[(&str, &str)]) -> String {
        let pairs = pairs
            .iter()
            .map(|(key, value)| format!("{key} {}", STANDARD.encode(value)));
        pairs.collect::<Vec<_>>().join(",")
    }

    fn error(length: &str, pairs: &[(&str, &str)]) -> String {
        let error = TusUpload::parse(Some(length), Some(&metadata(pairs))).unwrap_err();
        error.errors()[0].field.clone()
    }

    #[test]
    fn the_metadata_describes_the_recording_and_its_job() {
        let header = metadata(&[
            ("filename", "Vorlesung ä.MOV"),
            ("filetype", "video/quicktime"),
            ("processing_config", r#"{"processing_mode": "audio"}"#),
            ("priority", "-3"),
            ("extra_metadata", r#"{"course": "algebra"}"#),
            ("relativePath", ""),
        ]);
        let header = format!("{header}, is_private");
        let new = TusUpload::parse(Some("7"), Some(&header)).unwrap();
        assert_eq!(new.upload.filename.as_str(), "Vorlesung ä.MOV");
        assert_eq!(new.upload.content_type.as_str(), "video/quicktime");
        assert_eq!((new.upload.file_size.get(), new.upload.priority), (7, -3));
        assert!(new.upload.processing_config.is_some());
        assert_eq!(
            new.extra_metadata.into_value(),
            json!({ "course": "algebra" })
        );
        assert_eq!(new.metadata.unwrap().as_str(), header);
    }

    #[test]
    fn the_names_of_uppy_are_understood_and_an_empty_type_is_missing() {
        let header = metadata(&[("name", "talk.mp3"), ("type", "")]);
        let new = TusUpload::parse(Some("1"), Some(&header)).unwrap();
        assert_eq!(new.upload.content_type.as_str(), "audio/mpeg");
    }

    #[test]
    fn an_invalid_header_is_named() {
        let name = ("filename", "talk.mp4");
        for length in ["", "0", "-1", "+1", "1.5", "9223372036854775808", "x"] {
            assert_eq!(error(length, &[name]), "Upload-Length", "{length}");
        }
        for (pairs, field) in [
            (&[("filetype", "video/mp4")][..], "filename"),
            (&[("filename", "talk.pdf")], "filename"),
            (&[("filename", "a\0.mp4")], "filename"),
            (&[name, ("filetype", "text/plain")], "filetype"),
            (&[name, ("processing_config", "[]")], "processing_config"),
            (
                &[name, ("processing_config", r#"{"resolution": "8k"}"#)],
                "processing_config.resolution",
            ),
            (&[name, ("extra_metadata", "{")], "extra_metadata"),
            (&[name, ("priority", "high")], "priority"),
        ] {
            assert_eq!(error("1", pairs), format!("Upload-Metadata.{field}"));
        }
        for header in [
            "filename talk.mp4",
            "filename dGFsay5tcDQ=,filename dGFsay5tcDQ=",
        ] {
            let error = TusUpload::parse(Some("1"), Some(header)).unwrap_err();
            assert_eq!(error.errors()[0].field, "Upload-Metadata", "{header}");
        }
        assert!(TusUpload::parse(None, None).is_err());
    }

    #[test]
    fn a_checksum_has_a_name_and_a_hash() {
        let checksum = TusChecksum::parse("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=").unwrap();
        assert_eq!((&*checksum.algorithm, checksum.hash.len()), ("sha1", 20));
        for header in ["", "sha1", "sha1 ?"] {
            assert!(TusChecksum::parse(header).is_err(), "{header}");
        }
    }
}
