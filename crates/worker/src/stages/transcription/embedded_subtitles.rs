//! Subtitle tracks in the recording.

use std::fs::File;

use lectern_domain::{LanguageTag, TranscriptSource};
use lectern_formats::{InputFormat, Transcript};
use lectern_media::{MediaInfo, SubtitleFormat, SubtitleStream};

use super::Found;
use crate::failure::Failure;
use crate::sidecar::{OTHER_LANGUAGE, language_rank, read_bounded};
use crate::stage_handler::StageContext;

/// Codecs of subtitles that are text. Other codecs store pictures.
const TEXT_CODECS: [&str; 6] = ["subrip", "webvtt", "ass", "ssa", "mov_text", "text"];

/// Of tracks in one language, one with less than this part of the cues of another has only the
/// foreign parts or signs, although nothing says so.
const MIN_SHARE_OF_CUES: usize = 4;

/// The most tracks in one language that are read; each takes a pass over the recording.
const MAX_TRACKS: usize = 4;

/// What the subtitle tracks of a recording give.
pub(super) struct TracksRead {
    pub(super) found: Option<Found>,
    /// A note that names the tracks that are not used.
    pub(super) not_used: Option<String>,
}

/// The transcript of the best text track that has cues, and its language: a track in the wanted
/// language, or else one without a language. If no language is wanted, a track in the language of
/// the sound goes first. A track that cannot be read is skipped: another one, or a recognizer, may
/// give a transcript.
pub(super) fn read(
    context: &StageContext<'_>,
    probe: &MediaInfo,
    wanted: Option<&LanguageTag>,
) -> Result<TracksRead, Failure> {
    let heard = probe
        .audio
        .as_ref()
        .and_then(|audio| audio.language.as_deref());
    let heard = heard.and_then(LanguageTag::of_name);
    let mut tracks: Vec<Track<'_>> = probe.subtitles.iter().map(Track::new).collect();
    let mut not_used = NotUsed::default();
    let is_full = |track: &Track<'_>| track.is_text() && !track.stream.is_forced;
    let has_full = tracks.iter().any(is_full);
    tracks.retain(|track| {
        let reason = if !track.is_text() {
            "pictures"
        } else if wanted.is_some() && track.rank(wanted) == OTHER_LANGUAGE {
            "another language"
        } else if has_full && track.stream.is_forced {
            "forced"
        } else {
            return true;
        };
        not_used.add(track, reason);
        false
    });
    if let Some(preferred) = wanted.or(heard.as_ref()) {
        // Stable: of equal tracks, the one that players prefer comes first.
        tracks.sort_by_key(|track| track.rank(Some(preferred)));
    }
    let mut found = None;
    while found.is_none() && !tracks.is_empty() {
        let first = tracks[0].clone();
        let (mut group, others): (Vec<_>, Vec<_>) = tracks
            .into_iter()
            .partition(|track| track.has_language_of(&first));
        tracks = others;
        let unread = group.split_off(group.len().min(MAX_TRACKS));
        let best = best(context, probe, group, &mut not_used)?;
        found = best.map(|(track, transcript)| {
            let mut note = "taken from a track of the recording".to_owned();
            if let Some(language) = &track.language {
                note = format!("{note} ({language})");
            }
            if let (Some(heard), None) = (&heard, wanted)
                && track.rank(Some(heard)) == OTHER_LANGUAGE
            {
                note = format!("{note}, although the sound is in {heard}");
            }
            let language = track.language.as_ref();
            Found::subtitles(transcript, language, TranscriptSource::Track, note)
        });
        for track in unread {
            not_used.add(&track, "");
        }
    }
    for track in &tracks {
        not_used.add(track, "");
    }
    Ok(TracksRead {
        found,
        not_used: not_used.note(),
    })
}

/// The first of the tracks, all in one language, that has not far fewer cues than another.
fn best<'a>(
    context: &StageContext<'_>,
    probe: &MediaInfo,
    group: Vec<Track<'a>>,
    not_used: &mut NotUsed,
) -> Result<Option<(Track<'a>, Transcript)>, Failure> {
    let mut read = Vec::new();
    for track in group {
        match read_track(context, probe, track.stream) {
            Ok(transcript) if transcript.cues.is_empty() => not_used.add(&track, "empty"),
            Ok(transcript) => read.push((track, transcript)),
            Err(failure) => {
                context.check()?;
                let (job, index) = (context.job().job_id, track.stream.index);
                log::warn!("job {job}: skipping the subtitles of track {index}: {failure}");
                not_used.add(&track, "cannot be read");
            }
        }
    }
    let most = read
        .iter()
        .map(|(_, transcript)| transcript.cues.len())
        .max();
    let most = most.unwrap_or_default();
    let mut best = None;
    for (track, transcript) in read {
        if transcript.cues.len() * MIN_SHARE_OF_CUES < most {
            not_used.add(&track, "few lines");
        } else if best.is_none() {
            best = Some((track, transcript));
        } else {
            not_used.add(&track, "");
        }
    }
    Ok(best)
}

/// A subtitle track.
#[derive(Clone)]
struct Track<'a> {
    stream: &'a SubtitleStream,
    language: Option<LanguageTag>,
}

impl<'a> Track<'a> {
    fn new(stream: &'a SubtitleStream) -> Self {
        let language = stream.language.as_deref().and_then(LanguageTag::of_name);
        Self { stream, language }
    }

    fn is_text(&self) -> bool {
        TEXT_CODECS.contains(&self.stream.codec.as_str())
    }

    fn rank(&self, preferred: Option<&LanguageTag>) -> u8 {
        language_rank(self.language.as_ref(), preferred)
    }

    fn has_language_of(&self, other: &Self) -> bool {
        match (&self.language, &other.language) {
            (Some(one), Some(other)) => one.is_same_language(other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

/// Names of tracks that are not used, and why.
#[derive(Debug, Default)]
struct NotUsed(Vec<String>);

impl NotUsed {
    /// `reason` is empty if another track is just preferred.
    fn add(&mut self, track: &Track<'_>, reason: &str) {
        let language = track.language.as_deref();
        let name = language.unwrap_or("without a language");
        self.0.push(match reason {
            "" => name.to_owned(),
            reason => format!("{name} ({reason})"),
        });
    }

    fn note(&self) -> Option<String> {
        let names = self.0.join(", ");
        match self.0.len() {
            0 => None,
            1 => Some(format!("subtitle track {names} was not used")),
            _ => Some(format!("subtitle tracks {names} were not used")),
        }
    }
}

fn read_track(
    context: &StageContext<'_>,
    probe: &MediaInfo,
    track: &SubtitleStream,
) -> Result<Transcript, Failure> {
    // A conversion would repeat what is there for the shadow or the outline, and make text of
    // drawings.
    let (format, input) = match track.codec.as_str() {
        "ass" | "ssa" => (SubtitleFormat::SubStationAlpha, InputFormat::Ass),
        _ => (SubtitleFormat::WebVtt, InputFormat::Vtt),
    };
    let file = context.scratch_file(&format!("track-{}", track.index));
    let media = context.media();
    media.extract_subtitles(probe, track, format, &file)?;
    let bytes = read_bounded("the track", File::open(file)?)?;
    let file = input.read(&bytes);
    file.and_then(|file| file.transcript(Some(probe.duration)))
        .map_err(|error| Failure::permanent(error.to_string()))
}
