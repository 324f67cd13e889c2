//! Requests to an identity provider. They block.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use data_encoding::BASE64;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use ureq::Agent;
use ureq::http::header::AUTHORIZATION;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use url::{Host, Url};

use super::config::{OidcClient, OidcConfig};
use super::key_set::KeySet;

/// Upper bound of a request, with its response.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Upper bound of a response, in bytes.
const MAX_RESPONSE: u64 = 1 << 20;

/// What a provider says of itself, at `.well-known/openid-configuration` (OpenID Connect
/// Discovery 1.0, 3).
#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    #[serde(default = "basic")]
    token_endpoint_auth_methods_supported: Vec<String>,
}

fn basic() -> Vec<String> {
    vec![BASIC.to_owned()]
}

const BASIC: &str = "client_secret_basic";
const POST: &str = "client_secret_post";

/// Where browsers sign in, and where the service exchanges a code for tokens.
#[derive(Debug)]
pub(super) struct Endpoints {
    pub(super) authorization: Option<Url>,
    token: Option<Url>,
    /// Whether the secret of the client is sent in the form, and not in a header.
    has_secret_in_form: bool,
}

/// The response with tokens (OpenID Connect Core 1.0, 3.1.3.3).
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

/// The response of a refusal (RFC 6749, 5.2).
#[derive(Deserialize)]
struct Refusal {
    error: String,
    error_description: Option<String>,
}

/// What the service exchanges for tokens.
pub(super) struct AuthorizationCode {
    pub(super) text: String,
    /// The address to which the provider has sent the browser with the code.
    pub(super) redirect_uri: String,
    /// Proves that the code belongs to the sign-in that this service began (RFC 7636).
    pub(super) verifier: String,
}

/// Builds the client.
///
/// # Errors
///
/// When the certificates are none.
pub(super) fn agent(config: &OidcConfig) -> anyhow::Result<Agent> {
    let mut tls = TlsConfig::builder();
    if let Some(pem) = &config.ca_certificates {
        let certificates = parse_pem(pem).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        });
        let certificates: Vec<Certificate<'static>> = certificates
            .collect::<Result<_, _>>()
            .context("cannot read the certificates")?;
        ensure!(!certificates.is_empty(), "there is no certificate in PEM");
        tls = tls.root_certs(RootCerts::Specific(Arc::new(certificates)));
    }
    let agent = Agent::config_builder()
        .http_status_as_error(false)
        // A provider is where its settings say, and secrets go nowhere else.
        .max_redirects(0)
        .user_agent(concat!("lectern/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls.build())
        .timeout_global(Some(TIMEOUT));
    Ok(agent.build().into())
}

/// Reads the provider's description of itself, and its keys.
pub(super) fn discover(http: &Agent, issuer: &str) -> anyhow::Result<(Endpoints, KeySet)> {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    let address = format!("{base}/.well-known/openid-configuration");
    let body = read_body(http.get(&address).call(), &address)?;
    let document: Document = serde_json::from_slice(&body)
        .with_context(|| format!("{address} does not describe a provider"))?;
    ensure!(
        document.issuer == issuer,
        "it calls itself {:?}, and LECTERN_OIDC_ISSUER calls it {issuer:?}",
        document.issuer
    );
    let is_plain = issuer.starts_with("http:");
    let endpoint = |address: String| {
        let url = Url::parse(&address).with_context(|| format!("{address:?} is no URL"))?;
        let is_allowed = url.scheme() == "https" || is_plain && url.scheme() == "http";
        ensure!(is_allowed, "{url} is not encrypted");
        anyhow::Ok(url)
    };
    let keys = endpoint(document.jwks_uri)?;
    let keys = read_keys(http, keys.as_str())?;
    let methods = document.token_endpoint_auth_methods_supported;
    let supports = |wanted: &str| methods.iter().any(|method| method == wanted);
    let endpoints = Endpoints {
        authorization: document.authorization_endpoint.map(endpoint).transpose()?,
        token: document.token_endpoint.map(endpoint).transpose()?,
        has_secret_in_form: !supports(BASIC) && supports(POST),
    };
    Ok((endpoints, keys))
}

fn read_keys(http: &Agent, address: &str) -> anyhow::Result<KeySet> {
    let body = read_body(http.get(address).call(), address)?;
    let keys = KeySet::parse(&body).with_context(|| format!("{address} is no set of keys"))?;
    ensure!(!keys.is_empty(), "{address} has no key for signatures");
    Ok(keys)
}

/// Exchanges a code for the token that says who has signed in.
pub(super) fn exchange(
    http: &Agent,
    endpoints: &Endpoints,
    client: &OidcClient,
    code: &AuthorizationCode,
) -> anyhow::Result<String> {
    let endpoint = endpoints.token.as_ref();
    let endpoint = endpoint.context("the provider has no token endpoint")?;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code.text.as_str()),
        ("redirect_uri", code.redirect_uri.as_str()),
        ("code_verifier", code.verifier.as_str()),
    ];
    let mut request = http
        .post(endpoint.as_str())
        .header("Accept", "application/json");
    match &client.secret {
        Some(secret) if endpoints.has_secret_in_form => {
            form.extend([("client_id", client.id.as_str()), ("client_secret", secret)]);
        }
        Some(secret) => {
            request = request.header(AUTHORIZATION, basic_credentials(&client.id, secret));
        }
        None => form.push(("client_id", &client.id)),
    }
    let mut response = request
        .send_form(form)
        .context("cannot reach the token endpoint")?;
    let status = response.status();
    let body = response
        .body_mut()
        .with_config()
        .limit(MAX_RESPONSE)
        .read_to_vec()?;
    if status.is_success() {
        let tokens: Tokens = serde_json::from_slice(&body).context("there is no ID token")?;
        return Ok(tokens.id_token);
    }
    match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) => bail!(
            "the token endpoint refused: {} {}",
            refusal.error,
            refusal.error_description.unwrap_or_default()
        ),
        Err(_) => bail!("the token endpoint responded with {status}"),
    }
}

/// As RFC 6749, 2.3.1: id and secret are encoded as in a form first.
fn basic_credentials(id: &str, secret: &str) -> String {
    let [id, secret] = [id, secret].map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC));
    format!(
        "Basic {}",
        BASE64.encode(format!("{id}:{secret}").as_bytes())
    )
}

fn read_body(
    response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    url: &str,
) -> anyhow::Result<Vec<u8>> {
    let mut response = response.with_context(|| format!("cannot reach {url}"))?;
    let status = response.status();
    ensure!(status.is_success(), "{url} responded with {status}");
    let body = response
        .body_mut()
        .with_config()
        .limit(MAX_RESPONSE)
        .read_to_vec();
    body.with_context(|| format!("cannot read {url}"))
}

/// Whether a request to this URL stays on this machine.
pub(super) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
