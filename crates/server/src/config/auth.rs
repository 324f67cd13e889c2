//! Whether callers need keys, as a setting.

use clap::{Args, ValueEnum};

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
}
