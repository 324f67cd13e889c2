//! Content negotiation: the choice among offered media types.

use mime::{CHARSET, Mime, STAR};

/// Chooses the media type of a response by the media ranges of an `Accept` header
/// ([RFC 9110, section 12.5.1]).
///
/// Each offer gets the quality of the most specific range that matches the offer. The
/// first offer with the highest quality is chosen. If there are no ranges, the first
/// offer is chosen. Returns `None` if no offer is acceptable.
///
/// `ranges` are media ranges with their qualities, in any unit; `None` stands for `q=0`,
/// which refuses a media type. `offers` are media types in lower case and without
/// parameters, each with the value to return.
///
/// Every offer is UTF-8, so a range may have the parameter `charset=utf-8`. A range with
/// any other parameter matches nothing.
///
/// ```
/// use lectern_formats::{Format, negotiate};
///
/// let offers = [("application/json", None), ("text/vtt", Some(Format::Vtt))];
/// let vtt_first = [("text/vtt".parse()?, Some(1000)), ("*/*".parse()?, Some(100))];
/// assert_eq!(negotiate(&vtt_first, &offers), Some(Some(Format::Vtt)));
/// let only_png = [("image/png".parse()?, Some(1000))];
/// assert_eq!(negotiate(&only_png, &offers), None);
/// # Ok::<(), mime::FromStrError>(())
/// ```
///
/// [RFC 9110, section 12.5.1]: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
pub fn negotiate<Q: Ord + Copy, T: Copy>(
    ranges: &[(Mime, Option<Q>)],
    offers: &[(&str, T)],
) -> Option<T> {
    if ranges.is_empty() {
        return offers.first().map(|(_, value)| *value);
    }
    let mut best: Option<(Q, T)> = None;
    for (media_type, value) in offers {
        let most_specific = ranges
            .iter()
            .filter_map(|(range, quality)| Some((specificity(range, media_type)?, *quality)))
            .max();
        if let Some((_, Some(quality))) = most_specific
            && best.is_none_or(|(highest, _)| quality > highest)
        {
            best = Some((quality, *value));
        }
    }
    best.map(|(_, value)| value)
}

/// How precisely the range names the media type; `None` if it does not match.
fn specificity(range: &Mime, media_type: &str) -> Option<u8> {
    let is_utf8 = |(name, value)| name == CHARSET && value == "utf-8";
    if !range.params().all(is_utf8) {
        return None;
    }
    let (main_type, _) = media_type.split_once('/')?;
    match (range.type_(), range.subtype()) {
        (STAR, STAR) => Some(0),
        (range_main_type, STAR) if range_main_type == main_type => Some(1),
        _ if range.essence_str() == media_type => {
            Some(2 + u8::from(range.get_param(CHARSET).is_some()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The offer chosen for media ranges and their qualities, in thousandths.
    fn chosen(ranges: &[(&str, u16)]) -> Option<&'static str> {
        const OFFERS: [(&str, &str); 4] = [
            ("application/json", "json"),
            ("text/vtt", "vtt"),
            ("application/x-subrip", "srt"),
            ("text/plain", "text"),
        ];
        let ranges: Vec<_> = ranges
            .iter()
            .map(|(range, quality)| {
                let quality = (*quality > 0).then_some(*quality);
                (range.parse().unwrap(), quality)
            })
            .collect();
        negotiate(&ranges, &OFFERS)
    }

    #[test]
    fn a_client_without_a_preference_gets_the_first_offer() {
        for ranges in [
            &[][..],
            &[("*/*", 1000)],
            &[("text/html", 1000), ("*/*", 800)],
            &[("application/*", 1000)],
            &[("*/*", 1)],
        ] {
            assert_eq!(chosen(ranges), Some("json"), "{ranges:?}");
        }
    }

    #[test]
    fn the_highest_quality_wins_and_the_first_of_equals() {
        for (ranges, offer) in [
            (&[("text/vtt", 1000)][..], "vtt"),
            (&[("TEXT/VTT", 1000)], "vtt"),
            (&[("text/*", 1000)], "vtt"),
            (&[("text/plain", 1000), ("text/vtt", 1000)], "vtt"),
            (&[("text/plain", 1000), ("text/vtt", 900)], "text"),
            (&[("text/vtt", 200), ("application/x-subrip", 250)], "srt"),
            (&[("text/plain", 1000), ("*/*", 999)], "text"),
            (&[("text/plain;charset=\"UTF-8\"", 1000)], "text"),
        ] {
            assert_eq!(chosen(ranges), Some(offer), "{ranges:?}");
        }
    }

    #[test]
    fn the_most_specific_range_decides() {
        assert_eq!(
            chosen(&[("*/*", 1000), ("application/json", 0)]),
            Some("vtt")
        );
        assert_eq!(
            chosen(&[("text/*", 1000), ("text/vtt", 300), ("application/*", 500)]),
            Some("text")
        );
        assert_eq!(chosen(&[("text/*", 0), ("*/*", 100)]), Some("json"));
        assert_eq!(
            chosen(&[
                ("text/plain", 900),
                ("text/plain;charset=utf-8", 100),
                ("text/vtt", 500)
            ]),
            Some("vtt")
        );
    }

    #[test]
    fn no_offer_is_chosen_when_none_is_acceptable() {
        for range in [
            ("image/png", 1000),
            ("text/vtt", 0),
            ("text/plain;format=flowed", 1000),
            ("text/plain;charset=utf-16", 1000),
            ("application/json+ld", 1000),
            ("*/vtt", 1000),
        ] {
            assert_eq!(chosen(&[range]), None, "{range:?}");
        }
    }
}
