//! One test body, two databases.

use lectern_db::Backend;

/// Something a test can be handed, made afresh on one backend or the other.
pub trait Fixture {
    /// Makes one.
    ///
    /// # Panics
    ///
    /// When it cannot be made; a test without its fixture has failed.
    fn on(backend: Backend) -> Self;
}

/// Turns every function into two tests, `<its name>::sqlite` and
/// `<its name>::postgres`, which run in parallel and share nothing. The
/// argument is any [`Fixture`].
///
/// ```
/// use lectern_tests::{TestDb, a_job, on_both_backends};
///
/// on_both_backends! {
///     fn a_job_that_was_deleted_is_not_found(db: TestDb) {
///         let job = a_job().create(&db);
///         assert!(db.write(|tx| tx.jobs().delete(job.job_id)).unwrap());
///         assert_eq!(db.read(|conn| conn.jobs().find(job.job_id)).unwrap(), None);
///     }
/// }
/// ```
#[macro_export]
macro_rules! on_both_backends {
    ($($(#[$attribute:meta])* fn $name:ident($fixture:ident: $type:ty) $body:block)+) => {$(
        $(#[$attribute])*
        fn $name($fixture: $type) $body

        mod $name {
            #[test]
            fn sqlite() {
                super::$name($crate::Fixture::on($crate::Backend::Sqlite));
            }

            #[test]
            fn postgres() {
                super::$name($crate::Fixture::on($crate::Backend::Postgres));
            }
        }
    )+};
}
