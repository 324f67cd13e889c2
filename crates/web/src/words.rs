//! The words of the pages, in each language.

use lectern_domain::{JobOrder, JobStatus, Stage};

use crate::operation_words::{self, OperationWords};

/// The words of the pages in one language.
#[derive(Debug)]
pub struct Words {
    pub(crate) recordings: &'static str,
    pub(crate) api: &'static str,
    pub(crate) skip_to_content: &'static str,
    /// What the service is, for search engines and previews of links.
    pub(crate) description: &'static str,
    pub(crate) connection_lost: &'static str,
    pub(crate) working: &'static str,
    pub(crate) all: &'static str,
    pub(crate) status: &'static str,
    pub(crate) search_label: &'static str,
    pub(crate) order: &'static str,
    pub(crate) direction: &'static str,
    pub(crate) newest_first: &'static str,
    pub(crate) oldest_first: &'static str,
    pub(crate) show: &'static str,
    pub(crate) recording: &'static str,
    pub(crate) progress: &'static str,
    pub(crate) length: &'static str,
    pub(crate) size: &'static str,
    pub(crate) owner: &'static str,
    pub(crate) created: &'static str,
    pub(crate) none_yet: &'static str,
    pub(crate) none_yet_hint: &'static str,
    pub(crate) none_found: &'static str,
    pub(crate) show_all: &'static str,
    pub(crate) first_page: &'static str,
    pub(crate) next_page: &'static str,
    pub(crate) pages: &'static str,
    pub(crate) one_recording: &'static str,
    /// With `#` for the number.
    pub(crate) number_of_recordings: &'static str,
    /// With `#` for the number.
    pub(crate) more_recordings: &'static str,
    pub(crate) unknown: &'static str,
    pub(crate) operation: &'static OperationWords,
    statuses: [&'static str; 6],
    stages: [&'static str; 8],
    orders: [&'static str; 3],
    pub(crate) sign_in_title: &'static str,
    pub(crate) sign_in: &'static str,
    pub(crate) sign_in_without_script: &'static str,
    pub(crate) sign_out: &'static str,
    pub(crate) signed_out_title: &'static str,
    pub(crate) signed_out: &'static str,
    pub(crate) sign_in_again: &'static str,
    pub(crate) key: &'static str,
    pub(crate) key_not_accepted: &'static str,
    pub(crate) key_may_not_read: &'static str,
    /// Title of the page for keys without the scope.
    pub forbidden_title: &'static str,
    /// What to do without the scope.
    pub forbidden: &'static str,
    /// Title of the page about what does not exist.
    pub not_found_title: &'static str,
    /// What the page about a recording that does not exist says.
    pub not_found: &'static str,
    /// What the page about an address without a page says.
    pub no_page: &'static str,
    /// What the page about an invalid address says.
    pub invalid: &'static str,
    /// Title of the page about an invalid address.
    pub invalid_title: &'static str,
    /// Title of the page about a failure of the server.
    pub failure_title: &'static str,
    /// What to do after a failure of the server.
    pub failure: &'static str,
}

impl Words {
    pub(crate) fn status(&self, status: JobStatus) -> &'static str {
        self.statuses[match status {
            JobStatus::Pending => 0,
            JobStatus::Queued => 1,
            JobStatus::Running => 2,
            JobStatus::Completed => 3,
            JobStatus::Failed => 4,
            JobStatus::Cancelled => 5,
        }]
    }

    pub(crate) fn stage(&self, stage: Stage) -> &'static str {
        self.stages[match stage {
            Stage::Uploading => 0,
            Stage::SilenceDetection => 1,
            Stage::Transcription => 2,
            Stage::LayoutAnalysis => 3,
            Stage::ContentAnalysis => 4,
            Stage::Segmentation => 5,
            Stage::Compilation => 6,
            Stage::Complete => 7,
        }]
    }

    pub(crate) fn order(&self, order: JobOrder) -> &'static str {
        self.orders[match order {
            JobOrder::CreatedAt => 0,
            JobOrder::UpdatedAt => 1,
            JobOrder::CompletedAt => 2,
        }]
    }
}

pub(crate) static ENGLISH: Words = Words {
    recordings: "Recordings",
    api: "API",
    skip_to_content: "Skip to content",
    description: "Lectern turns recordings of lectures, talks and meetings into clips, and shows them with \
                  their transcript, topics and silences.",
    connection_lost: "The server cannot be reached. The page may be out of date, and updates as soon as the server answers.",
    working: "Working …",
    all: "All",
    status: "Status",
    search_label: "Search by file name",
    order: "Order",
    direction: "Direction",
    newest_first: "Newest first",
    oldest_first: "Oldest first",
    show: "Show",
    recording: "Recording",
    progress: "Progress",
    length: "Length",
    size: "Size",
    owner: "Owner",
    created: "Created",
    none_yet: "No recordings yet",
    none_yet_hint: "Recordings that are uploaded over the API appear here.",
    none_found: "No recording matches",
    show_all: "Show all recordings",
    first_page: "First page",
    next_page: "Next page",
    pages: "Pages",
    one_recording: "1 recording",
    number_of_recordings: "# recordings",
    more_recordings: "more than # recordings",
    unknown: "unknown",
    operation: &operation_words::ENGLISH,
    statuses: [
        "Uploading",
        "Queued",
        "Running",
        "Completed",
        "Failed",
        "Cancelled",
    ],
    stages: [
        "Uploading",
        "Detecting silence",
        "Transcribing",
        "Analysing the layout",
        "Finding topics",
        "Choosing clips",
        "Cutting clips",
        "Complete",
    ],
    orders: ["By creation", "By change", "By completion"],
    sign_in_title: "Sign in",
    sign_out: "Sign out",
    signed_out_title: "Signed out",
    signed_out: "The session of this browser has ended.",
    sign_in_again: "Sign in again",
    sign_in: "This service asks for a key. Enter one that may read recordings.",
    sign_in_without_script: "This service asks for a key, and this browser has no session. A session begins with \
                             POST /api/v1/session and a key that may read jobs.",
    key: "Key",
    key_not_accepted: "This key is not accepted.",
    key_may_not_read: "This key may not read recordings. Ask for one of another role.",
    forbidden_title: "Not allowed",
    forbidden: "Your key may not see this page. Ask for one of another role.",
    not_found_title: "Not found",
    not_found: "There is no such recording, or it is not yours.",
    no_page: "There is no page at this address.",
    invalid_title: "This address is not valid",
    invalid: "Something that it asks for does not exist, such as a filter or an order.",
    failure_title: "That did not work",
    failure: "Try again in a moment.",
};

pub(crate) static GERMAN: Words = Words {
    recordings: "Aufnahmen",
    api: "API",
    skip_to_content: "Zum Inhalt",
    description: "Lectern macht aus Aufnahmen von Vorlesungen, Vorträgen und Besprechungen Clips und zeigt \
                  sie mit Transkript, Themen und Pausen.",
    connection_lost: "Der Server ist nicht erreichbar. Die Seite ist vielleicht veraltet; sie wird erneuert, sobald er antwortet.",
    working: "Einen Moment …",
    all: "Alle",
    status: "Status",
    search_label: "Nach Dateiname suchen",
    order: "Sortierung",
    direction: "Richtung",
    newest_first: "Neueste zuerst",
    oldest_first: "Älteste zuerst",
    show: "Anzeigen",
    recording: "Aufnahme",
    progress: "Fortschritt",
    length: "Länge",
    size: "Größe",
    owner: "Eigentümer",
    created: "Erstellt",
    none_yet: "Noch keine Aufnahmen",
    none_yet_hint: "Aufnahmen, die über die API hochgeladen werden, erscheinen hier.",
    none_found: "Keine Aufnahme gefunden",
    show_all: "Alle Aufnahmen anzeigen",
    first_page: "Erste Seite",
    next_page: "Nächste Seite",
    pages: "Seiten",
    one_recording: "1 Aufnahme",
    number_of_recordings: "# Aufnahmen",
    more_recordings: "mehr als # Aufnahmen",
    unknown: "unbekannt",
    operation: &operation_words::GERMAN,
    statuses: [
        "Wird hochgeladen",
        "Wartet",
        "Läuft",
        "Fertig",
        "Fehlgeschlagen",
        "Abgebrochen",
    ],
    stages: [
        "Hochladen",
        "Stille suchen",
        "Transkribieren",
        "Bildaufbau analysieren",
        "Themen finden",
        "Clips auswählen",
        "Clips schneiden",
        "Fertig",
    ],
    orders: ["Nach Erstellung", "Nach Änderung", "Nach Fertigstellung"],
    sign_in_title: "Anmelden",
    sign_out: "Abmelden",
    signed_out_title: "Abgemeldet",
    signed_out: "Die Sitzung dieses Browsers ist beendet.",
    sign_in_again: "Wieder anmelden",
    sign_in: "Dieser Dienst verlangt einen Schlüssel. Geben Sie einen ein, der Aufnahmen lesen darf.",
    sign_in_without_script: "Dieser Dienst verlangt einen Schlüssel, und dieser Browser hat keine Sitzung. Eine \
                             Sitzung beginnt mit POST /api/v1/session und einem Schlüssel, der Jobs lesen darf.",
    key: "Schlüssel",
    key_not_accepted: "Dieser Schlüssel wird nicht angenommen.",
    key_may_not_read: "Dieser Schlüssel darf keine Aufnahmen lesen. Bitten Sie um einen mit anderer Rolle.",
    forbidden_title: "Nicht erlaubt",
    forbidden: "Mit Ihrem Schlüssel ist diese Seite nicht erlaubt. Bitten Sie um einen Schlüssel mit einer anderen Rolle.",
    not_found_title: "Nicht gefunden",
    not_found: "Diese Aufnahme gibt es nicht, oder sie gehört Ihnen nicht.",
    no_page: "Unter dieser Adresse gibt es keine Seite.",
    invalid_title: "Diese Adresse ist ungültig",
    invalid: "Etwas darin gibt es nicht, etwa einen Filter oder eine Sortierung.",
    failure_title: "Das hat nicht geklappt",
    failure: "Versuchen Sie es gleich noch einmal.",
};
