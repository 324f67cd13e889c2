//! Layouts of rendered recordings, of which is known what they show: grainy,
//! encoded as H.264, and sampled like any recording.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod scene;
mod telling;

use lectern_analysis::layout_analysis::{GrayFrame, analyse};
use lectern_domain::LayoutType::{CameraOnly, PictureInPicture, ScreenOnly, Unknown};
use lectern_media::Frames;
use proptest::prelude::*;
use scene::Show::{Face, Plain, Slides, Source, Still};
use scene::{Place, Scene, Show};
use telling::{
    assert_beside, assert_region, assert_told, assert_unknown, assert_within, frames, layout, told,
};

const FRACTAL: Show = Source("mandelbrot=s=320x180");
const PATTERN: Show = Source("testsrc2=s=320x180");
const MOLD: Show =
    Source("life=s=40x24:mold=10:life_color=white:death_color=gray:ratio=0.4:seed=8");
const CELLS: Show = Source("cellauto=s=48x27:seed=2:rule=110");

/// A picture of 320 by 180 whose left `split` pixels are one, the rest another.
fn halves(split: u32, left: Show, right: Show) -> (Scene, Place, Place) {
    let (one, other) = ([0, 0, split, 180], [split, 0, 320 - split, 180]);
    (
        Scene::new(320, 180).with(left, one).with(right, other),
        one,
        other,
    )
}

#[test]
fn a_camera_in_a_corner_of_the_screen_is_told_with_its_rectangle() {
    let slides = |seed| Scene::new(320, 180).full(Slides(seed));
    assert_within("face, bottom right", slides(101), Face, [228, 122, 84, 50]);
    assert_within("face, top left", slides(102), Face, [8, 6, 96, 60]);
    assert_within(
        "face, top right, touching",
        slides(103),
        Face,
        [240, 0, 80, 80],
    );
    assert_within(
        "mold, bottom left, touching",
        slides(105),
        MOLD,
        [0, 110, 110, 70],
    );
    assert_within(
        "cells, bottom right",
        slides(106),
        CELLS,
        [218, 118, 96, 54],
    );
}

#[test]
fn a_camera_is_found_anywhere_on_the_screen_and_in_any_size() {
    let slides = |seed| Scene::new(640, 360).full(Slides(seed));
    assert_within(
        "fractal, right, halfway down",
        slides(111),
        FRACTAL,
        [420, 120, 200, 120],
    );
    assert_within(
        "pattern, top right, large",
        slides(112),
        PATTERN,
        [350, 0, 290, 170],
    );
    assert_within(
        "face, bottom left, large",
        slides(114),
        Face,
        [10, 190, 260, 160],
    );
    let bars = Scene::new(640, 360).full(Still("smptebars"));
    assert_within("face on a still picture", bars, Face, [456, 16, 168, 112]);
}

#[test]
fn camera_and_screen_side_by_side_are_told_with_their_split() {
    let (scene, screen, camera) = halves(192, Slides(121), Face);
    assert_beside("face at the right, 0.6", &scene, screen, camera, 0.6);
    let (scene, camera, screen) = halves(96, Face, Slides(122));
    assert_beside("face at the left, 0.7", &scene, screen, camera, 0.7);
    let (scene, screen, camera) = halves(240, Slides(123), FRACTAL);
    assert_beside("fractal at the right, 0.75", &scene, screen, camera, 0.75);
    let (scene, camera, screen) = halves(160, PATTERN, Slides(124));
    assert_beside("pattern at the left, 0.5", &scene, screen, camera, 0.5);
    let (scene, screen, camera) = halves(208, Slides(125), MOLD);
    assert_beside("mold at the right, 0.65", &scene, screen, camera, 0.65);
    let (scene, camera, screen) = halves(112, CELLS, Slides(126));
    assert_beside("cells at the left, 0.65", &scene, screen, camera, 0.65);
}

#[test]
fn black_around_screen_and_camera_belongs_to_neither() {
    let (screen, camera) = ([0, 24, 220, 132], [220, 24, 100, 132]);
    let scene = Scene::new(320, 180)
        .with(Slides(131), screen)
        .with(Face, camera);
    assert_beside("bars above and below", &scene, screen, camera, 0.6875);

    let (screen, camera) = ([0, 0, 240, 180], [240, 0, 80, 60]);
    let scene = Scene::new(320, 180)
        .with(Slides(132), screen)
        .with(Face, camera);
    assert_beside("camera alone in its column", &scene, screen, camera, 0.75);

    let camera = [40, 0, 240, 180];
    let scene = Scene::new(320, 180).with(Face, camera);
    assert_told(
        "camera between bars",
        &scene,
        CameraOnly,
        None,
        Some(camera),
    );
}

#[test]
fn a_camera_without_a_screen_is_told() {
    for (name, camera) in [
        ("face", Face),
        ("fractal", FRACTAL),
        ("pattern", PATTERN),
        ("mold", MOLD),
        ("cells", CELLS),
    ] {
        let scene = Scene::new(320, 180).full(camera);
        assert_told(name, &scene, CameraOnly, None, Some(scene.all()));
    }
}

#[test]
fn a_screen_without_a_camera_is_told() {
    let clock = Source("cellauto=s=20x8:rule=30:seed=1");
    let slides = |seed| Scene::new(320, 180).full(Slides(seed));
    for (name, scene) in [
        ("slides", slides(141)),
        ("other slides", Scene::new(640, 360).full(Slides(142))),
        (
            "slides with a clock",
            slides(143).with(clock, [292, 6, 20, 8]),
        ),
        ("still bars", Scene::new(320, 180).full(Still("smptebars"))),
        ("still pattern", Scene::new(320, 180).full(Still("testsrc"))),
    ] {
        let told = assert_told(name, &scene, ScreenOnly, Some(scene.all()), None);
        assert_eq!(told.split_ratio, None, "{name}");
    }
}

#[test]
fn neither_much_grain_nor_none_changes_the_answer() {
    for grain in [0, 30] {
        let slides = Scene::new(320, 180).grain(grain).full(Slides(151));
        assert_told(
            &format!("slides, grain {grain}"),
            &slides,
            ScreenOnly,
            Some(slides.all()),
            None,
        );
        assert_within(
            &format!("face within, grain {grain}"),
            slides,
            Face,
            [216, 108, 100, 66],
        );
        let (scene, screen, camera) = halves(224, Slides(152), Face);
        let name = format!("face beside, grain {grain}");
        assert_beside(&name, &scene.grain(grain), screen, camera, 0.7);
        let face = Scene::new(320, 180).grain(grain).full(Face);
        assert_told(
            &format!("face, grain {grain}"),
            &face,
            CameraOnly,
            None,
            Some(face.all()),
        );
    }
}

#[test]
fn where_nothing_is_to_be_seen_the_layout_is_unknown() {
    assert_unknown("black", &Scene::new(320, 180));
    assert_unknown(
        "gray, grainy",
        &Scene::new(320, 180).full(Plain("gray")).grain(60),
    );
    assert_unknown("white", &Scene::new(320, 180).full(Plain("white")));
}

#[test]
fn what_contradicts_itself_is_unknown() {
    let slides = |seed| Scene::new(320, 180).full(Slides(seed));
    let all = slides(0).all();
    let cuts = slides(161).sometimes(FRACTAL, all, "lt(mod(t,6),3)");
    assert_unknown("camera and slides in turn", &cuts);
    let cuts = slides(162).sometimes(Face, all, "lt(mod(t,8),3)");
    assert_unknown("face and slides in turn", &cuts);
    let above = slides(163).with(FRACTAL, [0, 0, 320, 72]);
    assert_unknown("camera above the slides", &above);
    let two = slides(164)
        .with(Face, [4, 4, 80, 60])
        .with(PATTERN, [210, 110, 100, 60]);
    assert_unknown("two cameras", &two);
}

#[test]
fn a_camera_whose_border_is_hard_to_see_is_told_right_or_not_at_all() {
    // Figures on the slides are as bright as the wall behind the face.
    let scene = Scene::new(640, 360)
        .full(Slides(113))
        .with(Face, [10, 190, 260, 160]);
    // A picture that changes two and a half times slower than the other ones.
    let slow = Source("mandelbrot=s=320x180:end_pts=1000");
    let other = Scene::new(320, 180)
        .full(Slides(114))
        .with(slow, [10, 95, 130, 80]);
    for (name, scene, place) in [
        ("same brightness", scene, [10, 190, 260, 160]),
        ("slow", other, [10, 95, 130, 80]),
    ] {
        let told = told(name, &scene);
        if told.layout_type != Unknown {
            assert_eq!(told.layout_type, PictureInPicture, "{name}: {told:?}");
            assert_region(name, told.camera_region, Some(place), &scene);
        }
    }
}

#[test]
fn a_few_frames_tell_nothing_and_many_tell_the_same_each_time() {
    let scene = Scene::new(320, 180)
        .full(Slides(171))
        .with(Face, [220, 8, 92, 64]);
    let all = frames(&scene, 120);
    let told = layout(&all);
    assert_eq!(told.layout_type, PictureInPicture);
    assert_region(
        "120 frames",
        told.camera_region,
        Some([220, 8, 92, 64]),
        &scene,
    );
    assert_eq!(layout(&all), told, "the same frames tell the same");

    let few = Frames {
        frames: all.frames[..2].to_vec(),
        ..all
    };
    assert_eq!(layout(&few).layout_type, Unknown);
    assert_eq!(
        layout(&few).confidence_score.get().to_bits(),
        0.0_f64.to_bits()
    );
    let none = Frames {
        frames: Vec::new(),
        ..few
    };
    assert_eq!(layout(&none).layout_type, Unknown);
}

#[test]
fn a_picture_too_narrow_to_tell_from_is_unknown() {
    // Slides 90 by 1440 pixels large are 8 wide where they are 144 high.
    let scroll = Scene::new(90, 1440).full(Slides(181));
    assert_unknown("higher than wide", &scroll);
    let none = GrayFrame {
        width: 0,
        height: 0,
        data: &[],
        time: 0.0,
    };
    let told = analyse(&[none; 8], 640, 480).unwrap();
    assert_eq!(told.layout_type, Unknown);
}

#[test]
fn a_frame_that_does_not_fit_is_named() {
    let data = vec![0; 64 * 48];
    let good = GrayFrame {
        width: 64,
        height: 48,
        data: &data,
        time: 1.0,
    };
    let wrong = |frame: GrayFrame<'_>| analyse(&[good, frame], 640, 480).unwrap_err().to_string();
    assert_eq!(
        wrong(GrayFrame {
            data: &data[1..],
            ..good
        }),
        "frames[1].data must have one byte for each pixel"
    );
    assert_eq!(
        wrong(GrayFrame {
            width: 48,
            height: 64,
            ..good
        }),
        "frames[1].width must be the same in all frames"
    );
    assert!(wrong(GrayFrame { height: 0, ..good }).starts_with("frames[1].height must be"));
    assert!(
        wrong(GrayFrame {
            time: f64::NAN,
            ..good
        })
        .starts_with("frames[1].time must be")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_frames_are_told_and_regions_lie_in_the_source(
        (width, height) in (32_usize..90, 32_usize..70),
        count in 0_usize..80,
        seed in any::<u32>(),
        coarse in 1_usize..24,
        lit in 1_u8..=255,
    ) {
        // Rectangles and noise of every coarseness, some of it black.
        let pixel = |number: usize, at: usize| {
            let (x, y) = (at % width / coarse, at / width / coarse);
            let still = (x + y + seed as usize).is_multiple_of(3);
            let number = if still { 0 } else { number };
            let mixed = (x * 7919 + y * 104_729 + number * 1_299_709 + 1).wrapping_mul(seed as usize);
            u8::try_from(mixed % 251).unwrap().min(lit)
        };
        let pictures: Vec<Vec<u8>> = (0..count)
            .map(|number| (0..width * height).map(|at| pixel(number, at)).collect())
            .collect();
        let frames: Vec<GrayFrame<'_>> = pictures
            .iter()
            .zip(0_u32..)
            .map(|(data, time)| GrayFrame { width, height, data, time: f64::from(time) })
            .collect();
        let told = analyse(&frames, 1280, 722).unwrap();
        for region in [told.screen_region, told.camera_region].into_iter().flatten() {
            prop_assert!(region.width.get() > 0 && region.x.get() + region.width.get() <= 1280);
            prop_assert!(region.height.get() > 0 && region.y.get() + region.height.get() <= 722);
        }
        prop_assert_eq!(told.layout_type == Unknown, told.confidence_score.get() < 0.5);
    }
}
