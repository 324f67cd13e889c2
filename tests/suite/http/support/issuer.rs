//! An identity provider with keys of its own, over HTTP.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use lectern_server::{OidcClient, OidcConfig, RoleClaim, ServerConfig};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use url::Url;

use super::api_key::with_keys;

/// The audience of tokens for the service.
pub(crate) const AUDIENCE: &str = "https://lectern.example";
pub(crate) const CLIENT_ID: &str = "lectern web";
pub(crate) const CLIENT_SECRET: &str = "s3cret/with:signs";

/// A provider in this process. It stops on drop.
pub(crate) struct Issuer {
    pub(crate) url: String,
    state: Data<State>,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    url: Mutex<String>,
    /// The newest signs.
    keys: Mutex<Vec<SigningKey>>,
    /// Codes that were given to browsers, and what they stand for.
    codes: Mutex<HashMap<String, Grant>>,
    is_down: AtomicBool,
}

struct SigningKey {
    id: String,
    pair: Arc<EcdsaKeyPair>,
}

#[derive(Clone)]
struct Grant {
    redirect_uri: String,
    challenge: String,
    claims: Value,
}

impl Issuer {
    pub(crate) fn start() -> Self {
        let state = Data::new(State::default());
        state.add_key("first");
        let (sender, receiver) = mpsc::channel();
        let of_app = state.clone();
        let thread = thread::spawn(move || {
            let run = async move {
                let app = move || {
                    App::new()
                        .app_data(of_app.clone())
                        .route(
                            "/.well-known/openid-configuration",
                            web::get().to(description),
                        )
                        .route("/keys", web::get().to(keys))
                        .route("/token", web::post().to(exchange))
                };
                let server = HttpServer::new(app).workers(1).disable_signals();
                let server = server.bind(("127.0.0.1", 0)).unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                sender.send((address, server.handle())).unwrap();
                server.await.unwrap();
            };
            actix_web::rt::System::new().block_on(run);
        });
        let (address, server) = receiver.recv().unwrap();
        let url = format!("http://{address}");
        state.url.lock().unwrap().clone_from(&url);
        Self {
            url,
            state,
            server,
            thread: Some(thread),
        }
    }

    /// Settings of a server at which people of this provider sign in.
    pub(crate) fn config(&self) -> OidcConfig {
        OidcConfig {
            issuer: self.url.clone(),
            audience: Some(AUDIENCE.to_owned()),
            client: Some(OidcClient {
                id: CLIENT_ID.to_owned(),
                secret: Some(CLIENT_SECRET.to_owned()),
            }),
            roles: RoleClaim::default(),
            owner_claim: None,
            ca_certificates: None,
        }
    }

    pub(crate) fn server_config(&self) -> ServerConfig {
        ServerConfig {
            identity_provider: Some(self.config()),
            ..with_keys()
        }
    }

    /// Signs with a new key from now on.
    pub(crate) fn add_key(&self, id: &str) {
        self.state.add_key(id);
    }

    /// Responds with errors, or not any more.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.state.is_down.store(is_down, Ordering::Relaxed);
    }

    /// The claims of a person with this role, for the service, in a minute's time.
    pub(crate) fn claims(&self, role: &str) -> Value {
        json!({
            "iss": self.url,
            "sub": "7f3",
            "aud": AUDIENCE,
            "exp": now() + 60,
            "email": "ada@example.org",
            "roles": [role],
        })
    }

    /// A token with these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({}), claims)
    }

    /// A token with these members of the header too.
    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.state.token(header, claims)
    }

    /// What happens when a person signs in at `address`, to which the service has sent their
    /// browser: the path and query to which it is sent back.
    pub(crate) fn sign_in(&self, address: &str, claims: &Value) -> String {
        let address = Url::parse(address).unwrap();
        assert!(
            address
                .as_str()
                .starts_with(&format!("{}/authorize?", self.url))
        );
        let parameters: HashMap<_, _> = address.query_pairs().into_owned().collect();
        for (name, expected) in [
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("scope", "openid profile email"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(parameters[name], expected, "{name}");
        }
        let mut claims = claims.clone();
        for (name, value) in [("aud", CLIENT_ID), ("nonce", &parameters["nonce"])] {
            let members = claims.as_object_mut().unwrap();
            members.entry(name).or_insert(Value::Null);
            if name == "aud" || members[name].is_null() {
                members[name] = value.into();
            }
        }
        let mut codes = self.state.codes.lock().unwrap();
        let code = format!("code-{}", codes.len());
        let grant = Grant {
            redirect_uri: parameters["redirect_uri"].clone(),
            challenge: parameters["code_challenge"].clone(),
            claims,
        };
        let mut back = Url::parse(&grant.redirect_uri).unwrap();
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &parameters["state"]);
        codes.insert(code, grant);
        format!("{}?{}", back.path(), back.query().unwrap())
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let stopped = self.server.stop(false);
        drop(stopped);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// In Unix seconds.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

impl State {
    fn add_key(&self, id: &str) {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        self.keys.lock().unwrap().push(SigningKey {
            id: id.to_owned(),
            pair: Arc::new(pair),
        });
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let keys = self.keys.lock().unwrap();
        let key = keys.last().unwrap();
        let mut whole = json!({ "alg": "ES256", "typ": "JWT", "kid": key.id });
        let members = header.as_object().unwrap().clone();
        whole.as_object_mut().unwrap().extend(members);
        let [header, claims] =
            [&whole, claims].map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes()));
        let signed = format!("{header}.{claims}");
        let signature = key.pair.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = BASE64URL_NOPAD.encode(signature.unwrap().as_ref());
        format!("{signed}.{signature}")
    }
}

async fn description(state: Data<State>) -> HttpResponse {
    if state.is_down.load(Ordering::Relaxed) {
        return HttpResponse::BadGateway().finish();
    }
    let url = state.url.lock().unwrap().clone();
    HttpResponse::Ok().json(json!({
        "issuer": url,
        "jwks_uri": format!("{url}/keys"),
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
    }))
}

async fn keys(state: Data<State>) -> HttpResponse {
    let keys = state.keys.lock().unwrap();
    let keys = keys.iter().map(|key| {
        // 4, x and y.
        let point = key.pair.public_key().as_ref();
        json!({
            "kty": "EC",
            "crv": "P-256",
            "use": "sig",
            "kid": key.id,
            "x": BASE64URL_NOPAD.encode(&point[1..33]),
            "y": BASE64URL_NOPAD.encode(&point[33..]),
        })
    });
    HttpResponse::Ok().json(json!({ "keys": keys.collect::<Vec<_>>() }))
}

async fn exchange(
    state: Data<State>,
    request: HttpRequest,
    form: web::Form<HashMap<String, String>>,
) -> HttpResponse {
    let refuse = |error: &str| HttpResponse::BadRequest().json(json!({ "error": error }));
    let authorization = request.headers().get("Authorization").unwrap();
    let credentials = authorization
        .to_str()
        .unwrap()
        .strip_prefix("Basic ")
        .unwrap();
    let credentials = BASE64.decode(credentials.as_bytes()).unwrap();
    // Encoded as in a form (RFC 6749, 2.3.1).
    assert_eq!(credentials, b"lectern%20web:s3cret%2Fwith%3Asigns");
    assert_eq!(form["grant_type"], "authorization_code");
    // A code is accepted once.
    let Some(grant) = state.codes.lock().unwrap().remove(&form["code"]) else {
        return refuse("invalid_grant");
    };
    let challenge = digest(&SHA256, form["code_verifier"].as_bytes());
    if BASE64URL_NOPAD.encode(challenge.as_ref()) != grant.challenge
        || form["redirect_uri"] != grant.redirect_uri
    {
        return refuse("invalid_grant");
    }
    let id_token = state.token(&json!({}), &grant.claims);
    HttpResponse::Ok().json(json!({ "id_token": id_token, "token_type": "Bearer" }))
}
