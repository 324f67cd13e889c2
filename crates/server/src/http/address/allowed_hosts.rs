//! The hosts at which a server may be addressed.
//!
//! Any site can let its own host name resolve to this server's address (DNS rebinding).
//! The browser then treats requests of its pages to this server as same-origin, and only
//! `Host` shows the foreign name.

use std::net::{IpAddr, SocketAddr};

use url::Url;

use super::request_address::without_port;

/// The address of this server to which the client of a connection connected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionAddress(pub(crate) SocketAddr);

/// The hosts at which a server may be addressed. Ports are not compared: a container or
/// tunnel changes them, and a rebound name is foreign on any port.
#[derive(Debug, Clone)]
pub(crate) struct AllowedHosts {
    /// As [`normalize`] returns them; `None` allows all.
    names: Option<Vec<String>>,
}

impl AllowedHosts {
    /// A server that listens only on loopback addresses may be addressed there, at its
    /// public URL and at the `configured` hosts. Any other server may be addressed at
    /// any host unless some are configured; `*` allows all.
    pub(crate) fn new(
        bound: &[SocketAddr],
        configured: &[String],
        public_url: Option<&Url>,
    ) -> Self {
        let is_local = bound.iter().all(|address| address.ip().is_loopback());
        if configured.iter().any(|host| host == "*") || (configured.is_empty() && !is_local) {
            return Self { names: None };
        }
        let public_host = public_url.and_then(Url::host_str);
        let names = configured.iter().map(String::as_str).chain(public_host);
        Self {
            names: Some(names.map(normalize).collect()),
        }
    }

    /// Whether the server may be addressed at `host`, which may have a port. Besides the
    /// configured hosts, `localhost`, loopback addresses and `own` are allowed: none of
    /// them can be the name of another site.
    pub(crate) fn allow(&self, host: &str, own: Option<ConnectionAddress>) -> bool {
        let Some(names) = &self.names else {
            return true;
        };
        let host = normalize(without_port(host));
        let is_own = |address: IpAddr| {
            address.is_loopback()
                || own.is_some_and(|ConnectionAddress(own)| own.ip().to_canonical() == address)
        };
        host == "localhost" || names.contains(&host) || host.parse().is_ok_and(is_own)
    }
}

/// Lower case, without the dot at the end of a fully qualified name; an IP address
/// without brackets and in its canonical form.
fn normalize(host: &str) -> String {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match bare.unwrap_or(host).parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(bound: &str, configured: &[&str]) -> AllowedHosts {
        let configured: Vec<_> = configured.iter().map(|&host| host.to_owned()).collect();
        let public_url = Url::parse("https://Lectern.example/app").unwrap();
        AllowedHosts::new(&[bound.parse().unwrap()], &configured, Some(&public_url))
    }

    #[test]
    fn a_local_server_allows_local_names_and_its_public_one() {
        let hosts = hosts("127.0.0.1:8080", &[]);
        for own in [
            "localhost",
            "LOCALHOST:9000",
            "localhost.",
            "127.0.0.1:8080",
            "127.0.0.2",
            "[::1]:8080",
            "[0:0:0:0:0:0:0:1]",
            "lectern.example",
            "lectern.EXAMPLE:443",
        ] {
            assert!(hosts.allow(own, None), "{own}");
        }
        for foreign in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8080",
            "lectern.example.evil.example",
            "192.168.1.7",
            "[::2]",
            "evil.example]:8080",
        ] {
            assert!(!hosts.allow(foreign, None), "{foreign}");
        }
    }

    #[test]
    fn another_server_allows_all_hosts_until_some_are_configured() {
        assert!(hosts("0.0.0.0:80", &[]).allow("any.example", None));
        assert!(hosts("0.0.0.0:80", &["*"]).allow("any.example", None));
        assert!(hosts("127.0.0.1:80", &["*"]).allow("any.example", None));
        let hosts = hosts("0.0.0.0:80", &["talks.example", "2001:db8::7"]);
        for own in [
            "Talks.example:80",
            "[2001:db8:0::7]:80",
            "lectern.example",
            "localhost",
        ] {
            assert!(hosts.allow(own, None), "{own}");
        }
        assert!(!hosts.allow("any.example", None));
        let connected = |address: &str| Some(ConnectionAddress(address.parse().unwrap()));
        assert!(hosts.allow("10.1.2.3:80", connected("[::ffff:10.1.2.3]:80")));
        assert!(!hosts.allow("10.1.2.3:80", connected("10.1.2.4:80")));
    }
}
