//! Which track and channel are heard, and what is silence in them.

use std::num::NonZeroU8;

use lectern_domain::{AudioTrack, SilenceLevel, TimeRange};
use lectern_media::{
    CutSettings, MeasuredSound, MediaInfo, SilenceRegions, SilenceSettings, StereoChannel,
};

use crate::fixture::{CODECS, Fixture, PICTURE, SOUND, assert_ranges, assert_seconds};

/// The silences of [`SOUND`].
const SILENCES: [(f64, f64); 2] = [(2.0, 4.0), (5.0, 6.0)];

/// The recording with the sound that is heard, and what was measured.
fn heard(fixture: &Fixture, recording: &MediaInfo) -> (MediaInfo, MeasuredSound) {
    let sound = fixture.detect_silence(recording).sound.unwrap();
    let audio = Some(sound.audio.clone());
    let recording = MediaInfo {
        audio,
        ..recording.clone()
    };
    (recording, sound)
}

/// Asserts that a clip and the extracted sound have the silences of [`SOUND`], and that the clip
/// has it in all channels.
#[track_caller]
fn assert_is_heard(fixture: &Fixture, recording: &MediaInfo) {
    let clip = fixture.cut(recording, (0.0, 6.0), &CutSettings::default());
    let wav = fixture.path("sound.wav");
    let range = TimeRange::new(0.0, 6.0).unwrap();
    let extracted = fixture
        .media
        .extract_audio(recording, range, &wav, &mut |_| {});
    extracted.unwrap();
    for file in [&clip.path, &wav] {
        for channel in 0..fixture.probe(file).audio.unwrap().channels {
            let options = format!("-map 0:a -af pan=mono|c0=c{channel}");
            let one = fixture.probe(&fixture.convert(file, &options, "channel.wav"));
            let level = SilenceLevel::Dbfs(-35.0);
            assert_ranges(&detect(fixture, &one, level).audio.unwrap(), &SILENCES);
        }
    }
}

fn detect(fixture: &Fixture, recording: &MediaInfo, level: SilenceLevel) -> SilenceRegions {
    let settings = SilenceSettings {
        level,
        ..SilenceSettings::default()
    };
    let found = fixture
        .media
        .detect_silence(recording, settings, &mut |_| {});
    found.unwrap()
}

/// A recording with a silent track and a track with [`SOUND`].
fn two_tracks(fixture: &Fixture) -> MediaInfo {
    let options = format!("{CODECS} -map 0 -map 1 -map 2 -t 6");
    let sources = [PICTURE, "anullsrc=cl=stereo", SOUND];
    fixture.probe(&fixture.render(&sources, &options, "tracks.mkv"))
}

#[test]
fn a_silent_track_gives_way_to_the_one_with_sound() {
    let fixture = Fixture::new();
    let recording = two_tracks(&fixture);
    assert_eq!(recording.audio_tracks.len(), 2);
    let (recording, sound) = heard(&fixture, &recording);
    assert_eq!(
        (sound.audio.index, sound.silent_track.unwrap().index),
        (2, 1)
    );
    assert_is_heard(&fixture, &recording);
}

#[test]
fn a_chosen_track_is_kept_although_it_is_silent() {
    let fixture = Fixture::new();
    let recording = two_tracks(&fixture);
    let number = |number| Some(AudioTrack::Number(NonZeroU8::new(number).unwrap()));
    let first = recording.clone().with_audio_track(number(1)).unwrap();
    let settings = SilenceSettings {
        may_change_track: false,
        ..SilenceSettings::default()
    };
    let found = fixture
        .media
        .detect_silence(&first, settings, &mut |_| {})
        .unwrap();
    let sound = found.sound.unwrap();
    assert_eq!((sound.audio.index, sound.mean_level), (1, None));
    assert_ranges(&found.audio.unwrap(), &[(0.0, 6.0)]);

    let second = recording.clone().with_audio_track(number(2)).unwrap();
    assert_is_heard(&fixture, &second);
    let error = recording.with_audio_track(number(3)).unwrap_err();
    let message = "there is no audio track 3: the recording has 2";
    assert_eq!(error.to_string(), message);
}

#[test]
fn all_tracks_can_be_mixed() {
    let fixture = Fixture::new();
    let other = "aevalsrc='0.3*sin(700*2*PI*t)*between(t,2,3)':duration=6";
    let options = format!("{CODECS} -map 0 -map 1 -map 2");
    let recording = fixture.render(&[PICTURE, SOUND, other], &options, "tracks.mkv");
    let mix = fixture
        .probe(&recording)
        .with_audio_track(Some(AudioTrack::Mix));
    let mix = mix.unwrap();
    let silences = [(3.0, 4.0), (5.0, 6.0)];
    let found = fixture.detect_silence(&mix);
    assert_ranges(&found.audio.unwrap(), &silences);
    let clip = fixture.cut(&mix, (0.0, 6.0), &CutSettings::default());
    assert_ranges(&fixture.detect_silence(&clip).audio.unwrap(), &silences);
}

#[test]
fn sound_in_one_channel_or_of_opposite_phase_is_heard_in_both_ears() {
    let fixture = Fixture::new();
    for (pan, channel) in [
        ("c0=c0", StereoChannel::Left),
        ("c1=c0", StereoChannel::Right),
        ("c0=c0|c1=-1*c0", StereoChannel::Left),
    ] {
        let options = format!("{CODECS} -af pan=stereo|{pan}");
        let path = fixture.render(&[PICTURE, SOUND], &options, "channels.mp4");
        let (recording, sound) = heard(&fixture, &fixture.probe(&path));
        assert_eq!(sound.audio.only_channel, Some(channel), "{pan}");
        assert_is_heard(&fixture, &recording);
    }
    let stereo = "c0=c0|c1=0.5*c0";
    let options = format!("{CODECS} -af pan=stereo|{stereo}");
    let path = fixture.render(&[PICTURE, SOUND], &options, "stereo.mp4");
    let (_, sound) = heard(&fixture, &fixture.probe(&path));
    assert_eq!(sound.audio.only_channel, None);
}

#[test]
fn sound_that_ends_early_is_noticed_and_the_rest_is_silent() {
    let fixture = Fixture::new();
    let sources = [PICTURE, "sine=duration=2"];
    let recording = fixture.probe(&fixture.render(&sources, CODECS, "early.mp4"));
    let found = fixture.detect_silence(&recording);
    assert_ranges(&found.audio.unwrap(), &[(2.0, 6.0)]);
    assert_seconds(found.sound.unwrap().ends_early_at.unwrap(), 2.0);
    assert_eq!(heard(&fixture, &fixture.lecture()).1.ends_early_at, None);
}

/// Syllables at 4 Hz of this amplitude with pauses from 3 s to 4 s and from 7 s to 8 s, over
/// noise of this amplitude.
fn speech(amplitude: f64, noise: f64) -> String {
    format!(
        "aevalsrc='{amplitude}*sin(300*2*PI*t)*abs(sin(4*PI*t))*(1-between(mod(t,4),3,4))\
         +{noise}*(random(0)-0.5)*2':duration=8"
    )
}

#[test]
fn silence_depends_on_the_loudness_and_the_noise_of_the_recording() {
    let fixture = Fixture::new();
    let silences = |sound: String, level| {
        let path = fixture.render(&[&sound], "-c:a pcm_s16le", "speech.wav");
        detect(&fixture, &fixture.probe(&path), level)
            .audio
            .unwrap()
    };
    let pauses = [(3.0, 4.0), (7.0, 8.0)];
    // -44 dBFS, in digital silence and in faint noise.
    assert_ranges(&silences(speech(0.006, 0.0), SilenceLevel::Auto), &pauses);
    assert_ranges(
        &silences(speech(0.006, 0.0003), SilenceLevel::Auto),
        &pauses,
    );
    // Noise of -33 and -23 dBFS.
    assert_ranges(&silences(speech(0.5, 0.022), SilenceLevel::Auto), &pauses);
    assert_ranges(&silences(speech(0.5, 0.07), SilenceLevel::Auto), &pauses);
    assert_ranges(&silences(speech(0.5, 0.0), SilenceLevel::Auto), &pauses);
    // A fixed level sees neither.
    let fixed = SilenceLevel::Dbfs(-35.0);
    assert_ranges(&silences(speech(0.006, 0.0), fixed), &[(0.0, 8.0)]);
    assert_ranges(&silences(speech(0.5, 0.022), fixed), &[]);
}

#[test]
fn sound_without_pauses_has_no_silence() {
    let fixture = Fixture::new();
    for sound in [
        "sine=duration=8",
        "anoisesrc=duration=8:amplitude=0.01",
        "sine=duration=8,volume=-40dB",
    ] {
        let path = fixture.render(&[sound], "-c:a pcm_s16le", "steady.wav");
        let found = fixture.detect_silence(&fixture.probe(&path));
        assert_ranges(&found.audio.unwrap(), &[]);
    }
}

#[test]
fn the_waveform_has_the_extremes_of_the_sound() {
    let fixture = Fixture::new();
    // A tone, silence, and the upper half of a tone: a second of each.
    let source = "aevalsrc='if(lt(t,1),0.75*sin(440*2*PI*t),\
                  if(lt(t,2),0,0.25*abs(sin(440*2*PI*t))))':s=48000:d=3";
    let extremes = |path: &std::path::Path| {
        let waveform = heard(&fixture, &fixture.probe(path)).1.waveform;
        assert_eq!(
            (waveform.sample_rate, waveform.samples_per_point),
            (48_000, 1920)
        );
        let points: Vec<_> = waveform.points.iter().map(|p| (p.min, p.max)).collect();
        assert_eq!(points.len(), 75);
        points
    };
    let mono = extremes(&fixture.render(&[source], "-c:a pcm_s16le", "mono.wav"));
    for (index, (min, max)) in mono.iter().enumerate() {
        let expected = match index / 25 {
            0 => (-96..=-95).contains(min) && (95..=96).contains(max),
            1 => (*min, *max) == (0, 0),
            _ => *min == 0 && (31..=32).contains(max),
        };
        assert!(expected, "{index}: {min} {max}");
    }
    // Of a silent channel and one with sound, the one with sound is shown.
    let right = "-af pan=stereo|c1=c0 -c:a pcm_s16le";
    assert_eq!(
        extremes(&fixture.render(&[source], right, "right.wav")),
        mono
    );
}
