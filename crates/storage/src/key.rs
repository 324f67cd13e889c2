//! The names of objects.

use std::fmt;
use std::str::FromStr;

use lectern_domain::{ClipId, Invalid, JobId, StorageKey};
use object_store::path::Path;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::secret::random;
use crate::{Error, ObjectPrefix, hex};

/// The name of an object: segments divided by `/`, such as
/// `jobs/019a…/original/lecture.mp4`.
///
/// A key that exists names something below the root of the storage, whatever
/// bytes it was made of. Refused are
///
/// - nothing at all, more than 500 characters and more than 1024 bytes (S3);
/// - empty segments, so also a slash at the beginning or the end;
/// - the segments `.` and `..`, which name something else;
/// - backslashes, control characters and NUL;
/// - percent signs: a key is compared and stored decoded, so an encoded
///   separator is never mistaken for a name;
/// - segments over 240 bytes, which a file system could not hold while they are
///   being written;
/// - segments that end in `#` and digits: those are files being written.
///
/// ```
/// use lectern_storage::ObjectKey;
///
/// let key = ObjectKey::new("jobs/1/original/lecture 7.mp4")?;
/// assert_eq!(key.to_url_path(), "jobs/1/original/lecture%207.mp4");
/// assert_eq!(ObjectKey::from_url_path("jobs/1/original/lecture%207.mp4")?, key);
/// assert!(ObjectKey::new("jobs/../secret").is_err());
/// assert!(ObjectKey::from_url_path("jobs/%2e%2e/secret").is_err());
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(StorageKey);

/// The most bytes of a key, S3's limit.
const MAX_BYTES: usize = 1024;
/// The most bytes of a segment: file systems have 255, and `#` and a number are
/// added while it is written.
const MAX_SEGMENT_BYTES: usize = 240;
/// The most characters of the name in [`ObjectKey::original`].
const MAX_NAME: usize = 120;
/// The most characters of its extension, without the dot.
const MAX_EXTENSION: usize = 16;
/// What stays as it is in the path of a URL.
const PLAIN: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

impl ObjectKey {
    /// Checks the text, which is not percent-encoded.
    pub fn new(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = StorageKey::new(text)?;
        match fault(&text) {
            None => Ok(Self(text)),
            Some(fault) => Err(Invalid::new(fault)),
        }
    }

    /// The key in the path of a URL, given without its leading slash: decoded
    /// once, then checked. What is still encoded after that is refused.
    pub fn from_url_path(path: &str) -> Result<Self, Invalid> {
        let decoded = percent_decode_str(path)
            .decode_utf8()
            .map_err(|_| Invalid::new("must be UTF-8"))?;
        Self::new(decoded)
    }

    /// Where the recording of a job lies: `jobs/{job_id}/original/{name}`.
    ///
    /// The name is the file's, with everything but ASCII letters, digits, `.`,
    /// `_` and `-` replaced by `_`, cut to 120 characters without losing its
    /// extension.
    pub fn original(job_id: JobId, filename: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let name: String = filename
            .chars()
            .map(|c| if plain(c) { c } else { '_' })
            .collect();
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, end))
                if (1..=MAX_EXTENSION).contains(&end.len())
                    && end.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
            {
                (stem, Some(end))
            }
            _ => (name.as_str(), None),
        };
        let stem = match stem.trim_matches('.') {
            "" => "recording",
            stem => stem,
        };
        let room = MAX_NAME - extension.map_or(0, |end| end.len() + 1);
        let stem = &stem[..stem.len().min(room)];
        let (dot, extension) = extension.map_or(("", ""), |end| (".", end));
        Self::checked(format!("jobs/{job_id}/original/{stem}{dot}{extension}"))
    }

    /// An object of a job: `jobs/{job_id}/{path}`.
    pub fn of_job(job_id: JobId, path: &str) -> Result<Self, Invalid> {
        Self::new(format!("jobs/{job_id}/{path}"))
    }

    /// Where subtitles are to lie that a client gives a clip:
    /// `jobs/{job_id}/subtitles/{clip_id}-{version}.vtt`.
    ///
    /// The version is one that never was: nothing is written twice under such a
    /// name, and what no clip names any more can go without asking who is about
    /// to name it.
    pub fn given_subtitles(job_id: JobId, clip_id: ClipId) -> Result<Self, Error> {
        let version = hex::encode(&random::<8>()?);
        Ok(Self::of_job(
            job_id,
            &format!("subtitles/{clip_id}-{version}.vtt"),
        )?)
    }

    /// Whether it lies where [`given_subtitles`](Self::given_subtitles) do.
    pub fn is_given_subtitles(&self) -> bool {
        self.within_job()
            .is_some_and(|path| path.starts_with("subtitles/"))
    }

    /// The clip it was made for, if it is named after one: what is made of a clip
    /// (`jobs/{job_id}/clips/{clip_id}.mp4`, `.jpg`, `.vtt`),
    /// [`given_subtitles`](Self::given_subtitles), and a reel of it and others
    /// (`jobs/{job_id}/highlights-{clip_id}.mp4`).
    pub fn clip_id(&self) -> Option<ClipId> {
        let path = self.within_job()?;
        let (kind, name) = ["clips/", "subtitles/", "highlights-"]
            .into_iter()
            .find_map(|kind| Some((kind, path.strip_prefix(kind)?)))?;
        let (id, rest) = name.split_at_checked(36)?;
        let is_after_one = match kind {
            "clips/" => matches!(rest, ".mp4" | ".jpg" | ".vtt"),
            "subtitles/" => rest.starts_with('-') && !rest.contains('/'),
            _ => rest == ".mp4",
        };
        // Others make names of ids, too; ours have a time.
        let clip_id: ClipId = id.parse().ok().filter(|_| is_after_one)?;
        (clip_id.as_uuid().get_version_num() == 7).then_some(clip_id)
    }

    /// What follows `jobs/{job_id}/`.
    fn within_job(&self) -> Option<&str> {
        let (job_id, path) = self.strip_prefix("jobs/")?.split_once('/')?;
        job_id.parse::<JobId>().is_ok().then_some(path)
    }

    /// Everything a job owns: what begins with `jobs/{job_id}`.
    pub fn prefix_of(job_id: JobId) -> ObjectPrefix {
        ObjectPrefix::from(Self::checked(format!("jobs/{job_id}")))
    }

    /// The job that owns the object, if it lies where a job's objects lie.
    pub fn job_id(&self) -> Option<JobId> {
        let (job_id, _) = self.strip_prefix("jobs/")?.split_once('/')?;
        job_id.parse().ok()
    }

    /// Whether it lies where the objects of jobs do, and not with those of this
    /// job. Some file systems take small and capital letters for the same.
    pub fn is_anothers(&self, job_id: JobId) -> bool {
        let (top, _) = self.split_once('/').unwrap_or((self, ""));
        let own = format!("{}/", Self::prefix_of(job_id));
        top.to_uppercase() == "JOBS" && !self.starts_with(&own)
    }

    /// The key as the path of a URL, percent-encoded, without a leading slash.
    pub fn to_url_path(&self) -> String {
        utf8_percent_encode(self, &PLAIN).to_string()
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key as the driver wants it.
    pub(crate) fn to_path(&self) -> Result<Path, Error> {
        Path::parse(self.as_str()).map_err(|error| Error::other(format!("name {self}"), error))
    }

    #[expect(clippy::expect_used, reason = "made of parts that fit, see the tests")]
    pub(crate) fn checked(text: String) -> Self {
        Self::new(text).expect("a key made of parts that fit")
    }
}

/// The rule the text breaks, if it breaks one.
fn fault(text: &str) -> Option<&'static str> {
    if text.len() > MAX_BYTES {
        return Some("must be at most 1024 bytes long");
    }
    if text
        .chars()
        .any(|c| c.is_control() || c == '\\' || c == '%')
    {
        return Some("must not contain backslashes, percent signs or control characters");
    }
    text.split('/').find_map(|segment| {
        if matches!(segment, "" | "." | "..") {
            Some("must not contain empty segments, \".\" or \"..\"")
        } else if segment.len() > MAX_SEGMENT_BYTES {
            Some("must not contain a segment of more than 240 bytes")
        } else if is_part(segment) {
            Some("must not contain a segment that ends in # and digits")
        } else {
            None
        }
    })
}

/// Whether a file of this name is one being written: the local backend appends
/// `#` and a number.
pub(crate) fn is_part(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(_, number)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

impl std::ops::Deref for ObjectKey {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl FromStr for ObjectKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::new(text)
    }
}

impl TryFrom<StorageKey> for ObjectKey {
    type Error = Invalid;

    fn try_from(key: StorageKey) -> Result<Self, Invalid> {
        Self::new(key.into_string())
    }
}

impl From<ObjectKey> for StorageKey {
    fn from(key: ObjectKey) -> Self {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::SystemClock;

    use super::*;

    #[test]
    fn what_could_leave_the_root_or_be_mistaken_is_refused() {
        let long = "a".repeat(501);
        let wide = "é".repeat(121);
        for text in [
            "",
            "/",
            "/etc/passwd",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/..",
            "a/./b",
            "a/../b",
            "a\\b",
            "..\\a",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a\u{85}b",
            "a%2fb",
            "%2e%2e/a",
            "100%",
            "a#1",
            "a#12/b",
            "a##1",
            &long,
            &wide,
        ] {
            assert!(ObjectKey::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn ordinary_names_are_accepted() {
        for text in [
            "a",
            "a/b/c.mp4",
            ".hidden",
            "...",
            "a b",
            "Vorlesung #3.mp4",
            "a#",
            "a#1b",
            "講義/第1回",
            "a:b",
            "~",
            "a?b*c",
            "-",
            "a+b&c=d",
        ] {
            let key = ObjectKey::new(text).unwrap();
            assert_eq!(key.as_str(), text);
            assert_eq!(ObjectKey::from_url_path(&key.to_url_path()).unwrap(), key);
        }
    }

    #[test]
    fn a_recordings_name_is_made_plain_and_keeps_its_extension() {
        let job_id = JobId::new(&SystemClock);
        let name = |filename: &str| {
            let key = ObjectKey::original(job_id, filename);
            assert_eq!(key.job_id(), Some(job_id));
            let name = key.strip_prefix(&format!("jobs/{job_id}/original/"));
            name.unwrap().to_owned()
        };
        assert_eq!(name("Lecture 7 (final).MP4"), "Lecture_7__final_.MP4");
        assert_eq!(name("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(name(".."), "recording");
        assert_eq!(name(".mp4"), "recording.mp4");
        assert_eq!(name("a#1"), "a_1");
        assert_eq!(name("講義.mp4"), "__.mp4");
        let long = name(&format!("{}.webm", "x".repeat(250)));
        assert_eq!((long.len(), long.ends_with("x.webm")), (120, true));
    }

    #[test]
    fn a_key_outside_the_jobs_has_no_job() {
        let job_id = JobId::new(&SystemClock);
        for text in [
            "uploads/a.mp4",
            "jobs/x/a",
            "jobs",
            &format!("jobs/{job_id}"),
        ] {
            assert_eq!(ObjectKey::new(text).unwrap().job_id(), None, "{text}");
        }
        let clip = ObjectKey::of_job(job_id, "clips/1.mp4").unwrap();
        assert_eq!(clip.job_id(), Some(job_id));
        assert!(clip.starts_with(ObjectKey::prefix_of(job_id).as_str()));
    }

    #[test]
    fn what_is_made_for_a_clip_tells_for_which() {
        let (job_id, clip_id) = (JobId::new(&SystemClock), ClipId::new(&SystemClock));
        let [one, two] = [(); 2].map(|()| ObjectKey::given_subtitles(job_id, clip_id).unwrap());
        assert_ne!(one, two);
        assert!(one.is_given_subtitles());
        assert_eq!((one.job_id(), one.clip_id()), (Some(job_id), Some(clip_id)));
        let clip = |path: &str| {
            let key = ObjectKey::of_job(job_id, path).unwrap();
            assert!(!key.is_given_subtitles());
            key.clip_id()
        };
        for ending in ["mp4", "jpg", "vtt"] {
            assert_eq!(clip(&format!("clips/{clip_id}.{ending}")), Some(clip_id));
        }
        assert_eq!(clip(&format!("highlights-{clip_id}.mp4")), Some(clip_id));
        for path in [
            "highlights.mp4".to_owned(),
            "clips/1.mp4".to_owned(),
            // Of a version that has no time.
            "clips/7f8b2f0e-93f6-4f1c-9d0a-0f6c3b7e5a11.mp4".to_owned(),
            format!("clips/{clip_id}"),
            format!("clips/{clip_id}-raw.mp4"),
            format!("clips/{clip_id}.mp4/1"),
            format!("original/{clip_id}.mp4"),
            clip_id.to_string(),
        ] {
            assert_eq!(clip(&path), None, "{path}");
        }
        for text in [
            format!("jobs/x/subtitles/{clip_id}-1.vtt"),
            format!("subtitles/{clip_id}-1.vtt"),
        ] {
            let key = ObjectKey::new(&*text).unwrap();
            assert!(!key.is_given_subtitles(), "{text}");
            assert_eq!(key.clip_id(), None, "{text}");
        }
    }

    #[test]
    fn what_lies_with_another_job_is_anothers() {
        let [one, other] = [(); 2].map(|()| JobId::new(&SystemClock));
        let is_anothers = |key: &str| ObjectKey::new(key).unwrap().is_anothers(one);
        for key in [
            format!("jobs/{one}/clips/1.mp4"),
            "uploads/a.mp4".to_owned(),
            "jobs.mp4".to_owned(),
            format!("archive/jobs/{other}/a.mp4"),
        ] {
            assert!(!is_anothers(&key), "{key}");
        }
        let capitals = format!("jobs/{one}/a").to_uppercase();
        for key in [
            format!("jobs/{other}/clips/1.mp4"),
            format!("JOBS/{other}/a"),
            format!("job\u{17f}/{other}/a"),
            format!("jobs/{one}"),
            "jobs/a.mp4".to_owned(),
            capitals,
        ] {
            assert!(is_anothers(&key), "{key}");
        }
    }
}
