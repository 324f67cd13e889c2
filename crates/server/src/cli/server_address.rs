//! The address of a server, and the key for it, as arguments.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, ensure};
use lectern_domain::ApiKeyText;
use url::Url;

/// The address of a server: scheme, host, port, and the path at which a gateway has it.
#[derive(Debug, Clone)]
pub(crate) struct ServerUrl(Url);

impl FromStr for ServerUrl {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let url = Url::parse(text).context("not a URL, such as http://127.0.0.1:8080")?;
        ensure!(
            matches!(url.scheme(), "http" | "https") && url.has_host(),
            "must begin with http:// or https://"
        );
        ensure!(
            url.username().is_empty() && url.password().is_none(),
            "must not contain a user name or password"
        );
        ensure!(
            url.query().is_none() && url.fragment().is_none(),
            "must end with the host or a path"
        );
        Ok(Self(url))
    }
}

impl ServerUrl {
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// A key as it was given, which is not shown.
#[derive(Clone)]
pub(crate) struct GivenKey(String);

impl From<String> for GivenKey {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for GivenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenKey(…)")
    }
}

impl GivenKey {
    /// Reads the key; an empty environment variable is none. The errors of clap would show
    /// the key, so it is not checked there.
    pub(crate) fn parse(&self) -> anyhow::Result<Option<ApiKeyText>> {
        match self.0.trim() {
            "" => Ok(None),
            text => {
                let parsed = ApiKeyText::parse(text);
                parsed.map(Some).context("--api-key (LECTERN_API_KEY)")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_urls_are_refused() {
        for url in [
            "127.0.0.1:8080",
            "localhost:8080",
            "ftp://example.org",
            "http://",
            "http://me:secret@example.org",
            "http://example.org?a=b",
            "http://example.org#a",
        ] {
            assert!(ServerUrl::from_str(url).is_err(), "{url}");
        }
    }
}
