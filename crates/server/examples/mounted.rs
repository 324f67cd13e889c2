//! Lectern's routes in an actix app that has routes of its own.
//!
//! ```console
//! $ cargo run -p lectern-server --example mounted
//! $ curl localhost:8080/lectern/api/v1/jobs -H 'Content-Type: application/json' \
//!     -d '{"filename": "lecture.mp4", "file_size": 1, "s3_key": "lecture.mp4"}'
//! $ curl localhost:8080/count
//! ```

use actix_web::error::ErrorInternalServerError;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use lectern_db::Database;
use lectern_domain::JobFilter;
use lectern_server::{ServerConfig, Service, configure};

/// A route of the app, over the same database.
async fn count_jobs(database: Data<Database>) -> actix_web::Result<String> {
    let count = web::block(move || database.read(|conn| conn.jobs().count(&JobFilter::default())));
    let count = count.await?.map_err(ErrorInternalServerError)?;
    Ok(format!("{count} jobs\n"))
}

fn main() -> anyhow::Result<()> {
    let database = Database::open("sqlite://mounted.db")?;
    database.migrate()?;
    let service = Service::new(&ServerConfig::default(), database)?;
    actix_web::rt::System::new().block_on(serve(service))
}

async fn serve(service: Service) -> anyhow::Result<()> {
    // Expires leases, prunes old rows, and finds what other processes commit.
    let background = service.clone();
    let background = actix_web::rt::spawn(async move { background.run_background_tasks().await });

    // Commits through this handle reach watchers and waiting workers at once.
    let database = Data::new(service.database().clone());
    HttpServer::new(move || {
        App::new()
            .app_data(database.clone())
            .route("/count", web::get().to(count_jobs))
            .service(web::scope("/lectern").configure(configure(&service)))
    })
    .bind("127.0.0.1:8080")?
    .run()
    .await?;
    background.abort();
    Ok(())
}
