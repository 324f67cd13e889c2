//! Which objects the jobs of an owner may use.

use lectern_domain::{Invalid, JobId, OwnerName};
use ring::digest::{SHA256, digest};

use super::ObjectKey;
use crate::random::HEX;

/// Bytes of the hash of an owner in its prefix.
const HASH_BYTES: usize = 16;

impl ObjectKey {
    /// The prefix of the objects that an owner's programs store themselves, with a slash at
    /// its end: `owners/{owner}/`.
    ///
    /// Other characters than lower-case ASCII letters, digits, `-` and `_` are not the same in
    /// all storages, so an owner with one of them has `owners/sha256.{hash}/`.
    pub fn owner_prefix(owner: &OwnerName) -> String {
        let is_plain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
        };
        if owner.bytes().all(is_plain) {
            return format!("owners/{owner}/");
        }
        let hash = digest(&SHA256, owner.as_bytes());
        let hash = hash.as_ref().get(..HASH_BYTES).unwrap_or_default();
        format!("owners/sha256.{}/", HEX.encode(hash))
    }

    /// Whether a job of the owner must not use the key: in addition to
    /// [`is_forbidden_to`](Self::is_forbidden_to), everything but the objects of the job and
    /// those below [`owner_prefix`](Self::owner_prefix). Without an owner, only
    /// `is_forbidden_to` counts.
    pub fn is_forbidden_to_owner(&self, job_id: JobId, owner: Option<&OwnerName>) -> bool {
        let is_of_others = owner.is_some_and(|owner| {
            self.job_id() != Some(job_id) && !self.starts_with(&Self::owner_prefix(owner))
        });
        is_of_others || self.is_forbidden_to(job_id)
    }

    /// Checks a key that a client with an owner names, before it is known whether there is an
    /// object. `job_id` is the job that will use it, if it exists already.
    ///
    /// # Errors
    ///
    /// The prefixes that the owner may use. The error is the same whatever exists.
    pub fn check_for_owner(
        key: &str,
        job_id: Option<JobId>,
        owner: &OwnerName,
    ) -> Result<(), Invalid> {
        let prefix = Self::owner_prefix(owner);
        let is_allowed = Self::new(key).is_ok_and(|key| match job_id {
            Some(job_id) => !key.is_forbidden_to_owner(job_id, Some(owner)),
            None => key.starts_with(&prefix),
        });
        match (is_allowed, job_id) {
            (true, _) => Ok(()),
            (false, None) => Err(Invalid::new(format!("must be below {prefix}"))),
            (false, Some(job_id)) => Err(Invalid::new(format!(
                "must be below jobs/{job_id}/ or {prefix}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use lectern_domain::SystemClock;

    use super::*;

    fn owner(name: &str) -> OwnerName {
        OwnerName::new(name).unwrap()
    }

    #[test]
    fn a_job_of_an_owner_uses_its_own_objects_and_those_of_the_owner() {
        let [one, other] = [(); 2].map(|()| JobId::new(&SystemClock));
        let exams = owner("exams");
        let is_forbidden = |key: &str| {
            let key = ObjectKey::new(key).unwrap();
            key.is_forbidden_to_owner(one, Some(&exams))
        };
        for key in [
            format!("jobs/{one}/clips/1.mp4"),
            "owners/exams/2026/a.mp4".to_owned(),
        ] {
            assert!(!is_forbidden(&key), "{key}");
        }
        for key in [
            format!("jobs/{other}/clips/1.mp4"),
            format!("JOBS/{one}/a"),
            "uploads/a.mp4".to_owned(),
            "owners/exams".to_owned(),
            "owners/exams2/a.mp4".to_owned(),
            "owners/library/a.mp4".to_owned(),
            "Owners/exams/a.mp4".to_owned(),
            format!("trash/20261127T064501Z/jobs/{one}/a"),
        ] {
            assert!(is_forbidden(&key), "{key}");
        }
        let outside = ObjectKey::new("uploads/a.mp4").unwrap();
        assert!(!outside.is_forbidden_to_owner(one, None));
    }

    #[test]
    fn a_key_cannot_leave_the_prefix_of_its_owner() {
        let exams = owner("exams");
        let check = |key: &str| ObjectKey::check_for_owner(key, None, &exams);
        assert!(check("owners/exams/a.mp4").is_ok());
        for key in [
            "owners/exams/../library/a.mp4",
            "owners/exams/",
            "owners//exams/a",
            "",
        ] {
            assert_eq!(
                check(key).unwrap_err().to_string(),
                "value must be below owners/exams/"
            );
        }
    }

    #[test]
    fn owners_that_differ_have_prefixes_that_differ_also_where_case_is_ignored() {
        let names = [
            "exams",
            "Exams",
            "EXAMS",
            "exams/library",
            "..",
            "é",
            "a b",
            "%41",
            "sha256.0",
        ];
        let prefixes: Vec<_> = names
            .iter()
            .map(|name| ObjectKey::owner_prefix(&owner(name)).to_lowercase())
            .collect();
        for (i, prefix) in prefixes.iter().enumerate() {
            assert!(!prefixes[..i].contains(prefix), "{prefix}");
            assert!(ObjectKey::new(format!("{prefix}a.mp4")).is_ok(), "{prefix}");
        }
        let longest = "ö".repeat(100);
        assert!(ObjectKey::owner_prefix(&owner(&longest)).len() < 50);
        let longest = "o".repeat(100);
        assert!(ObjectKey::new(ObjectKey::owner_prefix(&owner(&longest)) + "a").is_ok());
    }
}
