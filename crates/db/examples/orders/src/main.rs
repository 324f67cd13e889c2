//! Places two orders and lists all orders.
//!
//! ```console
//! $ cargo run -p orders                                     # in memory
//! $ cargo run -p orders postgres://localhost/lectern
//! ```

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() -> Result<(), orders::PlaceError> {
    let url = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "sqlite::memory:".to_owned());
    let db = orders::open(&url)?;
    for recording in ["algebra.mp4", "geometry.mp4"] {
        orders::place(&db, "Hypatia", recording)?;
    }
    for order in orders::list(&db)? {
        println!(
            "{} for {}: {}",
            order.recording, order.customer, order.status
        );
    }
    Ok(())
}
