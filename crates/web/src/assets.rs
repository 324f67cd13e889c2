//! Style sheet, scripts and icon of the pages. The name of each has a hash of its content, so
//! that caches may keep it for ever.

use std::sync::LazyLock;

/// An embedded file.
#[derive(Debug)]
pub struct Asset {
    /// Name with the hash, such as `pages-1a2b3c4d.css`.
    pub name: String,
    /// Media type.
    pub content_type: &'static str,
    /// Content.
    pub content: &'static str,
}

pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../assets/pages.css");
    Asset::new("pages", "css", "text/css; charset=utf-8", content)
});

pub(crate) static RECORDINGS_SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../assets/recordings.js");
    Asset::new("recordings", "js", JAVASCRIPT, content)
});

pub(crate) static OPERATION_SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../assets/operation.js");
    Asset::new("operation", "js", JAVASCRIPT, content)
});

pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../assets/icon.svg");
    Asset::new("icon", "svg", "image/svg+xml", content)
});

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

impl Asset {
    fn new(stem: &str, extension: &str, content_type: &'static str, content: &'static str) -> Self {
        let hash = crc32fast::hash(content.as_bytes());
        Self {
            name: format!("{stem}-{hash:08x}.{extension}"),
            content_type,
            content,
        }
    }
}

/// All assets.
pub fn all() -> impl Iterator<Item = &'static Asset> {
    [&*STYLE, &*RECORDINGS_SCRIPT, &*OPERATION_SCRIPT, &*ICON].into_iter()
}

/// The asset of this name.
pub fn find(name: &str) -> Option<&'static Asset> {
    all().find(|asset| asset.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_asset_is_found_by_its_own_name() {
        let names: BTreeSet<_> = all().map(|asset| &asset.name).collect();
        assert_eq!(names.len(), all().count());
        for asset in all() {
            assert_eq!(find(&asset.name).unwrap().content, asset.content);
        }
        assert!(find("pages.css").is_none());
    }

    #[test]
    fn no_asset_refers_to_another_host() {
        for asset in all() {
            let content = asset.content.replace("http://www.w3.org/", "");
            assert!(!content.contains("http:"), "{}", asset.name);
            assert!(!content.contains("https:"), "{}", asset.name);
        }
    }
}
