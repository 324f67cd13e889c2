//! Which of several media types a client wants.

/// Chooses what to answer with by an `Accept` header, as RFC 9110 (§12.5.1)
/// says: each offer has the weight of the most specific range that matches it,
/// and the heaviest wins, the earlier of two equals. `None` when the client
/// takes none of them; without a header, or with an empty one, it takes the
/// first.
///
/// Offers are media types without parameters and in lower case, each with what
/// the caller knows it by. They are in UTF-8, so a range may say so; ranges
/// with other parameters match nothing, nor do ranges that are malformed.
///
/// ```
/// use lectern_formats::{Format, negotiate};
///
/// let offers = [("application/json", None), ("text/vtt", Some(Format::Vtt))];
/// assert_eq!(negotiate("text/vtt, */*;q=0.1", &offers), Some(Some(Format::Vtt)));
/// assert_eq!(negotiate("*/*", &offers), Some(None));
/// assert_eq!(negotiate("image/png", &offers), None);
/// ```
pub fn negotiate<T: Copy>(accept: &str, offers: &[(&str, T)]) -> Option<T> {
    if accept.trim().is_empty() {
        return offers.first().map(|(_, offer)| *offer);
    }
    let ranges: Vec<_> = split(accept, ',').filter_map(Range::parse).collect();
    let mut best: Option<(u16, T)> = None;
    for (media_type, offer) in offers {
        let weight = ranges
            .iter()
            .filter_map(|range| Some((range.specificity(media_type)?, range.weight)))
            .max()
            .map_or(0, |(_, weight)| weight);
        if weight > best.map_or(0, |(weight, _)| weight) {
            best = Some((weight, *offer));
        }
    }
    best.map(|(_, offer)| offer)
}

/// A media range and its weight in thousandths.
struct Range {
    essence: String,
    names_charset: bool,
    weight: u16,
}

impl Range {
    fn parse(element: &str) -> Option<Self> {
        let mut parts = split(element, ';').map(str::trim);
        let essence = parts.next()?.to_ascii_lowercase();
        let mut range = Self {
            essence,
            names_charset: false,
            weight: 1000,
        };
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            match name.to_ascii_lowercase().as_str() {
                "q" => range.weight = weight(value)?,
                "charset" if value.trim_matches('"').eq_ignore_ascii_case("utf-8") => {
                    range.names_charset = true;
                }
                _ => return None,
            }
        }
        Some(range)
    }

    /// How closely the range names the type; `None` when it does not match.
    fn specificity(&self, media_type: &str) -> Option<u8> {
        let (top, _) = media_type.split_once('/')?;
        match self.essence.split_once('/')? {
            ("*", "*") => Some(0),
            (range, "*") if range == top => Some(1),
            _ if self.essence == media_type => Some(2 + u8::from(self.names_charset)),
            _ => None,
        }
    }
}

/// A weight in thousandths: 0 to 1 with at most three decimals.
fn weight(value: &str) -> Option<u16> {
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{decimals:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// Splits where the separator is not between quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return c == separator && !quoted,
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: &str) -> Option<&'static str> {
        const OFFERS: [(&str, &str); 4] = [
            ("application/json", "json"),
            ("text/vtt", "vtt"),
            ("application/x-subrip", "srt"),
            ("text/plain", "text"),
        ];
        negotiate(accept, &OFFERS)
    }

    #[test]
    fn who_has_no_wish_gets_the_first_offer() {
        for accept in [
            "",
            " ",
            "*/*",
            "text/html, */*;q=0.8",
            "application/*",
            "*/*;q=0.001",
        ] {
            assert_eq!(chosen(accept), Some("json"), "{accept}");
        }
    }

    #[test]
    fn the_heaviest_wins_and_the_first_of_equals() {
        for (accept, offer) in [
            ("text/vtt", "vtt"),
            ("TEXT/VTT", "vtt"),
            ("text/*", "vtt"),
            ("text/plain, text/vtt", "vtt"),
            ("text/plain, text/vtt;q=0.9", "text"),
            ("text/vtt;q=0.2,application/x-subrip;q=0.25", "srt"),
            ("text/plain ; Q=1.000 , */*; q=0.999", "text"),
            ("text/plain;charset=\"UTF-8\"", "text"),
            (",, text/vtt ,", "vtt"),
        ] {
            assert_eq!(chosen(accept), Some(offer), "{accept}");
        }
    }

    #[test]
    fn the_most_specific_range_decides() {
        assert_eq!(chosen("*/*, application/json;q=0"), Some("vtt"));
        assert_eq!(
            chosen("text/*, text/vtt;q=0.3, application/*;q=0.5"),
            Some("text")
        );
        assert_eq!(chosen("text/*;q=0, */*;q=0.1"), Some("json"));
        assert_eq!(
            chosen("text/plain;q=0.9, text/plain;charset=utf-8;q=0.1, text/vtt;q=0.5"),
            Some("vtt")
        );
    }

    #[test]
    fn who_takes_none_gets_none() {
        for accept in [
            "image/png",
            "text/vtt;q=0",
            "text/vtt;q=0.000",
            "text/vtt;q=2",
            "text/vtt;q=1.001",
            "text/vtt;q=0.0001",
            "text/vtt;q=-1",
            "text/vtt;q",
            "text/plain;format=flowed",
            "text/plain;charset=utf-16",
            "text",
            "*",
            "*/vtt",
            "image/png;x=\"a, text/vtt\"",
            "image/png;x=\"a\\\", text/vtt\"",
        ] {
            assert_eq!(chosen(accept), None, "{accept}");
        }
    }
}
