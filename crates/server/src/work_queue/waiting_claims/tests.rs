use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use lectern_domain::Stage::{Compilation, Segmentation, Transcription};

use super::*;

type Rest<'a> = std::pin::Pin<&'a mut dyn Future<Output = Result<bool, ApiError>>>;

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

/// What came of waiting; `None` while it goes on.
fn outcome(rest: &mut Rest<'_>) -> Option<bool> {
    match rest.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome.unwrap()),
        Poll::Pending => None,
    }
}

#[actix_web::test]
async fn word_goes_to_the_first_in_line_who_wants_the_stage_and_to_nobody_else() {
    let board = Board::new(9);
    let mut places =
        [[Segmentation], [Transcription], [Transcription]].map(|stages| board.enter(&stages));
    let [other, first, second] = &mut places;
    let mut other: Rest<'_> = pin!(other.rest(soon()));
    let mut first: Rest<'_> = pin!(first.rest(soon()));
    let mut second: Rest<'_> = pin!(second.rest(soon()));
    for rest in [&mut other, &mut first, &mut second] {
        assert_eq!(outcome(rest), None);
    }
    assert_eq!(board.wanted(), [Transcription, Segmentation]);
    board.tell(&[Transcription, Compilation]);
    assert_eq!(outcome(&mut first), Some(true));
    assert_eq!((outcome(&mut other), outcome(&mut second)), (None, None));
    board.tell(&[Transcription, Segmentation]);
    assert_eq!(
        (outcome(&mut other), outcome(&mut second)),
        (Some(true), Some(true))
    );
    assert_eq!(board.wanted(), []);
}

#[actix_web::test]
async fn word_is_passed_on_by_who_finds_something_and_by_who_leaves() {
    for looks in [true, false] {
        let board = Board::new(9);
        let (mut first, mut second) =
            (board.enter(&[Transcription]), board.enter(&[Transcription]));
        let mut second: Rest<'_> = pin!(second.rest(soon()));
        assert_eq!(outcome(&mut second), None);
        {
            let mut first: Rest<'_> = pin!(first.rest(soon()));
            assert_eq!(outcome(&mut first), None);
            board.tell(&[Transcription]);
            if looks {
                assert_eq!(outcome(&mut first), Some(true));
            }
        }
        assert_eq!(outcome(&mut second), None);
        drop(first);
        assert_eq!(outcome(&mut second), Some(true));
    }
}

#[actix_web::test]
async fn who_looks_in_vain_keeps_the_place_and_the_word_to_himself() {
    let board = Board::new(9);
    let (mut first, mut second) = (board.enter(&[Transcription]), board.enter(&[Transcription]));
    let mut second: Rest<'_> = pin!(second.rest(soon()));
    for _ in 0..2 {
        let mut rest: Rest<'_> = pin!(first.rest(soon()));
        assert_eq!((outcome(&mut rest), outcome(&mut second)), (None, None));
        board.tell(&[Transcription]);
        assert_eq!(
            (outcome(&mut rest), outcome(&mut second)),
            (Some(true), None)
        );
    }
}

#[actix_web::test]
async fn who_is_told_while_looking_looks_again() {
    let board = Board::new(9);
    let mut only = board.enter(&[Transcription]);
    board.tell(&[Transcription]);
    let mut rest: Rest<'_> = pin!(only.rest(soon()));
    assert_eq!(outcome(&mut rest), Some(true));
}

#[actix_web::test]
async fn there_is_room_for_so_many_and_nobody_who_has_it_loses_it() {
    let board = Board::new(1);
    let (mut first, mut second) = (board.enter(&[Transcription]), board.enter(&[Transcription]));
    assert!(second.rest(soon()).await.is_err());
    assert!(
        !second.rest(Instant::now()).await.unwrap(),
        "who does not wait needs no room"
    );
    for _ in 0..2 {
        let mut rest: Rest<'_> = pin!(first.rest(soon()));
        assert_eq!(outcome(&mut rest), None);
        board.tell(&[Transcription]);
        assert_eq!(outcome(&mut rest), Some(true));
    }
    drop(first);
    let mut rest: Rest<'_> = pin!(second.rest(soon()));
    assert_eq!(
        outcome(&mut rest),
        Some(true),
        "what the first was told is passed on"
    );
}

#[actix_web::test]
async fn everybody_goes_home_when_the_board_closes_and_when_the_time_is_over() {
    let board = Board::new(9);
    let mut early = board.enter(&[Transcription]);
    assert!(
        !early
            .rest(Instant::now() + Duration::from_millis(1))
            .await
            .unwrap()
    );
    let mut rest: Rest<'_> = pin!(early.rest(soon()));
    assert_eq!(outcome(&mut rest), None);
    board.close();
    assert_eq!(outcome(&mut rest), Some(false));
    assert!(!board.enter(&[Transcription]).rest(soon()).await.unwrap());
}
