//! Settings of an identity provider, without command line or environment.

use std::fmt;

use lectern_domain::Role;

/// An identity provider (OpenID Connect), at which people sign in.
#[derive(Debug, Clone)]
pub struct OidcConfig {
    /// The URL of the provider, exactly as its tokens have it in `iss`.
    pub issuer: String,
    /// What a token must be for, in `aud`, to be accepted as `Authorization: Bearer`; `None`:
    /// no token is.
    pub audience: Option<String>,
    /// The client as which the service lets people sign in; `None`: it does not.
    pub client: Option<OidcClient>,
    /// The claim with the roles of a person, and what each value means.
    pub roles: RoleClaim,
    /// The claim with the owner of a person's jobs; `None`: people have no owner and find all
    /// jobs.
    pub owner_claim: Option<ClaimPath>,
    /// Certificates in PEM, of authorities that issue the provider's; `None`: those that
    /// browsers trust.
    pub ca_certificates: Option<Vec<u8>>,
}

/// The service as a client of the provider.
#[derive(Clone)]
pub struct OidcClient {
    /// The id that the provider has given it.
    pub id: String,
    /// Its secret, unless it is a public client.
    pub secret: Option<String>,
}

impl fmt::Debug for OidcClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OidcClient({}, …)", self.id)
    }
}

/// Where a claim is: its name, or the names of objects and a name in the last, separated by
/// dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(pub String);

/// The claim with roles.
#[derive(Debug, Clone)]
pub struct RoleClaim {
    /// Where it is.
    pub path: ClaimPath,
    /// Its values, and the roles that they stand for. A value `*` stands for everyone whom the
    /// provider knows.
    pub rules: Vec<RoleRule>,
}

/// What a value of the claim with roles stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRule {
    /// The role.
    pub role: Role,
    /// The value, or `*`.
    pub value: String,
}

impl Default for RoleClaim {
    /// The claim `roles`, whose values are the names of roles.
    fn default() -> Self {
        let rules = Role::ALL.iter().map(|role| RoleRule {
            role: *role,
            value: role.to_string(),
        });
        Self {
            path: ClaimPath("roles".to_owned()),
            rules: rules.collect(),
        }
    }
}
