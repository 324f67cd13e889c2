//! `lectern keys`: the keys that callers of the service need.

use std::str::FromStr;

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use clap::{Args, Subcommand};
use lectern_db::Database;
use lectern_domain::{
    Actor, ApiKey, ApiKeyId, ApiKeyName, ApiKeyState, NewApiKey, OwnerName, ParseEnumError, Role,
    Session, Stage, Stages,
};
use serde_json::{Value, json};

use crate::cli::open::{self, PrivateFiles};
use crate::cli::stdout::print_line;
use crate::cli::text::{one_line, table};
use crate::config::Settings;
use crate::http::auth::secret;

/// Keys that are read at a time.
const PAGE: usize = 1_000;

/// Subcommands of `lectern keys`.
#[derive(Debug, Clone, Subcommand)]
pub enum Keys {
    /// Makes a key and prints it, this once
    New(New),
    /// Lists the keys, without their secrets, and the sessions of those who have signed in
    List {
        /// Prints a JSON object per key
        #[arg(long)]
        json: bool,
    },
    /// Revokes keys: servers refuse them within five seconds
    Revoke {
        /// The ids of the keys
        #[arg(required = true, value_name = "ID")]
        ids: Vec<ApiKeyId>,
    },
    /// Replaces the secret of a key and prints the new key, this once
    Rotate {
        /// The id of the key
        #[arg(value_name = "ID")]
        id: ApiKeyId,
    },
}

/// Arguments of `lectern keys new`.
#[derive(Debug, Clone, Args)]
pub struct New {
    /// What the key may do: `admin` everything; `client` create, change and read jobs; `worker`
    /// work on stages; `viewer` read jobs; `metrics` read the metrics
    #[arg(long, value_parser = parse_role)]
    role: Role,
    /// What the key is called in the list
    #[arg(long, value_parser = parse_name)]
    name: Option<ApiKeyName>,
    /// For whom the key acts, such as a team: it finds and creates the jobs of this owner only
    #[arg(long, value_parser = parse_owner)]
    owner: Option<OwnerName>,
    /// The stages that a worker may claim, separated by commas [default: all]
    #[arg(long, value_name = "STAGES", value_delimiter = ',')]
    stages: Vec<Stage>,
    /// When the key ends: after a time such as `90d`, `12h` or `30m`, or at the start of a
    /// day such as `2027-01-31` (UTC), or at a time in RFC 3339 [default: never]
    #[arg(long, value_name = "TIME")]
    expires: Option<Expiry>,
}

/// When a key ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expiry {
    After(TimeDelta),
    At(DateTime<Utc>),
}

impl FromStr for Expiry {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "must be a time such as 90d, 12h or 30m, a day such as 2027-01-31, or a \
                        time such as 2027-01-31T12:00:00Z";
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(time.to_utc()));
        }
        if let Ok(day) = text.parse::<NaiveDate>() {
            return Ok(Self::At(day.and_time(NaiveTime::MIN).and_utc()));
        }
        let minutes = match text.chars().last() {
            Some('d') => 24 * 60,
            Some('h') => 60,
            Some('m') => 1,
            _ => return Err(expected),
        };
        let number = text[..text.len() - 1]
            .parse::<u32>()
            .map_err(|_| expected)?;
        // At most a thousand years.
        let minutes = i64::from(number) * minutes;
        if !(1..=1_000 * 365 * 24 * 60).contains(&minutes) {
            return Err(expected);
        }
        Ok(Self::After(TimeDelta::minutes(minutes)))
    }
}

fn parse_role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_: ParseEnumError| {
        let roles: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
        format!("must be one of {}", roles.join(", "))
    })
}

fn parse_name(text: &str) -> Result<ApiKeyName, String> {
    ApiKeyName::new(text).map_err(|invalid| invalid.to_string())
}

fn parse_owner(text: &str) -> Result<OwnerName, String> {
    OwnerName::new(text).map_err(|invalid| invalid.to_string())
}

/// Runs a subcommand. Nothing but a new key is printed to the standard output by
/// [`Keys::New`] and [`Keys::Rotate`].
///
/// # Errors
///
/// When the database cannot be opened, or the key is unknown or was revoked.
pub fn run(command: &Keys, settings: &Settings) -> anyhow::Result<()> {
    let _private = PrivateFiles::begin(&settings.data_dir);
    let database = open::database(settings)?.acting_as(Actor::command_line(&os_user()));
    ensure!(
        !database.url().is_in_memory(),
        "a database in memory has no keys that a server could read"
    );
    match command {
        Keys::New(new) => create(new, &database),
        Keys::List { json } => list(*json, &database),
        Keys::Revoke { ids } => ids.iter().try_for_each(|id| revoke(*id, &database)),
        Keys::Rotate { id } => rotate(*id, &database),
    }
}

/// The name of the account, as its environment gives it, and the account's number.
fn os_user() -> String {
    let name = ["USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    let id = rustix::process::getuid().as_raw();
    match name {
        Some(name) if !name.is_empty() => format!("{name} (uid {id})"),
        _ => format!("uid {id}"),
    }
}

fn create(new: &New, database: &Database) -> anyhow::Result<()> {
    let now = database.clock().now();
    let expires_at = match new.expires {
        None => None,
        Some(Expiry::After(delay)) => Some(now + delay),
        Some(Expiry::At(time)) => Some(time),
    };
    ensure!(
        expires_at.is_none_or(|end| end > now),
        "--expires must be in the future"
    );
    let stages = match new.stages.as_slice() {
        [] => None,
        stages => Some(Stages::new(stages.to_vec()).context("--stages")?),
    };
    let data = NewApiKey {
        name: new.name.clone(),
        role: new.role,
        owner: new.owner.clone(),
        stages,
        expires_at,
        session: None,
    };
    data.check().context("--stages")?;
    let id = ApiKeyId::new(database.clock());
    let (key, hash) = secret::generate(id)?;
    database.write(|tx| tx.api_keys().create(id, &data, &hash))?;
    print_line(&key.reveal())
}

fn rotate(id: ApiKeyId, database: &Database) -> anyhow::Result<()> {
    let (key, hash) = secret::generate(id)?;
    if database
        .write(|tx| tx.api_keys().rotate(id, &hash))?
        .is_some()
    {
        return print_line(&key.reveal());
    }
    match database.read(|conn| conn.api_keys().find(id))? {
        Some(_) => bail!("the key {id} was revoked; make another one"),
        None => bail!("there is no key {id}"),
    }
}

fn revoke(id: ApiKeyId, database: &Database) -> anyhow::Result<()> {
    match database.write(|tx| tx.api_keys().revoke(id))? {
        Some(_) => print_line(&format!("{id} revoked")),
        None => bail!("there is no key {id}"),
    }
}

fn list(json: bool, database: &Database) -> anyhow::Result<()> {
    let now = database.clock().now();
    let mut rows = vec![ROW_HEADINGS.map(str::to_owned).to_vec()];
    let mut before = None;
    loop {
        let keys = database.read(|conn| conn.api_keys().list(before, PAGE))?;
        for key in &keys {
            if json {
                print_line(&object(key, now).to_string())?;
            } else {
                rows.push(row(key, now));
            }
        }
        match keys.last() {
            Some(last) => before = Some(last.key_id),
            None => break,
        }
    }
    if json {
        return Ok(());
    }
    table(&rows).lines().try_for_each(print_line)
}

const ROW_HEADINGS: [&str; 8] = [
    "ID",
    "ROLE",
    "STATE",
    "CREATED",
    "LAST USED",
    "EXPIRES",
    "OWNER",
    "NAME",
];

fn state(key: &ApiKey, now: DateTime<Utc>) -> &'static str {
    match key.state(now) {
        ApiKeyState::Active => "active",
        ApiKeyState::Expired => "expired",
        ApiKeyState::Revoked => "revoked",
    }
}

fn row(key: &ApiKey, now: DateTime<Utc>) -> Vec<String> {
    let time = |time: Option<DateTime<Utc>>| {
        let text = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M").to_string();
        time.map_or_else(|| "-".to_owned(), text)
    };
    let role = match &key.data.stages {
        None => key.data.role.to_string(),
        Some(stages) => {
            let stages: Vec<_> = stages
                .as_slice()
                .iter()
                .map(|stage| stage.as_str())
                .collect();
            format!("{} ({})", key.data.role, stages.join(","))
        }
    };
    vec![
        key.key_id.to_string(),
        role,
        state(key, now).to_owned(),
        time(Some(key.created_at)),
        time(key.last_used_at),
        time(key.data.expires_at),
        key.data
            .owner
            .as_deref()
            .map_or_else(|| "-".to_owned(), one_line),
        name(key),
    ]
}

/// The name of a key, or how somebody signed in.
fn name(key: &ApiKey) -> String {
    match &key.data.session {
        None => key.data.name.as_deref().map_or_else(String::new, one_line),
        Some(Session::OfPerson(person)) => format!("session of {}", one_line(person)),
        Some(Session::OfKey(key_id)) => format!("session of {key_id}"),
    }
}

fn object(key: &ApiKey, now: DateTime<Utc>) -> Value {
    let stages = key.data.stages.as_ref().map(Stages::as_slice);
    json!({
        "key_id": key.key_id,
        "role": key.data.role,
        "state": state(key, now),
        "name": key.data.name,
        "owner": key.data.owner,
        "stages": stages,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "expires_at": key.data.expires_at,
        "revoked_at": key.revoked_at,
        "person": key.person(),
        "parent_key_id": key.data.session.as_ref().and_then(Session::parent_key_id),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_delay_a_day_or_a_time() {
        let day = "2027-01-31T00:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("90d", Expiry::After(TimeDelta::days(90))),
            ("12h", Expiry::After(TimeDelta::hours(12))),
            ("1m", Expiry::After(TimeDelta::minutes(1))),
            ("2027-01-31", Expiry::At(day)),
            ("2027-01-31T01:00:00+01:00", Expiry::At(day)),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for bad in [
            "",
            "d",
            "0d",
            "-1d",
            "90",
            "90s",
            "1.5d",
            "é",
            "9999999999d",
            "365001d",
        ] {
            assert!(bad.parse::<Expiry>().is_err(), "{bad}");
        }
    }
}
