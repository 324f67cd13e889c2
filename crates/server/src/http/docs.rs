//! The OpenAPI document, and Swagger UI, which is embedded in the binary.

use std::io::{Cursor, Read as _};
use std::sync::OnceLock;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LOCATION, REFERRER_POLICY,
};
use actix_web::web::{self, Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, Responder};
use lectern_api::Code;
use lectern_domain::Access;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;

use crate::http::error::ApiError;
use crate::http::resource::Resource;
use crate::http::response::etag::IfNoneMatch;

/// The page. Its links are relative, so that it works below any path prefix.
const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lectern API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
</head>
<body>
<header><a href="./">← Lectern</a></header>
<main id="swagger-ui"></main>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"#;

/// Starts Swagger UI. A separate file, because [`CONTENT_POLICY`] forbids inline scripts.
const START_SCRIPT: &str = include_str!("docs/start.js");

/// Allows only resources of this server. Swagger UI also needs inline styles, images and
/// fonts embedded in its style sheet, and to show images and play recordings that it fetched.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// The files of the archive that the page uses, with their media types.
const FILES: [(&str, &str); 3] = [
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("favicon-32x32.png", "image/png"),
];

/// The OpenAPI document as JSON.
#[derive(Debug, Clone)]
pub(crate) struct OpenApiDocument(pub(crate) Bytes);

#[derive(Debug, Clone)]
struct File {
    content_type: &'static str,
    etag: String,
    content: Bytes,
}

pub(crate) fn resources() -> Vec<Resource> {
    vec![
        Resource::at("/openapi.json").get(Access::Public, openapi),
        Resource::at("/docs").get(Access::Public, page),
        Resource::at("/docs/").get(Access::Public, redirect_to_page),
        Resource::at("/docs/start.js").get(Access::Public, start),
        Resource::at("/docs/{file}").get(Access::Public, file),
    ]
}

async fn openapi(document: Data<OpenApiDocument>) -> impl Responder {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(document.0.clone())
}

/// The root of a server for clients that do not accept HTML: leads to the page. Not for an app
/// that has routes of its own.
pub(crate) fn root() -> Resource {
    Resource::at("/").get(Access::Public, redirect_from_root)
}

// The locations are relative, so that they are right below any path prefix.

async fn redirect_from_root() -> HttpResponse {
    HttpResponse::TemporaryRedirect()
        .insert_header((LOCATION, "docs"))
        .finish()
}

async fn redirect_to_page() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "../docs"))
        .finish()
}

async fn page(known: IfNoneMatch) -> HttpResponse {
    send(&embedded_file("text/html; charset=utf-8", PAGE), &known)
}

async fn start(known: IfNoneMatch) -> HttpResponse {
    send(
        &embedded_file("text/javascript; charset=utf-8", START_SCRIPT),
        &known,
    )
}

async fn file(request: HttpRequest, known: IfNoneMatch) -> Result<HttpResponse, ApiError> {
    let wanted = request.match_info().get("file").unwrap_or_default();
    let index = FILES.iter().position(|(name, _)| *name == wanted);
    let files = unpacked().await?;
    match index.and_then(|index| files.get(index)) {
        Some(file) => Ok(send(file, &known)),
        None => Err(ApiError::new(
            Code::NotFound,
            "there is nothing at this path",
        )),
    }
}

/// A file embedded in this crate. Its entity tag is the program's version.
fn embedded_file(content_type: &'static str, content: &'static str) -> File {
    File {
        content_type,
        etag: format!("\"{}\"", env!("CARGO_PKG_VERSION")),
        content: Bytes::from_static(content.as_bytes()),
    }
}

fn send(file: &File, known: &IfNoneMatch) -> HttpResponse {
    let mut response = if known.matches(&file.etag) {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, file.etag.as_str()))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((CONTENT_SECURITY_POLICY, CONTENT_POLICY))
        .insert_header((REFERRER_POLICY, "no-referrer"));
    if known.matches(&file.etag) {
        response.finish()
    } else {
        response
            .insert_header((CONTENT_TYPE, file.content_type))
            .body(file.content.clone())
    }
}

/// Unpacks the archive on the first request.
async fn unpacked() -> Result<&'static [File], ApiError> {
    static UNPACKED: OnceLock<Vec<File>> = OnceLock::new();
    if let Some(files) = UNPACKED.get() {
        return Ok(files);
    }
    let files = web::block(unpack).await?.map_err(ApiError::internal)?;
    Ok(UNPACKED.get_or_init(|| files))
}

fn unpack() -> zip::result::ZipResult<Vec<File>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    // All files are in a directory named after the version.
    let root = archive.by_index(0)?.name()?.to_string();
    let root = root.split('/').next().unwrap_or_default();
    FILES
        .iter()
        .map(|(name, content_type)| {
            let mut entry = archive.by_name(&format!("{root}/dist/{name}"))?;
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            let etag = format!("\"{:08x}\"", entry.crc32());
            Ok(File {
                content_type,
                etag,
                content: content.into(),
            })
        })
        .collect()
}
