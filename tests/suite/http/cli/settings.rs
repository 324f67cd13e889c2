//! Settings, help and error messages.

use lectern_tests::{Backend, EmptyDb, Fixture as _, on_both_backends};

use super::{CommandOutput, Shell};

on_both_backends!(
    flags_override_the_environment_which_overrides_the_file,
    the_error_for_an_invalid_settings_file_does_not_quote_it,
);

#[test]
fn the_version_is_the_workspace_version() {
    let output = Shell::new().run(&["--version"]);
    assert_eq!(
        output.lines(),
        [format!("lectern {}", env!("CARGO_PKG_VERSION"))]
    );
}

#[expect(clippy::too_many_lines, reason = "one row per setting")]
#[test]
fn help_lists_every_setting_with_variable_and_default() {
    let shell = Shell::new();
    let topics = [
        "data", "database", "storage", "uploads", "http", "people", "cors", "limits", "log",
    ];
    let help = topics.map(|topic| shell.run(&["help", topic]));
    let text = help
        .iter()
        .flat_map(CommandOutput::lines)
        .map(|line| line.trim().to_owned())
        .collect::<Vec<_>>()
        .join(" ");
    let settings = [
        (
            "--database-url",
            "DATABASE_URL",
            "sqlite://<data dir>/lectern.db",
        ),
        ("--data-dir", "LECTERN_DATA_DIR", "./lectern-data"),
        ("--env-file", "LECTERN_ENV_FILE", "<data dir>/.env"),
        ("--bind", "LECTERN_BIND", "127.0.0.1:8080"),
        ("--log", "LECTERN_LOG", "info"),
        ("--log-format", "LECTERN_LOG_FORMAT", "text"),
        ("--cors-origins", "LECTERN_CORS_ORIGINS", "none"),
        ("--cors-credentials", "LECTERN_CORS_CREDENTIALS", "false"),
        (
            "--max-connections",
            "LECTERN_MAX_CONNECTIONS",
            "room for all watchers and waiting workers, as far as the limit of open files allows",
        ),
        (
            "--max-connections-per-address",
            "LECTERN_MAX_CONNECTIONS_PER_ADDRESS",
            "a quarter of all",
        ),
        ("--trusted-proxies", "LECTERN_TRUSTED_PROXIES", "none"),
        (
            "--hosts",
            "LECTERN_HOSTS",
            "on a loopback address local names and the host of the public URL, otherwise all",
        ),
        (
            "--http-threads",
            "LECTERN_HTTP_THREADS",
            "one per processor",
        ),
        ("--pool-size", "LECTERN_POOL_SIZE", "5"),
        ("--pool-overflow", "LECTERN_POOL_OVERFLOW", "10"),
        ("--pool-recycle", "LECTERN_POOL_RECYCLE", "3600"),
        ("--database-timeout", "LECTERN_DATABASE_TIMEOUT", "3"),
        (
            "--database-connect-timeout",
            "LECTERN_DATABASE_CONNECT_TIMEOUT",
            "3",
        ),
        (
            "--database-tcp-timeout",
            "LECTERN_DATABASE_TCP_TIMEOUT",
            "3",
        ),
        (
            "--database-statement-timeout",
            "LECTERN_DATABASE_STATEMENT_TIMEOUT",
            "30",
        ),
        (
            "--database-lock-timeout",
            "LECTERN_DATABASE_LOCK_TIMEOUT",
            "2",
        ),
        (
            "--database-idle-timeout",
            "LECTERN_DATABASE_IDLE_TIMEOUT",
            "10",
        ),
        ("--durability", "LECTERN_DURABILITY", "full"),
        ("--row-security-role", "LECTERN_ROW_SECURITY_ROLE", "none"),
        ("--no-migrate", "LECTERN_NO_MIGRATE", "false"),
        ("--max-body", "LECTERN_MAX_BODY", "1048576"),
        ("--max-output-body", "LECTERN_MAX_OUTPUT_BODY", "33554432"),
        ("--max-rows", "LECTERN_MAX_ROWS", "100000"),
        ("--request-memory", "LECTERN_REQUEST_MEMORY", "100663296"),
        ("--storage", "LECTERN_STORAGE", "file://<data dir>/objects"),
        (
            "--public-url",
            "LECTERN_PUBLIC_URL",
            "the scheme and host to which each request was sent",
        ),
        (
            "--secret",
            "LECTERN_SECRET",
            "in the file <data dir>/secret",
        ),
        ("--max-upload", "LECTERN_MAX_UPLOAD", "10737418240"),
        ("--min-upload-rate", "LECTERN_MIN_UPLOAD_RATE", "1024"),
        (
            "--disk-reserve",
            "LECTERN_DISK_RESERVE",
            "1 GiB, or 5 % of a disk of less than 20 GiB",
        ),
        ("--upload-ttl", "LECTERN_UPLOAD_TTL", "86400"),
        ("--upload-retention", "LECTERN_UPLOAD_RETENTION", "604800"),
        ("--url-ttl", "LECTERN_URL_TTL", "3600"),
        ("--pipelines", "LECTERN_PIPELINES", "the built-in one"),
        ("--max-watchers", "LECTERN_MAX_WATCHERS", "10000"),
        ("--max-waiters", "LECTERN_MAX_WAITERS", "1000"),
        (
            "--audit-retention-days",
            "LECTERN_AUDIT_RETENTION_DAYS",
            "365",
        ),
        (
            "--event-retention-days",
            "LECTERN_EVENT_RETENTION_DAYS",
            "30",
        ),
        ("--shutdown-grace", "LECTERN_SHUTDOWN_GRACE", "30"),
        ("--auth", "LECTERN_AUTH", "auto"),
        ("--session-hours", "LECTERN_SESSION_HOURS", "12"),
        ("--oidc-issuer", "LECTERN_OIDC_ISSUER", "none"),
        ("--oidc-audience", "LECTERN_OIDC_AUDIENCE", "no token is"),
        (
            "--oidc-client-id",
            "LECTERN_OIDC_CLIENT_ID",
            "browsers do not",
        ),
        (
            "--oidc-client-secret",
            "LECTERN_OIDC_CLIENT_SECRET",
            "it is a public client",
        ),
        ("--oidc-role-claim", "LECTERN_OIDC_ROLE_CLAIM", "roles"),
        (
            "--oidc-roles",
            "LECTERN_OIDC_ROLES",
            "roles have their own names",
        ),
        (
            "--oidc-owner-claim",
            "LECTERN_OIDC_OWNER_CLAIM",
            "people find the jobs of all owners",
        ),
        (
            "--oidc-ca-file",
            "LECTERN_OIDC_CA_FILE",
            "those that browsers trust",
        ),
        ("--quota-open-jobs", "LECTERN_QUOTA_OPEN_JOBS", "unlimited"),
        (
            "--quota-stored-bytes",
            "LECTERN_QUOTA_STORED_BYTES",
            "unlimited",
        ),
        ("--quota-rows", "LECTERN_QUOTA_ROWS", "unlimited"),
        ("--quota-watchers", "LECTERN_QUOTA_WATCHERS", "unlimited"),
        ("--quota-waiters", "LECTERN_QUOTA_WAITERS", "unlimited"),
        ("--rate-limit", "LECTERN_RATE_LIMIT", "unlimited"),
        ("--rate-burst", "LECTERN_RATE_BURST", "twice the rate limit"),
    ];
    for (flag, variable, default) in settings {
        let (_, described) = text
            .split_once(&format!("{flag} <"))
            .or_else(|| text.split_once(&format!("{flag} [<")))
            .unwrap_or_else(|| panic!("{flag} is not in {text}"));
        let described = described.split(" --").next().unwrap();
        assert!(
            described.contains(&format!("[env: {variable}")),
            "{described}"
        );
        assert!(
            described.contains(&format!("[default: {default}]")),
            "{described}"
        );
    }
    assert_eq!(text.matches("[env: ").count(), settings.len(), "{text}");
    let help = shell.run(&["--help"]);
    assert_eq!(help.out, shell.run(&["help"]).out);
    for command in ["serve", "migrate", "backup", "restore", "gc"] {
        assert!(
            help.out.contains(&format!("\n  {command} ")),
            "{}",
            help.out
        );
    }
    let migrate = shell.run(&["migrate", "--help"]);
    for command in ["up", "down", "redo", "status", "check", "new"] {
        assert!(
            migrate.out.contains(&format!("\n  {command} ")),
            "{}",
            migrate.out
        );
    }
    assert_eq!(shell.files(), [""; 0]);
}

#[test]
fn help_hides_passwords() {
    for command in [
        &["--help"][..],
        &["help", "database"],
        &["help", "settings"],
        &["serve", "--help"],
        &["help", "serve"],
    ] {
        let output = Shell::new().run_on("postgres://me:s3cret@db/lectern", command);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(!output.out.contains("s3cret"), "{}", output.out);
    }
}

#[test]
fn an_unknown_topic_is_an_error() {
    let shell = Shell::new();
    let output = shell.run(&["help", "storge"]);
    assert!(output.error_line().contains("storge"), "{output:?}");
    assert_eq!(shell.files(), [""; 0]);
}

#[test]
fn an_invalid_database_url_creates_no_file() {
    let shell = Shell::new();
    for url in [
        "sqlite:lectern.db",
        "sqlite:/lectern.db",
        "sqlite//lectern.db",
        "SQLITE://lectern.db",
        "lectern.db",
        "sqlite://",
        "postgers://me:s3cret@db/lectern",
        "mysql://me:s3cret@db/lectern",
        "s3cret",
        "sqlite://:memory:",
    ] {
        for command in [
            &["serve"][..],
            &["migrate", "up"],
            &["migrate", "status"],
            &[],
        ] {
            let output = shell.run_on(url, command);
            let error_line = output.error_line();
            for accepted in [
                "DATABASE_URL",
                "sqlite://path",
                "sqlite::memory:",
                "postgres://",
            ] {
                assert!(error_line.contains(accepted), "{url}: {error_line}");
            }
            assert!(!error_line.contains("s3cret"), "{url}: {error_line}");
        }
    }
    assert_eq!(shell.files(), [""; 0]);
}

#[test]
fn an_invalid_setting_is_rejected_by_name() {
    let shell = Shell::new();
    for (flag, value) in [
        ("--pool-size", "0"),
        ("--pool-size", "many"),
        ("--bind", "localhost"),
        ("--bind", "::1:8080"),
        ("--bind", "http://localhost:8080"),
        ("--log-format", "xml"),
        ("--log", "loud"),
        ("--http-threads", "0"),
        ("--workers", "0"),
        ("--quota-open-jobs", "0"),
        ("--rate-limit", "0"),
        ("--rate-limit", "many"),
        ("--cors-origins", "example.org"),
        ("--cors-origins", "https://Example.org:443"),
        ("--max-body", "-1"),
        ("--max-body", "1MiB"),
        ("--public-url", "example.org"),
        ("--max-upload", "0"),
        ("--upload-ttl", "0"),
        ("--url-ttl", "604801"),
        ("--max-waiters", "-1"),
        ("--event-retention-days", "0"),
        ("--nonsense", "1"),
    ] {
        let output = shell.run(&["serve", &format!("{flag}={value}")]);
        assert!(output.usage_error().contains(flag), "{output:?}");
    }
    assert!(
        shell
            .run(&["migrate", "down", "0"])
            .usage_error()
            .contains('0')
    );
    assert!(shell.run(&["dance"]).usage_error().contains("dance"));
    assert_eq!(shell.files(), [""; 0]);
}

#[test]
fn credentials_of_pages_of_all_origins_are_rejected_before_anything_is_created() {
    let shell = Shell::new();
    let output = shell.run(&["serve", "--cors-origins=*", "--cors-credentials"]);
    assert_ne!(output.code, Some(0));
    for setting in ["LECTERN_CORS_ORIGINS", "LECTERN_CORS_CREDENTIALS"] {
        assert!(output.err.contains(setting), "{output:?}");
    }
    assert_eq!(shell.files(), [""; 0]);
}

#[test]
fn typos_get_suggestions() {
    let shell = Shell::new();
    for (arguments, suggestion) in [
        (&["srve"][..], "'serve'"),
        (&["migrate", "statsu"], "'status'"),
        (
            &["serve", "--databse-url=sqlite::memory:"],
            "'--database-url'",
        ),
        (&["--with-wroker=false"], "--with-worker'"),
        (&["--log-format=jsn"], "'json'"),
        (&["completions", "bahs"], "'bash'"),
    ] {
        let output = shell.run(arguments);
        let error = output.usage_error();
        assert!(
            error.contains("exist") && error.contains(suggestion),
            "{output:?}"
        );
        assert_eq!(error.lines().count(), 1, "{output:?}");
    }
    assert_eq!(shell.files(), [""; 0]);
}

#[test]
fn the_deprecated_names_of_http_threads_work_with_a_warning_and_are_not_in_the_help() {
    let shell = Shell::new();
    let create = ["migrate", "new", "add_rating", "--dir=nowhere"];
    let warning = |output: &CommandOutput| {
        let warned = |line: &&str| line.contains("WARN") && line.contains("--http-threads");
        output.err.lines().find(warned).map(ToOwned::to_owned)
    };
    let current = [create.as_slice(), &["--http-threads=2"]].concat();
    assert_eq!(warning(&shell.run(&current)), None);
    let deprecated = [create.as_slice(), &["--workers=2"]].concat();
    assert!(warning(&shell.run(&deprecated)).is_some());
    let output = shell.command(&create).env("LECTERN_WORKERS", "2").output();
    assert!(warning(&CommandOutput::from(output.unwrap())).is_some());
    let help = shell.run(&["help", "settings"]);
    assert!(help.out.contains("LECTERN_HTTP_THREADS"));
    assert!(!help.out.contains("--workers") && !help.out.contains("LECTERN_WORKERS"));
}

#[test]
fn process_rejects_the_stages_option_and_ignores_its_variable() {
    let shell = Shell::new();
    let command = ["process", "nowhere.mp4", "--stages=transcription"];
    let output = shell.run(&command);
    assert!(output.usage_error().contains("--stages"), "{output:?}");
    // The variable is for workers and is ignored, so that the error is about the
    // missing recording.
    let output = shell
        .command(&command[..2])
        .env("LECTERN_STAGES", "nonsense")
        .output()
        .unwrap();
    let output = CommandOutput::from(output);
    assert!(
        output.error_line().contains("cannot read nowhere.mp4"),
        "{output:?}"
    );
    assert_eq!(shell.files(), [""; 0]);
}

#[test]
fn an_invalid_storage_url_creates_no_file() {
    let shell = Shell::new();
    for url in [
        "objects",
        "file://objects",
        "s3://",
        "s3://id:s3cret@lectures",
        "s3://lectures?secret=s3cret",
    ] {
        let output = shell.run(&["serve", "--storage", url]);
        let error_line = output.error_line();
        for accepted in ["LECTERN_STORAGE", "file:///path", "s3://bucket"] {
            assert!(error_line.contains(accepted), "{url}: {error_line}");
        }
        assert!(!error_line.contains("s3cret"), "{url}: {error_line}");
    }
    assert_eq!(shell.files(), [""; 0]);
    let output = shell.run(&[
        "serve",
        "--bind",
        "127.0.0.1:0",
        "--log",
        "error",
        "--secret",
        "s3cret",
    ]);
    assert!(
        output
            .error_line()
            .contains("LECTERN_SECRET must be at least 32 bytes long"),
        "{output:?}"
    );
    assert!(!output.error_line().contains("s3cret"), "{output:?}");
}

#[test]
fn tls_that_the_program_lacks_is_refused_at_the_start() {
    let shell = Shell::new();
    for mode in ["require", "verify-ca", "verify-full"] {
        let url =
            format!("postgres://me:s3cret@127.0.0.1:1/lectern?sslmode=disable&sslmode={mode}");
        for command in [&["serve"][..], &["migrate", "up"]] {
            let output = shell.run_on(&url, command);
            let error = output.error_line();
            assert!(
                error.contains(mode) && error.contains("pg-tls"),
                "{output:?}"
            );
            assert!(!error.contains("s3cret"), "{output:?}");
        }
    }
    let output = shell
        .command(&["migrate", "up"])
        .env("DATABASE_URL", "postgres://me@127.0.0.1:1/lectern")
        .env("PGSSLMODE", "require")
        .output()
        .unwrap();
    let output = CommandOutput::from(output);
    assert!(output.error_line().contains("pg-tls"), "{output:?}");
}

#[test]
fn row_security_needs_postgresql_and_a_valid_role() {
    let shell = Shell::new();
    let output = shell.run(&["migrate", "up", "--row-security-role=owners"]);
    assert!(
        output.error_line().contains("needs PostgreSQL"),
        "{output:?}"
    );
    let output = shell.run(&["migrate", "up", "--row-security-role=none"]);
    assert!(
        output.usage_error().contains("--row-security-role"),
        "{output:?}"
    );
    let output = shell
        .command(&["migrate", "up"])
        .env("LECTERN_ROW_SECURITY_ROLE", "")
        .output()
        .unwrap();
    CommandOutput::from(output).lines();
}

#[test]
fn migrating_switches_row_security_on() {
    let db = EmptyDb::on(Backend::Postgres);
    let shell = Shell::new();
    let enable = ["migrate", "up", "--row-security-role=lectern_test_owners"];
    shell.run_on(db.url(), &enable).lines();
    let enabled = db
        .sql()
        .value("SELECT relrowsecurity FROM pg_class WHERE oid = 'clips'::regclass");
    assert_eq!(enabled, "true");
}

#[test]
fn an_unreachable_database_is_an_error_without_the_password() {
    let shell = Shell::new();
    // No server listens on port 1.
    let url = "postgres://me:s3cret@127.0.0.1:1/lectern";
    for command in [&["serve"][..], &["migrate", "up"]] {
        let output = shell.run_on(url, command);
        assert!(!output.error_line().contains("s3cret"), "{output:?}");
        assert!(output.error_line().contains("database"), "{output:?}");
    }
    let output = shell.run_on("sqlite://no/such/directory/lectern.db", &["migrate", "up"]);
    assert!(
        output.error_line().contains("no/such/directory"),
        "{output:?}"
    );
    assert_eq!(shell.files(), [""; 0]);
}

#[test]
fn the_data_directory_is_created_when_needed() {
    let shell = Shell::new();
    shell.run(&["migrate", "up"]).lines();
    assert_eq!(shell.files(), ["lectern-data"]);
    assert!(shell.dir().join("lectern-data/lectern.db").is_file());

    let shell = Shell::new();
    let output = shell
        .command(&["migrate", "up"])
        .env("LECTERN_DATA_DIR", "deep/down")
        .output()
        .unwrap();
    CommandOutput::from(output).lines();
    assert!(shell.dir().join("deep/down/lectern.db").is_file());

    let shell = Shell::new();
    shell
        .run_on("sqlite://elsewhere.db", &["migrate", "up"])
        .lines();
    assert_eq!(shell.files(), ["elsewhere.db"]);
}

fn flags_override_the_environment_which_overrides_the_file(db: EmptyDb) {
    let shell = Shell::new();
    let write = |url: &str| {
        let lines = format!("# settings\nLECTERN_DATA_DIR='not here'\nDATABASE_URL=\"{url}\"\n");
        shell.write("lectern-data/.env", &lines);
    };
    let applied = || {
        db.migrations()
            .status()
            .unwrap()
            .iter()
            .filter(|migration| migration.is_applied())
            .count()
    };
    let all = db.migrations().status().unwrap().len();
    write(db.url());
    shell.run(&["migrate", "up"]).lines();
    assert_eq!(applied(), all, "from the file");

    write("sqlite://from-the-file.db");
    shell.run_on(db.url(), &["migrate", "down", "1"]).lines();
    assert_eq!(applied(), all - 1, "from the environment");

    let output = shell.run_on(
        "sqlite://from-the-environment.db",
        &["migrate", "down", "2", "--database-url", db.url()],
    );
    output.lines();
    assert_eq!(applied(), all - 3, "from a flag");
    let output = shell.run_on(
        "sqlite://from-the-environment.db",
        &["--database-url", db.url(), "migrate", "down"],
    );
    output.lines();
    assert_eq!(applied(), all - 4, "from a flag before the command");
    assert_eq!(shell.files(), ["lectern-data"]);
}

fn the_error_for_an_invalid_settings_file_does_not_quote_it(db: EmptyDb) {
    let shell = Shell::new();
    shell.write("lectern-data/.env", "PASSWORD='s3cret\n");
    let output = shell.run_on(db.url(), &["migrate", "status"]);
    assert!(
        output.error_line().contains(".env") && !output.error_line().contains("s3cret"),
        "{output:?}"
    );
}
