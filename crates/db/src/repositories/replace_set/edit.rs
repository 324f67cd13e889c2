//! Changes of a single row of a set.

use diesel::prelude::*;

use crate::connection::Tx;
use crate::dialect::JobLock;
use crate::error::{Doing, Error};
use crate::schema::jobs;
use crate::sql::types::Id;

impl Tx<'_> {
    /// Counts the change of a row of a set of a locked job, so that readers of the pages of
    /// the set begin again.
    pub(crate) fn record_row_edit(&mut self, lock: JobLock) -> Result<(), Error> {
        diesel::update(jobs::table.filter(jobs::job_id.eq(Id(lock.job_id()))))
            .set(jobs::row_edits.eq(jobs::row_edits + 1))
            .execute(self.raw)
            .map(drop)
            .doing("count a changed row")
    }
}

/// Methods of a repository that find, change and delete a single row.
///
/// `bytes` is SQL for the number of bytes in the columns of unbounded length, `not_found` is
/// the error for an id, `after_edit` is called after a change, and `order` is the column of the row's position, unique
/// within a job.
macro_rules! edit_rows {
    (
        $repository:ident of $table:ident: $value:ident { $id:ident: $id_type:ident } in $row:ident,
        bytes: $bytes:expr,
        not_found: $not_found:expr
        $(, after_edit: $after_edit:path)?
        $(, order: $order:ident of $noun:literal)? $(,)?
    ) => {
        impl<Mode> $repository<'_, Mode> {
            /// The number of bytes in the columns of unbounded length of a row, which
            /// [`find`](Self::find) needs as memory a few times.
            pub fn large_bytes(&mut self, id: $id_type) -> Result<Option<usize>, Error> {
                let bytes = $table::table
                    .filter($table::$id.eq($crate::sql::types::Id(id)))
                    .filter(self.0.context.owned(stringify!($table)))
                    .select(diesel::dsl::sql::<diesel::sql_types::BigInt>($bytes))
                    .get_result::<i64>(self.0.raw)
                    .optional()
                    .doing(concat!("find the size of one of ", stringify!($table)))?;
                Ok(bytes.map(|bytes| usize::try_from(bytes).unwrap_or_default()))
            }

            /// The row with this id.
            pub fn find(&mut self, id: $id_type) -> Result<Option<$value>, Error> {
                let row = $table::table
                    .filter($table::$id.eq($crate::sql::types::Id(id)))
                    .filter(self.0.context.owned(stringify!($table)))
                    .select($crate::sql::row::columns::<$row>())
                    .get_result::<$row>(self.0.raw)
                    .optional()
                    .doing(concat!("find one of ", stringify!($table)))?;
                if let Some(row) = row {
                    let value = <$value>::try_from(row)?;
                    let bytes = <$value as $crate::repositories::replace_set::JobSetItem>::text_bytes(&value.data);
                    self.0.context.record_value_size(bytes);
                    return Ok(Some(value));
                }
                Ok(None)
            }
        }

        impl $repository<'_, ReadWrite> {
            /// The row with this id, which belongs to a locked job.
            fn find_of(&mut self, lock: $crate::dialect::JobLock, id: $id_type) -> Result<$value, Error> {
                let found = self.find(id)?.filter(|value| value.job_id == lock.job_id());
                found.ok_or_else(|| ($not_found)(id))
            }

            /// Stores a changed row, whose values were `before`, and returns it as it is stored.
            fn store(
                &mut self,
                lock: $crate::dialect::JobLock,
                before: &$value,
                value: $value,
            ) -> Result<$value, Error> {
                $(self.check_position(&value, stringify!($order))?;)?
                let id = value.$id;
                if self.0.audit_entries().is_recording() {
                    let change = lectern_domain::AuditChange::of_row(before, &value);
                    if !change.is_empty() {
                        self.0.audit_entries().record(&change)?;
                    }
                }
                let bytes = <$value as $crate::repositories::replace_set::JobSetItem>::text_bytes(&value.data);
                self.0.context.record_value_size(bytes);
                let row = diesel::update($table::table.filter($table::$id.eq($crate::sql::types::Id(id))))
                    .set($row::from(value))
                    .returning($crate::sql::row::columns::<$row>())
                    .get_result::<$row>(self.0.raw)
                    .optional()
                    .doing(concat!("change one of ", stringify!($table)))?;
                $($after_edit(&mut self.0, lock)?;)?
                self.0.record_row_edit(lock)?;
                row.ok_or_else(|| ($not_found)(id))?.try_into()
            }

            /// Deletes a row.
            ///
            /// # Errors
            ///
            /// [`Error::JobNotFound`]; an error that the row does not exist, or belongs to
            /// another job.
            pub fn delete(&mut self, job: impl Into<JobRef>, id: $id_type) -> Result<(), Error> {
                let lock = self.0.lock_job(job)?;
                if self.0.audit_entries().is_recording() {
                    let row = self.find_of(lock, id)?;
                    let change = lectern_domain::AuditChange::deleted_row(&row);
                    self.0.audit_entries().record(&change)?;
                }
                let deleted = diesel::delete(
                    $table::table
                        .filter($table::$id.eq($crate::sql::types::Id(id)))
                        .filter($table::job_id.eq($crate::sql::types::Id(lock.job_id())))
                        .filter($crate::sql::owned::shown(self.0.context.backend, stringify!($table))),
                )
                .execute(self.0.raw)
                .doing(concat!("delete one of ", stringify!($table)))?;
                if deleted == 0 {
                    return Err(($not_found)(id));
                }
                self.0.count_rows(lock, 0, deleted)?;
                $($after_edit(&mut self.0, lock)?;)?
                self.0.record_row_edit(lock)
            }

            $(
                /// Fails if another row of the job has the position of `value`.
                fn check_position(&mut self, value: &$value, field: &str) -> Result<(), Error> {
                    let position = value.$order.get();
                    let taken: i64 = $table::table
                        .filter($table::job_id.eq($crate::sql::types::Id(value.job_id)))
                        .filter($table::$order.eq(position))
                        .filter($table::$id.ne($crate::sql::types::Id(value.$id)))
                        .count()
                        .get_result(self.0.raw)
                        .doing(concat!("find the position of one of ", stringify!($table)))?;
                    if taken == 0 {
                        return Ok(());
                    }
                    let message = format!(concat!("must be unique: {} is taken by another ", $noun), position);
                    Err(Error::Invalid(lectern_domain::Invalid::field(field, message)))
                }
            )?
        }
    };
}
pub(crate) use edit_rows;
