//! Searches texts in upper or lower case, with the same result on both databases.
//!
//! SQLite folds the case of ASCII only, and PostgreSQL folds case by the locale of the
//! cluster. So the databases only compare characters: the pattern lists the cases of each
//! character.

use std::collections::HashMap;
use std::sync::LazyLock;

use lectern_domain::fold_case;

use crate::connection::Backend;

/// The greatest character that has another case, rounded up. Going through all characters
/// would take ten times as long.
const LAST_CASED: char = '\u{1ffff}';

/// The characters that differ in case only, by their common form. Characters without
/// another case are not listed.
static CASES: LazyLock<HashMap<char, Vec<char>>> = LazyLock::new(|| {
    let mut cases: HashMap<char, Vec<char>> = HashMap::new();
    for c in '\0'..=LAST_CASED {
        let folded = fold_case(c);
        if folded != c {
            cases.entry(folded).or_insert_with(|| vec![folded]).push(c);
        }
    }
    cases
});

/// The condition that a column contains `part`, in upper or lower case. `bind` makes a
/// parameter of a pattern, and returns its placeholder.
pub(crate) fn contains_in_any_case(
    backend: Backend,
    column: &str,
    part: &str,
    mut bind: impl FnMut(String) -> String,
) -> String {
    let pattern = any_case_pattern(backend, part);
    match backend {
        Backend::Postgres => format!("{column} COLLATE \"C\" ~ {}", bind(pattern)),
        Backend::Sqlite => {
            // SQLite compares each character with all of its cases. LIKE, which folds the case
            // of ASCII, takes a third of the time.
            let of_ascii = match ascii_pattern(part) {
                Some(pattern) => format!("{column} LIKE {} ESCAPE '\\'", bind(pattern)),
                None => "FALSE".to_owned(),
            };
            format!(
                "CASE WHEN octet_length({column}) = length({column}) THEN {of_ascii} \
                 ELSE {column} GLOB {} END",
                bind(pattern)
            )
        }
    }
}

/// A pattern of LIKE that matches the ASCII texts that contain `part` in upper or lower
/// case; `None` if there are none.
fn ascii_pattern(part: &str) -> Option<String> {
    let mut pattern = "%".to_owned();
    for c in part.chars() {
        let cases = CASES.get(&fold_case(c));
        let mut cases = cases.map_or(std::slice::from_ref(&c), Vec::as_slice).iter();
        let c = cases.find(|c| c.is_ascii())?;
        if "%_\\".contains(*c) {
            pattern.push('\\');
        }
        pattern.push(*c);
    }
    pattern.push('%');
    Some(pattern)
}

/// A pattern of each database that matches texts that contain `part`, in upper or lower case.
fn any_case_pattern(backend: Backend, part: &str) -> String {
    let mut pattern = String::new();
    for c in part.chars() {
        match (CASES.get(&fold_case(c)), backend) {
            (Some(cases), _) => {
                pattern.push('[');
                pattern.extend(cases);
                pattern.push(']');
            }
            // Before any other character, a backslash would be an operator of its own.
            (None, Backend::Postgres) if c.is_ascii_punctuation() => pattern.extend(['\\', c]),
            (None, Backend::Sqlite) if "*?[".contains(c) => pattern.extend(['[', c, ']']),
            (None, _) => pattern.push(c),
        }
    }
    match backend {
        Backend::Postgres => pattern,
        Backend::Sqlite => format!("*{pattern}*"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_later_character_has_another_case() {
        let mut later = LAST_CASED..=char::MAX;
        assert_eq!(later.find(|c| fold_case(*c) != *c), None);
    }

    #[test]
    fn a_pattern_lists_the_cases_of_each_character() {
        let pattern = |part| any_case_pattern(Backend::Postgres, part);
        for part in ["σ", "ς", "Σ"] {
            assert_eq!(pattern(part), "[σΣς]");
        }
        assert_eq!(pattern("k"), "[kK\u{212a}]");
        assert_eq!(pattern("ß1"), "[ßẞ]1");
        assert_eq!(pattern("日本"), "日本");
    }

    #[test]
    fn an_ascii_pattern_has_an_ascii_case_of_each_character() {
        let pattern = |part| ascii_pattern(part);
        assert_eq!(pattern("ſ\u{212a}"), Some("%sk%".into()));
        assert_eq!(pattern("1%_\\A"), Some("%1\\%\\_\\\\a%".into()));
        assert_eq!(pattern("aé"), None);
    }

    #[test]
    fn operators_of_patterns_are_escaped() {
        let part = "*?[^]-.\\(|){1}+$_% \n";
        let on_postgres = any_case_pattern(Backend::Postgres, part);
        assert_eq!(
            on_postgres,
            "\\*\\?\\[\\^\\]\\-\\.\\\\\\(\\|\\)\\{1\\}\\+\\$\\_\\% \n"
        );
        let on_sqlite = any_case_pattern(Backend::Sqlite, part);
        assert_eq!(on_sqlite, "*[*][?][[]^]-.\\(|){1}+$_% \n*");
    }
}
