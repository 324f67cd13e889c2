//! The loudness of clips, measured by ffmpeg's `loudnorm`.

use std::fs;
use std::path::Path;
use std::process::Command;

use lectern_domain::{Loudness, OptionValue as _};
use lectern_media::CutSettings;
use serde_json::Value;

use crate::fixture::Fixture;

const MONO: &str = "-c:a aac -ac 1";

/// The integrated loudness and the true peak of a file, in LUFS and dBTP.
fn measure(file: &Path) -> (f64, f64) {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-i"])
        .arg(file)
        .args(["-af", "loudnorm=dual_mono=true:print_format=json"])
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_str(&stderr[stderr.rfind('{').unwrap()..]).unwrap();
    let number = |name: &str| report[name].as_str().unwrap().parse::<f64>().unwrap();
    (number("input_i"), number("input_tp"))
}

fn at(lufs: &str) -> CutSettings {
    CutSettings {
        loudness: Some(Loudness::from_text(lufs).unwrap()),
        ..CutSettings::default()
    }
}

#[test]
fn quiet_and_loud_sound_get_the_wanted_loudness() {
    let fixture = Fixture::new();
    for (volume, options) in [
        ("-34dB", MONO),
        ("-3dB", MONO),
        ("-30dB", "-c:a aac -ac 2"),
        ("-30dB", "-c:a ac3 -ac 6"),
    ] {
        let source = format!("anoisesrc=color=pink:duration=8,volume={volume}");
        let recording = fixture.probe(&fixture.render(&[&source], options, "sound.mkv"));
        let clip = fixture.cut(&recording, (1.0, 7.0), &at("-23"));
        let (loudness, _) = measure(&clip.path);
        assert!(
            (loudness + 23.0).abs() < 1.0,
            "{volume} {options}: {loudness}"
        );
    }
}

#[test]
fn the_whole_clip_counts_where_the_number_of_channels_changes() {
    let fixture = Fixture::new();
    // Loud stereo before 6 s, and then sound with six channels that is 20 dB quieter.
    let part = |volume: &str, options: &str, name| {
        let source = format!("anoisesrc=color=pink:duration=6,volume={volume}");
        let options = format!("-c:a ac3 {options} -f mpegts");
        fs::read(fixture.render(&[&source], &options, name)).unwrap()
    };
    let path = fixture.path("channels.ts");
    let parts = [
        part("-10dB", "-ac 2", "1.ts"),
        part("-30dB", "-ac 6 -output_ts_offset 6", "2.ts"),
    ];
    fs::write(&path, parts.concat()).unwrap();
    let recording = fixture.probe(&path);
    let clip = fixture.cut(&recording, (2.0, 10.0), &at("-23"));
    let (loudness, _) = measure(&clip.path);
    assert!((loudness + 23.0).abs() < 1.0, "{loudness}");
    let mut names: Vec<_> = fs::read_dir(clip.path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["1.ts", "2.ts", "channels.ts", "clip.mp4"]);
}

#[test]
fn amplified_sound_is_not_clipped() {
    let fixture = Fixture::new();
    // Peaks of 30 dB above the rest, as clapping is beside speech.
    let source = "aevalsrc='0.02*sin(440*2*PI*t)+0.6*sin(900*2*PI*t)*lt(mod(t,2),0.01)':duration=8";
    let recording = fixture.probe(&fixture.render(&[source], MONO, "sound.mkv"));
    let clip = fixture.cut(&recording, (1.0, 7.0), &at("-14"));
    let (loudness, peak) = measure(&clip.path);
    assert!(loudness > measure(&recording.path).0 + 5.0, "{loudness}");
    assert!(peak < 0.0, "{peak}");
}

#[test]
fn silence_stays_silent() {
    let fixture = Fixture::new();
    let recording =
        fixture.probe(&fixture.render(&["anullsrc=duration=4"], "-c:a aac -t 4", "sound.mkv"));
    let clip = fixture.cut(&recording, (0.0, 3.0), &at("-16"));
    assert!(fixture.detect_silence(&clip).audio.unwrap()[0].duration() > 2.9);
}
