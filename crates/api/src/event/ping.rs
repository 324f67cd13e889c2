//! What a client says while it watches.

use serde::de::{Deserialize, Deserializer, Error, Unexpected};

use crate::wire::object::Object;

/// What a client may say on the WebSocket: `{"type":"ping"}`. It is an object
/// of this type; what else is in it, such as a number of the client's own,
/// means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WsClientMessage {
    /// Are you there?
    Ping,
}

impl WsClientMessage {
    /// The answer, as it is sent.
    pub fn answer(self) -> &'static str {
        match self {
            Self::Ping => r#"{"type":"pong"}"#,
        }
    }
}

impl<'de> Deserialize<'de> for WsClientMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Typed {
            r#type: String,
        }
        let Object(Typed { r#type }) = Object::deserialize(deserializer)?;
        match r#type.as_str() {
            "ping" => Ok(Self::Ping),
            other => Err(Error::invalid_value(Unexpected::Str(other), &"ping")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_ping_is_an_object_of_that_type_whatever_else_is_in_it() {
        let read = |text| serde_json::from_str::<WsClientMessage>(text);
        for ping in [
            r#"{"type":"ping"}"#,
            r#" { "n": {"a": [1]}, "type": "ping" } "#,
        ] {
            assert_eq!(read(ping).unwrap(), WsClientMessage::Ping);
        }
        for other in [
            "",
            "ping",
            "\"ping\"",
            "[\"ping\"]",
            "{}",
            r#"{"type":"pong"}"#,
            r#"{"type":null}"#,
            r#"{"type":{"ping":null}}"#,
            r#"{"type":"ping"} {"type":"ping"}"#,
        ] {
            assert!(read(other).is_err(), "{other}");
        }
        let pong: Value = serde_json::from_str(WsClientMessage::Ping.answer()).unwrap();
        assert_eq!(pong, json!({ "type": "pong" }));
    }
}
