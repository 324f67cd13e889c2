//! Recordings rendered by ffmpeg, so that the true layout is known.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// Duration of each recording, in seconds.
pub(crate) const DURATION: u32 = 24;
/// Frames per second.
const FRAME_RATE: u32 = 5;

/// The content of a rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Random slides from this seed, each shown for three to five seconds.
    Slides(u32),
    /// The same slides with inverted colors.
    DarkSlides(u32),
    /// A presenter in front of a wall with a shelf; only the head and the
    /// shoulders move.
    Face,
    /// The same presenter in a circle.
    RoundFace,
    /// Motion nearly everywhere; a video source filter of ffmpeg.
    Moving(&'static str),
    /// The first frame of a video source filter of ffmpeg.
    Still(&'static str),
    /// A color.
    Plain(&'static str),
}

/// A rectangle in pixels: x, y, width, height.
pub(crate) type Area = [u32; 4];

/// Layers of content with film grain.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    /// Width and height in pixels.
    size: (u32, u32),
    /// From the bottom to the top.
    layers: Vec<Layer>,
    /// Strength of the noise filter of ffmpeg, 0 to 100.
    grain: u32,
}

#[derive(Debug, Clone)]
struct Layer {
    content: Content,
    area: Area,
    /// When it is visible: an ffmpeg expression of the time `t`.
    enable: &'static str,
}

impl Scene {
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self {
            size: (width, height),
            layers: Vec::new(),
            grain: 12,
        }
    }

    pub(crate) fn with(self, content: Content, area: Area) -> Self {
        self.with_at_times(content, area, "1")
    }

    /// `enable` is an ffmpeg expression of the time `t`.
    pub(crate) fn with_at_times(
        mut self,
        content: Content,
        area: Area,
        enable: &'static str,
    ) -> Self {
        self.layers.push(Layer {
            content,
            area,
            enable,
        });
        self
    }

    pub(crate) fn filled_with(self, content: Content) -> Self {
        let area = self.full_area();
        self.with(content, area)
    }

    pub(crate) fn grain(mut self, grain: u32) -> Self {
        self.grain = grain;
        self
    }

    pub(crate) fn full_area(&self) -> Area {
        [0, 0, self.size.0, self.size.1]
    }

    /// Renders the scene into an H.264 file.
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
            .args(["-t", &DURATION.to_string()])
            .args(["-c:v", "libx264", "-preset", "ultrafast"])
            .args(["-crf", "26", "-threads", "1"])
            .arg(path)
            .status()
            .unwrap();
        assert!(status.success(), "ffmpeg failed:\n{graph}");
    }

    /// The filter graph that draws all layers and adds the grain.
    fn graph(&self) -> String {
        let (width, height) = self.size;
        let mut graph = format!("color=black:s={width}x{height}:r={FRAME_RATE}[base0]");
        for (index, layer) in self.layers.iter().enumerate() {
            let ([x, y, width, height], enable) = (layer.area, layer.enable);
            let filters = layer.content.filters(width, height, index);
            let next = index + 1;
            write!(
                graph,
                ";{filters}[layer{index}];\
                 [base{index}][layer{index}]overlay={x}:{y}:enable='{enable}'[base{next}]"
            )
            .unwrap();
        }
        let (last, grain) = (self.layers.len(), self.grain);
        graph + &format!(";[base{last}]noise=alls={grain}:allf=t,format=yuv420p[out]")
    }
}

impl Content {
    /// The filter chain that draws the content; `index` makes labels unique.
    fn filters(self, width: u32, height: u32, index: usize) -> String {
        match self {
            Self::Slides(seed) => slides(width, height, seed),
            Self::DarkSlides(seed) => slides(width, height, seed) + ",negate",
            Self::Face => face(width, height, index),
            Self::RoundFace => format!(
                "{},format=yuva420p,geq=lum='p(X,Y)':cb='p(X,Y)':cr='p(X,Y)':\
                 a='255*lt(hypot(X-W/2,Y-H/2),H/2)'",
                face(width, height, index),
            ),
            Self::Moving(source) => {
                let separator = if source.contains('=') { ':' } else { '=' };
                format!("{source}{separator}r={FRAME_RATE},scale={width}:{height},setsar=1")
            }
            Self::Still(source) => format!(
                "{source}=s={width}x{height}:r={FRAME_RATE},trim=end_frame=1,loop=-1:1,setpts=N/{FRAME_RATE}/TB,setsar=1"
            ),
            Self::Plain(color) => format!("color={color}:s={width}x{height}:r={FRAME_RATE}"),
        }
    }
}

/// White slides with a colored header, lines of words, and on about every
/// second slide a figure.
fn slides(width: u32, height: u32, seed: u32) -> String {
    let mut random = Random(seed);
    let mut chain = format!(
        "color=white:s={width}x{height}:r={FRAME_RATE},drawbox=0:0:iw:ih/9:color=0x204080:t=fill,\
         drawbox=0:ih-ih/24:iw:ih:color=0xb0b0b0:t=fill"
    );
    let mut start = 0;
    while start < DURATION {
        let end = start + 3 + random.below(3);
        let mut draw = |x: u32, y: u32, w: u32, h: u32, color: &str| {
            write!(
                chain,
                ",drawbox={x}:{y}:{w}:{h}:color={color}:t=fill:enable='gte(t,{start})*lt(t,{end})'"
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
            let line_end = width / 2 + random.below(width / 3);
            while x < line_end {
                let word_width = width / 40 + random.below(width / 14);
                draw(x, y, word_width, height / 26, "0x202020");
                x += word_width + width / 60;
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
        start = end;
    }
    chain
}

/// A head and shoulders that move in front of a still wall.
fn face(width: u32, height: u32, index: usize) -> String {
    let (head_width, head_height) = (width.min(height) * 2 / 5, width.min(height) / 2);
    let (body_width, body_height) = (head_width * 2, height / 2);
    let oval = |w: u32, h: u32, luma: u32| {
        format!(
            "color=gray:s={w}x{h}:r={FRAME_RATE},trim=end_frame=1,format=yuva420p,\
             geq=lum='{luma}+40*sin(X/4)*cos(Y/3)':cb=120:cr=140:\
             a='255*lt(hypot((X-W/2)/(W/2),(Y-H/2)/(H/2)),1)',loop=-1:1,setpts=N/{FRAME_RATE}/TB"
        )
    };
    let label = |name: &str| format!("{name}{index}");
    format!(
        "color=0x8090a0:s={width}x{height}:r={FRAME_RATE},drawbox=iw*2/3:0:iw/4:ih*2/3:color=0x705030:t=fill,\
         drawbox=iw/12:ih/6:iw/4:ih/40:color=0x403020:t=fill[{wall}];\
         {head}[{face}];{body}[{shoulders}];\
         [{wall}][{shoulders}]overlay=x='(W-w)/2+W/30*sin(t*1.7)':y='H-h*0.7+H/60*sin(t*2.3)'[{with_body}];\
         [{with_body}][{face}]overlay=x='(W-w)/2+W/18*sin(t*1.7+0.4)':y='H*0.16+H/40*sin(t*3.1)',setsar=1",
        head = oval(head_width, head_height, 150),
        body = oval(body_width, body_height, 60),
        wall = label("wall"),
        face = label("face"),
        shoulders = label("shoulders"),
        with_body = label("with_body"),
    )
}

/// A Lehmer generator (Park & Miller, "Random number generators: good ones are
/// hard to find", 1988; multiplier 48271).
struct Random(u32);

impl Random {
    /// Nearly uniform below `limit`.
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = u32::try_from(u64::from(self.0) * 48_271 % 0x7fff_ffff).unwrap();
        self.0 % limit.max(1)
    }
}
