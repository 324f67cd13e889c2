//! Settings of the storage for recordings and clips.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use lectern_domain::InField as _;
use lectern_storage::{Secret, Storage, StorageConfig};
use url::Url;

use crate::objects::upload_limits::UploadLimits;

/// Settings of the storage.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct StorageSettings {
    /// URL of the storage; `None`: in the data directory.
    #[arg(
        help = "URL of the storage for recordings and clips: file:///path or \
                s3://bucket/prefix?endpoint=URL&region=REGION, with the credentials in \
                AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY \
                [default: file://<data dir>/objects]",
        long = "storage",
        env = "LECTERN_STORAGE",
        global = true,
        value_name = "URL",
        hide_env_values = true
    )]
    pub storage_url: Option<String>,

    /// Public URL of the server; `None`: the scheme and host to which each request was
    /// sent.
    #[arg(
        help = "URL at which clients reach the server, such as https://example.org/lectern \
                [default: the scheme and host to which each request was sent]",
        long,
        env = "LECTERN_PUBLIC_URL",
        global = true,
        value_name = "URL",
        value_parser = parse_public_url,
    )]
    pub public_url: Option<String>,

    /// Key that signs the URLs of recordings and clips; `None`: the one in the data directory.
    #[arg(
        help = "Key that signs the URLs of recordings and clips, at least 32 bytes; must be \
                the same for all servers with the same storage \
                [default: in the file <data dir>/secret]",
        long,
        env = "LECTERN_SECRET",
        global = true,
        value_name = "TEXT",
        hide_env_values = true
    )]
    pub secret: Option<String>,

    /// Maximum size of a recording in bytes
    #[arg(
        help_heading = "Uploads",
        long,
        env = "LECTERN_MAX_UPLOAD",
        global = true,
        value_name = "BYTES",
        default_value_t = 10 << 30,
        value_parser = clap::value_parser!(u64).range(1..=(1 << 50)),
    )]
    pub max_upload: u64,

    /// Minimum rate of an upload in bytes per second, averaged over a minute; 0 permits any
    #[arg(
        help_heading = "Uploads",
        long,
        env = "LECTERN_MIN_UPLOAD_RATE",
        global = true,
        value_name = "BYTES",
        default_value_t = 1024
    )]
    pub min_upload_rate: u32,

    /// Bytes that uploads leave free on the local disk; `None`: depends on the disk.
    #[arg(
        help_heading = "Uploads",
        help = "Bytes of the local disk that uploads leave free [default: 1 GiB, or 5 % of a \
                disk of less than 20 GiB]",
        long,
        env = "LECTERN_DISK_RESERVE",
        global = true,
        value_name = "BYTES"
    )]
    pub disk_reserve: Option<u64>,

    /// Lifetime of an upload URL in seconds
    #[arg(
        help_heading = "Uploads",
        long,
        env = "LECTERN_UPLOAD_TTL",
        global = true,
        value_name = "SECONDS",
        default_value_t = 86_400,
        value_parser = clap::value_parser!(u32).range(1..=604_800),
    )]
    pub upload_ttl: u32,

    /// Seconds for which a pending job is kept after its upload URL has expired, or after
    /// its resumable upload has stopped
    #[arg(
        help_heading = "Uploads",
        long,
        env = "LECTERN_UPLOAD_RETENTION",
        global = true,
        value_name = "SECONDS",
        default_value_t = 604_800,
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub upload_retention: u32,

    /// Lifetime of a download URL in seconds
    #[arg(
        long,
        env = "LECTERN_URL_TTL",
        global = true,
        value_name = "SECONDS",
        default_value_t = 3600,
        value_parser = clap::value_parser!(u32).range(1..=604_800),
    )]
    pub url_ttl: u32,
}

impl StorageSettings {
    /// Opens the storage. Creates the data directory if it is needed.
    pub(super) fn open(
        &self,
        location: &StorageConfig,
        data_dir: &Path,
    ) -> anyhow::Result<Storage> {
        let secret = match (location, non_empty(self.secret.as_ref())) {
            (_, Some(secret)) => Secret::new(secret.as_bytes()).in_field("LECTERN_SECRET")?,
            (StorageConfig::Local { .. }, None) => Secret::read_or_create(data_dir)?,
            // URLs of S3 are signed with its key pair; this key is not used.
            (StorageConfig::S3(_), None) => Secret::random()?,
        };
        Storage::open(location, secret)
            .with_context(|| format!("cannot use the storage {location}"))
    }

    /// The location of the storage, without opening it.
    pub(super) fn location(&self, data_dir: &Path) -> anyhow::Result<StorageConfig> {
        let Some(url) = non_empty(self.storage_url.as_ref()) else {
            let dir = data_dir.join("objects");
            return Ok(StorageConfig::Local { dir });
        };
        url.parse::<StorageConfig>()
            .and_then(|location| location.with_environment(|name| std::env::var(name).ok()))
            .context("LECTERN_STORAGE")
    }

    /// The public URL, if it is set.
    pub fn public_url(&self) -> Option<Url> {
        self.public_url.as_deref()?.parse().ok()
    }

    /// Bounds of uploads and of signed URLs.
    pub fn limits(&self) -> UploadLimits {
        UploadLimits {
            max_size: self.max_upload,
            upload_ttl: Duration::from_secs(self.upload_ttl.into()),
            retention: Duration::from_secs(self.upload_retention.into()),
            download_ttl: Duration::from_secs(self.url_ttl.into()),
            min_rate: self.min_upload_rate,
            disk_reserve: self.disk_reserve,
            ..UploadLimits::default()
        }
    }
}

/// The value of a setting; an empty environment variable counts as not set.
fn non_empty(value: Option<&String>) -> Option<&str> {
    value.map(String::as_str).filter(|value| !value.is_empty())
}

fn parse_public_url(text: &str) -> Result<String, String> {
    let is_public_url = |url: &Url| {
        ["http", "https"].contains(&url.scheme())
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    let url: Option<Url> = text.parse().ok();
    if text.is_empty() || url.is_some_and(|url| is_public_url(&url)) {
        Ok(text.to_owned())
    } else {
        Err("must be a URL such as https://example.org or https://example.org/lectern".into())
    }
}

/// Fails if the directory of the storage contains one of the `private` files or
/// directories, or is one of them. Each comes with its role, for the error.
pub(super) fn check_private_files(storage: &Path, private: &[(&str, &Path)]) -> anyhow::Result<()> {
    let root = resolve(storage)?;
    for (role, path) in private {
        // Neither a symlink nor its target may be in the storage.
        let target = resolve(path)?;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let link = match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => Some(resolve(parent)?.join(name)),
            _ => None,
        };
        if target.starts_with(&root) || link.is_some_and(|link| link.starts_with(&root)) {
            bail!(
                "LECTERN_STORAGE: {} contains {role} ({}), which its URLs would serve; use a \
                 directory with nothing but objects",
                storage.display(),
                path.display()
            );
        }
    }
    Ok(())
}

/// The absolute path, without symlinks, of a file that may not exist yet.
fn resolve(path: &Path) -> anyhow::Result<PathBuf> {
    let absolute = std::path::absolute(path)
        .with_context(|| format!("cannot find the directory of {}", path.display()))?;
    for ancestor in absolute.ancestors() {
        let (Ok(mut real), Ok(rest)) = (ancestor.canonicalize(), absolute.strip_prefix(ancestor))
        else {
            continue;
        };
        // A path that does not exist is no symlink, so `..` leads to its parent.
        for component in rest.components() {
            match component {
                Component::ParentDir => drop(real.pop()),
                component => real.push(component),
            }
        }
        return Ok(real);
    }
    Ok(absolute)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_public_url_has_a_scheme_and_a_host_and_optionally_a_path() {
        for good in [
            "https://example.org",
            "http://localhost:8080/",
            "https://a.b/lectern",
            "",
        ] {
            assert!(parse_public_url(good).is_ok(), "{good}");
        }
        for bad in [
            "example.org",
            "ftp://example.org",
            "https://",
            "https://me@example.org",
            "https://example.org/?a=b",
            "https://example.org/#a",
        ] {
            assert!(parse_public_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_storage_around_a_private_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir_all(path("data/objects")).unwrap();
        fs::create_dir(path("elsewhere")).unwrap();
        fs::write(path("data/lectern.db"), "").unwrap();
        symlink(path("data/lectern.db"), path("elsewhere/linked.db")).unwrap();
        symlink(path("data"), path("link")).unwrap();
        let is_refused = |storage: &str, private: &str| {
            check_private_files(&path(storage), &[("the database", &path(private))]).is_err()
        };
        for (storage, private) in [
            ("data", "data"),
            ("data", "data/lectern.db"),
            ("data", "data/new/lectern.db"),
            ("link", "data/lectern.db"),
            ("data", "link/lectern.db"),
            ("data", "elsewhere/linked.db"),
            ("elsewhere", "elsewhere/linked.db"),
            ("data", "data/new/../../data/lectern.db"),
            ("", "data/lectern.db"),
        ] {
            assert!(is_refused(storage, private), "{storage} and {private}");
        }
        for (storage, private) in [
            ("data/objects", "data/lectern.db"),
            ("data/objects", "data"),
            ("new", "data"),
            ("dat", "data/lectern.db"),
            ("link/objects", "link/lectern.db"),
        ] {
            assert!(!is_refused(storage, private), "{storage} and {private}");
        }
    }
}
