//! A shop for edited lectures, in Lectern's database: a table of its own that
//! refers to `jobs`, its own migrations, and both changed in one transaction.
//!
//! The URL alone decides between SQLite and PostgreSQL.

mod schema;

use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use lectern_db::domain::{Job, JobId, JobStatus, NewJob};
use lectern_db::schema::jobs;
use lectern_db::sql_types::Id;
use lectern_db::{Database, DbBackend, Doing, Error};

use crate::schema::orders;

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// The greatest number of open orders of one customer.
pub const MAX_OPEN_ORDERS: i64 = 2;

/// An order and the state of its job: a row of the join of both tables.
#[derive(Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = orders, check_for_backend(DbBackend))]
pub struct Order {
    /// The job that fulfils it.
    pub job_id: Id<JobId>,
    /// Who placed the order.
    pub customer: String,
    /// The recording, by the job's filename.
    #[diesel(select_expression = jobs::filename)]
    pub recording: String,
    /// The job's status, a [`JobStatus`] by its name.
    #[diesel(select_expression = jobs::status)]
    pub status: String,
}

/// Why an order was not placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// [`MAX_OPEN_ORDERS`] is reached.
    #[error("{0} has {MAX_OPEN_ORDERS} open orders already")]
    TooManyOpen(String),
    /// The database, or a rule of Lectern's domain.
    #[error(transparent)]
    Database(#[from] Error),
}

/// Opens the database and applies Lectern's migrations, then the shop's.
pub fn open(url: &str) -> Result<Database, Error> {
    let db = Database::open(url)?;
    db.migrate()?;
    db.migrations().up_own(POSTGRES, SQLITE)?;
    Ok(db)
}

/// Creates an order and the job that fulfils it, or neither.
pub fn place(db: &Database, customer: &str, recording: &str) -> Result<Job, PlaceError> {
    db.write(|tx| {
        let job = tx
            .jobs()
            .create(&NewJob::new(recording).map_err(Error::from)?)?;
        tx.diesel(|conn| {
            diesel::insert_into(orders::table)
                .values((
                    orders::job_id.eq(Id(job.job_id)),
                    orders::customer.eq(customer),
                ))
                .execute(conn)
        })
        .doing("store an order")?;
        let open: i64 = tx
            .diesel(|conn| {
                orders::table
                    .inner_join(jobs::table.on(jobs::job_id.eq(orders::job_id)))
                    .filter(orders::customer.eq(customer))
                    .filter(jobs::status.ne(JobStatus::Completed.as_str()))
                    .count()
                    .get_result(conn)
            })
            .doing("count the open orders of a customer")?;
        if open > MAX_OPEN_ORDERS {
            return Err(PlaceError::TooManyOpen(customer.to_owned()));
        }
        Ok(job)
    })
}

/// All orders in the order they were placed.
pub fn list(db: &Database) -> Result<Vec<Order>, Error> {
    db.read(|conn| {
        conn.diesel(|conn| {
            orders::table
                .inner_join(jobs::table.on(jobs::job_id.eq(orders::job_id)))
                .order(orders::id)
                .select(Order::as_select())
                .load(conn)
        })
        .doing("list orders")
    })
}
