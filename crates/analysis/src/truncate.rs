//! Shortens texts.

/// Shortens a text to at most `max` characters. A shortened text ends with a
/// whole word and an ellipsis.
pub(crate) fn truncate(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max - 1).collect();
    let whole_words = kept
        .rsplit_once(' ')
        .map_or(kept.as_str(), |(words, _)| words);
    format!("{}…", whole_words.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_ends_with_a_whole_word_and_an_ellipsis() {
        assert_eq!(truncate("a tree grows", 12), "a tree grows");
        assert_eq!(truncate("a tree grows", 11), "a tree…");
        assert_eq!(truncate("überall", 5), "über…");
    }
}
