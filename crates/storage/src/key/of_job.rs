//! What the objects of a job are called: `jobs/{job_id}/…`.

use lectern_domain::{ClipId, Invalid, JobId};

use super::ObjectKey;
use crate::secret::random;
use crate::{Error, ObjectPrefix, hex};

/// The most characters of the name in [`ObjectKey::original`].
const MAX_NAME: usize = 120;
/// The most characters of its extension, without the dot.
const MAX_EXTENSION: usize = 16;

impl ObjectKey {
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
}

#[cfg(test)]
mod tests {
    use lectern_domain::SystemClock;

    use super::*;

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
