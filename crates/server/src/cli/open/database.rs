//! Opens the database for a command.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use lectern_db::Database;

use crate::config::Settings;

/// Opens the database, applies pending migrations, unless `--no-migrate` is set, and
/// verifies the schema.
pub(crate) fn open(settings: &Settings) -> anyhow::Result<Database> {
    let pipelines = Arc::new(settings.pipelines()?);
    let database = settings.open_database()?.with_pipelines(pipelines);
    if settings.database.no_migrate && database.migrations().pending()? {
        bail!("migrations are pending; `lectern migrate up` applies them");
    }
    for migration in database
        .migrate()
        .context("cannot bring the database up to date")?
    {
        log::info!("applied {migration}");
    }
    let drift = database.drift()?;
    if !drift.is_empty() {
        let drift: Vec<_> = drift.iter().map(ToString::to_string).collect();
        bail!(
            "the database differs from what this program expects: {}",
            drift.join("; ")
        );
    }
    Ok(database)
}
