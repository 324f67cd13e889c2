//! The words of the page of a recording for changing its clips, in each language.

/// The words in one language. `#` stands for a title or a number.
#[derive(Debug)]
pub(crate) struct EditingWords {
    pub(crate) edge_start: &'static str,
    pub(crate) edge_end: &'static str,
    pub(crate) edge_help: &'static str,
    pub(crate) stale: &'static str,
    pub(crate) not_cut: &'static str,
    pub(crate) to_cut_one: &'static str,
    pub(crate) to_cut: &'static str,
    pub(crate) all_cut: &'static str,
    pub(crate) cut_again: &'static str,
    pub(crate) will_be_cut: &'static str,
    pub(crate) being_cut: &'static str,
    pub(crate) move_up: &'static str,
    pub(crate) move_down: &'static str,
    pub(crate) selection: &'static str,
    pub(crate) make_clip: &'static str,
    pub(crate) clip_from_here: &'static str,
    pub(crate) reel: &'static str,
}

pub(crate) static ENGLISH: EditingWords = EditingWords {
    edge_start: "Start of the clip “#”",
    edge_end: "End of the clip “#”",
    edge_help: "Drag the edge of the clip: it snaps to silences, lines and words, except while the Alt key is held. Arrow keys move it by 0.1 s, with the shift key by 1 s; Enter saves, Escape gives up; Page Up and Page Down go to other clips.",
    stale: "Needs cutting again: its times have changed",
    not_cut: "Not cut yet",
    to_cut_one: "1 clip needs cutting.",
    to_cut: "# clips need cutting.",
    all_cut: "All clips are cut. After a change of their order, the reel needs cutting again.",
    cut_again: "Cut again",
    will_be_cut: "The clips will be cut as soon as a worker takes them.",
    being_cut: "The clips are being cut",
    move_up: "Move “#” up",
    move_down: "Move “#” down",
    selection: "Selected:",
    make_clip: "Make a clip of it",
    clip_from_here: "New clip from here",
    reel: "Download the reel: all clips in one video",
};

pub(crate) static GERMAN: EditingWords = EditingWords {
    edge_start: "Anfang des Clips „#“",
    edge_end: "Ende des Clips „#“",
    edge_help: "Ziehen Sie den Rand des Clips: Er rastet an Stille, Zeilen und Wörtern ein, außer bei gehaltener Alt-Taste. Pfeiltasten bewegen ihn um 0,1 s, mit Umschalttaste um 1 s; Eingabe speichert, Escape verwirft; Bild auf und Bild ab führen zu anderen Clips.",
    stale: "Muss neu geschnitten werden: Zeiten geändert",
    not_cut: "Noch nicht geschnitten",
    to_cut_one: "1 Clip ist zu schneiden.",
    to_cut: "# Clips sind zu schneiden.",
    all_cut: "Alle Clips sind geschnitten. Nach einer Änderung ihrer Reihenfolge ist der Zusammenschnitt neu zu schneiden.",
    cut_again: "Neu schneiden",
    will_be_cut: "Die Clips werden geschnitten, sobald ein Worker sie nimmt.",
    being_cut: "Die Clips werden geschnitten",
    move_up: "„#“ nach oben",
    move_down: "„#“ nach unten",
    selection: "Ausgewählt:",
    make_clip: "Clip daraus machen",
    clip_from_here: "Neuer Clip ab hier",
    reel: "Zusammenschnitt herunterladen: alle Clips in einem Video",
};
