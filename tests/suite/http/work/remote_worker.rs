//! `lectern work --server`: real stages over HTTP alone, beside those of a worker with a database.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use lectern_domain::{JobId, NewApiKey, Role, Stage, Stages};
use lectern_tests::{Backend, Fixture as _, Lectern, TestDb, on_both_backends, redacted};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::objects::s3;
use crate::http::support::api_key::Key;
use crate::http::support::recordings::{UPLOAD, path_of};
use crate::http::support::{job_path, wait_until};

on_both_backends!(
    a_pipeline_over_http_has_the_output_of_one_with_a_database,
    a_stopped_worker_gives_its_stage_back,
    a_suspended_worker_leaves_its_stage_to_another_and_goes_on,
    a_worker_leaves_a_cancelled_job_and_does_it_when_it_is_retried,
    a_worker_goes_on_after_the_server_was_restarted,
    a_worker_whose_key_is_refused_ends_with_an_error,
);

/// Speech and silence in turn, for 40 s, with a picture.
fn recording() -> &'static [u8] {
    static RECORDING: OnceLock<Vec<u8>> = OnceLock::new();
    RECORDING.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("talk.mp4");
        let rendered = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-f", "lavfi"])
            .args([
                "-i",
                "testsrc=size=320x180:rate=10:duration=40",
                "-f",
                "lavfi",
            ])
            .args([
                "-i",
                "aevalsrc=0.3*sin(440*2*PI*t)*lt(mod(t\\,10)\\,8):d=40",
            ])
            .args(["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"])
            .arg(&file)
            .status();
        assert!(rendered.unwrap().success());
        fs::read(file).unwrap()
    })
}

/// Prints what is spoken, after the file `go` exists beside it; each call adds a line to `calls`.
const TRANSCRIBER: &str = r#"
cd "$(dirname "$0")"
echo >> calls
while [ ! -e go ]; do sleep 0.1; done
printf '1\n00:00:00,000 --> 00:00:07,500\nGradient descent walks downhill step by step.\n\n'
printf '2\n00:00:10,000 --> 00:00:17,500\nThe learning rate is the length of each step.\n\n'
printf '3\n00:00:20,000 --> 00:00:27,500\nMomentum carries the ball over small hills.\n\n'
printf '4\n00:00:30,000 --> 00:00:37,500\nStochastic gradients use a few examples at a time.\n'
"#;

/// A server that asks for keys and has no worker.
struct Served {
    lectern: Lectern,
    client: Key,
    /// With the transcriber.
    dir: TempDir,
    is_in_bucket: bool,
}

impl Served {
    fn start(db: &TestDb, settings: &[(&str, &str)]) -> Self {
        let client = Key::create(db, Role::Client);
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("transcriber"), TRANSCRIBER).unwrap();
        let settings = [&[("LECTERN_AUTH", "keys")], settings].concat();
        let lectern = Lectern::serve_with(db.url(), &settings);
        Self {
            lectern,
            client,
            dir,
            is_in_bucket: settings.iter().any(|(name, _)| *name == "LECTERN_STORAGE"),
        }
    }

    fn get(&self, path: &str) -> Value {
        let answer = self.client.request(&self.lectern, "GET", path).send();
        answer.expect(200).json()
    }

    /// A file of a job.
    fn file(&self, job_id: JobId, below: &str) -> Vec<u8> {
        let path = job_path(job_id, below);
        let request = self.client.request(&self.lectern, "GET", &path);
        request.send().expect(200).body.clone()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.request(&self.lectern, "POST", path);
        request.json(body).send().json()
    }

    /// A job with an uploaded recording.
    fn create_job(&self) -> JobId {
        let announced = self.post(
            UPLOAD,
            &json!({
                "filename": "talk.mp4", "file_size": recording().len(), "content_type": "video/mp4",
                "processing_config": { "min_clip_seconds": 5, "max_clip_seconds": 12 },
            }),
        );
        let url = &announced["upload_url"];
        if self.is_in_bucket {
            s3::request("PUT", url.as_str().unwrap(), recording()).expect(200);
        } else {
            let put = self.lectern.request("PUT", path_of(&self.lectern, url));
            put.body("video/mp4", recording()).send().expect(200);
        }
        let job_id = announced["job_id"].as_str().unwrap();
        self.post(&format!("{UPLOAD}/confirm"), &json!({ "job_id": job_id }));
        job_id.parse().unwrap()
    }

    fn status(&self, job_id: JobId) -> String {
        let job = self.get(&job_path(job_id, ""));
        job["status"].as_str().unwrap().to_owned()
    }

    fn stage(&self, job_id: JobId, stage: Stage) -> Value {
        let stages = self.get(&job_path(job_id, "/stages"));
        let stages = stages["stages"].as_array().unwrap();
        let found = stages.iter().find(|run| run["stage"] == stage.as_str());
        found.unwrap().clone()
    }

    /// Waits until the job has this status. Asks again when there are further events.
    fn wait_for(&self, job_id: JobId, status: &str) {
        let mut seen = 0;
        loop {
            let now = self.status(job_id);
            if now == status {
                return;
            }
            assert_ne!(now, "failed", "{}", self.get(&job_path(job_id, "/stages")));
            let path = job_path(job_id, &format!("/events?after={seen}"));
            let page = self.client.request(&self.lectern, "GET", &path);
            let page = page.header("Prefer", "wait=20").send().expect(200).json();
            let last = page["events"].as_array().unwrap().last();
            seen = last.map_or(seen, |event| event["seq"].as_i64().unwrap());
        }
    }

    fn urls_of_clips_and_reel(&self, job_id: JobId) -> Vec<Value> {
        let mut results = self.get(&format!("/api/v1/results/{job_id}"));
        let reel = results["metadata"]["highlight_video"]["url"].take();
        let clips = results["clips"].as_array_mut().unwrap().iter_mut();
        let urls = clips.map(|clip| clip["url"].take());
        urls.chain([reel]).collect()
    }

    fn let_transcribers_go_on(&self) {
        fs::write(self.dir.path().join("go"), "").unwrap();
    }

    fn transcriptions(&self) -> usize {
        let calls = fs::read_to_string(self.dir.path().join("calls"));
        calls.map_or(0, |calls| calls.lines().count())
    }

    /// `lectern work` in a directory of its own.
    fn worker(&self, directory: &Path) -> Command {
        let mut command = Lectern::command();
        let transcriber = self.dir.path().join("transcriber");
        command
            .arg("work")
            .env(
                "LECTERN_TRANSCRIBE_COMMAND",
                format!("sh {} {{audio}}", transcriber.display()),
            )
            .env("LECTERN_LEASE", "5")
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    /// A worker that has only the address and a key.
    fn remote(&self, directory: &Path, key: &Key) -> Command {
        let mut command = self.worker(directory);
        command.env("LECTERN_SERVER", self.lectern.base());
        command.env("LECTERN_API_KEY", &key.text);
        command
    }
}

/// A worker process, which is killed on drop.
struct Worker {
    child: Child,
    _dir: TempDir,
}

impl Worker {
    fn start(command: impl FnOnce(&Path) -> Command) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let child = command(dir.path()).spawn().expect("the program just built");
        Self { child, _dir: dir }
    }

    fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status();
        assert!(sent.unwrap().success());
    }

    /// Sends SIGTERM and waits for the end.
    fn stop(mut self) {
        self.signal("TERM");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn worker_key(db: &TestDb, stages: &[Stage]) -> Key {
    let data = NewApiKey {
        stages: Some(Stages::new(stages.to_vec()).unwrap()),
        ..NewApiKey::new(Role::Worker)
    };
    Key::create_as(db, &data)
}

/// Everything that the stages of a job have stored, without ids, times and keys.
fn outputs(served: &Served, job_id: JobId) -> Value {
    let mut job = served.get(&job_path(job_id, ""));
    let job = [
        "video_duration",
        "video_metadata",
        "transcript_source",
        "status",
    ]
    .map(|field| job[field].take());
    let sets = [
        "/silence-regions",
        "/transcripts?words=true",
        "/layout-analysis",
        "/content-segments",
        "/clips",
        "/waveform",
    ];
    let sets = sets.map(|path| served.get(&job_path(job_id, path)));
    let stages = served.get(&job_path(job_id, "/stages"));
    let notes = stages["stages"].as_array().unwrap().iter();
    let notes: Vec<_> = notes
        .map(|run| json!([run["stage"], run["notes"], run["attempt"]]))
        .collect();
    let thumbnails = served.file(job_id, "/thumbnails");
    let picture = served.file(job_id, "/thumbnails.jpg").len();
    let results = served.get(&format!("/api/v1/results/{job_id}"));
    let highlight = results["metadata"]["highlight_video"]["s3_key"].is_string();
    let all = json!({
        "job": job, "sets": sets, "notes": notes, "highlight": highlight, "picture": picture,
        "thumbnails": String::from_utf8(thumbnails).unwrap(),
    });
    without_keys(redacted(&all))
}

/// Keys contain the ids of the job and its clips.
fn without_keys(value: Value) -> Value {
    match value {
        Value::String(text) if text.starts_with("jobs/") => {
            let end = text.rsplit('.').next().unwrap_or_default();
            Value::String(format!("[key].{end}"))
        }
        Value::Array(items) => items.into_iter().map(without_keys).collect(),
        Value::Object(object) => object
            .into_iter()
            .map(|(name, value)| (name, without_keys(value)))
            .collect(),
        other => other,
    }
}

fn a_pipeline_over_http_has_the_output_of_one_with_a_database(db: TestDb) {
    let first = [
        Stage::SilenceDetection,
        Stage::Transcription,
        Stage::LayoutAnalysis,
    ];
    let others = [
        Stage::ContentAnalysis,
        Stage::Segmentation,
        Stage::Compilation,
    ];
    let keys = [worker_key(&db, &first), worker_key(&db, &others)];
    let served = Served::start(&db, &[]);
    served.let_transcribers_go_on();

    let job_id = served.create_job();
    let names = |stages: &[Stage]| {
        stages
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",")
    };
    let workers = [(&keys[0], names(&first)), (&keys[1], names(&others))];
    let workers = workers.map(|(key, stages)| {
        Worker::start(|dir| {
            let mut command = served.remote(dir, key);
            command.args(["--stages", &stages]);
            command
        })
    });
    served.wait_for(job_id, "completed");
    let over_http = outputs(&served, job_id);
    let clips = served.get(&job_path(job_id, "/clips"))["clips"]
        .as_array()
        .unwrap()
        .len();
    assert!(clips > 0, "{over_http}");
    let waveform = &over_http["sets"][5];
    // A point for each 40 ms of 40 s.
    let length = waveform["length"].as_u64().unwrap();
    assert!((1000..=1002).contains(&length), "{waveform}");
    // The tone has 0.3 of full scale, and pauses from the 8th second of each ten on.
    let data = waveform["data"].as_array().unwrap();
    let highest = |second: usize| data[2 * 25 * second + 1].as_i64().unwrap();
    assert!(
        (35..=42).contains(&highest(5)) && highest(9) <= 1,
        "{waveform}"
    );
    let cues = over_http["thumbnails"].as_str().unwrap();
    assert_eq!(cues.matches("thumbnails.jpg#xywh=").count(), 40, "{cues}");
    assert!(
        served
            .file(job_id, "/thumbnails.jpg")
            .starts_with(b"\xff\xd8")
    );
    for url in served.urls_of_clips_and_reel(job_id) {
        let path = path_of(&served.lectern, &url);
        let file = served.lectern.request("HEAD", path).send().expect(200);
        let size = file
            .header("Content-Length")
            .unwrap()
            .parse::<u64>()
            .unwrap();
        assert!(size > 1000, "{size} bytes");
    }
    // Another attempt finds that the clips need not be cut again.
    served.post(
        &job_path(job_id, "/rerun"),
        &json!({ "from_stage": "compilation" }),
    );
    served.wait_for(job_id, "completed");
    let notes = served.stage(job_id, Stage::Compilation)["notes"].to_string();
    assert!(
        notes.contains(&format!("reused the files of {clips} unchanged clips")),
        "{notes}"
    );
    workers.into_iter().for_each(Worker::stop);

    let job_id = served.create_job();
    let worker = Worker::start(|dir| {
        let mut command = served.worker(dir);
        command.env("DATABASE_URL", db.url());
        command.env(
            "LECTERN_DATA_DIR",
            served.lectern.dir().join("lectern-data"),
        );
        command
    });
    served.wait_for(job_id, "completed");
    assert_eq!(outputs(&served, job_id), over_http);
    worker.stop();
}

fn a_stopped_worker_gives_its_stage_back(db: TestDb) {
    let key = Key::create(&db, Role::Worker);
    let served = Served::start(&db, &[]);
    let job_id = served.create_job();
    let worker = Worker::start(|dir| served.remote(dir, &key));
    wait_until(|| served.transcriptions() == 1);
    worker.stop();
    let run = served.stage(job_id, Stage::Transcription);
    assert_eq!(
        (&run["status"], &run["attempt"]),
        (&json!("ready"), &json!(0))
    );
    // Without work, it does not wait for the end of a long poll.
    served.let_transcribers_go_on();
    let worker = Worker::start(|dir| served.remote(dir, &key));
    served.wait_for(job_id, "completed");
    worker.stop();
}

fn a_suspended_worker_leaves_its_stage_to_another_and_goes_on(db: TestDb) {
    let key = Key::create(&db, Role::Worker);
    let served = Served::start(&db, &[]);
    let job_id = served.create_job();
    let suspended = Worker::start(|dir| served.remote(dir, &key));
    wait_until(|| served.transcriptions() == 1);
    suspended.signal("STOP");
    let other = Worker::start(|dir| served.remote(dir, &key));
    // Its lease expires, although the transcriber that it has started goes on.
    wait_until(|| served.transcriptions() == 2);
    served.let_transcribers_go_on();
    served.wait_for(job_id, "completed");
    let run = served.stage(job_id, Stage::Transcription);
    assert_eq!(run["attempt"], 2);
    other.stop();

    let before = outputs(&served, job_id);
    suspended.signal("CONT");
    let next = served.create_job();
    served.wait_for(next, "completed");
    assert_eq!(served.transcriptions(), 3);
    assert_eq!(outputs(&served, job_id), before);
    suspended.stop();
}

#[test]
#[ignore = "needs an S3 server: tests/e2e/with-s3 cargo test -p lectern-tests -- --include-ignored remote_worker"]
fn a_worker_without_credentials_reads_and_writes_in_a_bucket() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let db = TestDb::on(backend);
        let key = Key::create(&db, Role::Worker);
        let served = Served::start(&db, &[("LECTERN_STORAGE", &s3::storage_url())]);
        served.let_transcribers_go_on();
        let job_id = served.create_job();
        let worker = Worker::start(|dir| {
            let mut command = served.remote(dir, &key);
            let credentials = env::vars_os().map(|(name, _)| name);
            for name in credentials.filter(|name| name.to_string_lossy().starts_with("AWS_")) {
                command.env_remove(name);
            }
            command
        });
        served.wait_for(job_id, "completed");
        let urls = served.urls_of_clips_and_reel(job_id);
        assert!(urls.len() > 1, "{urls:?}");
        for url in urls {
            let file = s3::request("GET", url.as_str().unwrap(), b"").expect(200);
            assert!(file.body.len() > 1000, "{} bytes", file.body.len());
        }
        worker.stop();
    }
}

fn a_worker_leaves_a_cancelled_job_and_does_it_when_it_is_retried(db: TestDb) {
    let key = Key::create(&db, Role::Worker);
    let served = Served::start(&db, &[]);
    let job_id = served.create_job();
    let worker = Worker::start(|dir| served.remote(dir, &key));
    wait_until(|| served.transcriptions() == 1);
    served.post(&job_path(job_id, "/cancel"), &json!({}));
    served.wait_for(job_id, "cancelled");
    served.post(&job_path(job_id, "/retry"), &json!({}));
    // The worker has one thread at least, which has left the first attempt.
    wait_until(|| served.transcriptions() == 2);
    served.let_transcribers_go_on();
    served.wait_for(job_id, "completed");
    let transcript = served.get(&job_path(job_id, "/transcripts"));
    assert_eq!(transcript["total"], 4);
    worker.stop();
}

fn a_worker_goes_on_after_the_server_was_restarted(db: TestDb) {
    let key = Key::create(&db, Role::Worker);
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let data = tempfile::tempdir().unwrap();
    let settings = [
        ("LECTERN_BIND", address.as_str()),
        ("LECTERN_DATA_DIR", data.path().to_str().unwrap()),
    ];
    let mut served = Served::start(&db, &settings);
    let job_id = served.create_job();
    let worker = Worker::start(|dir| {
        let mut command = served.remote(dir, &key);
        command.env("LECTERN_LEASE", "30");
        command
    });
    wait_until(|| served.transcriptions() == 1);
    served.lectern.signal("KILL");
    served.lectern.wait();
    served.let_transcribers_go_on();
    let settings = [&[("LECTERN_AUTH", "keys")], &settings[..]].concat();
    served.lectern = Lectern::serve_with(db.url(), &settings);
    served.wait_for(job_id, "completed");
    let run = served.stage(job_id, Stage::Transcription);
    assert_eq!(run["attempt"], 1);
    assert_eq!(served.transcriptions(), 1);
    worker.stop();
}

fn error_of(mut command: Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

fn a_worker_whose_key_is_refused_ends_with_an_error(db: TestDb) {
    let listener = worker_key(&db, &[Stage::Transcription]);
    let served = Served::start(&db, &[]);
    let dir = tempfile::tempdir().unwrap();
    let error = error_of(served.remote(dir.path(), &listener));
    assert!(error.contains("the key may not claim the stage"), "{error}");
    let error = error_of(served.remote(dir.path(), &served.client));
    assert!(error.contains("The key may not do this"), "{error}");
    let revoked = Key::create(&db, Role::Worker);
    revoked.revoke(&db);
    let error = error_of(served.remote(dir.path(), &revoked));
    assert!(error.contains("revoked"), "{error}");
    assert!(!error.contains(&revoked.text), "the key is shown");
    let mut without = served.remote(dir.path(), &listener);
    without.env_remove("LECTERN_API_KEY");
    let error = error_of(without);
    assert!(error.contains("key"), "{error}");
    for (variable, value) in [
        ("DATABASE_URL", db.url()),
        ("LECTERN_STORAGE", "s3://talks"),
    ] {
        let mut both = served.remote(dir.path(), &listener);
        both.env(variable, value);
        let error = error_of(both);
        assert!(
            error.contains(variable) && error.contains("--server"),
            "{error}"
        );
    }
}
