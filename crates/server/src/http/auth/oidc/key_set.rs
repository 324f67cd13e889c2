//! The public keys of an identity provider.

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{AlgorithmFamily, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// Upper bound of the keys that are read. Providers have two or three.
const MAX_KEYS: usize = 100;

/// The keys with which a provider signs.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<PublicKey>);

#[derive(Debug)]
struct PublicKey {
    id: Option<String>,
    key: DecodingKey,
}

/// The document at `jwks_uri` (RFC 7517, 5).
#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a document. Keys for encryption, secret keys, and keys of a kind that is not
    /// known are left out.
    ///
    /// # Errors
    ///
    /// When it is no set of keys.
    pub(super) fn parse(document: &[u8]) -> serde_json::Result<Self> {
        let document: Document = serde_json::from_slice(document)?;
        let keys = document.keys.into_iter().take(MAX_KEYS);
        Ok(Self(keys.filter_map(public_key).collect()))
    }

    /// The keys that may have signed a token: the one that it names, or else all.
    pub(super) fn candidates(&self, id: Option<&str>) -> impl Iterator<Item = &DecodingKey> {
        let is_it = move |key: &&PublicKey| id.is_none() || key.id.as_deref() == id;
        self.0.iter().filter(is_it).map(|key| &key.key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn public_key(key: Value) -> Option<PublicKey> {
    let jwk: Jwk = serde_json::from_value(key).ok()?;
    let signs = jwk.common.public_key_use.as_ref();
    if signs.is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    (key.family() != AlgorithmFamily::Hmac).then_some(PublicKey {
        id: jwk.common.key_id,
        key,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_public_keys_for_signatures_are_read() {
        let coordinate = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
        let key = |id: &str, members: Value| {
            let mut key = json!({
                "kid": id, "kty": "EC", "crv": "P-256", "x": coordinate, "y": coordinate,
            });
            let members = members.as_object().unwrap().clone();
            key.as_object_mut().unwrap().extend(members);
            key
        };
        let document = json!({ "keys": [
            key("one", json!({ "use": "sig", "alg": "ES256" })),
            key("no use", json!({})),
            key("encrypts", json!({ "use": "enc" })),
            key("unknown curve", json!({ "crv": "P-1000" })),
            key("unknown kind", json!({ "kty": "LATTICE" })),
            json!({ "kid": "secret", "kty": "oct", "k": coordinate }),
            json!("no object"),
        ] });
        let keys = KeySet::parse(document.to_string().as_bytes()).unwrap();
        assert_eq!(keys.0.len(), 2);
        for (id, count) in [("one", 1), ("no use", 1), ("secret", 0), ("", 0)] {
            assert_eq!(keys.candidates(Some(id)).count(), count, "{id}");
        }
        assert_eq!(keys.candidates(None).count(), 2);
        for wrong in ["{}", "[]", "", r#"{"keys":{}}"#] {
            assert!(KeySet::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
