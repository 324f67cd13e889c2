//! The query string of a list, and the links that change a part of it.

use url::form_urlencoded;

/// The parameters of a list, in the order of the address bar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageQuery(Vec<(String, String)>);

impl PageQuery {
    /// Parses a query string. Leaves out empty values, which forms send for fields that were
    /// not filled in.
    pub fn parse(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
        Self(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.pairs().filter(|(found, _)| *found == name);
        values.next().map(|(_, value)| value)
    }

    /// Names and values.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The address of the same list with other values of some parameters; an empty value
    /// removes one. It begins at the first page unless `cursor` is given.
    pub(crate) fn link(&self, changes: &[(&str, &str)]) -> String {
        let is_kept = |(name, _): &(&str, &str)| {
            *name != "cursor" && !changes.iter().any(|(changed, _)| changed == name)
        };
        let kept = self.pairs().filter(is_kept);
        let changes = changes.iter().copied();
        let pairs = kept.chain(changes.filter(|(_, value)| !value.is_empty()));
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(pairs).finish();
        if query.is_empty() {
            "./".to_owned()
        } else {
            format!("?{query}")
        }
    }
}

impl std::fmt::Display for PageQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut query = form_urlencoded::Serializer::new(String::new());
        f.write_str(&query.extend_pairs(self.pairs()).finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_the_other_parameters_and_begin_at_the_first_page() {
        let query = PageQuery::parse("status=failed&filename=a%26b&limit=&cursor=x");
        assert_eq!(query.to_string(), "status=failed&filename=a%26b&cursor=x");
        assert_eq!(
            query.link(&[("status", "running")]),
            "?filename=a%26b&status=running"
        );
        assert_eq!(
            query.link(&[("cursor", "y")]),
            "?status=failed&filename=a%26b&cursor=y"
        );
        assert_eq!(query.link(&[("status", ""), ("filename", "")]), "./");
    }
}
