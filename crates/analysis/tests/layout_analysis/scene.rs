//! Recordings rendered by ffmpeg, of which is known what they show.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// Seconds of each recording, and its frames per second.
const LENGTH: u32 = 24;
const RATE: u32 = 5;

/// Something that fills a rectangle, as a chain of ffmpeg's filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// Slides, drawn from this seed, each shown for three to five seconds.
    Slides(u32),
    /// A presenter before a wall with a shelf: nothing but the head and the
    /// shoulders moves.
    Face,
    /// A picture that moves nearly everywhere, named as ffmpeg's source.
    Source(&'static str),
    /// A still picture, named as ffmpeg's source.
    Still(&'static str),
    /// One colour.
    Plain(&'static str),
}

/// A rectangle in pixels: x, y, width, height.
pub(crate) type Place = [u32; 4];

/// What is drawn where, one on top of the other, and how grainy it is.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    size: (u32, u32),
    /// The third is when it is there, as ffmpeg puts it.
    layers: Vec<(Show, Place, &'static str)>,
    grain: u32,
}

impl Scene {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self {
            size: (width, height),
            layers: Vec::new(),
            grain: 12,
        }
    }

    pub(crate) fn with(self, show: Show, place: Place) -> Self {
        self.sometimes(show, place, "1")
    }

    pub(crate) fn sometimes(mut self, show: Show, place: Place, when: &'static str) -> Self {
        self.layers.push((show, place, when));
        self
    }

    pub(crate) fn full(self, show: Show) -> Self {
        let place = self.all();
        self.with(show, place)
    }

    pub(crate) fn grain(mut self, grain: u32) -> Self {
        self.grain = grain;
        self
    }

    /// The whole picture.
    pub(crate) fn all(&self) -> Place {
        [0, 0, self.size.0, self.size.1]
    }

    /// Renders it into the file.
    pub(crate) fn render(&self, path: &Path) {
        let graph = self.graph();
        let status = Command::new("ffmpeg")
            .args([
                "-v",
                "error",
                "-y",
                "-filter_complex",
                &graph,
                "-map",
                "[out]",
            ])
            .args([
                "-t",
                &LENGTH.to_string(),
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
            ])
            .args(["-crf", "26", "-threads", "1"])
            .arg(path)
            .status()
            .unwrap();
        assert!(status.success(), "could not be rendered:\n{graph}");
    }

    fn graph(&self) -> String {
        let (width, height) = self.size;
        let mut graph = format!("color=black:s={width}x{height}:r={RATE}[under0]");
        for (index, (show, [x, y, width, height], when)) in self.layers.iter().enumerate() {
            let layer = show.chain(*width, *height, index);
            let over = index + 1;
            write!(
                graph,
                ";{layer}[layer{index}];\
                 [under{index}][layer{index}]overlay={x}:{y}:enable='{when}'[under{over}]"
            )
            .unwrap();
        }
        let (last, grain) = (self.layers.len(), self.grain);
        graph + &format!(";[under{last}]noise=alls={grain}:allf=t,format=yuv420p[out]")
    }
}

impl Show {
    fn chain(self, width: u32, height: u32, unique: usize) -> String {
        match self {
            Self::Slides(seed) => slides(width, height, seed),
            Self::Face => face(width, height, unique),
            Self::Source(source) => {
                let sep = if source.contains('=') { ':' } else { '=' };
                format!("{source}{sep}r={RATE},scale={width}:{height},setsar=1")
            }
            Self::Still(source) => format!(
                "{source}=s={width}x{height}:r={RATE},trim=end_frame=1,loop=-1:1,setpts=N/{RATE}/TB,setsar=1"
            ),
            Self::Plain(colour) => format!("color={colour}:s={width}x{height}:r={RATE}"),
        }
    }
}

/// White slides with a coloured head, lines of words, and now and then a
/// figure; the same template on all.
fn slides(width: u32, height: u32, seed: u32) -> String {
    let mut random = Random(seed);
    let mut chain = format!(
        "color=white:s={width}x{height}:r={RATE},drawbox=0:0:iw:ih/9:color=0x204080:t=fill,\
         drawbox=0:ih-ih/24:iw:ih:color=0xb0b0b0:t=fill"
    );
    let mut begin = 0;
    while begin < LENGTH {
        let end = begin + 3 + random.below(3);
        let mut draw = |x: u32, y: u32, w: u32, h: u32, colour: &str| {
            write!(
                chain,
                ",drawbox={x}:{y}:{w}:{h}:color={colour}:t=fill:enable='gte(t,{begin})*lt(t,{end})'"
            )
            .unwrap();
        };
        draw(
            width / 20,
            height / 36,
            width / 4 + random.below(width / 3),
            height / 18,
            "white",
        );
        for line in 0..4 + random.below(4) {
            let y = height / 6 + line * height / 11;
            let mut x = width / 16;
            let line_ends = width / 2 + random.below(width / 3);
            while x < line_ends {
                let word = width / 40 + random.below(width / 14);
                draw(x, y, word, height / 26, "0x202020");
                x += word + width / 60;
            }
        }
        if random.below(2) == 0 {
            let (w, h) = (
                width / 4 + random.below(width / 4),
                height / 4 + random.below(height / 4),
            );
            draw(
                random.below(width - w),
                height / 5 + random.below(height / 2),
                w,
                h,
                "0xd08030",
            );
        }
        begin = end;
    }
    chain
}

/// Only a head and shoulders move.
fn face(width: u32, height: u32, unique: usize) -> String {
    let (head, tall) = (width.min(height) * 2 / 5, width.min(height) / 2);
    let (body, deep) = (head * 2, height / 2);
    let oval = |w: u32, h: u32, bright: u32| {
        format!(
            "color=gray:s={w}x{h}:r={RATE},trim=end_frame=1,format=yuva420p,\
             geq=lum='{bright}+40*sin(X/4)*cos(Y/3)':cb=120:cr=140:\
             a='255*lt(hypot((X-W/2)/(W/2),(Y-H/2)/(H/2)),1)',loop=-1:1,setpts=N/{RATE}/TB"
        )
    };
    let name = |part: &str| format!("{part}{unique}");
    format!(
        "color=0x8090a0:s={width}x{height}:r={RATE},drawbox=iw*2/3:0:iw/4:ih*2/3:color=0x705030:t=fill,\
         drawbox=iw/12:ih/6:iw/4:ih/40:color=0x403020:t=fill[{wall}];\
         {head}[{face}];{body}[{shoulders}];\
         [{wall}][{shoulders}]overlay=x='(W-w)/2+W/30*sin(t*1.7)':y='H-h*0.7+H/60*sin(t*2.3)'[{sat}];\
         [{sat}][{face}]overlay=x='(W-w)/2+W/18*sin(t*1.7+0.4)':y='H*0.16+H/40*sin(t*3.1)',setsar=1",
        head = oval(head, tall, 150),
        body = oval(body, deep, 60),
        wall = name("wall"),
        face = name("face"),
        shoulders = name("shoulders"),
        sat = name("sat"),
    )
}

/// A small generator of the kind of Lehmer (1951), so that slides differ.
struct Random(u32);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = u32::try_from(u64::from(self.0) * 48_271 % 0x7fff_ffff).unwrap();
        self.0 % limit.max(1)
    }
}
