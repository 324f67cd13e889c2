//! How a recording is turned into clips: the same options in `processing_config`, and as the
//! defaults of a worker.

use serde_json::{Map, Value, json};

use super::option_value::{
    AudioTrack, ClipCount, ClipLayout, ClipSeconds, ClipShare, Loudness, OptionValue, Resolution,
    SilenceLevel,
};
use crate::language_tag::LanguageTag;
use crate::value::{InField, Invalid};

/// Defines the options, each with its name and its type.
macro_rules! processing_options {
    ($($(#[doc = $doc:literal])* $name:ident: $type:ty,)*) => {
        /// How a recording is turned into clips. An option without a value is decided by the
        /// worker.
        ///
        /// ```
        /// use lectern_domain::ProcessingConfig;
        /// use serde_json::json;
        ///
        /// let of_job = ProcessingConfig::try_from(json!({ "max_clips": 2 }))?;
        /// let of_worker = ProcessingConfig::try_from(json!({ "max_clips": 9, "loudness": -16 }))?;
        /// let options = of_job.options().or(of_worker.options());
        /// assert_eq!(options.max_clips, of_job.options().max_clips);
        /// assert_eq!(options.loudness, of_worker.options().loudness);
        /// # Ok::<(), lectern_domain::Invalid>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct ProcessingOptions {
            $($(#[doc = $doc])* pub $name: Option<$type>,)*
        }

        impl ProcessingOptions {
            /// The names of the options, as in `processing_config`.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// The JSON Schema of each option, by its name. Each may also be `null`.
            pub fn json_schemas() -> Map<String, Value> {
                let mut schemas = Map::new();
                $(
                    let schema = <$type as OptionValue>::json_schema();
                    schemas.insert(
                        stringify!($name).to_owned(),
                        json!({
                            "description": concat!($($doc),*).trim(),
                            "anyOf": [schema, { "type": "null" }],
                        }),
                    );
                )*
                schemas
            }

            /// Reads the options from the members of `processing_config`; an option that is
            /// `null` has no value.
            pub(super) fn from_settings(settings: &Map<String, Value>) -> Result<Self, Invalid> {
                let options = Self {
                    $($name: match settings.get(stringify!($name)) {
                        None | Some(Value::Null) => None,
                        Some(json) => {
                            Some(OptionValue::from_json(json).in_field(stringify!($name))?)
                        }
                    },)*
                };
                options.check()?;
                Ok(options)
            }

            /// Reads stored options. An earlier version stored any value, so an option with an
            /// invalid value, or a maximum below its minimum, has no value.
            pub(super) fn from_stored(settings: &Map<String, Value>) -> Self {
                let mut options = Self {
                    $($name: settings
                        .get(stringify!($name))
                        .and_then(|json| OptionValue::from_json(json).ok()),)*
                };
                options.drop_contradictions(&Self::default());
                options
            }

            /// These options, and `defaults` for those without a value. A default that
            /// contradicts a value, such as a minimum above the maximum, is left out.
            #[must_use]
            pub fn or(&self, defaults: &Self) -> Self {
                let mut options = Self {
                    $($name: self.$name.clone().or_else(|| defaults.$name.clone()),)*
                };
                options.drop_contradictions(self);
                options
            }
        }
    };
}

processing_options! {
    /// The language of the speech, as a tag of BCP 47 such as `en` or `pt-BR`. Without it the
    /// subtitles or the recognizer decide.
    language: LanguageTag,
    /// Greatest height of the pictures in the clips.
    resolution: Resolution,
    /// The desired least number of clips.
    min_clips: ClipCount,
    /// The greatest number of clips.
    max_clips: ClipCount,
    /// The least length of a clip.
    min_clip_seconds: ClipSeconds,
    /// The greatest length of a clip.
    max_clip_seconds: ClipSeconds,
    /// The greatest length of all clips together, as a share of the recording.
    clip_share: ClipShare,
    /// Which parts of the picture the clips show; without it, the picture stays as it is, except
    /// that a screen beside the camera is enlarged.
    clip_layout: ClipLayout,
    /// Whether the subtitles are drawn into the picture of the clips.
    burn_subtitles: bool,
    /// The loudness that the clips get; without it they are as loud as the recording.
    loudness: Loudness,
    /// The audio track that is heard; without it, the one that players choose, or the loudest if
    /// that one is silent.
    audio_track: AudioTrack,
    /// The level below which sound is silence; without it, `auto`.
    silence_level: SilenceLevel,
}

impl ProcessingOptions {
    /// Checks the options that depend on each other.
    ///
    /// # Errors
    ///
    /// If a minimum is above its maximum; the error names the maximum.
    pub fn check(&self) -> Result<(), Invalid> {
        let rule = |minimum| Invalid::new(format!("must not be below {minimum}"));
        if is_above(self.min_clips, self.max_clips) {
            return Err(rule("min_clips")).in_field("max_clips");
        }
        if is_above(self.min_clip_seconds, self.max_clip_seconds) {
            return Err(rule("min_clip_seconds")).in_field("max_clip_seconds");
        }
        Ok(())
    }

    /// Leaves out minima and maxima that are not in `own` and contradict the others.
    fn drop_contradictions(&mut self, own: &Self) {
        if is_above(self.min_clips, self.max_clips) {
            (self.min_clips, self.max_clips) = (own.min_clips, own.max_clips);
        }
        if is_above(self.min_clip_seconds, self.max_clip_seconds) {
            let Self {
                min_clip_seconds,
                max_clip_seconds,
                ..
            } = own;
            (self.min_clip_seconds, self.max_clip_seconds) = (*min_clip_seconds, *max_clip_seconds);
        }
    }
}

fn is_above<T: PartialOrd>(minimum: Option<T>, maximum: Option<T>) -> bool {
    matches!((minimum, maximum), (Some(minimum), Some(maximum)) if minimum > maximum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(json: &Value) -> Result<ProcessingOptions, Invalid> {
        ProcessingOptions::from_settings(json.as_object().unwrap())
    }

    #[test]
    fn values_are_read_and_others_are_refused_with_their_name() {
        let read = options(&json!({
            "resolution": "720p", "min_clips": 1, "max_clips": 100, "min_clip_seconds": 1.5,
            "max_clip_seconds": 3600, "clip_share": 1, "burn_subtitles": true, "loudness": -16,
            "language": "ger", "audio_track": "mix", "silence_level": -40.5, "clip_layout": "stack",
            "model": "small",
        }))
        .unwrap();
        assert_eq!(read.audio_track, Some(AudioTrack::Mix));
        assert_eq!(read.silence_level, Some(SilenceLevel::Dbfs(-40.5)));
        assert_eq!(read.max_clips.map(ClipCount::get), Some(100));
        assert_eq!(read.language.as_deref(), Some("de"));
        assert_eq!(read.clip_share.map(ClipShare::get), Some(1.0));
        assert_eq!(
            options(&json!({ "loudness": null })),
            Ok(ProcessingOptions::default())
        );

        for (name, value) in [
            ("resolution", json!("8k")),
            ("language", json!("German")),
            ("language", json!(1)),
            ("min_clips", json!(0)),
            ("max_clips", json!(101)),
            ("max_clips", json!(2.5)),
            ("min_clip_seconds", json!(0)),
            ("max_clip_seconds", json!("60")),
            ("clip_share", json!(1.1)),
            ("clip_layout", json!("side_by_side")),
            ("burn_subtitles", json!(1)),
            ("loudness", json!(0)),
            ("audio_track", json!(0)),
            ("audio_track", json!(65)),
            ("audio_track", json!("all")),
            ("silence_level", json!(1)),
            ("silence_level", json!("quiet")),
        ] {
            let error = options(&json!({ name: value })).unwrap_err();
            assert_eq!(error.errors()[0].field, name);
            assert!(error.errors()[0].message.starts_with("must be "));
        }
    }

    #[test]
    fn a_minimum_above_the_maximum_is_refused() {
        let error = options(&json!({ "min_clips": 3, "max_clips": 2 })).unwrap_err();
        assert_eq!(error.errors()[0].field, "max_clips");
        let error = options(&json!({ "min_clip_seconds": 9, "max_clip_seconds": 8.5 }));
        assert_eq!(error.unwrap_err().errors()[0].field, "max_clip_seconds");
    }

    #[test]
    fn stored_values_of_another_kind_are_left_out() {
        let settings =
            json!({ "loudness": "loud", "min_clips": 3, "max_clips": 2, "clip_share": 1 });
        let stored = ProcessingOptions::from_stored(settings.as_object().unwrap());
        assert_eq!(stored, options(&json!({ "clip_share": 1 })).unwrap());
    }

    #[test]
    fn a_default_that_contradicts_a_value_is_left_out() {
        let of_worker = options(&json!({ "min_clips": 5, "max_clip_seconds": 30 })).unwrap();
        let of_job = options(&json!({ "max_clips": 2, "min_clip_seconds": 60 })).unwrap();
        assert_eq!(of_job.or(&of_worker), of_job);
        let both = of_job.or(&options(&json!({ "min_clips": 2 })).unwrap());
        assert_eq!(both.min_clips.map(ClipCount::get), Some(2));
    }
}
