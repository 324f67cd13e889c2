//! Settings of the HTTP server.

use std::net::Ipv6Addr;
use std::time::Duration;

use clap::Args;
use url::{Origin, Url};

use crate::http::address::{InvalidNetwork, IpNetwork};
use crate::http::connections::ConnectionLimits;
use crate::http::extract::receive_body::BodyLimits;

/// Where a server listens unless it is configured otherwise.
const DEFAULT_BIND: &str = "127.0.0.1:8080";

/// Connections besides those of watchers and waiting workers.
const SHORT_CONNECTIONS: u32 = 1_000;

/// Settings of the HTTP server.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP server")]
pub struct HttpSettings {
    /// Address and port to listen on: `localhost:8080`, `[::1]:8080`, `:8080` (all
    /// addresses), `8080` (only this machine); port 0 picks a free one
    #[arg(
        long,
        env = "LECTERN_BIND",
        global = true,
        value_name = "ADDR",
        default_value = DEFAULT_BIND,
        value_parser = parse_bind,
    )]
    pub bind: String,

    /// Origins whose pages may call the server, separated by commas, such as
    /// `https://example.org` or `https://*.example.org`, or `*` [default: none]
    #[arg(
        help_heading = "Origins, hosts and proxies",
        long,
        env = "LECTERN_CORS_ORIGINS",
        global = true,
        value_name = "ORIGINS",
        value_delimiter = ',',
        value_parser = parse_origin,
    )]
    pub cors_origins: Vec<String>,

    /// Lets pages of these origins send cookies and HTTP authentication, which a proxy in
    /// front of the server may require
    #[arg(
        help_heading = "Origins, hosts and proxies",
        long,
        env = "LECTERN_CORS_CREDENTIALS",
        global = true,
        value_name = "BOOL",
        num_args = 0..=1,
        default_value_t = false,
        default_missing_value = "true",
        action = clap::ArgAction::Set,
    )]
    pub cors_credentials: bool,

    /// Hosts at which clients may address the server, separated by commas, or `*`
    /// [default: on a loopback address local names and the host of
    /// the public URL, otherwise all]
    #[arg(
        help_heading = "Origins, hosts and proxies",
        long,
        env = "LECTERN_HOSTS",
        global = true,
        value_name = "HOSTS",
        value_delimiter = ',',
        value_parser = parse_host,
    )]
    pub hosts: Vec<String>,

    /// Addresses or networks of proxies whose X-Forwarded-Host, X-Forwarded-Proto and
    /// Forwarded headers are believed, separated by commas [default: none]
    #[arg(
        help_heading = "Origins, hosts and proxies",
        long,
        env = "LECTERN_TRUSTED_PROXIES",
        global = true,
        value_name = "NETWORKS",
        value_delimiter = ',',
        value_parser = parse_proxy,
    )]
    pub trusted_proxies: Vec<Option<IpNetwork>>,

    /// Threads that serve HTTP requests [default: one per processor]
    #[arg(
        long,
        env = "LECTERN_HTTP_THREADS",
        global = true,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=1024),
    )]
    pub http_threads: Option<u16>,

    /// The former name of `--http-threads`
    #[arg(
        long,
        env = "LECTERN_WORKERS",
        global = true,
        hide = true,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=1024),
    )]
    pub workers: Option<u16>,

    /// Maximum number of client connections [default: room for all watchers and waiting
    /// workers, as far as the limit of open files allows]
    #[arg(
        help_heading = "Limits",
        long,
        env = "LECTERN_MAX_CONNECTIONS",
        global = true,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub max_connections: Option<u32>,

    /// Maximum number of connections from one address, except for trusted proxies and
    /// this machine [default: a quarter of all]
    #[arg(
        help_heading = "Limits",
        long,
        env = "LECTERN_MAX_CONNECTIONS_PER_ADDRESS",
        global = true,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub max_connections_per_address: Option<u32>,

    /// Maximum request body in bytes
    #[arg(
        help_heading = "Limits",
        long,
        env = "LECTERN_MAX_BODY",
        global = true,
        value_name = "BYTES",
        default_value_t = 1 << 20,
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub max_body: u32,

    /// Maximum request body in bytes for the output of a stage
    #[arg(
        help_heading = "Limits",
        long,
        env = "LECTERN_MAX_OUTPUT_BODY",
        global = true,
        value_name = "BYTES",
        default_value_t = 32 << 20,
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub max_output_body: u32,

    /// Maximum number of rows of a job per kind of output, such as the segments of its
    /// transcript
    #[arg(
        help_heading = "Limits",
        long,
        env = "LECTERN_MAX_ROWS",
        global = true,
        value_name = "N",
        default_value_t = 100_000,
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub max_rows: u32,

    /// Memory in bytes for all large requests in progress; others wait, for up to 10
    /// seconds
    #[arg(
        help_heading = "Limits",
        long,
        env = "LECTERN_REQUEST_MEMORY",
        global = true,
        value_name = "BYTES",
        default_value_t = 96 << 20,
        value_parser = clap::value_parser!(u32).range(1 << 20..),
    )]
    pub request_memory: u32,

    /// Maximum number of clients that watch jobs at once
    #[arg(
        help_heading = "Limits",
        long,
        env = "LECTERN_MAX_WATCHERS",
        global = true,
        value_name = "N",
        default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(0..=1_000_000),
    )]
    pub max_watchers: u32,

    /// Maximum number of workers that wait for work at once
    #[arg(
        help_heading = "Limits",
        long,
        env = "LECTERN_MAX_WAITERS",
        global = true,
        value_name = "N",
        default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(0..=1_000_000),
    )]
    pub max_waiters: u32,

    /// Seconds for requests in flight to finish at shutdown
    #[arg(
        long,
        env = "LECTERN_SHUTDOWN_GRACE",
        global = true,
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(0..=3600),
    )]
    pub shutdown_grace: u32,
}

impl HttpSettings {
    /// Logs a warning for each setting given under a former name.
    pub fn warn_of_former_names(&self) {
        if self.workers.is_some() {
            log::warn!(
                "--workers and LECTERN_WORKERS are deprecated; use --http-threads and \
                 LECTERN_HTTP_THREADS"
            );
        }
    }

    /// Checks the settings that depend on each other.
    ///
    /// # Errors
    ///
    /// When pages of all origins could send credentials: then every site that a person
    /// visits could use the server in their name.
    pub fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            !self.cors_credentials || !self.cors_origins.iter().any(|origin| origin == "*"),
            "--cors-credentials (LECTERN_CORS_CREDENTIALS) needs a list of origins in \
             --cors-origins (LECTERN_CORS_ORIGINS) instead of *"
        );
        Ok(())
    }

    /// How long requests and stages in progress may take to end at shutdown.
    pub fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace.into())
    }

    /// How long the process may take to end after a signal: the grace period, but at
    /// least the time needed to cut off the remaining requests.
    pub fn exit_timeout(&self) -> Duration {
        self.shutdown_grace().max(Duration::from_secs(3))
    }

    pub(super) fn threads(&self) -> Option<usize> {
        self.http_threads.or(self.workers).map(usize::from)
    }

    /// The given origins. An empty environment variable contains none.
    pub(super) fn cors_origins(&self) -> Vec<String> {
        let origins = self.cors_origins.iter();
        origins
            .filter(|origin| !origin.is_empty())
            .cloned()
            .collect()
    }

    /// The given hosts. An empty environment variable contains none.
    pub(super) fn hosts(&self) -> Vec<String> {
        let hosts = self.hosts.iter();
        hosts.filter(|host| !host.is_empty()).cloned().collect()
    }

    pub(super) fn trusted_proxies(&self) -> Vec<IpNetwork> {
        self.trusted_proxies.iter().copied().flatten().collect()
    }

    pub(super) fn connections(&self) -> ConnectionLimits {
        // Watchers and waiting workers keep their connections; the others come and go.
        let wanted = self.max_watchers + self.max_waiters + SHORT_CONNECTIONS;
        ConnectionLimits {
            max: Some(self.max_connections.unwrap_or(wanted) as usize),
            max_per_address: self.max_connections_per_address.map(|max| max as usize),
            ..ConnectionLimits::default()
        }
    }

    pub(super) fn body_limits(&self) -> BodyLimits {
        BodyLimits {
            general: self.max_body as usize,
            output: self.max_output_body as usize,
            rows: self.max_rows as usize,
            memory: self.request_memory as usize,
        }
    }
}

/// Validates an address to listen on. A port alone is one of this machine, as the default
/// is. An empty environment variable counts as not set.
fn parse_bind(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(DEFAULT_BIND.to_owned());
    }
    if is_port(text) {
        return Ok(format!("127.0.0.1:{text}"));
    }
    let is_address = text.rsplit_once(':').is_some_and(|(host, port)| {
        let bracketed = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let is_host = match bracketed {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => is_name(host),
        };
        is_host && is_port(port)
    });
    if is_address {
        Ok(text.to_owned())
    } else {
        Err(
            "must be an address and a port such as 127.0.0.1:8080, localhost:8080 or \
             [::1]:8080, or :8080 for all addresses, or 8080 for this machine"
                .into(),
        )
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// Whether the text has only characters of host names and IPv4 addresses.
fn is_name(host: &str) -> bool {
    host.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// Validates an origin: scheme, host and optional port, as a browser sends it, because
/// another spelling would never match. The first label of the host may be `*`. An empty
/// environment variable means no origin.
fn parse_origin(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text == "*" {
        return Ok(text.to_owned());
    }
    let example = "must be an origin such as https://example.org, https://*.example.org or \
                   http://localhost:3000";
    let (scheme, host) = text.split_once("://").ok_or(example)?;
    let host_is_valid = !host.is_empty() && !host.contains(['/', '?', '#', '@']);
    if scheme.is_empty() || !host_is_valid {
        return Err(example.into());
    }
    let is_pattern = host.starts_with("*.");
    let name = host.strip_prefix("*.").unwrap_or(host);
    if name.is_empty() || name.contains('*') {
        return Err("* can only be the whole first part of the host".into());
    }
    // A host in place of the pattern, of which there may be subdomains.
    let sent = Url::parse(&format!(
        "{scheme}://{}{name}",
        if is_pattern { "a." } else { "" }
    ))
    .map_err(|error| format!("{error}; {example}"))?;
    let sent = match sent.origin() {
        origin @ Origin::Tuple(..) => origin.ascii_serialization(),
        // The origin of another scheme, such as that of a browser extension.
        Origin::Opaque(_) => format!("{}://{}", sent.scheme(), sent.authority()),
    };
    let sent = if is_pattern {
        sent.replacen("://a.", "://*.", 1)
    } else {
        sent
    };
    if sent == text {
        Ok(sent)
    } else {
        Err(format!("would never match, because browsers send {sent}"))
    }
}

/// Validates a host: a name or an IP address, without a port. An empty environment
/// variable means no host.
fn parse_host(text: &str) -> Result<String, String> {
    let text = text.trim();
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if text == "*" || is_name(text) || bare.parse::<Ipv6Addr>().is_ok() {
        Ok(text.to_owned())
    } else {
        Err("must be a host such as lectern.example.org, without scheme and port".into())
    }
}

/// Parses a network. An empty environment variable means none.
fn parse_proxy(text: &str) -> Result<Option<IpNetwork>, InvalidNetwork> {
    match text.trim() {
        "" => Ok(None),
        network => network.parse().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_to_listen_on_has_a_port() {
        for (given, taken) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("localhost:8080", "localhost:8080"),
            ("[::]:8080", "[::]:8080"),
            (":8080", ":8080"),
            ("8080", "127.0.0.1:8080"),
            (" 0.0.0.0:0 ", "0.0.0.0:0"),
            ("", DEFAULT_BIND),
        ] {
            assert_eq!(parse_bind(given).as_deref(), Ok(taken), "{given}");
        }
        for bad in [
            "localhost",
            "localhost:",
            ":",
            "::1",
            "::1:8080",
            "[::1]",
            "[localhost]:80",
            "a:b",
            ":65536",
            ":+80",
            "99999",
            "http://localhost:8080",
            "localhost:8080/",
            "*:8080",
        ] {
            assert!(parse_bind(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_origin_is_spelled_as_browsers_send_it() {
        for good in [
            "https://example.org",
            "http://localhost:3000",
            "http://[::1]:3000",
            "http://127.0.0.1",
            "https://xn--bcher-kva.example",
            "https://*.example.org",
            "http://*.localhost:3000",
            "chrome-extension://abcdefghijklmnop",
            "*",
            "",
        ] {
            assert_eq!(parse_origin(good).as_deref(), Ok(good));
        }
        for (bad, sent) in [
            ("https://Example.org", "https://example.org"),
            ("HTTPS://example.org", "https://example.org"),
            ("https://example.org:443", "https://example.org"),
            ("http://example.org:80", "http://example.org"),
            ("https://*.Example.org:443", "https://*.example.org"),
            (
                "https://b\u{fc}cher.example",
                "https://xn--bcher-kva.example",
            ),
            ("http://127.1", "http://127.0.0.1"),
            ("http://[0:0::1]", "http://[::1]"),
        ] {
            let error = parse_origin(bad).unwrap_err();
            assert!(
                error.ends_with(&format!("browsers send {sent}")),
                "{bad}: {error}"
            );
        }
        for bad in [
            "example.org",
            "null",
            "https://example.org/",
            "https://example.org/app",
            "https://me@example.org",
            "https://",
            "https://*",
            "https://*.",
            "https://a.*.org",
            "https://*a.example.org",
            "https://*.10.0.0.1",
            "https://example.org:99999",
            "*.example.org",
        ] {
            assert!(parse_origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_host_has_neither_scheme_nor_port() {
        for good in [
            "lectern.example.org",
            "10.0.0.7",
            "::1",
            "[::1]",
            "*",
            "",
            " a ",
        ] {
            assert!(parse_host(good).is_ok(), "{good}");
        }
        for bad in [
            "https://a.b",
            "a.b:80",
            "a.b/c",
            "[::1]:80",
            "*.example.org",
            "é",
        ] {
            assert!(parse_host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        for good in ["10.0.0.7", " 10.0.0.0/8", "::1", ""] {
            assert!(parse_proxy(good).is_ok(), "{good}");
        }
        for bad in ["proxy", "10.0.0.0/99", "*"] {
            assert!(parse_proxy(bad).is_err(), "{bad}");
        }
    }
}
