//! Messages of clients on the WebSocket.

use serde::de::{Deserialize, Deserializer, Error, Unexpected};

use crate::wire::json_object::Object;

/// A message of a client on the WebSocket: `{"type":"ping"}`. Other fields are ignored, so
/// that a client may, for example, number the pings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WsClientMessage {
    /// Asks for a `pong`.
    Ping,
}

impl WsClientMessage {
    /// The response in JSON.
    pub fn response(self) -> &'static str {
        match self {
            Self::Ping => r#"{"type":"pong"}"#,
        }
    }
}

impl<'de> Deserialize<'de> for WsClientMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Message {
            r#type: String,
        }
        let Object(Message { r#type }) = Object::deserialize(deserializer)?;
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
    fn a_ping_is_an_object_of_this_type_with_any_other_fields() {
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
        let pong: Value = serde_json::from_str(WsClientMessage::Ping.response()).unwrap();
        assert_eq!(pong, json!({ "type": "pong" }));
    }
}
