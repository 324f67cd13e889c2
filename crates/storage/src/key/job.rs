//! Keys of objects that belong to a job: `jobs/{job_id}/…`.

use std::io;

use lectern_domain::{AppendId, ClipId, Invalid, JobId, StorageKey};
use ring::digest::{SHA256, digest};

use super::{ObjectKey, ObjectPrefix};
use crate::random::{HEX, random};

/// The maximum length of the file name in [`ObjectKey::original`].
const MAX_NAME_LEN: usize = 120;
/// The maximum length of the extension of this file name, without the dot.
const MAX_EXTENSION_LEN: usize = 16;

impl ObjectKey {
    /// The recording of a job: `jobs/{job_id}/original/{name}`.
    ///
    /// The name is derived from `filename`. All characters except ASCII letters, digits,
    /// `.`, `_` and `-` are replaced by `_`. If the name has more than 120 characters, the
    /// part before the extension is shortened.
    pub fn original(job_id: JobId, filename: &str) -> Self {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let name: String = filename
            .chars()
            .map(|c| if is_allowed(c) { c } else { '_' })
            .collect();
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension))
                if (1..=MAX_EXTENSION_LEN).contains(&extension.len())
                    && extension.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
            {
                (stem, Some(extension))
            }
            _ => (name.as_str(), None),
        };
        let stem = match stem.trim_matches('.') {
            "" => "recording",
            stem => stem,
        };
        let max_stem_len = MAX_NAME_LEN - extension.map_or(0, |extension| extension.len() + 1);
        let stem = &stem[..stem.len().min(max_stem_len)];
        let suffix = extension.map_or(String::new(), |extension| format!(".{extension}"));
        Self::from_valid(format!("jobs/{job_id}/original/{stem}{suffix}"))
    }

    /// An object of a job: `jobs/{job_id}/{path}`.
    pub fn of_job(job_id: JobId, path: &str) -> Result<Self, Invalid> {
        Self::new(format!("jobs/{job_id}/{path}"))
    }

    /// The waveform of the recording of a job: `jobs/{job_id}/waveform.json`.
    pub fn waveform(job_id: JobId) -> Self {
        Self::from_valid(format!("jobs/{job_id}/waveform.json"))
    }

    /// The thumbnails along the recording of a job, in one picture:
    /// `jobs/{job_id}/thumbnails.jpg`.
    pub fn thumbnails(job_id: JobId) -> Self {
        Self::from_valid(format!("jobs/{job_id}/thumbnails.jpg"))
    }

    /// The times of the [`thumbnails`](Self::thumbnails) as WebVTT:
    /// `jobs/{job_id}/thumbnails.vtt`.
    pub fn thumbnail_cues(job_id: JobId) -> Self {
        Self::from_valid(format!("jobs/{job_id}/thumbnails.vtt"))
    }

    /// The bytes of a resumable upload that are too few for a part:
    /// `jobs/{job_id}/upload/{append_id}`.
    pub fn upload_tail(job_id: JobId, append_id: AppendId) -> Self {
        Self::from_valid(format!("jobs/{job_id}/upload/{append_id}"))
    }

    /// A new key for subtitles that a client uploads for a clip:
    /// `jobs/{job_id}/subtitles/{clip_id}-{version}.vtt`.
    ///
    /// Each upload gets a new random version, so no key is used twice. The object of a key
    /// that the clip no longer refers to can be deleted.
    pub fn custom_subtitles(job_id: JobId, clip_id: ClipId) -> io::Result<Self> {
        let version = HEX.encode(&random::<8>()?);
        let text = format!("jobs/{job_id}/subtitles/{clip_id}-{version}.vtt");
        Ok(Self::from_valid(text))
    }

    /// A file of a clip: `jobs/{job_id}/clips/{clip_id}.{extension}`. A file that replaces
    /// another one has a version: `jobs/{job_id}/clips/{clip_id}-{version}.{extension}`, so
    /// that no reader gets a mixture of both.
    ///
    /// # Errors
    ///
    /// When `extension` cannot be part of a key.
    pub fn clip_file(
        job_id: JobId,
        clip_id: ClipId,
        version: Option<&ObjectVersion>,
        extension: &str,
    ) -> Result<Self, Invalid> {
        let version = version.map(ObjectVersion::suffix).unwrap_or_default();
        Self::new(format!(
            "jobs/{job_id}/clips/{clip_id}{version}.{extension}"
        ))
    }

    /// The reel of the clips of a job, the first of which is `first`:
    /// `jobs/{job_id}/highlights-{first}-of-{digest}.mp4`, with a version as in
    /// [`clip_file`](Self::clip_file). The digest is that of the keys of the joined `videos` in
    /// their order, so that [`is_reel_of`](Self::is_reel_of) finds whether the reel is up to date.
    pub fn reel<'v>(
        job_id: JobId,
        first: ClipId,
        videos: impl IntoIterator<Item = &'v StorageKey>,
        version: Option<&ObjectVersion>,
    ) -> Self {
        let version = version.map(ObjectVersion::suffix).unwrap_or_default();
        let digest = reel_digest(videos);
        Self::from_valid(format!(
            "jobs/{job_id}/highlights-{first}-of-{digest}{version}.mp4"
        ))
    }

    /// Whether this is the reel of these videos of clips in this order; `None` if its name does
    /// not say.
    pub fn is_reel_of<'v>(&self, videos: impl IntoIterator<Item = &'v StorageKey>) -> Option<bool> {
        let (_, path) = self.split_job()?;
        let (_, rest) = path
            .strip_prefix("highlights-")?
            .split_at_checked(CLIP_ID_LEN)?;
        let (digest, _) = split_reel_digest(rest);
        digest.map(|digest| digest == reel_digest(videos))
    }

    /// Whether `newer` is another version of this file of a clip, or another reel.
    pub fn is_replaced_by(&self, newer: &Self) -> bool {
        let of_clip = |key: &Self| {
            let clip_id = key.clip_id()?;
            let (job_id, path) = key.split_job()?;
            let (_, extension) = path.rsplit_once('.')?;
            // A reel replaces another one that begins with another clip.
            let clip_id = path.starts_with("clips/").then_some(clip_id);
            (!key.is_custom_subtitles()).then(|| (job_id, clip_id, extension.to_owned()))
        };
        self != newer && of_clip(self).is_some_and(|file| of_clip(newer) == Some(file))
    }

    /// Whether the key is below `jobs/{job_id}/subtitles/`, as
    /// [`custom_subtitles`](Self::custom_subtitles) are.
    pub fn is_custom_subtitles(&self) -> bool {
        self.split_job()
            .is_some_and(|(_, path)| path.starts_with("subtitles/"))
    }

    /// The clip whose id is in the name of the object, if any. Such objects are
    ///
    /// - the files of the clip, `jobs/{job_id}/clips/{clip_id}.mp4`, `.jpg` and `.vtt`;
    /// - its [`custom_subtitles`](Self::custom_subtitles);
    /// - a highlight reel that begins with the clip,
    ///   `jobs/{job_id}/highlights-{clip_id}.mp4`, also with a digest of its clips;
    /// - versions of these files, such as `jobs/{job_id}/clips/{clip_id}-{version}.mp4`.
    pub fn clip_id(&self) -> Option<ClipId> {
        let (_, path) = self.split_job()?;
        let (kind, name) = ["clips/", "subtitles/", "highlights-"]
            .into_iter()
            .find_map(|kind| Some((kind, path.strip_prefix(kind)?)))?;
        let (id, rest) = name.split_at_checked(CLIP_ID_LEN)?;
        let has_known_form = match kind {
            "clips/" => matches!(without_version(rest), ".mp4" | ".jpg" | ".vtt"),
            "subtitles/" => rest.starts_with('-') && !rest.contains('/'),
            _ => without_version(split_reel_digest(rest).1) == ".mp4",
        };
        let clip_id: ClipId = id.parse().ok().filter(|_| has_known_form)?;
        // Clip ids are UUIDs of version 7; another UUID in a name is not a clip id.
        (clip_id.as_uuid().get_version_num() == 7).then_some(clip_id)
    }

    /// The two parts of `jobs/{job_id}/{path}`.
    fn split_job(&self) -> Option<(JobId, &str)> {
        let (job_id, path) = self.strip_prefix("jobs/")?.split_once('/')?;
        Some((job_id.parse().ok()?, path))
    }

    /// The prefix of all objects that belong to a job: `jobs/{job_id}`.
    pub fn job_prefix(job_id: JobId) -> ObjectPrefix {
        ObjectPrefix::from(Self::from_valid(format!("jobs/{job_id}")))
    }

    /// The job that the object belongs to; `None` outside of `jobs/{job_id}/`.
    pub fn job_id(&self) -> Option<JobId> {
        self.split_job().map(|(job_id, _)| job_id)
    }

    /// Whether the job must not use the key. A job must not use
    ///
    /// - a key below `jobs/` that is not below `jobs/{job_id}/`;
    /// - an object in the trash that belonged to a job, even to the same job.
    ///
    /// Some file systems ignore case, so `jobs` and `trash` match in upper and lower case.
    /// `jobs/{job_id}/` must match exactly.
    pub fn is_forbidden_to(&self, job_id: JobId) -> bool {
        let own_prefix = format!("{}/", Self::job_prefix(job_id));
        let mut segments = self.split('/').map(str::to_uppercase);
        match segments.next().as_deref() {
            Some("JOBS") => !self.starts_with(&own_prefix),
            // The segment between `trash` and `jobs` is the time of the move.
            Some("TRASH") => segments.nth(1).as_deref() == Some("JOBS"),
            _ => false,
        }
    }
}

/// A random part of the name of an object that replaces another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion(String);

/// The number of hexadecimal digits of an [`ObjectVersion`], and of the digest in the name of a
/// reel.
const VERSION_LEN: usize = 16;

/// The number of characters of a clip id.
const CLIP_ID_LEN: usize = 36;

impl ObjectVersion {
    /// A new version.
    pub fn random() -> io::Result<Self> {
        Ok(Self(HEX.encode(&random::<{ VERSION_LEN / 2 }>()?)))
    }

    fn suffix(&self) -> String {
        format!("-{}", self.0)
    }
}

/// The rest of a name after its version, if it begins with one.
fn without_version(rest: &str) -> &str {
    rest.strip_prefix('-')
        .and_then(split_digits)
        .map_or(rest, |(_, rest)| rest)
}

/// The digest with which the rest of the name of a reel begins, if it does, and what follows.
fn split_reel_digest(rest: &str) -> (Option<&str>, &str) {
    rest.strip_prefix("-of-")
        .and_then(split_digits)
        .map_or((None, rest), |(digest, rest)| (Some(digest), rest))
}

/// Splits after [`VERSION_LEN`] hexadecimal digits.
fn split_digits(text: &str) -> Option<(&str, &str)> {
    let is_digit = |digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    text.split_at_checked(VERSION_LEN)
        .filter(|(digits, _)| digits.bytes().all(is_digit))
}

/// Changes with the videos of a reel, and with their order.
fn reel_digest<'v>(videos: impl IntoIterator<Item = &'v StorageKey>) -> String {
    let keys: Vec<_> = videos.into_iter().map(StorageKey::as_str).collect();
    // No key has a line break.
    let digest = digest(&SHA256, keys.join("\n").as_bytes());
    HEX.encode(&digest.as_ref()[..VERSION_LEN / 2])
}

#[cfg(test)]
mod tests {
    use lectern_domain::SystemClock;

    use super::*;

    #[test]
    fn the_file_name_of_a_recording_is_sanitized_and_keeps_its_extension() {
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
    fn a_key_outside_of_jobs_belongs_to_no_job() {
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
        assert!(clip.starts_with(ObjectKey::job_prefix(job_id).as_str()));
    }

    #[test]
    fn objects_of_a_clip_have_its_id() {
        let (job_id, clip_id) = (JobId::new(&SystemClock), ClipId::new(&SystemClock));
        let [one, two] = [(); 2].map(|()| ObjectKey::custom_subtitles(job_id, clip_id).unwrap());
        assert_ne!(one, two);
        assert!(one.is_custom_subtitles());
        assert_eq!((one.job_id(), one.clip_id()), (Some(job_id), Some(clip_id)));
        let version = ObjectVersion::random().unwrap();
        for version in [None, Some(&version)] {
            let reel = ObjectKey::reel(job_id, clip_id, [], version);
            let file = ObjectKey::clip_file(job_id, clip_id, version, "jpg").unwrap();
            assert_eq!(
                (reel.clip_id(), file.clip_id()),
                (Some(clip_id), Some(clip_id))
            );
        }
        let clip = |path: &str| {
            let key = ObjectKey::of_job(job_id, path).unwrap();
            assert!(!key.is_custom_subtitles());
            key.clip_id()
        };
        for ending in ["mp4", "jpg", "vtt"] {
            assert_eq!(clip(&format!("clips/{clip_id}.{ending}")), Some(clip_id));
        }
        assert_eq!(clip(&format!("highlights-{clip_id}.mp4")), Some(clip_id));
        for path in [
            "highlights.mp4".to_owned(),
            "clips/1.mp4".to_owned(),
            // A UUID of version 4.
            "clips/7f8b2f0e-93f6-4f1c-9d0a-0f6c3b7e5a11.mp4".to_owned(),
            format!("clips/{clip_id}"),
            format!("clips/{clip_id}-raw.mp4"),
            format!("clips/{clip_id}-0123456789abcdeF.mp4"),
            format!("clips/{clip_id}-0123456789abcdef.mp4.part"),
            format!("highlights-{clip_id}-0123456789abcdef.jpg"),
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
            assert!(!key.is_custom_subtitles(), "{text}");
            assert_eq!(key.clip_id(), None, "{text}");
        }
    }

    #[test]
    fn a_file_is_replaced_by_another_version_of_the_same_file() {
        let (job_id, clip_id) = (JobId::new(&SystemClock), ClipId::new(&SystemClock));
        let [one, two] = [(); 2].map(|()| ObjectVersion::random().unwrap());
        let file = |clip_id, version, extension| {
            ObjectKey::clip_file(job_id, clip_id, version, extension).unwrap()
        };
        let video = file(clip_id, None, "mp4");
        assert!(video.is_replaced_by(&file(clip_id, Some(&one), "mp4")));
        assert!(file(clip_id, Some(&two), "mp4").is_replaced_by(&file(clip_id, Some(&one), "mp4")));
        let other_clip = ClipId::new(&SystemClock);
        let reel = ObjectKey::reel(job_id, clip_id, [], None);
        for other in [
            video.clone(),
            file(clip_id, Some(&one), "jpg"),
            file(other_clip, Some(&one), "mp4"),
            ObjectKey::reel(job_id, clip_id, [], Some(&one)),
            ObjectKey::new("clips/1.mp4").unwrap(),
        ] {
            assert!(!video.is_replaced_by(&other), "{other}");
        }
        assert!(reel.is_replaced_by(&ObjectKey::reel(job_id, other_clip, [], None)));
        let old = ObjectKey::of_job(job_id, &format!("highlights-{clip_id}.mp4")).unwrap();
        assert!(old.is_replaced_by(&reel));
        let subtitles = [(); 2].map(|()| ObjectKey::custom_subtitles(job_id, clip_id).unwrap());
        assert!(!subtitles[0].is_replaced_by(&subtitles[1]));
    }

    #[test]
    fn a_reel_is_that_of_its_videos_in_their_order() {
        let (job_id, clip_id) = (JobId::new(&SystemClock), ClipId::new(&SystemClock));
        let [a, b] = ["clips/a.mp4", "clips/b.mp4"].map(|key| StorageKey::new(key).unwrap());
        let version = ObjectVersion::random().unwrap();
        for version in [None, Some(&version)] {
            let reel = ObjectKey::reel(job_id, clip_id, [&a, &b], version);
            assert_eq!(reel.is_reel_of([&a, &b]), Some(true));
            for others in [vec![], vec![&a], vec![&b, &a], vec![&a, &b, &b]] {
                assert_eq!(reel.is_reel_of(others), Some(false));
            }
        }
        for unknown in [
            format!("highlights-{clip_id}.mp4"),
            format!("highlights-{clip_id}-{}.mp4", version.0),
            "highlights.mp4".to_owned(),
        ] {
            let key = ObjectKey::of_job(job_id, &unknown).unwrap();
            assert_eq!(key.is_reel_of([&a, &b]), None, "{unknown}");
        }
    }

    #[test]
    fn keys_of_other_jobs_and_in_the_trash_are_forbidden_to_a_job() {
        let [one, other] = [(); 2].map(|()| JobId::new(&SystemClock));
        let is_forbidden = |key: &str| ObjectKey::new(key).unwrap().is_forbidden_to(one);
        for key in [
            format!("jobs/{one}/clips/1.mp4"),
            "uploads/a.mp4".to_owned(),
            "jobs.mp4".to_owned(),
            format!("archive/jobs/{other}/a.mp4"),
            "trash/a.mp4".to_owned(),
            format!("trash/{other}"),
        ] {
            assert!(!is_forbidden(&key), "{key}");
        }
        let upper_case = format!("jobs/{one}/a").to_uppercase();
        for key in [
            format!("jobs/{other}/clips/1.mp4"),
            format!("JOBS/{other}/a"),
            format!("trash/20261127T064501Z/jobs/{other}/a"),
            format!("Trash/20261127T064501Z/jobs/{one}/a"),
            format!("job\u{17f}/{other}/a"),
            format!("jobs/{one}"),
            "jobs/a.mp4".to_owned(),
            upper_case,
        ] {
            assert!(is_forbidden(&key), "{key}");
        }
    }
}
