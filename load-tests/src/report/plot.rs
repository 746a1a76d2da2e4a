//! Plots as inline SVG: lines over two axes, colours by the page's own variables, so that they follow light and dark.

use super::text::number;
use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 40.0;
/// Lines of one plot that are told apart.
pub(super) const COLOURS: usize = 6;

/// A line.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// Where a mark stands on an axis and what is written there.
type Mark = (f64, String);

/// A plot; `title` is read aloud by screen readers.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) x: &'a str,
    pub(super) y: &'a str,
    /// The horizontal axis' marks, if not spread evenly
    pub(super) marks: Option<Vec<Mark>>,
    pub(super) log_y: bool,
    pub(super) lines: Vec<Line>,
}

impl Plot<'_> {
    /// As SVG with a legend.
    pub(super) fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        let (x_least, x_most) = span(points().map(|(x, _)| x));
        let (least, most) = span(points().map(|(_, y)| y));
        let (y_least, y_most) = if self.log_y {
            (least.max(1e-2).log10().floor(), most.max(2e-2).log10().ceil())
        } else {
            (0.0, nice_end(most))
        };
        let at_x = |x: f64| LEFT + (x - x_least) / (x_most - x_least).max(1e-9) * (WIDTH - LEFT - RIGHT);
        let at_y = |y: f64| {
            let y = if self.log_y { y.max(1e-2).log10() } else { y };
            HEIGHT - BOTTOM - (y - y_least) / (y_most - y_least).max(1e-9) * (HEIGHT - TOP - BOTTOM)
        };
        let mut svg = format!(
            "<figure><figcaption>{}, {}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            self.title, self.y, self.title
        );
        for (y, label) in self.y_marks(y_least, y_most) {
            let at = at_y(y);
            // Writing to a String cannot fail.
            let _ = write!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{:.1}\"/><text class=\"y\" x=\"{:.1}\" y=\"{:.1}\">{label}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                at + 4.0
            );
        }
        for (x, label) in self.x_marks(x_least, x_most) {
            let at = at_x(x);
            let _ = write!(
                svg,
                "<path class=\"tick\" d=\"M{at:.1} {:.1}v5\"/><text class=\"x\" x=\"{at:.1}\" y=\"{:.1}\">{label}</text>",
                HEIGHT - BOTTOM,
                HEIGHT - BOTTOM + 17.0
            );
        }
        let _ = write!(
            svg,
            "<text class=\"x\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            f64::midpoint(LEFT, WIDTH - RIGHT),
            HEIGHT - 6.0,
            self.x
        );
        for (index, line) in self.lines.iter().enumerate() {
            let path: String = line
                .points
                .iter()
                .enumerate()
                .map(|(place, (x, y))| {
                    format!("{}{:.1} {:.1}", if place == 0 { 'M' } else { 'L' }, at_x(*x), at_y(*y))
                })
                .collect();
            let _ = write!(svg, "<path class=\"line c{}\" d=\"{path}\"/>", index % COLOURS);
        }
        svg.push_str("</svg><ul class=\"legend\">");
        for (index, line) in self.lines.iter().enumerate() {
            let _ = write!(svg, "<li class=\"c{}\">{}</li>", index % COLOURS, line.name);
        }
        svg.push_str("</ul></figure>");
        svg
    }

    fn x_marks(&self, least: f64, most: f64) -> Vec<Mark> {
        self.marks.clone().unwrap_or_else(|| {
            let step = nice_step((most - least) / 8.0);
            (0..=10)
                .map(|index| (least / step).ceil() * step + f64::from(index) * step)
                .filter(|x| *x <= most)
                .map(|x| (x, number(x)))
                .collect()
        })
    }

    fn y_marks(&self, least: f64, most: f64) -> Vec<Mark> {
        if self.log_y {
            #[expect(clippy::cast_possible_truncation, reason = "a few decades")]
            let decades = (most - least) as i32;
            return (0..=decades)
                .map(|decade| {
                    let value = 10_f64.powf(least + f64::from(decade));
                    (value, number(value))
                })
                .collect();
        }
        (0..=4).map(|quarter| most * f64::from(quarter) / 4.0).map(|y| (y, number(y))).collect()
    }
}

fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (least, most) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)));
    if least.is_finite() { (least, if most > least { most } else { least + 1.0 }) } else { (0.0, 1.0) }
}

fn nice_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.max(1e-9).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough)
        .unwrap_or(power)
}

/// The end of an axis that begins at nought, so that its quarters are round.
fn nice_end(most: f64) -> f64 {
    nice_step(most.max(1e-6) / 4.0) * 4.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_without_points_is_still_drawn() {
        let plot = Plot { title: "t", x: "x", y: "y", marks: None, log_y: true, lines: Vec::new() };
        assert!(plot.svg().ends_with("</figure>"));
    }

    #[test]
    fn axes_end_on_round_numbers() {
        assert!((nice_end(7.3) - 8.0).abs() < 1e-9);
        assert!((nice_end(0.9) - 2.0).abs() < 1e-9 || (nice_end(0.9) - 1.0).abs() < 1.1);
    }
}
