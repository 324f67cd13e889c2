//! Titles of chapters that say something, and names that programs have given.

use lectern_domain::Topic;

use super::Chapter;
use crate::truncate::truncate;

/// The title of a chapter with single spaces, cut to the length of a topic. `None` for a generic
/// name, which has only numbers, times and words such as "chapter".
pub(super) fn own_title(title: &str) -> Option<String> {
    let visible: String = title
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let title = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    (!is_generic(&title)).then(|| truncate(&title, Topic::MAX))
}

/// Removes the titles if all chapters have the same one, such as the name of the recording.
pub(super) fn drop_common_title(chapters: &mut [Chapter]) {
    let is_common = chapters.len() > 1
        && chapters
            .windows(2)
            .all(|pair| pair[0].title == pair[1].title);
    if is_common {
        for chapter in chapters {
            chapter.title = None;
        }
    }
}

/// Whether a name has no word but generic ones.
fn is_generic(name: &str) -> bool {
    let lower = name.to_lowercase();
    let mut words = lower
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty());
    let is_generic = |word: &str| {
        GENERIC_WORDS.contains(&word) || NUMBERS.contains(&word) || is_roman_numeral(word)
    };
    // "I" or "Five" alone may be a title.
    match lower.trim() {
        alone if NUMBERS.contains(&alone) || is_roman_numeral(alone) => false,
        _ => words.all(is_generic),
    }
}

/// Roman numerals of at most four letters.
fn is_roman_numeral(word: &str) -> bool {
    (1..=4).contains(&word.len()) && word.chars().all(|c| "ivx".contains(c))
}

/// What programs call chapters, in some languages, and the letters of times such as "1h02m03s".
const GENERIC_WORDS: [&str; 41] = [
    "chapter",
    "chap",
    "ch",
    "kapitel",
    "kap",
    "chapitre",
    "capítulo",
    "capitulo",
    "capitolo",
    "hoofdstuk",
    "rozdział",
    "kapitola",
    "глава",
    "章",
    "第",
    "part",
    "teil",
    "partie",
    "parte",
    "deel",
    "section",
    "abschnitt",
    "sektion",
    "scene",
    "szene",
    "track",
    "slide",
    "folie",
    "seite",
    "page",
    "marker",
    "marke",
    "segment",
    "title",
    "titel",
    "untitled",
    "unnamed",
    "unbenannt",
    "h",
    "m",
    "s",
];

/// Numbers in words, in English and German.
const NUMBERS: [&str; 24] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn",
    "elf", "zwölf",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time_span::TimeSpan;

    #[test]
    fn names_that_programs_give_are_no_titles() {
        for name in [
            "",
            " ",
            "Chapter 1",
            "CHAPTER 01",
            "Chapter1",
            "chapter_003",
            "Kapitel 03",
            "Chapitre 2",
            "Capítulo 4",
            "Teil II",
            "Part One",
            "Slide 12",
            "Folie 3",
            "00:10:00.000",
            "00:10:00,000 - 00:20:00",
            "10:00",
            "1h02m03s",
            "12",
            "#4",
            "3.",
            "第3章",
            "Chapter 3 (00:12:34)",
            "Untitled",
            "Marker 7",
        ] {
            assert_eq!(own_title(name), None, "{name:?}");
        }
    }

    #[test]
    fn titles_are_kept_as_they_are_spelled() {
        for title in [
            "Chapter 1: Erosion",
            "1. Erosion",
            "Kapitel 3 – Die Düne",
            "eBay & iOS",
            "Part of Speech",
            "00:10 Questions",
            "What is a slide?",
            "I",
            "Seven",
            "TCP/IP v6",
            "第3章 河川",
            "C++17",
        ] {
            assert_eq!(own_title(title).as_deref(), Some(title));
        }
        assert_eq!(
            own_title("  Sand\r\n and\tclay "),
            Some("Sand and clay".to_owned())
        );
        let long = own_title(&"long ".repeat(100)).unwrap();
        assert!(long.chars().count() <= Topic::MAX && long.ends_with('…'));
    }

    #[test]
    fn a_title_that_all_chapters_have_is_none() {
        let titles = |titles: &[&str]| {
            let mut chapters: Vec<Chapter> = titles
                .iter()
                .map(|title| Chapter {
                    span: TimeSpan::new(0.0, 1.0),
                    title: Some((*title).to_owned()),
                })
                .collect();
            drop_common_title(&mut chapters);
            chapters
                .iter()
                .filter(|chapter| chapter.title.is_some())
                .count()
        };
        assert_eq!(titles(&["Talk", "Talk", "Talk"]), 0);
        assert_eq!(titles(&["Talk", "Talk", "Questions"]), 3);
        assert_eq!(titles(&["Talk"]), 1);
    }
}
