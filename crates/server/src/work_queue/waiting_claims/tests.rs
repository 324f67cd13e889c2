use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt as _;
use lectern_domain::Stage::{Compilation, Segmentation, Transcription};

use super::*;
use crate::fair_share::CallerShare;

type Wait<'a> = std::pin::Pin<&'a mut dyn Future<Output = Result<bool, ApiError>>>;

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

/// The result of a wait; `None` while it is pending.
fn outcome(wait: &mut Wait<'_>) -> Option<bool> {
    match wait.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome.unwrap()),
        Poll::Pending => None,
    }
}

#[actix_web::test]
async fn a_notification_wakes_only_the_first_waiter_that_wants_the_stage() {
    let claims = WaitingClaims::new(9, None);
    let mut positions =
        [[Segmentation], [Transcription], [Transcription]].map(|stages| claims.join(&stages, None));
    let [other, first, second] = &mut positions;
    let mut other: Wait<'_> = pin!(other.was_notified_before(soon()));
    let mut first: Wait<'_> = pin!(first.was_notified_before(soon()));
    let mut second: Wait<'_> = pin!(second.was_notified_before(soon()));
    for wait in [&mut other, &mut first, &mut second] {
        assert_eq!(outcome(wait), None);
    }
    assert_eq!(claims.wanted_stages(), [Transcription, Segmentation]);
    claims.notify(&[Transcription, Compilation]);
    assert_eq!(outcome(&mut first), Some(true));
    assert_eq!((outcome(&mut other), outcome(&mut second)), (None, None));
    claims.notify(&[Transcription, Segmentation]);
    assert_eq!(
        (outcome(&mut other), outcome(&mut second)),
        (Some(true), Some(true))
    );
    assert_eq!(claims.wanted_stages(), []);
}

#[actix_web::test]
async fn a_notification_is_passed_on_by_a_waiter_that_finds_work_or_leaves() {
    for polls_again in [true, false] {
        let claims = WaitingClaims::new(9, None);
        let (mut first, mut second) = (
            claims.join(&[Transcription], None),
            claims.join(&[Transcription], None),
        );
        let mut second: Wait<'_> = pin!(second.was_notified_before(soon()));
        assert_eq!(outcome(&mut second), None);
        {
            let mut first: Wait<'_> = pin!(first.was_notified_before(soon()));
            assert_eq!(outcome(&mut first), None);
            claims.notify(&[Transcription]);
            if polls_again {
                assert_eq!(outcome(&mut first), Some(true));
            }
        }
        assert_eq!(outcome(&mut second), None);
        drop(first);
        assert_eq!(outcome(&mut second), Some(true));
    }
}

#[actix_web::test]
async fn a_waiter_that_finds_nothing_keeps_its_place_and_passes_nothing_on() {
    let claims = WaitingClaims::new(9, None);
    let (mut first, mut second) = (
        claims.join(&[Transcription], None),
        claims.join(&[Transcription], None),
    );
    let mut second: Wait<'_> = pin!(second.was_notified_before(soon()));
    for _ in 0..2 {
        let mut wait: Wait<'_> = pin!(first.was_notified_before(soon()));
        assert_eq!((outcome(&mut wait), outcome(&mut second)), (None, None));
        claims.notify(&[Transcription]);
        assert_eq!(
            (outcome(&mut wait), outcome(&mut second)),
            (Some(true), None)
        );
    }
}

#[actix_web::test]
async fn a_notification_during_a_claim_causes_another_claim() {
    let claims = WaitingClaims::new(9, None);
    let mut only = claims.join(&[Transcription], None);
    claims.notify(&[Transcription]);
    let mut wait: Wait<'_> = pin!(only.was_notified_before(soon()));
    assert_eq!(outcome(&mut wait), Some(true));
}

#[actix_web::test]
async fn the_number_of_waiters_is_bounded_and_a_waiter_within_it_stays() {
    let claims = WaitingClaims::new(1, None);
    let (mut first, mut second) = (
        claims.join(&[Transcription], None),
        claims.join(&[Transcription], None),
    );
    {
        let mut wait: Wait<'_> = pin!(first.was_notified_before(soon()));
        assert_eq!(outcome(&mut wait), None);
        claims.notify(&[Transcription]);
        assert_eq!(outcome(&mut wait), Some(true));
    }
    // The first one queries the database now.
    assert!(second.was_notified_before(soon()).await.is_err());
    assert!(
        !second.was_notified_before(Instant::now()).await.unwrap(),
        "a claim that does not wait is not counted"
    );
    {
        let mut wait: Wait<'_> = pin!(first.was_notified_before(soon()));
        assert_eq!(outcome(&mut wait), None);
        claims.notify(&[Transcription]);
        assert_eq!(outcome(&mut wait), Some(true));
    }
    drop(first);
    let mut wait: Wait<'_> = pin!(second.was_notified_before(soon()));
    assert_eq!(
        outcome(&mut wait),
        Some(true),
        "the first one's notification is passed on"
    );
}

#[actix_web::test]
async fn waits_end_at_the_deadline_and_when_the_queue_closes() {
    let claims = WaitingClaims::new(9, None);
    let mut early = claims.join(&[Transcription], None);
    assert!(
        !early
            .was_notified_before(Instant::now() + Duration::from_millis(1))
            .await
            .unwrap()
    );
    let mut wait: Wait<'_> = pin!(early.was_notified_before(soon()));
    assert_eq!(outcome(&mut wait), None);
    claims.close();
    assert_eq!(outcome(&mut wait), Some(false));
    assert!(
        !claims
            .join(&[Transcription], None)
            .was_notified_before(soon())
            .await
            .unwrap()
    );
}

#[actix_web::test]
async fn a_caller_with_many_waiters_makes_room_for_others() {
    let claims = WaitingClaims::new(3, None);
    let wait = async |caller: &str| {
        let share = CallerShare::named(caller);
        let wait = async {
            let mut position = claims.join(&[Transcription], None);
            position.was_notified_before(soon()).await
        };
        share.scope(wait).await
    };
    let mut many: Vec<_> = (0..3).map(|_| Box::pin(wait("many"))).collect();
    for waiter in &mut many {
        assert!(waiter.as_mut().now_or_never().is_none());
    }
    assert!(wait("many").await.is_err());
    let mut few = Box::pin(wait("few"));
    assert!(few.as_mut().now_or_never().is_none());
    // The newest one made room.
    let newest = many.pop().unwrap();
    assert!(newest.now_or_never().unwrap().is_err());
    claims.notify(&[Transcription; 3]);
    assert!(few.now_or_never().unwrap().unwrap());
    for waiter in many {
        assert!(waiter.now_or_never().unwrap().unwrap());
    }
}

#[actix_web::test]
async fn a_notification_wakes_one_waiter_of_each_owner() {
    let claims = WaitingClaims::new(9, None);
    let owners = ["exams", "library"].map(|owner| OwnerName::new(owner).unwrap());
    let [exams, library] = owners.each_ref().map(Some);
    let mut positions =
        [exams, exams, library, None].map(|owner| claims.join(&[Transcription], owner));
    let mut waits = positions
        .each_mut()
        .map(|position| Box::pin(position.was_notified_before(soon())));
    let mut outcomes = || {
        waits.each_mut().map(|wait| {
            let mut wait: Wait<'_> = wait.as_mut();
            outcome(&mut wait)
        })
    };
    assert_eq!(outcomes(), [None; 4]);
    claims.notify(&[Transcription]);
    assert_eq!(outcomes(), [Some(true), None, Some(true), Some(true)]);
}
