//! Keys of objects in the trash: `trash/{time}/{key}`.

use chrono::{DateTime, NaiveDateTime, Utc};
use lectern_domain::Invalid;

use super::{ObjectKey, ObjectPrefix};

/// UTC to the second. Contains no characters that a file system may refuse.
const TIME_FORMAT: &str = "%Y%m%dT%H%M%SZ";

impl ObjectKey {
    /// The key of this object in the trash, such as `trash/20261127T064500Z/{key}`. The key
    /// has the time of the move, because the modification time of an object in a bucket
    /// cannot be set.
    ///
    /// Fails if the key would be too long.
    pub fn in_trash(&self, moved_at: DateTime<Utc>) -> Result<Self, Invalid> {
        Self::new(format!("trash/{}/{self}", moved_at.format(TIME_FORMAT)))
    }

    /// When the object was moved to the trash; `None` if the object is not in the trash.
    pub fn trashed_at(&self) -> Option<DateTime<Utc>> {
        let (time, _) = self.strip_prefix("trash/")?.split_once('/')?;
        let time = NaiveDateTime::parse_from_str(time, TIME_FORMAT).ok()?;
        Some(time.and_utc())
    }
}

impl ObjectPrefix {
    /// The prefix of all objects in the trash: `trash`.
    pub fn trash() -> Self {
        ObjectKey::from_valid("trash".to_owned()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_trash_has_the_time_of_the_move() {
        let time: DateTime<Utc> = "2026-11-27T06:45:01Z".parse().unwrap();
        let key = ObjectKey::new("jobs/1/a b.mp4").unwrap();
        assert_eq!(key.trashed_at(), None);
        let trashed = key.in_trash(time).unwrap();
        assert_eq!(trashed.as_str(), "trash/20261127T064501Z/jobs/1/a b.mp4");
        assert_eq!(trashed.trashed_at(), Some(time));
        let other = ["trash/a.mp4", "trash/2026/a.mp4", "jobs/20261127T064501Z/a"];
        for key in other.map(|key| ObjectKey::new(key).unwrap()) {
            assert_eq!(key.trashed_at(), None, "{key}");
        }
        let long = ObjectKey::new("a/".repeat(245) + "a").unwrap();
        assert!(long.in_trash(time).is_err());
    }
}
