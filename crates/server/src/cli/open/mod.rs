//! Opens the database and the storage for the commands.

mod private_files;

pub(crate) use private_files::PrivateFiles;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use lectern_db::Database;
use lectern_domain::DatabaseId;
use lectern_storage::Storage;
use tokio::runtime::Builder;

use crate::config::Settings;

/// How long a command waits for the storage when it starts. A bucket may be unreachable.
const OWNER_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the database, applies pending migrations, unless `--no-migrate` is set, and
/// verifies the schema.
pub(crate) fn database(settings: &Settings) -> anyhow::Result<Database> {
    let pipelines = Arc::new(settings.pipelines()?);
    let database = settings.open_database()?.with_pipelines(pipelines);
    if settings.database.no_migrate && database.migrations().pending()? {
        bail!("migrations are pending; `lectern migrate up` applies them");
    }
    let applied = database
        .migrate()
        .context("cannot bring the database up to date")?;
    match &applied[..] {
        [] => {}
        [only] => log::info!("applied {only}"),
        [first, .., last] => log::info!("applied {} migrations, {first} to {last}", applied.len()),
    }
    let drift = database.drift()?;
    if !drift.is_empty() {
        let drift: Vec<_> = drift.iter().map(ToString::to_string).collect();
        bail!(
            "the database differs from what this program expects: {}",
            drift.join("; ")
        );
    }
    database.enable_row_security()?;
    Ok(database)
}

/// Opens the storage, and records that its objects belong to this database unless they
/// belong to another one.
pub(crate) fn storage(settings: &Settings, database: &Database) -> anyhow::Result<Storage> {
    let storage = settings.open_storage()?;
    let id = database_id(database)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let recorded = runtime
        .block_on(async { tokio::time::timeout(OWNER_TIMEOUT, record_owner(&storage, id)).await });
    match recorded {
        Ok(Ok(())) => {}
        Ok(Err(error)) => log::warn!("cannot record the database of the storage: {error}"),
        Err(_) => log::warn!("cannot record the database of the storage: it does not respond"),
    }
    Ok(storage)
}

/// The id of the database. Creates one if the database has none.
pub(crate) fn database_id(database: &Database) -> Result<DatabaseId, lectern_db::Error> {
    match database.read(|conn| conn.database_identity().find())? {
        Some(id) => Ok(id),
        None => database.write(|tx| tx.database_identity().find_or_create()),
    }
}

async fn record_owner(storage: &Storage, id: DatabaseId) -> Result<(), lectern_storage::Error> {
    match storage.owner().await? {
        None => storage.set_owner(id).await,
        Some(owner) if owner == id => Ok(()),
        Some(_) => {
            log::warn!(
                "the objects in the storage belong to another database, or this one was restored \
                 from a backup; `lectern gc` refuses to remove any until --adopt"
            );
            Ok(())
        }
    }
}
