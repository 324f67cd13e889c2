//! What an identity provider says of a person, and what follows from it.

use chrono::{DateTime, Utc};
use lectern_domain::{ApiKeyId, NewApiKey, OwnerName, PersonName, Role, Session};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};
use uuid::Builder;

use super::config::{ClaimPath, OidcConfig, RoleRule};

/// Roles, from the one that may do most.
const PRECEDENCE: [Role; 5] = [
    Role::Admin,
    Role::Client,
    Role::Worker,
    Role::Viewer,
    Role::Metrics,
];

/// The claims of a token whose signature, issuer, audience and time are right.
#[derive(Debug, Clone)]
pub(super) struct Claims(pub(super) Map<String, Value>);

/// Why a person may do nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoAccess(pub(super) String);

impl Claims {
    /// The text of a claim.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// When the token ends, in whole seconds.
    pub(super) fn expires_at(&self) -> Option<DateTime<Utc>> {
        let seconds = self.0.get("exp")?;
        let seconds = seconds.as_i64().or_else(|| {
            let seconds = seconds.as_f64()?;
            // Larger ones are no times either.
            #[expect(clippy::cast_possible_truncation, reason = "saturates")]
            Some(seconds as i64)
        });
        DateTime::from_timestamp(seconds?, 0)
    }

    /// The key that the person has, which is not stored: what they may do, for whom, and
    /// until when.
    pub(super) fn access(&self, config: &OidcConfig) -> Result<NewApiKey, NoAccess> {
        let expires_at = self.expires_at();
        if expires_at.is_none() {
            return Err(NoAccess("the token does not say when it ends".to_owned()));
        }
        let role = self.role(config)?;
        Ok(NewApiKey {
            owner: self.owner(config, role)?,
            expires_at,
            session: Some(Session::OfPerson(self.person()?)),
            ..NewApiKey::new(role)
        })
    }

    /// The id of the person in logs: always the same for the same person.
    pub(super) fn person_id(&self) -> ApiKeyId {
        let [issuer, subject] = ["iss", "sub"].map(|name| self.text(name).unwrap_or_default());
        let hash = digest(&SHA256, format!("{issuer}\n{subject}").as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hash.as_ref()[..16]);
        Builder::from_custom_bytes(id).into_uuid().into()
    }

    /// The name of the person: their address or user name, for people to read, and the
    /// subject, which the provider gives to nobody else.
    fn person(&self) -> Result<PersonName, NoAccess> {
        let subject = self.text("sub").unwrap_or_default();
        let is_verified = self.0.get("email_verified") != Some(&Value::Bool(false));
        let email = self.text("email").filter(|_| is_verified);
        let name = email.or_else(|| self.text("preferred_username"));
        let name = match name {
            Some(name) if name != subject => format!("{name} ({subject})"),
            _ => subject.to_owned(),
        };
        // A name of this length is not told from others by its end.
        let name = PersonName::new(name).or_else(|_| PersonName::new(subject));
        name.map_err(|invalid| NoAccess(format!("the subject of the token {invalid}")))
    }

    fn role(&self, config: &OidcConfig) -> Result<Role, NoAccess> {
        let path = &config.roles.path;
        let values = self.texts(path);
        let has = |rule: &RoleRule| rule.value == "*" || values.contains(&rule.value.as_str());
        let granted = |role: &Role| {
            let rules = &config.roles.rules;
            rules.iter().any(|rule| rule.role == *role && has(rule))
        };
        PRECEDENCE.into_iter().find(granted).ok_or_else(|| {
            NoAccess(format!(
                "the identity provider gives this person no role: no value of the claim {} stands \
                 for one",
                path.0
            ))
        })
    }

    /// The owner of the person's jobs. An admin without one finds all jobs.
    fn owner(&self, config: &OidcConfig, role: Role) -> Result<Option<OwnerName>, NoAccess> {
        let Some(path) = &config.owner_claim else {
            return Ok(None);
        };
        let owner = match self.texts(path)[..] {
            [owner] => owner,
            [] if role == Role::Admin => return Ok(None),
            [] => {
                let reason = format!("the token has no claim {}, which names the owner", path.0);
                return Err(NoAccess(reason));
            }
            _ => {
                let reason = format!("the claim {} names several owners", path.0);
                return Err(NoAccess(reason));
            }
        };
        let owner = OwnerName::new(owner);
        owner
            .map(Some)
            .map_err(|invalid| NoAccess(format!("the claim {} {invalid}", path.0)))
    }

    /// The texts of a claim, which is one text or a list.
    fn texts(&self, path: &ClaimPath) -> Vec<&str> {
        match self.find(path) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    fn find(&self, ClaimPath(path): &ClaimPath) -> Option<&Value> {
        // Names may have dots, such as those that are URLs.
        if let Some(value) = self.0.get(path) {
            return Some(value);
        }
        let mut names = path.split('.');
        let first = self.0.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::auth::oidc::config::RoleClaim;

    fn config(rules: &[(Role, &str)], path: &str, owner_claim: Option<&str>) -> OidcConfig {
        let rules = rules.iter().map(|(role, value)| RoleRule {
            role: *role,
            value: (*value).to_owned(),
        });
        OidcConfig {
            issuer: "https://id.example".to_owned(),
            audience: None,
            client: None,
            roles: match path {
                "" => RoleClaim::default(),
                path => RoleClaim {
                    path: ClaimPath(path.to_owned()),
                    rules: rules.collect(),
                },
            },
            owner_claim: owner_claim.map(|path| ClaimPath(path.to_owned())),
            ca_certificates: None,
        }
    }

    fn claims(mut more: Value) -> Claims {
        let mut claims = json!({ "iss": "https://id.example", "sub": "7f3", "exp": 1_900_000_000 });
        let more = std::mem::take(more.as_object_mut().unwrap());
        claims.as_object_mut().unwrap().extend(more);
        Claims(claims.as_object().unwrap().clone())
    }

    fn role(config: &OidcConfig, more: Value) -> Result<Role, NoAccess> {
        claims(more).access(config).map(|access| access.role)
    }

    #[test]
    fn roles_are_the_values_of_a_claim() {
        let default = config(&[], "", None);
        assert_eq!(
            role(&default, json!({ "roles": "viewer" })),
            Ok(Role::Viewer)
        );
        let several = json!({ "roles": ["metrics", "client", 7] });
        assert_eq!(role(&default, several), Ok(Role::Client));
        for none in [
            json!({}),
            json!({ "roles": [] }),
            json!({ "roles": ["Viewer", "*"] }),
            json!({ "roles": { "viewer": true } }),
            json!({ "role": "admin" }),
        ] {
            assert!(role(&default, none.clone()).is_err(), "{none}");
        }
        let rules = [(Role::Admin, "lectern admins"), (Role::Viewer, "*")];
        let nested = config(&rules, "realm_access.roles", None);
        let admin = json!({ "realm_access": { "roles": ["staff", "lectern admins"] } });
        assert_eq!(role(&nested, admin), Ok(Role::Admin));
        assert_eq!(role(&nested, json!({})), Ok(Role::Viewer));
        let url = config(&rules[..1], "https://lectern.example/roles", None);
        let of_url = json!({ "https://lectern.example/roles": "lectern admins" });
        assert_eq!(role(&url, of_url), Ok(Role::Admin));
    }

    #[test]
    fn a_person_without_an_owner_is_refused_unless_they_are_an_admin() {
        let config = config(&[], "", Some("team"));
        let owner = |more: Value| claims(more).access(&config).map(|access| access.owner);
        let of_team = owner(json!({ "roles": "viewer", "team": "exams" }));
        assert_eq!(of_team.unwrap().as_deref(), Some("exams"));
        assert_eq!(owner(json!({ "roles": "admin" })), Ok(None));
        let list = owner(json!({ "roles": "admin", "team": ["exams"] }));
        assert_eq!(list.unwrap().as_deref(), Some("exams"));
        for refused in [
            json!({ "roles": "client" }),
            json!({ "roles": "client", "team": [] }),
            json!({ "roles": "admin", "team": ["exams", "music"] }),
            json!({ "roles": "admin", "team": "" }),
            json!({ "roles": "admin", "team": "x".repeat(101) }),
        ] {
            assert!(owner(refused.clone()).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_person_has_a_name_and_a_subject() {
        let config = config(&[(Role::Viewer, "*")], "roles", None);
        let name = |more: Value| {
            let access = claims(more).access(&config).unwrap();
            access.session.unwrap().person().unwrap().to_string()
        };
        assert_eq!(name(json!({})), "7f3");
        assert_eq!(
            name(json!({ "email": "ada@example.org" })),
            "ada@example.org (7f3)"
        );
        let unverified = json!({ "email": "ada@example.org", "email_verified": false });
        assert_eq!(name(unverified), "7f3");
        assert_eq!(name(json!({ "preferred_username": "ada" })), "ada (7f3)");
        assert_eq!(name(json!({ "email": "x".repeat(200) })), "7f3");
        let no_subject = claims(json!({ "sub": "" })).access(&config);
        assert!(no_subject.is_err());
        let no_end = claims(json!({ "exp": null })).access(&config);
        assert!(no_end.is_err());
    }

    #[test]
    fn the_same_person_has_the_same_id() {
        let id = claims(json!({})).person_id();
        assert_eq!(
            claims(json!({ "email": "ada@example.org" })).person_id(),
            id
        );
        for other in [
            json!({ "sub": "7f4" }),
            json!({ "iss": "https://other.example" }),
        ] {
            assert_ne!(claims(other).person_id(), id);
        }
    }
}
