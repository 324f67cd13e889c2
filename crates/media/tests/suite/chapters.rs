use std::fmt::Write as _;
use std::fs;

use lectern_media::Chapter;

use crate::fixture::{CODECS, Fixture, PICTURE, SOUND};

/// Titles with characters that some containers escape.
const CHAPTERS: [(f64, f64, &str); 3] = [
    (0.0, 2.0, "Einführung: was = was?"),
    (2.0, 4.5, "Dünen & Deltas"),
    (4.5, 6.0, "河川"),
];

/// The chapters of a recording that ffmpeg has written with [`CHAPTERS`].
fn chapters(options: &str, name: &str) -> Vec<Chapter> {
    let fixture = Fixture::new();
    let mut metadata = ";FFMETADATA1\n".to_owned();
    for (start, end, title) in CHAPTERS {
        let (start, end) = (start * 1000.0, end * 1000.0);
        let title = title.replace('=', "\\=");
        let _ = writeln!(
            metadata,
            "[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}"
        );
    }
    let file = fixture.path("chapters.txt");
    fs::write(&file, metadata).unwrap();
    let lecture = fixture.render(&[PICTURE, SOUND], CODECS, "lecture.mkv");
    let options = format!("-i {} -map_chapters 1 {options}", file.display());
    let recording = fixture.probe(&fixture.convert(&lecture, &options, name));
    fixture.media.chapters(&recording).unwrap()
}

#[test]
fn the_chapters_of_each_container_are_read() {
    for (options, name) in [
        ("-c copy", "talk.mkv"),
        ("-c copy", "talk.mp4"),
        ("-c copy", "talk.mov"),
        // A text track of QuickTime without the list that Nero introduced.
        ("-c copy -movflags disable_chpl", "text.mp4"),
        ("-c:v libvpx -deadline realtime -c:a libopus", "talk.webm"),
        ("-vn -c:a aac", "talk.m4a"),
        ("-vn -c:a libopus", "talk.opus"),
        ("-vn -c:a libmp3lame", "talk.mp3"),
    ] {
        let found = chapters(options, name);
        assert_eq!(found.len(), CHAPTERS.len(), "{name}: {found:?}");
        for (chapter, (start, end, title)) in found.iter().zip(CHAPTERS) {
            assert_eq!(chapter.title.as_deref(), Some(title), "{name}");
            // Containers delay the start by the priming of the encoder.
            assert!((chapter.start - start).abs() < 0.06, "{name}: {chapter:?}");
            assert!((chapter.end - end).abs() < 0.2, "{name}: {chapter:?}");
        }
    }
}

#[test]
fn a_recording_without_chapters_has_none() {
    let fixture = Fixture::new();
    assert_eq!(fixture.media.chapters(&fixture.lecture()).unwrap(), []);
}
