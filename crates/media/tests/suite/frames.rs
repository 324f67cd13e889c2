use lectern_domain::TimeRange;
use lectern_media::{
    Error, FrameFile, Frames, GrayFrame, SampledFiles, SilenceSettings, SpriteFile,
};

use crate::fixture::{CODECS, Fixture, SOUND, brightness};

/// The brightness in the middle of each frame.
fn middles(frames: &[GrayFrame]) -> Vec<u8> {
    let pictures = frames.iter().map(|frame| &frame.picture);
    pictures
        .map(|picture| brightness(picture, picture.width / 2, picture.height / 2))
        .collect()
}

fn only_frames(file: &FrameFile) -> SampledFiles<'_> {
    SampledFiles {
        frames: Some(file),
        ..SampledFiles::default()
    }
}

#[test]
fn frames_sampled_by_decoding_have_the_right_times() {
    let fixture = Fixture::new();
    let mut done = Vec::new();
    let found = fixture
        .media
        .sample_frames(&fixture.lecture(), 12, 61, &mut |seconds| {
            done.push(seconds);
        })
        .unwrap();
    assert_eq!((found.source_width, found.source_height), (160, 120));
    assert_eq!(found.frames.len(), 12);
    for (index, frame) in found.frames.iter().enumerate() {
        let picture = &frame.picture;
        assert_eq!(
            (picture.width, picture.height, picture.data.len()),
            (80, 60, 4800)
        );
        assert!(
            (frame.time - (index as f64 * 0.5 + 0.25)).abs() < 0.02,
            "{}",
            frame.time
        );
        let black = picture.data.iter().all(|pixel| *pixel < 30);
        assert_eq!(
            black,
            frame.time > 1.0 && frame.time < 2.0,
            "at {} s",
            frame.time
        );
    }
    assert!(done.is_sorted() && !done.is_empty());
}

#[test]
fn frames_sampled_by_seeking_have_the_right_times() {
    let fixture = Fixture::new();
    let path = fixture.render(
        &["color=white:size=160x120:rate=5:duration=40,drawbox=enable='gte(t,20)':color=black:thickness=fill"],
        CODECS,
        "long.mp4",
    );
    let found = fixture
        .media
        .sample_frames(&fixture.probe(&path), 4, 30, &mut |_| {})
        .unwrap();
    let times: Vec<f64> = found.frames.iter().map(|frame| frame.time).collect();
    assert_eq!(times, [5.0, 15.0, 25.0, 35.0]);
    let middles = middles(&found.frames);
    assert!(
        middles[0] > 220 && middles[1] > 220 && middles[2] < 30 && middles[3] < 30,
        "{middles:?}"
    );
}

#[test]
fn a_rotated_picture_is_sampled_as_displayed() {
    let fixture = Fixture::new();
    let path = fixture.render(
        &["color=black:size=160x120:rate=10:duration=1,drawbox=width=40:height=40:color=white:thickness=fill"],
        CODECS,
        "corner.mp4",
    );
    let rotated = fixture.probe(&fixture.rotated(&path));
    let found = fixture
        .media
        .sample_frames(&rotated, 1, 160, &mut |_| {})
        .unwrap();
    assert_eq!((found.source_width, found.source_height), (120, 160));
    let picture = &found.frames[0].picture;
    assert_eq!((picture.width, picture.height), (120, 160));
    // Rotated by 270 degrees clockwise, the top left corner is at the bottom left.
    assert!(brightness(picture, 20, 140) > 200 && brightness(picture, 20, 20) < 50);
    assert!(brightness(picture, 100, 20) < 50 && brightness(picture, 100, 140) < 50);
}

#[test]
fn sampled_frames_have_square_pixels() {
    let fixture = Fixture::new();
    let path = fixture.render(
        &["testsrc2=size=160x120:rate=10:duration=1,setsar=2"],
        CODECS,
        "wide.mp4",
    );
    let found = fixture
        .media
        .sample_frames(&fixture.probe(&path), 1, 60, &mut |_| {})
        .unwrap();
    let picture = &found.frames[0].picture;
    assert_eq!((picture.width, picture.height), (160, 60));
    assert_eq!((found.source_width, found.source_height), (160, 120));
}

#[test]
fn a_recording_without_a_picture_has_no_frames() {
    let fixture = Fixture::new();
    let sound = fixture.probe(&fixture.render(&[SOUND], "-c:a aac", "sound.m4a"));
    let error = fixture
        .media
        .sample_frames(&sound, 3, 60, &mut |_| {})
        .unwrap_err();
    assert!(matches!(error, Error::NoVideo), "{error}");
}

#[test]
fn frames_of_a_range_are_read_from_its_key_frame() {
    let fixture = Fixture::new();
    let source = "color=white:size=160x120:rate=25:duration=60,\
        drawbox=enable='gte(t,40.2)':color=black:thickness=fill";
    for (options, name) in [("", "long.mp4"), ("-f mpegts", "long.ts")] {
        let path = fixture.render(&[source], &format!("{CODECS} {options}"), name);
        let recording = fixture.probe(&path);
        let range = TimeRange::new(38.0, 42.0).unwrap();
        let mut done = Vec::new();
        let found = fixture
            .media
            .sample_frames_in(&recording, range, 40, 30, &mut |time| done.push(time))
            .unwrap();
        assert_eq!(found.frames.len(), 40, "{name}");
        for (frame, level) in found.frames.iter().zip(middles(&found.frames)) {
            let is_black = level < 30;
            assert_eq!(is_black, frame.time > 40.2, "{name}: at {} s", frame.time);
        }
        assert!((found.frames[0].time - 38.05).abs() < 1e-9);
        assert!(
            done.iter().all(|time| (38.0..42.2).contains(time)),
            "{done:?}"
        );
    }
}

#[test]
fn frames_of_the_pass_for_silence_are_those_of_a_pass_of_their_own() {
    let fixture = Fixture::new();
    let source = "testsrc2=size=160x120:rate=10:duration=6";
    let late = fixture.convert(
        &fixture.lecture().path,
        "-c copy -output_ts_offset 100",
        "late.mkv",
    );
    let picture = fixture.render(&[source], CODECS, "picture.mp4");
    let rotated = fixture.rotated(&fixture.lecture().path);
    for path in [late, picture, rotated] {
        let recording = fixture.probe(&path);
        let file = FrameFile::new(fixture.path("frames"), 12, 61);
        let (media, settings) = (&fixture.media, SilenceSettings::default());
        let mut done = Vec::new();
        let regions = media
            .detect_silence_and_sample(&recording, settings, only_frames(&file), &mut |time| {
                done.push(time);
            })
            .unwrap();
        assert_eq!(regions, fixture.detect_silence(&recording));
        // The frames count as little progress, although each stands for half a second.
        assert!(done.is_sorted() && done.last().unwrap() < &6.05, "{done:?}");
        let found = media.read_frames(&recording, &file).unwrap();
        let expected = media.sample_frames(&recording, 12, 61, &mut |_| {});
        let expected = expected.unwrap();
        assert_eq!(found.frames, expected.frames, "{}", path.display());
        let size = |frames: &Frames| (frames.source_width, frames.source_height);
        assert_eq!(size(&found), size(&expected));
    }
}

#[test]
fn the_pass_for_silence_samples_as_many_frames_as_can_be_read() {
    let fixture = Fixture::new();
    let whole = fixture.convert(
        &fixture.lecture().path,
        "-c copy -movflags +faststart",
        "whole.mp4",
    );
    let bytes = std::fs::read(&whole).unwrap();
    let half = fixture.path("half.mp4");
    std::fs::write(&half, &bytes[..bytes.len() * 6 / 10]).unwrap();
    let sound = fixture.render(&[SOUND], "-c:a aac", "sound.m4a");
    let sample = |path: &std::path::Path, name: &str| {
        let (recording, file) = (fixture.probe(path), fixture.path(name));
        let file = FrameFile::new(file, 120, 60);
        let settings = SilenceSettings::default();
        let media = &fixture.media;
        media
            .detect_silence_and_sample(&recording, settings, only_frames(&file), &mut |_| {})
            .unwrap();
        (
            file.path().exists(),
            media
                .read_frames(&recording, &file)
                .map(|frames| frames.frames.len()),
        )
    };
    let (_, count) = sample(&half, "half");
    assert!((10..115).contains(&count.unwrap()));
    let (exists, no_frames) = sample(&sound, "sound");
    assert!(!exists && matches!(no_frames, Err(Error::NoVideo)));
}

/// The brightness in the middle of each tile that shows what is before `end`.
fn tiles(fixture: &Fixture, sprite: &SpriteFile, end: f64) -> Vec<u8> {
    let tiles: Vec<_> = sprite.tiles_before(end).collect();
    let gray = "-pix_fmt gray -f rawvideo";
    let gray = std::fs::read(fixture.convert(sprite.path(), gray, "sprite.gray")).unwrap();
    let [_, _, width, height] = tiles[0].place;
    let ends = tiles.iter().map(|tile| tile.place[0] + width);
    let row = ends.max().unwrap();
    assert_eq!(gray.len() % (row * height) as usize, 0, "whole rows");
    let middle = |tile: &lectern_media::Tile| {
        let [x, y, ..] = tile.place;
        gray[((y + height / 2) * row + x + width / 2) as usize]
    };
    tiles.iter().map(middle).collect()
}

#[test]
fn the_pass_for_silence_writes_small_pictures_of_the_whole_recording() {
    let fixture = Fixture::new();
    // Dark, bright from a third on.
    let source = |size: &str, seconds: u32| {
        let third = seconds / 3;
        format!(
            "color=black:size={size}:rate=5:duration={seconds},\
             drawbox=enable='gte(t,{third})':color=white:thickness=fill"
        )
    };
    for (size, seconds, place, count) in [
        ("320x180", 240, [160, 90], 100_usize),
        ("180x320", 6, [90, 160], 6),
    ] {
        let path = fixture.render(&[&source(size, seconds)], CODECS, "picture.mp4");
        let recording = fixture.probe(&path);
        let frames = FrameFile::new(fixture.path("frames"), 12, 60);
        let sprite = SpriteFile::new(fixture.path(size), &recording).unwrap();
        assert!(!sprite.is_complete());
        let files = SampledFiles {
            frames: Some(&frames),
            sprite: Some(&sprite),
        };
        let (media, settings) = (&fixture.media, SilenceSettings::default());
        let mut done = Vec::new();
        let found = media
            .detect_silence_and_sample(&recording, settings, files, &mut |time| done.push(time))
            .unwrap();
        assert_eq!(found, fixture.detect_silence(&recording));
        let end = f64::from(seconds);
        assert!(
            done.is_sorted() && *done.last().unwrap() < end + 0.3,
            "{done:?}"
        );
        assert!(sprite.is_complete());
        assert_eq!(
            media.read_frames(&recording, &frames).unwrap().frames.len(),
            12
        );
        let shown = tiles(&fixture, &sprite, end);
        let dark = shown
            .iter()
            .take_while(|brightness| **brightness < 30)
            .count();
        assert!(
            shown[dark..].iter().all(|brightness| *brightness > 220),
            "{shown:?}"
        );
        assert_eq!(
            (shown.len(), dark),
            (count, count.div_ceil(3) - usize::from(count == 100))
        );
        let last = sprite.tiles_before(end).last().unwrap();
        assert_eq!(last.place[2..], place);
        assert!((last.time.1 - end).abs() < 0.01, "{last:?}");
        assert_eq!(sprite.tiles_before(end / 2.0).count(), count / 2);
    }
}

#[test]
fn sound_without_a_picture_has_no_small_pictures() {
    let fixture = Fixture::new();
    let sound = fixture.probe(&fixture.render(&[SOUND], "-c:a aac", "sound.m4a"));
    assert_eq!(SpriteFile::new(fixture.path("sprite.jpg"), &sound), None);
}
