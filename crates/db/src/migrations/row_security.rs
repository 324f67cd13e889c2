//! Switches row-level security of PostgreSQL on: the role that owners' transactions take, its
//! rights, and the policies of the tables.
//!
//! The tables' owner, which is the role that applies migrations, is not subject to policies.
//! So everything but the transactions of owners stays as it is: workers, migrations, `COPY`,
//! `pg_dump`, and servers of the same database without the setting.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::connection::row_security::{Fence, literal};
use crate::connection::{Backend, Database, DbConnection, RoleName};
use crate::error::{Doing, Error};

/// The owner of the transaction; NULL outside the transactions of owners.
const OWNER: &str = "(SELECT NULLIF(current_setting('lectern.owner', true), ''))";

/// The tables whose rows belong to owners, each with the condition that a row is the owner's.
/// `jobs` in a condition is subject to the policy of `jobs`.
const FENCED: &[(&str, Rows)] = &[
    ("jobs", Rows::WithOwner("owner_id")),
    ("job_deletions", Rows::WithOwner("owner_id")),
    ("job_hour_counts", Rows::WithOwner("owner_id")),
    ("job_status_counts", Rows::WithOwner("owner_id")),
    ("audit_entries", Rows::OfActor),
    ("clips", Rows::OfJob),
    ("content_segments", Rows::OfJob),
    ("idempotency_keys", Rows::OfJobIfAny),
    ("imported_jobs", Rows::OfJob),
    ("job_events", Rows::OfJob),
    ("layout_analysis", Rows::OfJob),
    ("processing_logs", Rows::OfJob),
    ("row_sets", Rows::OfJob),
    ("silence_regions", Rows::OfJob),
    ("stage_runs", Rows::OfJob),
    ("transcripts", Rows::OfJob),
    ("upload_parts", Rows::OfJob),
    ("uploads", Rows::OfJob),
];

/// The tables that transactions of owners only read, and that have no owners.
const SHARED: &[&str] = &["database_identity", "event_feed", "stage_pauses"];

/// Which rows of a table are an owner's.
#[derive(Clone, Copy)]
enum Rows {
    /// Those with the owner in this column.
    WithOwner(&'static str),
    /// Those of its jobs, by `job_id`.
    OfJob,
    /// Those of its jobs, and those without a job.
    OfJobIfAny,
    /// Those of its actors. It may add entries of an actor without owner.
    OfActor,
}

impl Rows {
    /// The condition of the rows that are found and changed, and that of the rows that are
    /// stored.
    fn conditions(self, table: &str) -> (String, String) {
        let found = format!("EXISTS (SELECT 1 FROM jobs WHERE jobs.job_id = {table}.job_id)");
        let stored = format!("{IS_OWN_JOB}(job_id)");
        match self {
            Self::WithOwner(column) => {
                let own = format!("{column} = {OWNER}");
                (own.clone(), own)
            }
            Self::OfJob => (found, stored),
            Self::OfJobIfAny => (
                format!("job_id IS NULL OR {found}"),
                format!("job_id IS NULL OR {stored}"),
            ),
            Self::OfActor => {
                let own = format!("owner = {OWNER}");
                (own.clone(), format!("owner IS NULL OR {own}"))
            }
        }
    }
}

/// The function that checks the job of a stored row. The statement that creates jobs also stores
/// their runs, and only a volatile function sees rows that its own statement has stored.
const IS_OWN_JOB: &str = "lectern_is_own_job";

/// Allows every row to every role with rights to the table, as without row-level security.
/// PostgreSQL needs a policy that allows rows before others can exclude some.
const EVERYONE: &str = "lectern_everyone";

impl Database {
    /// Makes row-level security of PostgreSQL a second fence behind the conditions of this
    /// library's queries: in a transaction of a handle with an owner ([`Database::as_owner`]),
    /// a statement without such a condition finds, changes and stores only rows of the owner.
    /// It needs [`DatabaseConfig::owner_role`](crate::DatabaseConfig::owner_role); without it,
    /// and on SQLite, this does nothing.
    ///
    /// Call it at every start, after [`Database::migrate`]. Changes the database only if
    /// something is missing: creates the role if it may, gives it rights to the tables, and
    /// creates the policies. Then checks that they apply to the role.
    ///
    /// Statements of your own in transactions of an owner have only the rights of the role:
    /// grant it those to your tables.
    ///
    /// # Errors
    ///
    /// [`Error::RowSecurity`] when the owners' transactions would not be limited, or could not
    /// do their work; it says what to change.
    pub fn enable_row_security(&self) -> Result<(), Error> {
        let Some(role) = self
            .owner_role()
            .filter(|_| self.backend() == Backend::Postgres)
        else {
            return Ok(());
        };
        let mut conn = self.connection()?;
        if !is_complete(&mut conn, role)? {
            self.migrations().exclusively(|conn| enable(conn, role))?;
        }
        check(&mut conn, role)
    }
}

/// Removes the policies, which would keep a migration from removing a column that they name, and
/// the rights of the roles, which would no longer be limited.
/// [`Database::enable_row_security`] restores both.
pub(super) fn remove_policies(conn: &mut DbConnection) -> Result<(), Error> {
    let DbConnection::Postgres(conn) = conn else {
        return Ok(());
    };
    conn.batch_execute(&format!(
        "DO $$
        DECLARE
            found RECORD;
        BEGIN
            FOR found IN
                SELECT polname, relname, polroles FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
                WHERE relnamespace = current_schema()::regnamespace
                    AND (polname = '{EVERYONE}'
                         OR polrelid IN (SELECT polrelid FROM pg_policy WHERE polname = '{EVERYONE}'))
            LOOP
                EXECUTE format('DROP POLICY %I ON %I', found.polname, found.relname);
                EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', found.relname);
                IF found.polname <> '{EVERYONE}' THEN
                    EXECUTE format('REVOKE ALL ON %I FROM %s', found.relname, found.polroles[1]::regrole);
                END IF;
            END LOOP;
            DROP FUNCTION IF EXISTS {IS_OWN_JOB}(UUID);
        END
        $$"
    ))
    .doing("remove the policies of row-level security")
}

/// Whether the role, its rights and all policies exist.
fn is_complete(conn: &mut DbConnection, role: &RoleName) -> Result<bool, Error> {
    if !role_exists(conn, role)? {
        return Ok(false);
    }
    let tables = FENCED.iter().map(|(table, _)| quoted(table));
    let shared = SHARED.iter().map(|table| quoted(table));
    let name = literal(role.as_str());
    let all = format!(
        "SELECT has_schema_privilege({name}, current_schema(), 'USAGE')
            AND (SELECT bool_and(relrowsecurity
                    AND has_table_privilege({name}, pg_class.oid, 'SELECT')
                    AND has_table_privilege({name}, pg_class.oid, 'INSERT')
                    AND has_table_privilege({name}, pg_class.oid, 'UPDATE')
                    AND has_table_privilege({name}, pg_class.oid, 'DELETE')
                    AND EXISTS (SELECT 1 FROM pg_policy
                                WHERE polrelid = pg_class.oid AND polname = '{EVERYONE}')
                    AND EXISTS (SELECT 1 FROM pg_policy
                                WHERE polrelid = pg_class.oid AND polname = {name}
                                    AND NOT polpermissive AND polroles = ARRAY[(SELECT oid FROM pg_roles WHERE rolname = {name})]))
                    AND count(*) = {count}
                 FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
                     AND relname IN ({tables}))
            AND (SELECT bool_and(has_table_privilege({name}, pg_class.oid, 'SELECT'))
                 FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
                     AND relname IN ({shared})) AS holds",
        count = FENCED.len(),
        tables = tables.collect::<Vec<_>>().join(", "),
        shared = shared.collect::<Vec<_>>().join(", "),
    );
    holds(conn, &all)
}

fn role_exists(conn: &mut DbConnection, role: &RoleName) -> Result<bool, Error> {
    let name = literal(role.as_str());
    holds(
        conn,
        &format!("SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = {name}) AS holds"),
    )
}

/// Creates the role, its rights and the policies, in the transaction of the caller.
fn enable(conn: &mut DbConnection, role: &RoleName) -> Result<(), Error> {
    let is_new = !role_exists(conn, role)?;
    let DbConnection::Postgres(conn) = conn else {
        return Ok(());
    };
    let name = role.identifier();
    if is_new {
        // Another process may create it for another database of the cluster. A role that may
        // create roles is no member of those that it has created (PostgreSQL 16).
        let create = format!(
            "DO $lectern$ BEGIN
                CREATE ROLE {name} NOLOGIN NOINHERIT;
                GRANT {name} TO CURRENT_USER;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $lectern$"
        );
        conn.batch_execute(&create).map_err(|error| {
            refused(format!(
                "the role {name} does not exist and cannot be created ({error}); as a role that may \
                 create roles, run CREATE ROLE {name} NOLOGIN; GRANT {name} TO the role in DATABASE_URL"
            ))
        })?;
    }
    // Waiting for long transactions, the locks would keep all others waiting.
    let mut statements = vec!["SET LOCAL lock_timeout = '10s';\n".to_owned()];
    statements.push(format!(
        "DO $lectern$ BEGIN
            IF NOT has_schema_privilege({}, current_schema(), 'USAGE') THEN
                EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), {});
            END IF;
        END $lectern$;\n",
        literal(role.as_str()),
        literal(role.as_str()),
    ));
    statements.push(format!(
        "CREATE OR REPLACE FUNCTION {IS_OWN_JOB}(wanted UUID) RETURNS boolean
         LANGUAGE plpgsql VOLATILE AS $lectern$
         BEGIN
             RETURN EXISTS (SELECT 1 FROM jobs WHERE job_id = wanted);
         END
         $lectern$;
         DO $lectern$ BEGIN
             EXECUTE format('ALTER FUNCTION {IS_OWN_JOB}(UUID) SET search_path = pg_catalog, %I, pg_temp',
                            current_schema());
         END $lectern$;\n"
    ));
    for (table, rows) in FENCED {
        let (found, stored) = rows.conditions(table);
        statements.push(format!(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {name};
             DROP POLICY IF EXISTS {EVERYONE} ON {table};
             CREATE POLICY {EVERYONE} ON {table} USING (TRUE) WITH CHECK (TRUE);
             DROP POLICY IF EXISTS {name} ON {table};
             CREATE POLICY {name} ON {table} AS RESTRICTIVE TO {name}
                 USING ({found}) WITH CHECK ({stored});
             ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;\n"
        ));
    }
    for table in SHARED {
        statements.push(format!("GRANT SELECT ON {table} TO {name};\n"));
    }
    conn.batch_execute(&statements.concat())
        .doing("create the policies of row-level security")
}

/// Checks that the policies apply to the transactions of owners, and to no others of this role.
fn check(conn: &mut DbConnection, role: &RoleName) -> Result<(), Error> {
    let unlimited = format!(
        "SELECT EXISTS (SELECT 1 FROM pg_class
             WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
                 AND relname IN ({}) AND NOT row_security_active(pg_class.oid)) AS holds",
        FENCED
            .iter()
            .map(|(table, _)| quoted(table))
            .collect::<Vec<_>>()
            .join(", ")
    );
    if holds(conn, "SELECT row_security_active('jobs') AS holds")? {
        return Err(refused(
            "the tables belong to another role than the one in DATABASE_URL, to which the policies \
             would apply without an owner; connect as the role that owns the tables"
                .to_owned(),
        ));
    }
    let name = role.identifier();
    let Ok(owner) = lectern_domain::OwnerName::new("nobody") else {
        return Ok(());
    };
    let fence = Fence {
        role,
        owner: &owner,
    };
    conn.begin(Some(fence)).map_err(|error| {
        refused(format!(
            "the role in DATABASE_URL cannot take the role {name} ({error}); as a role that may, run \
             GRANT {name} TO the role in DATABASE_URL"
        ))
    })?;
    let is_unlimited = holds(conn, &unlimited);
    conn.rollback()?;
    if is_unlimited? {
        return Err(refused(format!(
            "policies do not apply to the role {name}: it must be no superuser, must not own the \
             tables, and must not have BYPASSRLS"
        )));
    }
    Ok(())
}

fn refused(reason: String) -> Error {
    Error::RowSecurity { reason }
}

fn quoted(name: &str) -> String {
    format!("'{name}'")
}

#[derive(QueryableByName)]
struct Holds {
    #[diesel(sql_type = diesel::sql_types::Nullable<Bool>)]
    holds: Option<bool>,
}

fn holds(conn: &mut DbConnection, query: &str) -> Result<bool, Error> {
    let row: Holds = diesel::sql_query(query)
        .get_result(conn)
        .doing("read the state of row-level security")?;
    Ok(row.holds == Some(true))
}
