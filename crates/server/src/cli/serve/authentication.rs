//! Whether a server asks for keys: decided when it starts.

use anyhow::bail;
use lectern_db::Database;

use crate::app::tcp_listener;
use crate::config::{AuthMode, Settings};
use crate::http::auth::Authentication;

/// The command that makes the first key.
const FIRST_KEY: &str = "`lectern keys new --role admin`";

/// Decides by the setting, the address to listen on, and whether there is a key.
///
/// # Errors
///
/// When other machines could do everything, and nobody has said that they may.
pub(super) fn decide(settings: &Settings, database: &Database) -> anyhow::Result<Authentication> {
    let bind = &settings.http.bind;
    let is_local = tcp_listener::is_loopback(bind)?;
    let has_provider = settings.auth.oidc.is_set();
    let has_key = || database.read(|conn| conn.api_keys().any_active());
    match settings.auth.auth {
        AuthMode::Off if has_provider => bail!(
            "--auth off asks for nothing, but LECTERN_OIDC_ISSUER names an identity provider at \
             which people sign in: leave one of them out"
        ),
        AuthMode::Auto if has_provider => Ok(Authentication::Keys),
        AuthMode::Auto if is_local => {
            if settings.http_is_behind_proxy() {
                log::warn!(
                    "a proxy is configured, and callers need no keys: everyone who reaches the \
                     proxy may do everything, unless it authenticates them; --auth keys asks for \
                     keys"
                );
            }
            Ok(Authentication::Off)
        }
        AuthMode::Auto if has_key()? => Ok(Authentication::Keys),
        AuthMode::Auto => bail!(
            "other machines reach {bind}, and there is no key yet: make one with {FIRST_KEY}, or \
             let everyone do everything with --auth off (LECTERN_AUTH=off)"
        ),
        AuthMode::Keys => {
            if !has_provider && !has_key()? {
                log::warn!("no key is accepted yet; {FIRST_KEY} makes one");
            }
            Ok(Authentication::Keys)
        }
        AuthMode::Off => {
            if !is_local {
                log::warn!("callers need no keys: everyone who reaches {bind} may do everything");
            }
            Ok(Authentication::Off)
        }
    }
}
