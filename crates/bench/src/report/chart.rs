//! Charts as SVG.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use super::results::{Key, Metric, Results};
use super::table::{name, ratio};
use crate::arguments::Workload;
use crate::stack::System;

const WIDTH: i32 = 760;
const BAR: i32 = 28;
const LEFT: i32 = 270;
const TEXT: &str = "sans-serif";
const COLORS: [RGBColor; 7] = [
    RGBColor(0x33, 0x66, 0xaa),
    RGBColor(0xcc, 0x66, 0x33),
    RGBColor(0x33, 0x88, 0x55),
    RGBColor(0x88, 0x55, 0x99),
    RGBColor(0x99, 0x77, 0x22),
    RGBColor(0x44, 0x99, 0xaa),
    RGBColor(0x55, 0x55, 0x55),
];

/// A name and its points.
type Line = (String, Vec<(f64, f64)>);

/// Draws the charts; returns the names of the files.
pub(crate) fn draw(results: &Results, output: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let mut add = |file: &str, drawn: Option<Result<()>>| -> Result<()> {
        if let Some(drawn) = drawn {
            drawn?;
            files.push(file.to_owned());
        }
        Ok(())
    };
    for (file, title, system) in [
        (
            "rate-to-peer.svg",
            "Per second, Lectern on PostgreSQL ÷ peer",
            System::Peer,
        ),
        (
            "rate-to-limit.svg",
            "Per second, Lectern on PostgreSQL ÷ pgbench",
            System::PostgresLimit,
        ),
    ] {
        let values = rates(results, system);
        let drawn = (!values.is_empty()).then(|| bars(&output.join(file), title, &values));
        add(file, drawn)?;
    }
    let latencies = latencies(results);
    let file = "latency.svg";
    let drawn = (!latencies.is_empty()).then(|| {
        lines(
            &output.join(file),
            "Get a job: p99 in ms by connections",
            &latencies,
        )
    });
    add(file, drawn)?;
    for (file, title, system) in [
        (
            "growth-postgres.svg",
            "PostgreSQL: time by jobs, ÷ time with the fewest",
            System::LecternPostgres,
        ),
        (
            "growth-sqlite.svg",
            "SQLite: time by jobs, ÷ time with the fewest",
            System::LecternSqlite,
        ),
    ] {
        let growth = growth(results, system);
        let drawn = (!growth.is_empty()).then(|| lines(&output.join(file), title, &growth));
        add(file, drawn)?;
    }
    Ok(files)
}

/// Lectern's rates divided by another's, of each workload with the most connections up
/// to 64.
fn rates(results: &Results, system: System) -> Vec<(String, f64)> {
    let mut rates: Vec<(Workload, String, f64)> = Vec::new();
    for key in results.keys() {
        if key.system != System::LecternPostgres || key.size > 64 {
            continue;
        }
        let other = results.get(Key { system, ..*key }, Metric::PerSecond);
        if let Some(rate) = ratio(results.get(*key, Metric::PerSecond), other) {
            rates.retain(|(workload, ..)| *workload != key.workload);
            rates.push((
                key.workload,
                format!("{} ({})", name(key.workload), key.size),
                rate,
            ));
        }
    }
    rates
        .into_iter()
        .map(|(_, label, rate)| (label, rate))
        .collect()
}

fn latencies(results: &Results) -> Vec<Line> {
    let systems = [
        ("Lectern on PostgreSQL", System::LecternPostgres),
        ("Lectern on SQLite", System::LecternSqlite),
        ("peer", System::Peer),
    ];
    let line = |(name, system): (&str, System)| {
        let points = results
            .keys()
            .filter(|key| key.workload == Workload::Get && key.system == system);
        let points =
            points.filter_map(|key| Some((key.size as f64, results.get(*key, Metric::P99)?)));
        (name.to_owned(), points.collect::<Vec<_>>())
    };
    systems
        .into_iter()
        .map(line)
        .filter(|(_, points)| !points.is_empty())
        .collect()
}

fn growth(results: &Results, system: System) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for key in results.keys() {
        let Some(time) = results.get(*key, Metric::Median) else {
            continue;
        };
        if key.workload != Workload::Growth || key.system != system {
            continue;
        }
        match lines.iter_mut().find(|(name, _)| name == key.request) {
            Some((_, points)) => points.push((key.size as f64, time)),
            None => lines.push((key.request.to_owned(), vec![(key.size as f64, time)])),
        }
    }
    for (_, points) in &mut lines {
        // Keys are sorted by size.
        let first = points[0].1;
        for point in points {
            point.1 /= first;
        }
    }
    lines
}

/// A horizontal bar for each value.
fn bars(file: &Path, title: &str, values: &[(String, f64)]) -> Result<()> {
    let rows = i32::try_from(values.len())?;
    let height = 50 + rows * BAR + 10;
    let area =
        SVGBackend::new(file, (WIDTH.cast_unsigned(), height.cast_unsigned())).into_drawing_area();
    let largest = values.iter().map(|(_, value)| *value).fold(1.0, f64::max);
    // Leaves room for the number.
    let right = f64::from(WIDTH - LEFT - 70);
    let draw =
        |area: &DrawingArea<SVGBackend<'_>, Shift>| -> Result<(), Box<dyn std::error::Error>> {
            area.fill(&WHITE)?;
            area.draw_text(title, &(TEXT, 18).into_text_style(area), (12, 12))?;
            // Where both are equal.
            let one = LEFT + pixels(right / largest);
            let mut top = 46;
            for (label, value) in values {
                let end = LEFT + pixels(value / largest * right);
                let bar = [(LEFT, top), (end, top + BAR - 8)];
                area.draw(&Rectangle::new(bar, COLORS[0].filled()))?;
                let style = (TEXT, 14).into_text_style(area);
                area.draw_text(label, &style, (12, top + 2))?;
                area.draw_text(&format!("{value:.2}"), &style, (end.max(one) + 6, top + 2))?;
                top += BAR;
            }
            area.draw(&PathElement::new(
                vec![(one, 40), (one, height - 8)],
                BLACK.stroke_width(1),
            ))?;
            area.present()?;
            Ok(())
        };
    draw(&area).map_err(|error| anyhow!("{}: {error}", file.display()))
}

/// Lines on two logarithmic scales.
fn lines(file: &Path, title: &str, lines: &[Line]) -> Result<()> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let range = |of: fn(&(f64, f64)) -> f64| {
        let least = points().map(of).fold(f64::INFINITY, f64::min);
        let most = points().map(of).fold(0.0, f64::max);
        (least * 0.8..most * 1.25).log_scale()
    };
    let area = SVGBackend::new(file, (WIDTH.cast_unsigned(), 420)).into_drawing_area();
    let draw =
        |area: &DrawingArea<SVGBackend<'_>, Shift>| -> Result<(), Box<dyn std::error::Error>> {
            area.fill(&WHITE)?;
            let mut chart = ChartBuilder::on(area)
                .caption(title, (TEXT, 18))
                .margin(12)
                .x_label_area_size(30)
                .y_label_area_size(50)
                .build_cartesian_2d(range(|point| point.0), range(|point| point.1))?;
            chart
                .configure_mesh()
                .light_line_style(TRANSPARENT)
                .x_label_formatter(&ToString::to_string)
                .y_label_formatter(&ToString::to_string)
                .draw()?;
            for ((name, points), color) in lines.iter().zip(COLORS.into_iter().cycle()) {
                let path = PathElement::new(points.clone(), color.stroke_width(2));
                let marks = points
                    .iter()
                    .map(|point| Circle::new(*point, 3, color.filled()));
                chart
                    .draw_series([path])?
                    .label(name)
                    .legend(move |(x, y)| {
                        PathElement::new(vec![(x, y), (x + 16, y)], color.stroke_width(2))
                    });
                chart.draw_series(marks)?;
            }
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperLeft)
                .background_style(WHITE.mix(0.8))
                .draw()?;
            area.present()?;
            Ok(())
        };
    draw(&area).map_err(|error| anyhow!("{}: {error}", file.display()))
}

/// Whole pixels of a length that is on the chart.
fn pixels(length: f64) -> i32 {
    // The only conversion that the standard library has; it saturates.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "shorter than the chart is wide"
    )]
    let pixels = length.round() as i32;
    pixels
}
