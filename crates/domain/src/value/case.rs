//! Comparing texts in upper or lower case.

/// The common form of all cases of a character. Each character is folded on its own: a
/// sigma is the same at the end of a word, and `ß` is not `ss`.
///
/// Lowercasing a whole text depends on the neighbours of a character: `ΟΣ` becomes `ος`,
/// but `ΟΣΑ` becomes `οσα`, so that the first is no longer a part of the second.
pub fn fold_case(c: char) -> char {
    let upper = only(c.to_uppercase()).unwrap_or(c);
    only(upper.to_lowercase()).unwrap_or(upper)
}

fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_cases_of_a_character_have_one_form() {
        for cases in ["σςΣ", "kK\u{212a}", "ßẞ", "äÄ", "ǆǅǄ", "жЖ"] {
            let folded: Vec<char> = cases.chars().map(fold_case).collect();
            assert!(
                folded.iter().all(|c| *c == folded[0]),
                "{cases}: {folded:?}"
            );
        }
    }

    #[test]
    fn folding_twice_changes_nothing_more() {
        for c in '\0'..=char::MAX {
            assert_eq!(fold_case(fold_case(c)), fold_case(c), "{c:?}");
        }
    }
}
