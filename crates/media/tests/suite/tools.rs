use lectern_media::Tools;

use crate::fixture::TOOLS;

#[test]
fn the_tools_are_found_and_have_a_version() {
    let tools = TOOLS.as_ref().unwrap_or_else(|missing| panic!("{missing}"));
    assert!(
        tools
            .version()
            .starts_with(|c: char| c.is_ascii_alphanumeric())
    );
}

#[test]
fn a_missing_tool_is_an_error_with_its_packages() {
    let missing = Tools::at("ffmpeg", "/nowhere/ffprobe").unwrap_err();
    assert_eq!(
        (missing.tool, missing.variable),
        ("ffprobe", "LECTERN_FFPROBE")
    );
    let message = missing.to_string();
    for part in [
        "ffprobe is required, but /nowhere/ffprobe was not found",
        "apt install ffmpeg",
        "dnf install ffmpeg",
        "brew install ffmpeg",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn an_ffmpeg_without_x264_only_fails_the_encoder_check() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/suite/ffmpeg-without-x264"
    );
    let tools = Tools::at(path, "ffprobe").unwrap();
    assert_eq!(tools.version(), "7.1");
    let missing = tools.require_h264_encoder().unwrap_err().to_string();
    assert!(missing.contains("cannot encode H.264"), "{missing}");
    Tools::find().unwrap().require_h264_encoder().unwrap();
}

#[test]
fn another_program_in_place_of_a_tool_is_an_error() {
    for other in ["echo", "false"] {
        let missing = Tools::at(other, "ffprobe").unwrap_err();
        assert_eq!(missing.tool, "ffmpeg", "{missing}");
    }
}
