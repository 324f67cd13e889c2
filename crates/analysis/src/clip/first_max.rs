//! The first of several equal maxima.

/// The item with the highest `key`; the first of equal items, unlike [`Iterator::max_by`].
pub(super) fn first_max<T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> f64,
) -> Option<T> {
    items.into_iter().reduce(|best, item| {
        if key(&item).total_cmp(&key(&best)).is_gt() {
            item
        } else {
            best
        }
    })
}
