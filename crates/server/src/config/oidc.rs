//! Settings of the identity provider at which people sign in.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;
use lectern_domain::{ParseEnumError, Role};
use url::Url;

use crate::http::auth::{ClaimPath, OidcClient, OidcConfig, RoleClaim, RoleRule};

/// Settings of the identity provider.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Identity provider")]
pub struct OidcSettings {
    /// URL of the OpenID Connect provider at which people sign in, exactly as its tokens have
    /// it in `iss` [default: none]
    #[arg(
        id = "oidc_issuer",
        long = "oidc-issuer",
        env = "LECTERN_OIDC_ISSUER",
        global = true,
        value_name = "URL",
        value_parser = parse_issuer,
    )]
    pub issuer: Option<String>,

    /// Audience of the provider's tokens that are accepted in place of a key [default: no
    /// token is]
    #[arg(
        id = "oidc_audience",
        long = "oidc-audience",
        env = "LECTERN_OIDC_AUDIENCE",
        global = true,
        value_name = "AUDIENCE"
    )]
    pub audience: Option<String>,

    /// Id of this service at the provider, as which browsers sign in at `/login` [default:
    /// browsers do not]
    #[arg(
        id = "oidc_client_id",
        long = "oidc-client-id",
        env = "LECTERN_OIDC_CLIENT_ID",
        global = true,
        value_name = "ID"
    )]
    pub client_id: Option<String>,

    /// Secret of this service at the provider; only in the environment or the settings file.
    #[arg(
        id = "oidc_client_secret",
        long = "oidc-client-secret",
        env = "LECTERN_OIDC_CLIENT_SECRET",
        global = true,
        hide_env_values = true,
        value_name = "SECRET",
        help = "Secret of this service at the provider, better in the environment [default: it is \
                a public client]"
    )]
    pub client_secret: Option<String>,

    /// Claim with the roles of a person; names of objects are separated by dots
    #[arg(
        id = "oidc_role_claim",
        long = "oidc-role-claim",
        env = "LECTERN_OIDC_ROLE_CLAIM",
        global = true,
        value_name = "CLAIM",
        default_value = "roles"
    )]
    pub role_claim: String,

    /// What values of this claim stand for, as in `admin=lectern-admins,viewer=*`; `*` is
    /// everyone whom the provider knows [default: roles have their own names]
    #[arg(
        id = "oidc_roles",
        long = "oidc-roles",
        env = "LECTERN_OIDC_ROLES",
        global = true,
        value_name = "ROLE=VALUE",
        value_delimiter = ',',
        value_parser = parse_rule,
    )]
    pub roles: Vec<Option<RoleRule>>,

    /// Claim with the owner of a person's jobs [default: people find the jobs of all owners]
    #[arg(
        id = "oidc_owner_claim",
        long = "oidc-owner-claim",
        env = "LECTERN_OIDC_OWNER_CLAIM",
        global = true,
        value_name = "CLAIM"
    )]
    pub owner_claim: Option<String>,

    /// File in PEM with the authorities that issue the provider's certificate [default: those
    /// that browsers trust]
    #[arg(
        id = "oidc_ca_file",
        long = "oidc-ca-file",
        env = "LECTERN_OIDC_CA_FILE",
        global = true,
        value_name = "FILE"
    )]
    pub ca_file: Option<PathBuf>,
}

impl OidcSettings {
    /// Whether people can sign in.
    pub(crate) fn is_set(&self) -> bool {
        self.issuer
            .as_ref()
            .is_some_and(|issuer| !issuer.is_empty())
    }

    /// The provider; `None`: there is none.
    ///
    /// # Errors
    ///
    /// When settings contradict each other, or the certificates cannot be read.
    pub(crate) fn config(&self) -> anyhow::Result<Option<OidcConfig>> {
        let text = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
        let (audience, client_id) = (text(&self.audience), text(&self.client_id));
        let Some(issuer) = self.issuer.clone().filter(|issuer| !issuer.is_empty()) else {
            ensure!(
                audience.is_none() && client_id.is_none(),
                "LECTERN_OIDC_AUDIENCE and LECTERN_OIDC_CLIENT_ID need LECTERN_OIDC_ISSUER"
            );
            return Ok(None);
        };
        ensure!(
            audience.is_some() || client_id.is_some(),
            "LECTERN_OIDC_ISSUER needs LECTERN_OIDC_AUDIENCE, to accept its tokens, or \
             LECTERN_OIDC_CLIENT_ID, to let people sign in in a browser"
        );
        let ca_file = self
            .ca_file
            .as_ref()
            .filter(|file| !file.as_os_str().is_empty());
        let read = ca_file.map(|file| {
            std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
        });
        let rules: Vec<_> = self.roles.iter().flatten().cloned().collect();
        Ok(Some(OidcConfig {
            issuer,
            audience,
            client: client_id.map(|id| OidcClient {
                id,
                secret: text(&self.client_secret),
            }),
            roles: RoleClaim {
                path: ClaimPath(self.role_claim.clone()),
                rules: if rules.is_empty() {
                    RoleClaim::default().rules
                } else {
                    rules
                },
            },
            owner_claim: text(&self.owner_claim).map(ClaimPath),
            ca_certificates: read.transpose()?,
        }))
    }
}

/// Keeps the text, because a token must have exactly the same.
fn parse_issuer(text: &str) -> Result<String, String> {
    // An empty environment variable counts as not set.
    if text.is_empty() {
        return Ok(String::new());
    }
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let is_base = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_base {
        return Err("must be a URL such as https://id.example.org/realms/staff".to_owned());
    }
    Ok(text.to_owned())
}

fn parse_rule(text: &str) -> Result<Option<RoleRule>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let (role, value) = text
        .split_once('=')
        .filter(|(_, value)| !value.is_empty())
        .ok_or_else(|| "must be a role, = and a value of the claim".to_owned())?;
    let role: Role = role.parse().map_err(|_: ParseEnumError| {
        let roles: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
        format!("{role} is no role; roles are {}", roles.join(", "))
    })?;
    Ok(Some(RoleRule {
        role,
        value: value.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_stays_as_it_was_written() {
        for issuer in [
            "https://id.example",
            "https://id.example/",
            "http://localhost:9000/a",
        ] {
            assert_eq!(parse_issuer(issuer).as_deref(), Ok(issuer));
        }
        for wrong in [
            "id.example",
            "ftp://id.example",
            "https://id.example?a",
            "https://a@id.example",
        ] {
            assert!(parse_issuer(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rule_is_a_role_and_a_value() {
        let rule = parse_rule("admin=cn=lectern admins").unwrap().unwrap();
        assert_eq!(
            (rule.role, rule.value.as_str()),
            (Role::Admin, "cn=lectern admins")
        );
        for wrong in ["admin", "admin=", "root=a", "=a"] {
            assert!(parse_rule(wrong).is_err(), "{wrong}");
        }
    }
}
