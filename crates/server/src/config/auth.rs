//! Whether callers need keys, as a setting.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::oidc::OidcSettings;

/// When callers need keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuthMode {
    /// Nothing is asked for on a loopback address; on any other, keys
    Auto,
    /// Callers need keys on any address
    Keys,
    /// Nothing is asked for
    Off,
}

/// Settings of authentication.
#[derive(Debug, Clone, Args)]
pub struct AuthSettings {
    /// Whether callers need keys of `lectern keys`; set `keys` behind a proxy on this machine
    #[arg(
        help_heading = "HTTP server",
        long,
        env = "LECTERN_AUTH",
        global = true,
        value_name = "MODE",
        value_enum,
        default_value_t = AuthMode::Auto,
    )]
    pub auth: AuthMode,

    /// Hours for which a sign-in in a browser lasts
    #[arg(
        help_heading = "HTTP server",
        long,
        env = "LECTERN_SESSION_HOURS",
        global = true,
        value_name = "HOURS",
        default_value_t = 12,
        value_parser = clap::value_parser!(u32).range(1..=720),
    )]
    pub session_hours: u32,

    /// Settings of the identity provider.
    #[command(flatten)]
    pub oidc: OidcSettings,
}

impl AuthSettings {
    /// How long a session lasts.
    pub(crate) fn session_lifetime(&self) -> Duration {
        Duration::from_hours(u64::from(self.session_hours))
    }
}
