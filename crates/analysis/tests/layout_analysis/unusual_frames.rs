//! Frames that no ordinary recording has: few, narrow, inconsistent or random.

use lectern_analysis::layout_analysis::{GrayFrame, analyse};
use lectern_domain::LayoutType::{PictureInPicture, Unknown};
use proptest::prelude::*;

use crate::assertions::{analyse_frames, assert_region, assert_unknown, sample_frames};
use crate::scene::Content::{Face, Slides};
use crate::scene::Scene;

#[test]
fn the_result_is_deterministic_and_unknown_for_few_frames() {
    let camera = [220, 8, 92, 64];
    let scene = Scene::new(320, 180)
        .filled_with(Slides(171))
        .with(Face, camera);
    let many = sample_frames(&scene, 120);
    let found = analyse_frames(&many);
    assert_eq!(found.layout_type, PictureInPicture);
    assert_region("120 frames", found.camera_region, Some(camera), &scene);
    assert_eq!(analyse_frames(&many), found);

    let mut few = many;
    few.frames.truncate(2);
    let found = analyse_frames(&few);
    assert_eq!(found.layout_type, Unknown);
    assert_eq!(found.confidence_score.get().to_bits(), 0.0_f64.to_bits());

    let mut none = few;
    none.frames.clear();
    assert_eq!(analyse_frames(&none).layout_type, Unknown);
}

#[test]
fn a_picture_too_narrow_for_the_analysis_is_unknown() {
    // Scaled to 144 pixels high, the frames are less than ten pixels wide.
    let narrow = Scene::new(90, 1440).filled_with(Slides(181));
    assert_unknown("narrow", &narrow);
    let empty = GrayFrame {
        width: 0,
        height: 0,
        data: &[],
        time: 0.0,
    };
    let found = analyse(&[empty; 8], 640, 480).unwrap();
    assert_eq!(found.layout_type, Unknown);
}

#[test]
fn the_error_names_the_inconsistent_frame() {
    let data = vec![0; 64 * 48];
    let valid = GrayFrame {
        width: 64,
        height: 48,
        data: &data,
        time: 1.0,
    };
    let error_with =
        |frame: GrayFrame<'_>| analyse(&[valid, frame], 640, 480).unwrap_err().to_string();
    assert_eq!(
        error_with(GrayFrame {
            data: &data[1..],
            ..valid
        }),
        "frames[1].data must have one byte for each pixel"
    );
    assert_eq!(
        error_with(GrayFrame {
            width: 48,
            height: 64,
            ..valid
        }),
        "frames[1].width must be the same in all frames"
    );
    assert!(error_with(GrayFrame { height: 0, ..valid }).starts_with("frames[1].height must be"));
    assert!(
        error_with(GrayFrame {
            time: f64::NAN,
            ..valid
        })
        .starts_with("frames[1].time must be")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn arbitrary_frames_give_a_layout_with_regions_inside_the_source(
        (width, height) in (32_usize..90, 32_usize..70),
        count in 0_usize..80,
        seed in any::<u32>(),
        block_size in 1_usize..24,
        max_level in 1_u8..=255,
    ) {
        // Blocks of pseudorandom gray levels; every third block is still.
        let pixel = |frame: usize, index: usize| {
            let (x, y) = (index % width / block_size, index / width / block_size);
            let still = (x + y + seed as usize).is_multiple_of(3);
            let frame = if still { 0 } else { frame };
            let hash = (x * 7919 + y * 104_729 + frame * 1_299_709 + 1).wrapping_mul(seed as usize);
            u8::try_from(hash % 251).unwrap().min(max_level)
        };
        let pictures: Vec<Vec<u8>> = (0..count)
            .map(|frame| (0..width * height).map(|index| pixel(frame, index)).collect())
            .collect();
        let frames: Vec<GrayFrame<'_>> = pictures
            .iter()
            .zip(0_u32..)
            .map(|(data, time)| GrayFrame { width, height, data, time: f64::from(time) })
            .collect();
        let found = analyse(&frames, 1280, 722).unwrap();
        for region in [found.screen_region, found.camera_region].into_iter().flatten() {
            prop_assert!(region.width.get() > 0 && region.x.get() + region.width.get() <= 1280);
            prop_assert!(region.height.get() > 0 && region.y.get() + region.height.get() <= 722);
        }
        prop_assert_eq!(found.layout_type == Unknown, found.confidence_score.get() < 0.5);
    }
}
