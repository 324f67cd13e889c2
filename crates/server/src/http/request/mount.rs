//! The path below which the routes are mounted in another app, or published by a gateway.

use actix_web::HttpRequest;
use actix_web::web::Data;
use url::Url;

/// The path of the configured public URL, such as `/lectern`, without a slash at its end.
/// `None`: no public URL is configured.
#[derive(Debug, Clone)]
pub(crate) struct PublicPath(Option<String>);

impl PublicPath {
    pub(crate) fn new(public_url: Option<&Url>) -> Self {
        Self(public_url.map(|url| url.path().trim_end_matches('/').to_owned()))
    }

    pub(crate) fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// The path before the route's own under which clients reach the service: that of the
/// public URL, or else the [`prefix`].
pub(crate) fn public_prefix(request: &HttpRequest) -> &str {
    let public = request.app_data::<Data<PublicPath>>();
    let public = public.and_then(|path| path.as_deref());
    public.unwrap_or_else(|| prefix(request))
}

/// The scheme of the configured public URL. `None`: no public URL is configured.
#[derive(Debug, Clone)]
pub(crate) struct PublicScheme(Option<String>);

impl PublicScheme {
    pub(crate) fn new(public_url: Option<&Url>) -> Self {
        Self(public_url.map(|url| url.scheme().to_owned()))
    }

    pub(crate) fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// Every route whose handler calls [`prefix`] is below one of these paths.
const OWN_PATHS: [&str; 2] = ["/api/v1/", "/login"];

/// The path before the route's own, such as `/lectern` for
/// `/lectern/api/v1/jobs`; empty when the routes are not below a scope.
///
/// The pattern of the scope may have parameters, so its text is not a prefix of the path:
/// the prefix is as many segments of the path as the scope's pattern has.
pub(crate) fn prefix(request: &HttpRequest) -> &str {
    let pattern = request.match_pattern().unwrap_or_default();
    let own = OWN_PATHS.iter().find_map(|own| pattern.rfind(own));
    let segments = own.map_or(0, |end| pattern[..end].matches('/').count());
    let path = request.uri().path();
    let end = path.match_indices('/').nth(segments);
    &path[..end.map_or(0, |(end, _)| end)]
}

#[cfg(test)]
mod tests {
    use actix_web::test::{self, TestRequest};
    use actix_web::{App, HttpRequest, web};

    use super::*;

    async fn answer_prefix(request: HttpRequest) -> String {
        prefix(&request).to_owned()
    }

    #[actix_web::test]
    async fn the_prefix_is_the_path_of_all_scopes() {
        let routes = || web::resource("/api/v1/jobs/{job_id}").get(answer_prefix);
        let app = App::new()
            .service(web::scope("/tenants/{tenant}/lectern").service(routes()))
            .service(web::scope("/api/v1/lectern").service(routes()))
            .service(routes());
        let app = test::init_service(app).await;
        for expected in ["/tenants/api/lectern", "/api/v1/lectern", ""] {
            let path = format!("{expected}/api/v1/jobs/7");
            let request = TestRequest::get().uri(&path).to_request();
            let prefix = test::call_and_read_body(&app, request).await;
            assert_eq!(prefix, expected.as_bytes(), "{path}");
        }
    }
}
