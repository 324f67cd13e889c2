//! Styles, scripts and icon of the pages. Styles are in the pages. The name of each other file has
//! a hash of its content, so that caches may keep it for ever.

use std::borrow::Cow;
use std::sync::LazyLock;

/// An embedded file.
#[derive(Debug)]
pub struct Asset {
    /// Name with the hash, such as `page-1a2b3c4d.js`.
    pub name: String,
    /// Media type.
    pub content_type: &'static str,
    /// Content.
    pub content: Cow<'static, str>,
    /// The name without hash and extension.
    stem: &'static str,
    /// The names of all modules that a script needs, also those of other modules.
    pub(crate) modules: Vec<String>,
}

pub(crate) const STYLE: &str = include_str!("../assets/pages.css");
pub(crate) const RECORDINGS_STYLE: &str = include_str!("../assets/recordings.css");
pub(crate) const RECORDING_STYLE: &str = include_str!("../assets/recording.css");
pub(crate) const OPERATION_STYLE: &str = include_str!("../assets/operation.css");

/// The contents of all `style` elements that pages have. A content security policy can allow
/// these by their hashes, and no others.
pub const STYLES: [&str; 4] = [STYLE, RECORDINGS_STYLE, RECORDING_STYLE, OPERATION_STYLE];

pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../assets/icon.svg");
    Asset::new("icon", "svg", "image/svg+xml", content)
});

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! sources {
    ($($stem:literal),+ $(,)?) => {
        [$(($stem, include_str!(concat!("../assets/", $stem, ".js")))),+]
    };
}

/// Names and contents of the scripts, each after those that it imports.
const SOURCES: [(&str, &str); 28] = sources![
    "page",
    "sign_in",
    "live",
    "api",
    "busy",
    "tus",
    "unfinished",
    "upload",
    "uploads",
    "selection",
    "player",
    "timeline",
    "lines",
    "transcript",
    "clip_order",
    "clip_drag",
    "clips",
    "selected_lines",
    "new_clip",
    "snap_times",
    "edge_handles",
    "clip_edges",
    "waveform",
    "thumbnails",
    "regions",
    "recordings",
    "recording",
    "operation",
];

/// The scripts. They import each other by the names with hashes.
static SCRIPTS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let mut scripts: Vec<Asset> = Vec::with_capacity(SOURCES.len());
    for (stem, source) in SOURCES {
        let mut content = source.to_owned();
        let mut modules = Vec::new();
        for module in &scripts {
            let imported = format!("\"./{}.js\"", module.stem);
            if content.contains(&imported) {
                content = content.replace(&imported, &format!("\"./{}\"", module.name));
                modules.extend(module.modules.iter().cloned());
                modules.push(module.name.clone());
            }
        }
        modules.sort();
        modules.dedup();
        scripts.push(Asset {
            modules,
            ..Asset::new(stem, "js", JAVASCRIPT, content)
        });
    }
    scripts
});

/// The script with this name, without hash and extension.
pub(crate) fn script(stem: &str) -> Option<&'static Asset> {
    SCRIPTS.iter().find(|script| script.stem == stem)
}

impl Asset {
    fn new(
        stem: &'static str,
        extension: &str,
        content_type: &'static str,
        content: impl Into<Cow<'static, str>>,
    ) -> Self {
        let content = content.into();
        let hash = crc32fast::hash(content.as_bytes());
        Self {
            name: format!("{stem}-{hash:08x}.{extension}"),
            content_type,
            content,
            stem,
            modules: Vec::new(),
        }
    }
}

/// All assets that are files of their own.
pub fn all() -> impl Iterator<Item = &'static Asset> {
    std::iter::once(&*ICON).chain(&*SCRIPTS)
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
        assert!(find("page.js").is_none());
    }

    #[test]
    fn no_style_ends_its_element() {
        for style in STYLES {
            assert!(!style.contains('<'), "{style}");
        }
    }

    #[test]
    fn no_asset_refers_to_another_host() {
        let contents = all().map(|asset| &*asset.content).chain(STYLES);
        for content in contents {
            let content = content.replace("http://www.w3.org/", "");
            assert!(!content.contains("http:"), "{content}");
            assert!(!content.contains("https:"), "{content}");
        }
    }

    #[test]
    fn every_import_is_the_name_of_an_asset() {
        let mut imports = 0;
        for asset in all().filter(|asset| asset.content_type == JAVASCRIPT) {
            for part in asset.content.split("from \"./").skip(1) {
                let name = part.split('"').next().unwrap();
                assert!(find(name).is_some(), "{} imports {name}", asset.name);
                assert!(asset.modules.iter().any(|module| module == name), "{name}");
                imports += 1;
            }
        }
        assert!(imports > 0);
    }
}
