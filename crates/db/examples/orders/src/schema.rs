//! The shop's own table.

use lectern_db::schema::jobs;

diesel::table! {
    use diesel::sql_types::*;
    // Takes precedence over diesel's `Uuid`, which SQLite does not support.
    use lectern_db::sql_types::Uuid;

    orders (id) {
        id -> BigInt,
        job_id -> Uuid,
        customer -> Text,
    }
}

lectern_db::allow_tables_to_appear_in_same_query!(orders: jobs);
