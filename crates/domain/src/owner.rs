//! Owners, whose jobs are kept apart.

use crate::value::text::bounded_texts;

bounded_texts! {
    /// For whom a key acts, and whose a job is, such as a team or a customer, 1 to 100 characters.
    OwnerName: 1 to 100;
}
