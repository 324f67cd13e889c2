//! Which layout it is, and how sure that is.

use lectern_domain::LayoutType::{
    self, CameraOnly, PictureInPicture, ScreenOnly, SideBySide, Unknown,
};

use super::border::Borders;
use super::film::{Film, LYING, UPRIGHT};
use super::motion::{Motion, share};
use super::picture::{structure, without_bars};
use super::rectangle::{self, Found, Rectangle, groups};

/// With fewer samples nothing is told.
const FEWEST: usize = 8;
/// In which share of the calm pairs a cell must change to be one that keeps
/// moving.
const KEEPS_MOVING: f64 = 0.2;
/// The least part of the picture that keeps moving where there is a camera: a
/// clock or a blinking cursor is less, a face in the smallest inset more.
const LEAST_MOTION: f64 = 0.004;
/// The least part of width and height that a camera fills; what moves in less
/// is a clock, too.
const LEAST_SIDE: f64 = 0.07;
/// From which part of a length on all of it is meant.
const ALL: f64 = 0.9;
/// The largest part of the width a camera beside the screen fills.
const MOST_BESIDE: f64 = 0.65;
/// The largest part of width and height a camera on the screen fills.
const MOST_WITHIN: f64 = 0.6;
/// How near to an edge of the picture is at it, as a part of the width.
const NEAR: f64 = 0.04;
/// How much must be seen of the border between screen and camera.
const PARTED: f64 = 0.8;
/// The least part of places with an edge where there is something to see.
const SOMETHING: f64 = 0.002;
/// The least part of the camera's cells that must change for it to move.
const MOVES: f64 = 0.03;
/// The least part of the screen's cells that change with a slide.
const TURNS: f64 = 0.05;
/// The part of the camera's picture that must move for full confidence: of a
/// face before a wall about that is left in calm pairs.
const FILLED: f64 = 0.12;
/// The part that must move, for full confidence, of the rectangle around what
/// moves: of one around two cameras it is less.
const TOGETHER: f64 = 1.0 / 3.0;
/// The most confidence in a screen that never changes: it may be a camera's
/// picture that was frozen.
const FROZEN: f64 = 0.75;
/// What is less sure than this is told as unknown.
const SURE: f64 = 0.5;

/// What was told, in pixels of the samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) layout: LayoutType,
    pub(super) screen: Option<Rectangle>,
    pub(super) camera: Option<Rectangle>,
    pub(super) split: Option<f64>,
    pub(super) confidence: f64,
}

impl Answer {
    fn unknown(confidence: f64) -> Self {
        Self {
            layout: Unknown,
            screen: None,
            camera: None,
            split: None,
            confidence,
        }
    }
}

/// Applies the rule.
pub(super) fn apply(film: &Film) -> Answer {
    if film.pairs.len() + 1 < FEWEST {
        return Answer::unknown(0.0);
    }
    let scene = Scene {
        film,
        motion: Motion::of(film),
        picture: without_bars(&film.samples),
    };
    let answer = scene.told();
    if answer.confidence < SURE {
        Answer::unknown(answer.confidence)
    } else {
        answer
    }
}

/// What the rule looks at.
struct Scene<'a> {
    film: &'a Film,
    motion: Motion,
    /// Without black bars.
    picture: Rectangle,
}

impl Scene<'_> {
    fn told(&self) -> Answer {
        let patches = self.motion.patches(KEEPS_MOVING);
        let moving = patches.pixels() as f64;
        let least = LEAST_MOTION * self.picture.area() as f64;
        let clock = (moving / least).min(1.0);
        if moving < least {
            return self.screen_only(clock);
        }
        let upright = Borders::of(self.film, UPRIGHT, &self.motion);
        let lying = Borders::of(self.film, LYING, &self.motion);
        let extent = patches.extent().within(self.picture);
        let found = rectangle::find(extent, self.picture, &upright, &lying);
        let (wide, high) = found.rectangle.part_of(self.picture);
        if wide < LEAST_SIDE || high < LEAST_SIDE {
            return self.screen_only(clock);
        }
        let together = (moving / extent.area().max(1) as f64 / TOGETHER).min(1.0);
        self.with_camera(found, moving, together, &upright)
    }

    /// `clock` is how near what keeps moving comes to what a camera moves.
    fn screen_only(&self, clock: f64) -> Answer {
        let rest = self.rest(|_, _| true);
        if !self.shows(|_, _| true) {
            return Answer::unknown(0.0);
        }
        let confidence = if rest < 1.0 { rest } else { FROZEN };
        Answer {
            layout: ScreenOnly,
            screen: Some(self.picture),
            camera: None,
            split: None,
            confidence: confidence.min(1.0 - clock / 2.0),
        }
    }

    fn with_camera(&self, found: Found, moving: f64, together: f64, upright: &Borders) -> Answer {
        let (picture, camera) = (self.picture, found.rectangle);
        let holds = |column, row| camera.holds_cell(column, row);
        let moves = share(self.motion.changes(MOVES, holds).into_iter());
        let filled = (moving / camera.area() as f64 / FILLED).min(1.0);
        let confidence = moves.min(filled).min(together).min(found.seen);
        let rest = self.rest(|column, row| !camera.holds_cell(column, row));
        // Scaling smears an edge over a few pixels.
        let about = camera.grown(3);
        let (wide, high) = camera.part_of(picture);

        let alone = rest >= 1.0 && !self.shows(|x, y| !about.holds(x, y));
        if alone || (wide >= ALL && high >= ALL) {
            return Answer {
                layout: CameraOnly,
                screen: None,
                camera: Some(camera),
                split: None,
                confidence,
            };
        }
        let confidence = confidence.min(rest);
        if wide <= MOST_BESIDE
            && let Some(screen) = self.screen_beside(camera, upright)
        {
            return Answer {
                layout: SideBySide,
                screen: Some(screen),
                camera: Some(camera),
                split: Some(screen.width() as f64 / picture.width() as f64),
                confidence,
            };
        }
        if wide <= MOST_WITHIN && high <= MOST_WITHIN {
            return Answer {
                layout: PictureInPicture,
                screen: Some(picture),
                camera: Some(camera),
                split: None,
                confidence,
            };
        }
        Answer::unknown(0.0)
    }

    /// What is beside the camera, if that is at one side of the picture, a
    /// border as high as the picture parts the two, and there is nothing above
    /// and below the camera.
    fn screen_beside(&self, camera: Rectangle, upright: &Borders) -> Option<Rectangle> {
        let picture = self.picture;
        let near =
            |one: usize, other: usize| one.abs_diff(other) as f64 <= NEAR * picture.width() as f64;
        let parts = |place: usize| {
            let rows = groups(picture.top, picture.bottom);
            upright.best(place.saturating_sub(1)..=place + 1, rows) >= PARTED
        };
        let screen = match (
            near(camera.left, picture.left),
            near(camera.right, picture.right),
        ) {
            (true, false) if parts(camera.right) => Rectangle {
                left: camera.right,
                ..picture
            },
            (false, true) if parts(camera.left) => Rectangle {
                right: camera.left,
                ..picture
            },
            _ => return None,
        };
        let about = camera.grown(3);
        let apart = |x, y| !about.holds(x, y) && !screen.grown(3).holds(x, y);
        let (_, high) = camera.part_of(picture);
        (high >= ALL || !self.shows(apart)).then_some(screen)
    }

    /// How still it is where `belongs` says, by column and row of cells: 1 less
    /// the share of the pairs in which it changes as with a slide, and less
    /// once more the share of those that do directly after another.
    fn rest(&self, belongs: impl Fn(usize, usize) -> bool) -> f64 {
        let picture = self.picture;
        let turns = self.motion.changes(TURNS, |column, row| {
            picture.holds_cell(column, row) && belongs(column, row)
        });
        let pairs = turns.len().max(1) as f64;
        let again = turns.windows(2).filter(|two| two[0] && two[1]).count() as f64 / pairs;
        (1.0 - share(turns.into_iter()) - again).max(0.0)
    }

    /// Whether there is something to see where `belongs` says, by pixel.
    fn shows(&self, belongs: impl Fn(usize, usize) -> bool) -> bool {
        let within = |x, y| self.picture.holds(x, y) && belongs(x, y);
        structure(&self.film.samples, self.motion.threshold, within) >= SOMETHING
    }
}
