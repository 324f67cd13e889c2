//! The deadline that all commands of a stage share.

use std::time::Duration;

use lectern_media::Program;

use super::*;
use crate::supervision::StageTimeLimit;

/// A handler of the first stage that passes its context to a function.
struct WithContext<F>(F);

impl<F: Fn(&StageContext<'_>) -> Result<(), Failure> + Send + Sync> StageHandler
    for WithContext<F>
{
    fn stage(&self) -> Stage {
        Stage::SilenceDetection
    }

    fn run(&self, context: &StageContext<'_>) -> Result<StageOutput, Failure> {
        (self.0)(context).map(|()| empty_output())
    }
}

/// Makes one attempt at the first stage of a recording of two seconds.
fn attempt(
    time_limit: StageTimeLimit,
    run: impl Fn(&StageContext<'_>) -> Result<(), Failure> + Send + Sync + 'static,
) -> (Result<(), Failure>, StageRun) {
    let mut fixture = fixture();
    fixture.time_limit = time_limit;
    fixture.render_recording("-f lavfi -i sine=duration=2");
    let worker = fixture.worker(vec![Box::new(WithContext(run))], 1);
    let result = worker.run_claim(&fixture.claim());
    (result, fixture.stage_run(Stage::SilenceDetection))
}

fn one_second() -> StageTimeLimit {
    StageTimeLimit {
        factor: 0.0,
        floor: Duration::from_secs(1),
    }
}

#[track_caller]
fn assert_exceeded(result: &Result<(), Failure>, run: &StageRun) {
    assert!(
        matches!(result, Err(Failure::Transient { .. })),
        "{result:?}"
    );
    let error = run.error.as_ref().unwrap();
    assert_eq!(error.as_str(), "the stage exceeded its time limit of 1 s");
    assert_eq!(run.status, StageRunStatus::Ready);
}

#[test]
fn all_commands_of_a_stage_have_one_deadline() {
    let (result, run) = attempt(one_second(), |context| {
        for _ in 0..1000 {
            let sleep = Program::new("sleep").arg("0.2");
            sleep.output(&context.limits())?;
        }
        Ok(())
    });
    assert_exceeded(&result, &run);
}

#[test]
fn a_stage_that_waits_without_a_command_has_a_deadline() {
    let (result, run) = attempt(one_second(), |context| {
        context.cancellation().wait(Duration::MAX);
        context.check()
    });
    assert_exceeded(&result, &run);
}

#[test]
fn the_deadline_grows_with_the_length_of_the_recording() {
    let time_limit = StageTimeLimit {
        factor: 1000.0,
        floor: Duration::from_mins(10),
    };
    let (result, _) = attempt(time_limit, |context| {
        assert_eq!(context.deadline.limit(), Duration::from_mins(10));
        context.probe()?;
        let limit = context.deadline.limit().as_secs_f64();
        assert!((limit - 2000.0).abs() < 100.0, "{limit}");
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
}
