//! Interlaced pictures, and pictures of high dynamic range.

use std::process::Command;

use lectern_media::{CutSettings, GrayPicture, HdrTransfer, MediaInfo};

use crate::fixture::{Fixture, brightness};
use crate::picture::picture_at;

/// The first clip and thumbnail of a recording, as pictures.
fn clip_and_thumbnail(fixture: &Fixture, recording: &MediaInfo) -> [GrayPicture; 2] {
    let clip = fixture.cut(recording, (0.0, 1.0), &CutSettings::default());
    [&clip, recording].map(|of| picture_at(fixture, of, 0.5))
}

/// The sum of the differences between each line and the mean of its neighbours, per pixel.
fn combing(picture: &GrayPicture) -> f64 {
    let mut sum = 0.0;
    for y in 1..picture.height - 1 {
        for x in 0..picture.width {
            let [above, line, below] =
                [y - 1, y, y + 1].map(|y| f64::from(brightness(picture, x, y)));
            sum += (line - f64::midpoint(above, below)).abs();
        }
    }
    sum / f64::from(picture.width * picture.height)
}

#[test]
fn interlaced_pictures_become_progressive() {
    let fixture = Fixture::new();
    // A bar that moves by eight pixels from field to field.
    let bar = "nullsrc=size=160x120:rate=50:duration=2,\
        geq=lum='16+219*lt(mod(X+8*N,160),40)':cb=128:cr=128";
    for (options, name) in [
        (
            "-c:v libx264 -flags +ilme+ildct -x264opts tff=1",
            "fields.mp4",
        ),
        ("-c:v mpeg2video -q:v 2 -flags +ilme+ildct", "fields.ts"),
    ] {
        let options = format!("-vf interlace=scan=tff:lowpass=off,format=yuv420p {options}");
        let recording = fixture.probe(&fixture.render(&[bar], &options, name));
        let video = recording.video.as_ref().unwrap();
        assert!(video.may_be_interlaced);
        let combed = fixture.convert(
            &recording.path,
            "-ss 0.5 -frames:v 1 -f mjpeg",
            "combed.jpg",
        );
        let combed = combing(&gray(&combed, 160, 120));
        for picture in clip_and_thumbnail(&fixture, &recording) {
            let remaining = combing(&picture);
            assert!(remaining < combed / 4.0, "{name}: {remaining} of {combed}");
        }
    }
}

/// The brightness of the pixels of a picture file.
fn gray(path: &std::path::Path, width: u32, height: u32) -> GrayPicture {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args(["-pix_fmt", "gray", "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    let data = output.stdout;
    assert_eq!(data.len(), (width * height) as usize);
    GrayPicture {
        width,
        height,
        data,
    }
}

#[test]
fn a_progressive_picture_keeps_its_lines() {
    let fixture = Fixture::new();
    // Every second line is white.
    let lines = "nullsrc=size=160x120:rate=25:duration=1,geq=lum='16+219*mod(Y,2)':cb=128:cr=128";
    let options = "-c:v libx264 -qp 1 -pix_fmt yuv420p";
    for name in ["lines.mp4", "lines.ts"] {
        let recording = fixture.probe(&fixture.render(&[lines], options, name));
        let clip = fixture.cut(&recording, (0.0, 1.0), &CutSettings::default());
        let combing = combing(&picture_at(&fixture, &clip, 0.5));
        assert!(combing > 200.0, "{combing}");
    }
}

#[test]
fn a_high_dynamic_range_becomes_standard() {
    let fixture = Fixture::new();
    // White is 58 % of the signal in PQ and 75 % in HLG (ITU-R BT.2408).
    for (transfer, hdr, white) in [
        ("smpte2084", HdrTransfer::Pq, 0.58),
        ("arib-std-b67", HdrTransfer::Hlg, 0.75),
    ] {
        let picture = format!(
            "color=black:size=160x120:rate=10:duration=1,format=yuv420p10le,\
             geq=lum='64+876*{white}*gt(X,80)':cb=512:cr=512"
        );
        let options = format!(
            "-c:v libx265 -preset ultrafast -x265-params log-level=none -color_primaries bt2020 \
             -color_trc {transfer} -colorspace bt2020nc -color_range tv"
        );
        let recording = fixture.probe(&fixture.render(&[&picture], &options, "hdr.mp4"));
        assert_eq!(recording.video.as_ref().unwrap().hdr, Some(hdr));
        let clip = fixture.cut(&recording, (0.0, 1.0), &CutSettings::default());
        assert_eq!(clip.video.as_ref().unwrap().hdr, None);
        for picture in clip_and_thumbnail(&fixture, &recording) {
            let [black, white] = [40, 120].map(|x| brightness(&picture, x, 60));
            assert!(black < 20 && white > 200, "{transfer}: {black} {white}");
        }
    }
}
