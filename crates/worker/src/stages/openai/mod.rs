//! Services with an API like OpenAI's.

mod chat;
mod endpoint;

pub use self::chat::ChatService;
pub use self::endpoint::Endpoint;
