//! Runs each test function on both backends.

use lectern_db::Backend;

/// An argument of a test function, created for each test on one of the
/// backends.
pub trait Fixture {
    /// Creates the fixture.
    ///
    /// # Panics
    ///
    /// If it cannot be created: the test fails.
    fn on(backend: Backend) -> Self;
}

/// Runs each of the listed functions as two tests, `<its name>::sqlite` and
/// `<its name>::postgres`, in parallel and each with its own fixture. The
/// argument of a function is any [`Fixture`]; attributes such as `#[ignore]`
/// stand before its name in the list. A function that no list names is dead
/// code, which the compiler reports.
///
/// ```
/// use lectern_tests::{TestDb, a_job, on_both_backends};
///
/// on_both_backends!(a_deleted_job_is_not_found);
///
/// fn a_deleted_job_is_not_found(db: TestDb) {
///     let job = a_job().create(&db);
///     db.write(|tx| tx.jobs().delete(job.job_id)).unwrap();
///     assert_eq!(db.read(|conn| conn.jobs().find(job.job_id)).unwrap(), None);
/// }
/// ```
#[macro_export]
macro_rules! on_both_backends {
    ($($(#[$attribute:meta])* $name:ident),+ $(,)?) => {$(
        mod $name {
            $(#[$attribute])*
            #[test]
            fn sqlite() {
                super::$name($crate::Fixture::on($crate::Backend::Sqlite));
            }

            $(#[$attribute])*
            #[test]
            fn postgres() {
                super::$name($crate::Fixture::on($crate::Backend::Postgres));
            }
        }
    )+};
}

/// Like [`on_both_backends!`](crate::on_both_backends), for functions of a
/// [`TestDb`](crate::TestDb), with a third test `<its name>::row_security`: PostgreSQL, with
/// row-level security behind handles of owners.
#[macro_export]
macro_rules! on_both_backends_and_with_row_security {
    ($($(#[$attribute:meta])* $name:ident),+ $(,)?) => {
        $crate::on_both_backends!($($(#[$attribute])* $name),+);

        mod row_security {$(
            $(#[$attribute])*
            #[test]
            fn $name() {
                super::$name($crate::TestDb::with_row_security());
            }
        )+}
    };
}
