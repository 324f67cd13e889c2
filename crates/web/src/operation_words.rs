//! The words of the page for operators, in each language.

/// The words of the page for operators in one language.
#[derive(Debug)]
pub(crate) struct OperationWords {
    pub(crate) title: &'static str,
    /// With `#` for the time.
    pub(crate) as_of: &'static str,
    pub(crate) stale: &'static str,
    pub(crate) stages: &'static str,
    pub(crate) stage: &'static str,
    pub(crate) runs: &'static str,
    pub(crate) running: &'static str,
    pub(crate) ready: &'static str,
    /// After the number of ready runs, with `#` for that of the scheduled ones.
    pub(crate) scheduled: &'static str,
    pub(crate) waiting: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) oldest_ready: &'static str,
    pub(crate) last_hour: &'static str,
    pub(crate) duration: &'static str,
    pub(crate) duration_hint: &'static str,
    pub(crate) none: &'static str,
    pub(crate) paused: &'static str,
    pub(crate) pause: &'static str,
    pub(crate) resume: &'static str,
    /// With `#` for the stage.
    pub(crate) pause_stage: &'static str,
    /// With `#` for the stage.
    pub(crate) resume_stage: &'static str,
    pub(crate) workers: &'static str,
    pub(crate) no_workers: &'static str,
    pub(crate) worker: &'static str,
    pub(crate) recording: &'static str,
    pub(crate) attempt: &'static str,
    pub(crate) for_how_long: &'static str,
    pub(crate) lease_ends: &'static str,
    /// With `#` for the duration.
    pub(crate) ends_in: &'static str,
    pub(crate) expired: &'static str,
    pub(crate) last_seen: &'static str,
    /// With `#` for the duration.
    pub(crate) ago: &'static str,
    /// With `#` for the number.
    pub(crate) more_leases: &'static str,
    pub(crate) more_workers: &'static str,
    pub(crate) failures: &'static str,
    pub(crate) no_failures: &'static str,
    pub(crate) more_failures: &'static str,
    pub(crate) error: &'static str,
    pub(crate) failed_at: &'static str,
    pub(crate) service: &'static str,
    pub(crate) version: &'static str,
    pub(crate) database: &'static str,
    pub(crate) connections: &'static str,
    /// With three `#`: used, idle, and the upper bound.
    pub(crate) connection_counts: &'static str,
    pub(crate) waiting_claims: &'static str,
    pub(crate) storage: &'static str,
    pub(crate) disk: &'static str,
    pub(crate) bucket: &'static str,
    pub(crate) recordings_size: &'static str,
    pub(crate) free_space: &'static str,
    /// With two `#`: the free part, and the whole.
    pub(crate) free_of: &'static str,
    pub(crate) not_known: &'static str,
    pub(crate) units: Units,
    pub(crate) history: HistoryWords,
}

/// The words of the charts over time.
#[derive(Debug)]
pub(crate) struct HistoryWords {
    pub(crate) title: &'static str,
    pub(crate) period: &'static str,
    /// An hour, a day, a week and a month.
    pub(crate) periods: [&'static str; 4],
    /// With `#` for the length of a step.
    pub(crate) step: &'static str,
    /// With `#` for the stages.
    pub(crate) without_runs: &'static str,
    /// With `#` for the time.
    pub(crate) hidden: &'static str,
    pub(crate) runs: &'static str,
    /// With three `#`: the most running and ready runs, and the failed ones.
    pub(crate) runs_text: &'static str,
    pub(crate) throughput: &'static str,
    /// With two `#`: all completed runs, and the most of a step.
    pub(crate) throughput_text: &'static str,
    pub(crate) completed: &'static str,
    pub(crate) durations: &'static str,
    /// With two `#`: the mean, and the longest.
    pub(crate) duration_text: &'static str,
    pub(crate) no_duration: &'static str,
    pub(crate) mean_duration: &'static str,
    pub(crate) longest: &'static str,
    pub(crate) values: &'static str,
    pub(crate) from_time: &'static str,
}

/// Units of durations, as short as they are read.
#[derive(Debug)]
pub(crate) struct Units {
    pub(crate) seconds: &'static str,
    pub(crate) minutes: &'static str,
    pub(crate) hours: &'static str,
    pub(crate) days: &'static str,
}

pub(crate) static ENGLISH: OperationWords = OperationWords {
    title: "Operation",
    as_of: "as of #",
    stale: "The server does not respond. This is what it showed last.",
    stages: "Stages",
    stage: "Stage",
    runs: "Runs",
    running: "Running",
    ready: "Ready",
    scheduled: "+ # later",
    waiting: "Waiting",
    failed: "Failed",
    oldest_ready: "Ready for",
    last_hour: "Done in 1 h",
    duration: "Median / p95",
    duration_hint: "Median and 95th percentile of the durations in the last hour",
    none: "none",
    paused: "Paused",
    pause: "Pause",
    resume: "Resume",
    pause_stage: "Pause: #",
    resume_stage: "Resume: #",
    workers: "Workers",
    no_workers: "No worker is processing anything.",
    worker: "Worker",
    recording: "Recording",
    attempt: "Attempt",
    for_how_long: "Running for",
    lease_ends: "Lease ends",
    ends_in: "in #",
    expired: "expired",
    last_seen: "Last seen",
    ago: "# ago",
    more_leases: "and # more",
    more_workers: "There are more workers: GET /api/v1/workers lists them all.",
    failures: "Failed in the last 24 hours",
    no_failures: "No recording has failed.",
    more_failures: "Show all failed recordings",
    error: "Error",
    failed_at: "When",
    service: "Service",
    version: "Version",
    database: "Database",
    connections: "Connections",
    connection_counts: "# in use, # idle, at most #",
    waiting_claims: "Workers that wait for work",
    storage: "Storage",
    disk: "Disk",
    bucket: "Bucket",
    recordings_size: "Recordings",
    free_space: "Free",
    free_of: "# of #",
    not_known: "unknown",
    units: Units {
        seconds: "s",
        minutes: "min",
        hours: "h",
        days: "d",
    },
    history: HistoryWords {
        title: "Over time",
        period: "Period",
        periods: ["1 hour", "24 hours", "7 days", "30 days"],
        step: "Each step is #. Times are UTC. Ready and running: means of each step.",
        without_runs: "Without runs in this period: #.",
        hidden: "Shown from # on: more runs have ended since then than are read.",
        runs: "Runs",
        runs_text: "At most # running and # ready; # failed.",
        throughput: "Throughput",
        throughput_text: "# completed, at most # in a step.",
        completed: "Completed",
        durations: "Duration",
        duration_text: "On average #, at most #.",
        no_duration: "No run was completed.",
        mean_duration: "Mean",
        longest: "Longest",
        values: "Values",
        from_time: "From (UTC)",
    },
};

pub(crate) static GERMAN: OperationWords = OperationWords {
    title: "Betrieb",
    as_of: "Stand #",
    stale: "Der Server antwortet nicht. Das hat er zuletzt gezeigt.",
    stages: "Schritte",
    stage: "Schritt",
    runs: "Läufe",
    running: "Läuft",
    ready: "Bereit",
    scheduled: "+ # später",
    waiting: "Wartet",
    failed: "Fehler",
    oldest_ready: "Bereit seit",
    last_hour: "Fertig in 1 h",
    duration: "Median / p95",
    duration_hint: "Median und 95. Perzentil der Dauer in der letzten Stunde",
    none: "keine",
    paused: "Angehalten",
    pause: "Anhalten",
    resume: "Fortsetzen",
    pause_stage: "Anhalten: #",
    resume_stage: "Fortsetzen: #",
    workers: "Worker",
    no_workers: "Kein Worker arbeitet gerade.",
    worker: "Worker",
    recording: "Aufnahme",
    attempt: "Versuch",
    for_how_long: "Läuft seit",
    lease_ends: "Frist",
    ends_in: "noch #",
    expired: "abgelaufen",
    last_seen: "Zuletzt gesehen",
    ago: "vor #",
    more_leases: "und # weitere",
    more_workers: "Es gibt weitere Worker: GET /api/v1/workers nennt alle.",
    failures: "In den letzten 24 Stunden fehlgeschlagen",
    no_failures: "Keine Aufnahme ist fehlgeschlagen.",
    more_failures: "Alle fehlgeschlagenen Aufnahmen anzeigen",
    error: "Fehler",
    failed_at: "Wann",
    service: "Dienst",
    version: "Version",
    database: "Datenbank",
    connections: "Verbindungen",
    connection_counts: "# benutzt, # frei, höchstens #",
    waiting_claims: "Worker, die auf Arbeit warten",
    storage: "Speicher",
    disk: "Festplatte",
    bucket: "Bucket",
    recordings_size: "Aufnahmen",
    free_space: "Frei",
    free_of: "# von #",
    not_known: "unbekannt",
    units: Units {
        seconds: "s",
        minutes: "min",
        hours: "h",
        days: "T",
    },
    history: HistoryWords {
        title: "Zeitverlauf",
        period: "Zeitraum",
        periods: ["1 Stunde", "24 Stunden", "7 Tage", "30 Tage"],
        step: "Jeder Abschnitt umfasst #. Zeiten sind UTC. Bereit und laufend: Mittelwerte je Abschnitt.",
        without_runs: "Ohne Läufe in diesem Zeitraum: #.",
        hidden: "Gezeigt ab #: Seitdem haben mehr Läufe geendet, als gelesen werden.",
        runs: "Läufe",
        runs_text: "Höchstens # laufend und # bereit; # fehlgeschlagen.",
        throughput: "Durchsatz",
        throughput_text: "# fertig, höchstens # je Abschnitt.",
        completed: "Fertig",
        durations: "Dauer",
        duration_text: "Im Mittel #, längstens #.",
        no_duration: "Kein Lauf ist fertig geworden.",
        mean_duration: "Mittel",
        longest: "Längste",
        values: "Werte",
        from_time: "Ab (UTC)",
    },
};

/// The text with values in the places of `#`, in their order.
pub(crate) fn filled(text: &str, values: &[&str]) -> String {
    let mut values = values.iter();
    let mut filled = String::with_capacity(text.len());
    for (i, part) in text.split('#').enumerate() {
        if i > 0 {
            filled.push_str(values.next().copied().unwrap_or_default());
        }
        filled.push_str(part);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_gets_its_value() {
        assert_eq!(filled("# of #", &["1", "#2"]), "1 of #2");
        assert_eq!(filled("none", &[]), "none");
    }

    #[test]
    fn both_languages_have_the_same_places() {
        let places = |words: &OperationWords| {
            [
                words.as_of,
                words.scheduled,
                words.pause_stage,
                words.resume_stage,
                words.ends_in,
                words.ago,
                words.more_leases,
                words.connection_counts,
                words.free_of,
                words.history.step,
                words.history.without_runs,
                words.history.hidden,
                words.history.runs_text,
                words.history.throughput_text,
                words.history.duration_text,
            ]
            .map(|text| text.matches('#').count())
        };
        assert_eq!(places(&ENGLISH), places(&GERMAN));
        assert_eq!(
            places(&ENGLISH),
            [1, 1, 1, 1, 1, 1, 1, 3, 2, 1, 1, 1, 3, 2, 2]
        );
    }
}
