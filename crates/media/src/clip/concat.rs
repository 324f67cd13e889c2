//! Joining clips into one highlight reel.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{self, Path};

use super::encoding::{CutSettings, clip_channels, encode};
use crate::error::Error;
use crate::ffmpeg::Media;
use crate::picture::{constant_rate, constant_rate_filters, square_pixel_size};
use crate::probe::{FrameRate, MediaInfo};

impl Media {
    /// Joins finished clips in the given order into an MP4 that can be played
    /// while it loads.
    ///
    /// If all clips have the same tracks, codecs, sizes and frame rates, the clips are
    /// copied without loss. Otherwise all clips are encoded again with `settings`, in
    /// the size and frame rate of the first clip with a picture. A picture with
    /// another aspect ratio gets black bars. A clip without a picture or sound gets
    /// a black picture or silence.
    ///
    /// `progress` gets the seconds done.
    pub fn concat(
        &self,
        clips: &[&Path],
        settings: &CutSettings,
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), Error> {
        let clips: Vec<MediaInfo> = clips
            .iter()
            .map(|clip| self.probe(clip))
            .collect::<Result<_, _>>()?;
        let first = clips.first().ok_or(Error::NoClips)?;
        if clips.iter().all(|clip| is_compatible(first, clip)) {
            self.copy_joined(&clips, out, progress)
        } else {
            self.encode_joined(&clips, settings, out, progress)
        }
    }

    /// Joins the packets of all clips without decoding them.
    fn copy_joined(
        &self,
        clips: &[MediaInfo],
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), Error> {
        let out = path::absolute(out).map_err(Error::io("resolve the path", out))?;
        let dir = tempfile::Builder::new()
            .prefix("concat-")
            .tempdir_in(out.parent().unwrap_or(&out))
            .map_err(Error::io("create a directory beside", &out))?;
        // The list has symlinks to the clips, because it cannot contain a file name
        // with a line break.
        let mut list = String::from("ffconcat version 1.0\n");
        for (index, clip) in clips.iter().enumerate() {
            let name = format!("{index}.mp4");
            symlink(&clip.path, dir.path().join(&name)).map_err(Error::io("link", &clip.path))?;
            list.extend(["file ", &name, "\n"]);
        }
        let list_path = dir.path().join("list");
        fs::write(&list_path, list).map_err(Error::io("write", &list_path))?;
        let ffmpeg = self
            .ffmpeg_with_progress()
            .args(["-protocol_whitelist", "file", "-f", "concat", "-i"])
            .arg(&list_path)
            .args(["-map", "0", "-c", "copy", "-map_metadata", "-1"])
            .args(["-movflags", "+faststart", "-f", "mp4"]);
        self.write("join clips", ffmpeg, &out, progress)
    }

    /// Decodes all clips and encodes them as one.
    fn encode_joined(
        &self,
        clips: &[MediaInfo],
        settings: &CutSettings,
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), Error> {
        let video = clips.iter().find_map(|clip| clip.video.as_ref());
        let format = video.map(|video| PictureFormat {
            size: square_pixel_size(video, video.height),
            rate: constant_rate(video),
        });
        let channels = clips
            .iter()
            .filter_map(|clip| clip.audio.as_ref())
            .map(clip_channels)
            .max();
        let mut filters = Vec::new();
        let mut concat_inputs = String::new();
        let mut ffmpeg = self.ffmpeg_with_progress();
        for (index, clip) in clips.iter().enumerate() {
            ffmpeg = ffmpeg.args(self.input_options(&clip.path));
            if let Some(format) = &format {
                filters.push(format.filters(index, clip));
                concat_inputs.extend([format!("[v{index}]")]);
            }
            if let Some(channels) = channels {
                filters.push(audio_filters(index, clip, channels));
                concat_inputs.extend([format!("[a{index}]")]);
            }
        }
        filters.push(format!(
            "{concat_inputs}concat=n={n}:v={v}:a={a}{video_output}{audio_output}",
            n = clips.len(),
            v = u8::from(video.is_some()),
            a = u8::from(channels.is_some()),
            video_output = if video.is_some() { "[v]" } else { "" },
            audio_output = if channels.is_some() { "[a]" } else { "" },
        ));
        let ffmpeg = ffmpeg.args(["-filter_complex", &filters.join(";")]);
        let ffmpeg = encode(ffmpeg, video.is_some(), channels, settings);
        self.write("join clips", ffmpeg, out, progress)
    }
}

/// The size and the frame rate of a reel.
struct PictureFormat {
    /// Width and height in pixels.
    size: (u32, u32),
    rate: FrameRate,
}

impl PictureFormat {
    /// The filters that convert the picture of a clip, or generate a black picture. Their
    /// output is `[v<index>]`.
    fn filters(&self, index: usize, clip: &MediaInfo) -> String {
        let ((width, height), rate) = (self.size, self.rate);
        let duration = clip.duration;
        let picture = match &clip.video {
            Some(video) => format!("[{index}:{}]{}", video.index, constant_rate_filters(rate)),
            None => format!("color=black:rate={}/{}", rate.frames, rate.seconds),
        };
        format!(
            "{picture},trim=end={duration},\
             scale=w='trunc(min({width},{height}*dar)/2)*2':h='trunc(min({height},{width}/dar)/2)*2',\
             pad={width}:{height}:-1:-1,setsar=1,format=yuv420p[v{index}]"
        )
    }
}

/// The filters that convert the sound of a clip, or generate silence. Their output is
/// `[a<index>]`.
fn audio_filters(index: usize, clip: &MediaInfo, channels: u32) -> String {
    let duration = clip.duration;
    let layout = if channels == 1 { "mono" } else { "stereo" };
    let sound = match &clip.audio {
        Some(audio) => format!(
            "[{index}:{}]aresample=48000:async=1:first_pts=0",
            audio.index
        ),
        None => "anullsrc=sample_rate=48000".into(),
    };
    format!(
        "{sound},aformat=sample_rates=48000:channel_layouts={layout},\
         apad,atrim=end={duration}[a{index}]"
    )
}

/// Whether the packets of both clips can be joined without encoding.
fn is_compatible(one: &MediaInfo, other: &MediaInfo) -> bool {
    let picture = |clip: &MediaInfo| {
        clip.video.clone().map(|video| {
            let size = (video.width, video.height, video.rotation);
            let rate = constant_rate(&video);
            (
                video.codec,
                video.index,
                size,
                video.pixel_aspect.to_bits(),
                rate,
            )
        })
    };
    picture(one) == picture(other) && one.audio == other.audio
}
