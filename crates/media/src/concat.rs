//! One highlight reel of several clips.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{self, Path};

use crate::cut::{channels, encode};
use crate::media::input;
use crate::picture::{constant_rate, fit, shown_from_start};
use crate::{CutSettings, Error, Media, Probe};

impl Media {
    /// Puts finished clips together, one after the other, as MP4 that plays
    /// before it is loaded.
    ///
    /// Clips of one kind are copied as they are. If they differ in codec, size,
    /// rate or tracks, all are encoded again by `settings`: in the first
    /// picture's size and rate (black around what has another shape), with
    /// black or silence where a clip lacks a track that another has.
    ///
    /// `progress` is told how many seconds are done.
    pub fn concat(
        &self,
        clips: &[&Path],
        settings: &CutSettings,
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), Error> {
        let clips: Vec<Probe> = clips
            .iter()
            .map(|clip| self.probe(clip))
            .collect::<Result<_, _>>()?;
        let first = clips.first().ok_or(Error::NoClips)?;
        if clips.iter().all(|clip| same_kind(first, clip)) {
            self.join(&clips, out, progress)
        } else {
            self.join_anew(&clips, settings, out, progress)
        }
    }

    /// Copies the packets of all clips.
    fn join(
        &self,
        clips: &[Probe],
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), Error> {
        let failed = |doing, path: &Path| {
            let path = path.to_owned();
            move |source: io::Error| Error::Io {
                doing,
                path,
                source,
            }
        };
        let out = path::absolute(out).map_err(failed("find", out))?;
        let dir = tempfile::Builder::new()
            .prefix("concat-")
            .tempdir_in(out.parent().unwrap_or(&out))
            .map_err(failed("write beside", &out))?;
        // Links, because a list cannot tell every name: it is read by lines.
        let mut list = String::from("ffconcat version 1.0\n");
        for (number, clip) in clips.iter().enumerate() {
            let name = format!("{number}.mp4");
            symlink(&clip.path, dir.path().join(&name)).map_err(failed("link", &clip.path))?;
            list.extend(["file ", &name, "\n"]);
        }
        let path = dir.path().join("list");
        fs::write(&path, list).map_err(failed("write", &path))?;
        let ffmpeg = self
            .telling_ffmpeg()
            .args(["-protocol_whitelist", "file", "-f", "concat", "-i"])
            .arg(&path)
            .args(["-map", "0", "-c", "copy", "-map_metadata", "-1"])
            .args(["-movflags", "+faststart", "-f", "mp4"]);
        self.write("join clips", ffmpeg, &out, progress)
    }

    /// Decodes all clips and encodes them as one.
    fn join_anew(
        &self,
        clips: &[Probe],
        settings: &CutSettings,
        out: &Path,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), Error> {
        let video = clips.iter().find_map(|clip| clip.video.as_ref());
        let most = clips
            .iter()
            .filter_map(|clip| clip.audio.as_ref())
            .map(channels)
            .max();
        let shape = video.map(|video| (fit(video, video.height), constant_rate(video)));
        let mut filters = Vec::new();
        let mut order = String::new();
        let mut ffmpeg = self.telling_ffmpeg();
        for (number, clip) in clips.iter().enumerate() {
            ffmpeg = ffmpeg.args(input(&clip.path));
            let duration = clip.duration;
            if let Some(((width, height), rate)) = shape {
                let picture = match &clip.video {
                    Some(video) => format!("[{number}:{}]{}", video.index, shown_from_start(rate)),
                    None => format!("color=black:rate={}/{}", rate.frames, rate.seconds),
                };
                filters.push(format!(
                    "{picture},trim=end={duration},\
                     scale=w='trunc(min({width},{height}*dar)/2)*2':h='trunc(min({height},{width}/dar)/2)*2',\
                     pad={width}:{height}:-1:-1,setsar=1,format=yuv420p[v{number}]"
                ));
                order.extend([format!("[v{number}]")]);
            }
            if let Some(most) = most {
                let layout = if most == 1 { "mono" } else { "stereo" };
                let sound = match &clip.audio {
                    Some(audio) => format!(
                        "[{number}:{}]aresample=48000:async=1:first_pts=0",
                        audio.index
                    ),
                    None => "anullsrc=sample_rate=48000".into(),
                };
                filters.push(format!(
                    "{sound},aformat=sample_rates=48000:channel_layouts={layout},\
                     apad,atrim=end={duration}[a{number}]"
                ));
                order.extend([format!("[a{number}]")]);
            }
        }
        filters.push(format!(
            "{order}concat=n={n}:v={v}:a={a}{picture}{sound}",
            n = clips.len(),
            v = u8::from(video.is_some()),
            a = u8::from(most.is_some()),
            picture = if video.is_some() { "[v]" } else { "" },
            sound = if most.is_some() { "[a]" } else { "" },
        ));
        let ffmpeg = ffmpeg.args(["-filter_complex", &filters.join(";")]);
        let ffmpeg = encode(ffmpeg, video.is_some(), most, settings);
        self.write("join clips", ffmpeg, out, progress)
    }
}

/// Whether the packets of two clips can follow each other in one file.
fn same_kind(one: &Probe, other: &Probe) -> bool {
    let picture = |clip: &Probe| {
        clip.video.clone().map(|video| {
            let shape = (video.index, video.width, video.height, video.rotation);
            let rate = constant_rate(&video);
            (video.codec, shape, video.pixel_aspect.to_bits(), rate)
        })
    };
    picture(one) == picture(other) && one.audio == other.audio
}
