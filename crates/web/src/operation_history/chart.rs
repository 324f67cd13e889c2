//! Drawings of the history of a stage: areas of equal steps over time.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use lectern_api::{StageHistoryPoint, WorkHistoryResponse};
use maud::{Markup, html};

use super::scale::{Scale, time_ticks};
use crate::language::Language;

/// Size of a drawing, and the edges of the plot in it.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 136.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 352.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 112.0;

/// The points of a stage with the time axis that all stages have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Points<'a> {
    pub(crate) all: &'a [StageHistoryPoint],
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
}

impl<'a> Points<'a> {
    pub(crate) fn new(history: &WorkHistoryResponse, points: &'a [StageHistoryPoint]) -> Self {
        Self {
            all: points,
            from: history.from,
            to: history.to,
        }
    }

    /// The points, each with its end.
    pub(crate) fn with_ends(self) -> impl Iterator<Item = (&'a StageHistoryPoint, DateTime<Utc>)> {
        let next = self.all.iter().skip(1).map(|point| point.start);
        self.all.iter().zip(next.chain([self.to]))
    }

    fn x(&self, time: DateTime<Utc>) -> f64 {
        let whole = (self.to - self.from).as_seconds_f64().max(1.0);
        let share = (time - self.from).as_seconds_f64() / whole;
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    /// The edges of each point with its values.
    fn steps<T>(self, value: impl Fn(&StageHistoryPoint) -> T) -> Vec<(f64, f64, T)> {
        let steps = self.with_ends();
        let steps = steps.map(|(point, end)| (self.x(point.start), self.x(end), value(point)));
        steps.collect()
    }
}

/// What a drawing shows of each point, and how.
pub(crate) struct Area<'a> {
    /// The class, which has the colour.
    pub(crate) class: &'static str,
    /// The name of the pattern that fills the area; `None`: the colour does.
    pub(crate) pattern: Option<&'static str>,
    /// The lower and the upper edge; `None`: nothing.
    pub(crate) edges: &'a dyn Fn(&StageHistoryPoint) -> Option<(f64, f64)>,
    /// Whether there is a line along the lower edge.
    pub(crate) has_line: bool,
}

/// A drawing with a name, which is read to those who do not see it.
pub(crate) struct Chart<'a> {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) points: Points<'a>,
    pub(crate) scale: Scale,
    /// The text of a tick of the vertical axis.
    pub(crate) label: &'a dyn Fn(f64) -> String,
    pub(crate) areas: &'a [Area<'a>],
}

impl Chart<'_> {
    pub(crate) fn render(&self, language: Language) -> Markup {
        let (title_id, description_id) =
            (format!("{}-title", self.id), format!("{}-text", self.id));
        let y = |value: f64| BOTTOM - (value / self.scale.top()).clamp(0.0, 1.0) * (BOTTOM - TOP);
        let (times, are_days) = time_ticks(self.points.from, self.points.to);
        let format = match (are_days, language) {
            (false, _) => "%H:%M",
            (true, Language::English) => "%-d %b",
            (true, Language::German) => "%d.%m.",
        };
        html! {
            svg .chart viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
                aria-labelledby=(format!("{title_id} {description_id}")) {
                title id=(title_id) { (self.title) }
                desc id=(description_id) { (self.description) }
                @for tick in &self.scale.ticks {
                    line .grid x1=(LEFT) x2=(RIGHT) y1=(number(y(*tick))) y2=(number(y(*tick))) {}
                    text x=(LEFT - 6.0) y=(number(y(*tick) + 4.0)) text-anchor="end" {
                        ((self.label)(*tick))
                    }
                }
                @for area in self.areas { (self.area(area, &y)) }
                @for time in &times {
                    @let x = self.points.x(*time);
                    line .tick x1=(number(x)) x2=(number(x)) y1=(BOTTOM) y2=(BOTTOM + 4.0) {}
                    text x=(number(x)) y=(BOTTOM + 17.0) text-anchor=(anchor(x)) {
                        (time.format(format))
                    }
                }
            }
        }
    }

    fn area(&self, area: &Area<'_>, y: &dyn Fn(f64) -> f64) -> Markup {
        let steps = self.points.steps(area.edges);
        let mut shape = String::new();
        let mut line = String::new();
        // Neighbours without a gap are one shape.
        for part in steps.split(|(_, _, edges)| edges.is_none()) {
            let parts = part.iter().filter_map(|(from, to, edges)| {
                let (low, high) = (*edges)?;
                Some((*from, *to, y(low), y(high)))
            });
            let parts: Vec<_> = parts.collect();
            shape.push_str(&outline(&parts));
            if area.has_line {
                line.push_str(&along(&parts));
            }
        }
        let fill = area.pattern.map(|pattern| format!("url(#{pattern})"));
        html! {
            @if !shape.is_empty() { path class=(area.class) fill=[fill] d=(shape) {} }
            @if !line.is_empty() { path class=(format!("{} line", area.class)) d=(line) {} }
        }
    }
}

/// The outline of steps (left, right, lower and upper edge) as an SVG path; empty if they have no
/// area.
fn outline(steps: &[(f64, f64, f64, f64)]) -> String {
    let mut path = String::new();
    let has_area = |(_, _, low, high): &(f64, f64, f64, f64)| low - high >= 0.05;
    for steps in steps.split(|step| !has_area(step)) {
        let (Some((left, _, bottom, _)), Some(_)) = (steps.first(), steps.last()) else {
            continue;
        };
        let _ = write!(path, "M{} {}", number(*left), number(*bottom));
        for (_, right, _, high) in steps {
            let _ = write!(path, "V{}H{}", number(*high), number(*right));
        }
        for (left, _, low, _) in steps.iter().rev() {
            let _ = write!(path, "V{}H{}", number(*low), number(*left));
        }
        path.push('Z');
    }
    path
}

/// A line along the lower edges of steps.
fn along(steps: &[(f64, f64, f64, f64)]) -> String {
    let mut path = String::new();
    for (i, (left, right, low, _)) in steps.iter().enumerate() {
        let low = number(*low);
        let _ = match i {
            0 => write!(path, "M{} {low}H{}", number(*left), number(*right)),
            _ => write!(path, "V{low}H{}", number(*right)),
        };
    }
    path
}

/// A coordinate with at most one decimal.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// Texts at the edges do not leave the drawing.
fn anchor(x: f64) -> &'static str {
    if x > RIGHT - 14.0 { "end" } else { "middle" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_outlined_without_gaps_and_without_what_is_empty() {
        assert_eq!(outline(&[]), "");
        assert_eq!(outline(&[(0.0, 5.0, 10.0, 10.0)]), "");
        assert_eq!(
            outline(&[(0.0, 5.0, 10.0, 2.0), (5.0, 9.25, 8.0, 4.0)]),
            "M0 10V2H5V4H9.2V8H5V10H0Z"
        );
        let with_gap = [
            (0.0, 1.0, 9.0, 2.0),
            (1.0, 2.0, 9.0, 9.0),
            (2.0, 3.0, 9.0, 1.0),
        ];
        assert_eq!(outline(&with_gap), "M0 9V2H1V9H0ZM2 9V1H3V9H2Z");
        assert_eq!(along(&with_gap), "M0 9H1V9H2V9H3");
    }
}
