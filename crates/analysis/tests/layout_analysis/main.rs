//! Layouts of rendered recordings with film grain, encoded as H.264 and sampled
//! by ffmpeg.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod assertions;
mod scene;
mod stretches;
mod unusual_frames;

use assertions::{
    analyse_scene, assert_inset, assert_layout, assert_no_camera, assert_region,
    assert_side_by_side, assert_unknown,
};
use lectern_domain::LayoutType::{CameraOnly, PictureInPicture, ScreenOnly, Unknown};
use scene::Content::{DarkSlides, Face, Moving, Plain, RoundFace, Slides, Still};
use scene::{Area, Content, Scene};

/// Stand-ins for a camera with motion nearly everywhere.
const FRACTAL: Content = Moving("mandelbrot=s=320x180");
const PATTERN: Content = Moving("testsrc2=s=320x180");
const MOLD: Content =
    Moving("life=s=40x24:mold=10:life_color=white:death_color=gray:ratio=0.4:seed=8");
const CELLS: Content = Moving("cellauto=s=48x27:seed=2:rule=110");

/// A scene of 320 by 180 pixels, divided at x = `split`, and the areas of both
/// parts.
fn halves(split: u32, left: Content, right: Content) -> (Scene, Area, Area) {
    let (left_area, right_area) = ([0, 0, split, 180], [split, 0, 320 - split, 180]);
    let scene = Scene::new(320, 180)
        .with(left, left_area)
        .with(right, right_area);
    (scene, left_area, right_area)
}

#[test]
fn a_camera_in_a_corner_of_the_screen_is_picture_in_picture() {
    for (name, seed, camera, area) in [
        ("face, bottom right", 101, Face, [228, 122, 84, 50]),
        ("face, top left", 102, Face, [8, 6, 96, 60]),
        ("face, top right, touching", 103, Face, [240, 0, 80, 80]),
        ("mold, bottom left, touching", 105, MOLD, [0, 110, 110, 70]),
        ("cells, bottom right", 106, CELLS, [218, 118, 96, 54]),
    ] {
        let slides = Scene::new(320, 180).filled_with(Slides(seed));
        assert_inset(name, slides, camera, area);
    }
}

#[test]
fn a_camera_anywhere_on_the_screen_and_of_any_size_is_picture_in_picture() {
    for (name, screen, camera, area) in [
        (
            "fractal, right, halfway down",
            Slides(111),
            FRACTAL,
            [420, 120, 200, 120],
        ),
        (
            "pattern, top right, large",
            Slides(112),
            PATTERN,
            [350, 0, 290, 170],
        ),
        (
            "face, bottom left, large",
            Slides(114),
            Face,
            [10, 190, 260, 160],
        ),
        (
            "face on a still picture",
            Still("smptebars"),
            Face,
            [456, 16, 168, 112],
        ),
    ] {
        let scene = Scene::new(640, 360).filled_with(screen);
        assert_inset(name, scene, camera, area);
    }
}

#[test]
fn a_round_camera_is_picture_in_picture() {
    for (name, screen, area) in [
        ("round, bottom right", Slides(201), [540, 260, 84, 84]),
        ("round, top right", Slides(202), [500, 10, 130, 130]),
        (
            "round, bottom left, large",
            Slides(203),
            [16, 170, 176, 176],
        ),
        ("round, dark slides", DarkSlides(204), [520, 240, 110, 110]),
        (
            "round, dark slides, top left",
            DarkSlides(205),
            [14, 12, 96, 96],
        ),
    ] {
        let scene = Scene::new(640, 360).filled_with(screen);
        assert_inset(name, scene, RoundFace, area);
    }
}

#[test]
fn a_video_in_the_middle_of_other_content_is_no_camera() {
    let slides = |seed| Scene::new(640, 360).filled_with(Slides(seed));
    for (name, scene) in [
        (
            "film on the slide",
            slides(211).with(PATTERN, [180, 100, 280, 160]),
        ),
        (
            "film of a face on the slide",
            slides(212).with(Face, [200, 110, 240, 150]),
        ),
        (
            "video player",
            Scene::new(640, 360)
                .filled_with(Still("testsrc"))
                .with(PATTERN, [60, 40, 480, 270]),
        ),
    ] {
        assert_layout(name, &scene, ScreenOnly, Some(scene.full_area()), None);
    }
    let faint = slides(211).with(FRACTAL, [180, 100, 280, 160]);
    assert_no_camera("film without a clear border", &faint);
    let playing = slides(213).with_at_times(MOLD, [180, 100, 280, 160], "between(t,9,15)");
    assert_no_camera("film on one slide", &playing);
}

#[test]
fn pictures_on_slides_are_no_camera() {
    let slides = |seed| Scene::new(640, 360).filled_with(Slides(seed));
    let photo = slides(221).with(Still("mandelbrot"), [420, 180, 200, 150]);
    assert_layout("photo", &photo, ScreenOnly, Some(photo.full_area()), None);
    let pictures = [Still("mandelbrot"), Still("testsrc"), Still("smptebars")];
    let mut gallery = slides(222);
    for (picture, times) in pictures.into_iter().zip(["1", "gt(t,8)", "gt(t,16)"]) {
        gallery = gallery.with_at_times(picture, [380, 60, 240, 240], times);
    }
    assert_no_camera("gallery", &gallery);
}

#[test]
fn a_camera_with_nothing_around_it_is_uncertain() {
    for (name, color) in [("on white", "white"), ("on gray", "gray")] {
        let blank = Scene::new(640, 360).filled_with(Plain(color));
        let centred = [150, 60, 340, 240];
        let scene = blank.clone().with(Face, centred);
        let found = assert_layout(name, &scene, CameraOnly, None, Some(centred));
        assert!(found.confidence_score.get() <= 0.7, "{found:?}");
        let corner = [440, 220, 180, 120];
        let scene = blank.with(Face, corner);
        let screen = Some(scene.full_area());
        let found = assert_layout(name, &scene, PictureInPicture, screen, Some(corner));
        assert!(found.confidence_score.get() <= 0.7, "{found:?}");
    }
}

#[test]
fn camera_and_screen_side_by_side_have_a_split_ratio() {
    for (name, split, screen, camera) in [
        ("face", 192, Slides(121), Face),
        ("fractal", 240, Slides(123), FRACTAL),
        ("mold", 208, Slides(125), MOLD),
    ] {
        let (scene, screen, camera) = halves(split, screen, camera);
        let ratio = f64::from(split) / 320.0;
        let name = format!("{name} at the right, {ratio}");
        assert_side_by_side(&name, &scene, screen, camera, ratio);
    }
    for (name, split, camera, screen) in [
        ("face", 96, Face, Slides(122)),
        ("pattern", 160, PATTERN, Slides(124)),
        ("cells", 112, CELLS, Slides(126)),
    ] {
        let (scene, camera, screen) = halves(split, camera, screen);
        let ratio = 1.0 - f64::from(split) / 320.0;
        let name = format!("{name} at the left, {ratio}");
        assert_side_by_side(&name, &scene, screen, camera, ratio);
    }
}

#[test]
fn black_bars_belong_to_neither_screen_nor_camera() {
    let (screen, camera) = ([0, 24, 220, 132], [220, 24, 100, 132]);
    let scene = Scene::new(320, 180)
        .with(Slides(131), screen)
        .with(Face, camera);
    assert_side_by_side("bars above and below", &scene, screen, camera, 0.6875);

    let (screen, camera) = ([0, 0, 240, 180], [240, 0, 80, 60]);
    let scene = Scene::new(320, 180)
        .with(Slides(132), screen)
        .with(Face, camera);
    assert_side_by_side("camera alone in its column", &scene, screen, camera, 0.75);

    let camera = [40, 0, 240, 180];
    let scene = Scene::new(320, 180).with(Face, camera);
    assert_layout(
        "camera between bars",
        &scene,
        CameraOnly,
        None,
        Some(camera),
    );
}

#[test]
fn a_camera_without_a_screen_is_camera_only() {
    for (name, camera) in [
        ("face", Face),
        ("fractal", FRACTAL),
        ("pattern", PATTERN),
        ("mold", MOLD),
        ("cells", CELLS),
    ] {
        let scene = Scene::new(320, 180).filled_with(camera);
        assert_layout(name, &scene, CameraOnly, None, Some(scene.full_area()));
    }
}

#[test]
fn a_screen_without_a_camera_is_screen_only() {
    let clock = Moving("cellauto=s=20x8:rule=30:seed=1");
    let slides = |seed| Scene::new(320, 180).filled_with(Slides(seed));
    for (name, scene) in [
        ("slides", slides(141)),
        (
            "other slides",
            Scene::new(640, 360).filled_with(Slides(142)),
        ),
        (
            "slides with a clock",
            slides(143).with(clock, [292, 6, 20, 8]),
        ),
        (
            "still bars",
            Scene::new(320, 180).filled_with(Still("smptebars")),
        ),
        (
            "still pattern",
            Scene::new(320, 180).filled_with(Still("testsrc")),
        ),
    ] {
        let found = assert_layout(name, &scene, ScreenOnly, Some(scene.full_area()), None);
        assert_eq!(found.split_ratio, None, "{name}");
    }
}

#[test]
fn grain_does_not_change_the_layout() {
    for grain in [0, 30] {
        let slides = Scene::new(320, 180).grain(grain).filled_with(Slides(151));
        assert_layout(
            &format!("slides, grain {grain}"),
            &slides,
            ScreenOnly,
            Some(slides.full_area()),
            None,
        );
        assert_inset(
            &format!("face inset, grain {grain}"),
            slides,
            Face,
            [216, 108, 100, 66],
        );
        let (scene, screen, camera) = halves(224, Slides(152), Face);
        let name = format!("face beside, grain {grain}");
        assert_side_by_side(&name, &scene.grain(grain), screen, camera, 0.7);
        let face = Scene::new(320, 180).grain(grain).filled_with(Face);
        assert_layout(
            &format!("face, grain {grain}"),
            &face,
            CameraOnly,
            None,
            Some(face.full_area()),
        );
    }
}

#[test]
fn an_empty_picture_is_unknown() {
    assert_unknown("black", &Scene::new(320, 180));
    assert_unknown(
        "gray, grainy",
        &Scene::new(320, 180).filled_with(Plain("gray")).grain(60),
    );
    assert_unknown("white", &Scene::new(320, 180).filled_with(Plain("white")));
}

#[test]
fn layouts_outside_the_known_types_are_unknown() {
    let slides = |seed| Scene::new(320, 180).filled_with(Slides(seed));
    let full = slides(0).full_area();
    let cuts = slides(161).with_at_times(FRACTAL, full, "lt(mod(t,6),3)");
    assert_unknown("camera and slides alternate", &cuts);
    let cuts = slides(162).with_at_times(Face, full, "lt(mod(t,8),3)");
    assert_unknown("face and slides alternate", &cuts);
    let above = slides(163).with(FRACTAL, [0, 0, 320, 72]);
    assert_unknown("camera above the slides", &above);
    let two = slides(164)
        .with(Face, [4, 4, 80, 60])
        .with(PATTERN, [210, 110, 100, 60]);
    assert_unknown("two cameras", &two);
}

#[test]
fn a_camera_with_a_weak_border_is_either_correct_or_unknown() {
    // Figures on the slides are as bright as the wall behind the face.
    let scene = Scene::new(640, 360)
        .filled_with(Slides(113))
        .with(Face, [10, 190, 260, 160]);
    // Zooms at two fifths of the speed of the other fractals.
    let slow = Moving("mandelbrot=s=320x180:end_pts=1000");
    let slow_scene = Scene::new(320, 180)
        .filled_with(Slides(114))
        .with(slow, [10, 95, 130, 80]);
    for (name, scene, camera) in [
        ("same brightness", scene, [10, 190, 260, 160]),
        ("slow", slow_scene, [10, 95, 130, 80]),
    ] {
        let found = analyse_scene(name, &scene);
        if found.layout_type != Unknown {
            assert_eq!(found.layout_type, PictureInPicture, "{name}: {found:?}");
            assert_region(name, found.camera_region, Some(camera), &scene);
        }
    }
}
