//! Positions of items in a list.

use std::collections::HashSet;

use crate::value::invalid::Invalid;
use crate::value::number::NonNegativeInt;

/// The positions of a list's items: the given position, or else the item's index. Two
/// items must not have the same position; the error names the later item as `[i].field`.
///
/// ```
/// use lectern_domain::{NonNegativeInt, assign_positions};
///
/// let positions = assign_positions([None, Some(NonNegativeInt::new(7)?), None], "clip_order")?;
/// assert_eq!(positions.iter().map(|position| position.get()).collect::<Vec<_>>(), [0, 7, 2]);
///
/// let error = assign_positions([Some(NonNegativeInt::new(1)?), None], "clip_order").unwrap_err();
/// assert_eq!(error.errors()[0].field, "[1].clip_order");
/// # Ok::<(), lectern_domain::Invalid>(())
/// ```
pub fn assign_positions(
    given: impl IntoIterator<Item = Option<NonNegativeInt>>,
    field: &str,
) -> Result<Vec<NonNegativeInt>, Invalid> {
    let mut taken = HashSet::new();
    given
        .into_iter()
        .enumerate()
        .map(|(i, position)| {
            let position = position.map_or_else(|| NonNegativeInt::position(i), Ok)?;
            if taken.insert(position) {
                return Ok(position);
            }
            Err(Invalid::field(
                format!("[{i}].{field}"),
                format!(
                    "must be unique: {} is taken by an earlier item",
                    position.get()
                ),
            ))
        })
        .collect()
}
