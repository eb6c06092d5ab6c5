//! Pictures: SVG that stands by itself, with no script, no font and no address of anybody's.
//!
//! The same numbers give the same bytes: all places are whole numbers. Colours follow the reader's light or
//! dark preference; nothing is told by colour alone, for each mark has a title and the whole a description
//! in words.

use std::fmt::Write as _;

use super::sheet::length;
use crate::ident::Epoch;

/// A median and a 90th percentile.
pub(super) struct Point {
    pub(super) name: String,
    pub(super) median: Option<i64>,
    pub(super) ninetieth: Option<i64>,
}

/// Counts that are put one behind the other.
pub(super) struct Stack {
    pub(super) name: String,
    pub(super) parts: Vec<usize>,
}

/// An exposure from its beginning to its end.
pub(super) struct Life {
    pub(super) name: String,
    pub(super) public: Option<Epoch>,
    pub(super) available: Option<Epoch>,
    pub(super) detected: Epoch,
    pub(super) ended: Option<Epoch>,
}

/// A picture, before it is drawn.
pub(super) enum Picture {
    /// Times along the weeks.
    Trend(Vec<Point>),
    /// Times, a row each.
    Spans(Vec<Point>),
    /// Counts, a row each; the legend has the class and the name of each part.
    Stacks {
        /// Class and name of each part.
        legend: Vec<(&'static str, &'static str)>,
        /// The rows.
        stacks: Vec<Stack>,
    },
    /// Exposures, a row each, up to a time.
    Lives {
        /// The rows.
        lives: Vec<Life>,
        /// Where the open ones end.
        now: Epoch,
    },
}

const WIDTH: i64 = 760;
const LEFT: i64 = 190;
const RIGHT: i64 = 130;
const TOP: i64 = 78;
const ROW: i64 = 26;
const BAR: i64 = 16;
const TALL: i64 = 200;

/// Where bars may be.
const ROOM: i64 = WIDTH - LEFT - RIGHT;

/// The most letters of a name that are drawn; its title has all.
const LETTERS: usize = 24;

const STYLE: &str = "svg{--b:#fff;--t:#1f2328;--l:#d0d7de;--m:#59636e;--c1:#b3093c;--c2:#d9480f;--c3:#b08800;\
--c4:#1a7f64;--c5:#6e7781;--c6:#8250df;--c7:#0969da}\
@media(prefers-color-scheme:dark){svg{--b:#0d1117;--t:#e6edf3;--l:#30363d;--m:#9198a1;--c1:#ff6b81;--c2:#ff9e5e;\
--c3:#e3b341;--c4:#4ac99b;--c5:#8b949e;--c6:#bc8cff;--c7:#58a6ff}}\
text{font:13px system-ui,sans-serif;fill:var(--t)}.h{font-size:16px;font-weight:600}.m{fill:var(--m);font-size:12px}\
.g{stroke:var(--l)}.w{stroke:var(--t);stroke-width:2}.back{fill:var(--b)}\
.critical,.overdue{fill:var(--c1)}.high,.late{fill:var(--c2)}.medium{fill:var(--c3)}.low,.met{fill:var(--c4)}\
.negligible,.nofix{fill:var(--c5)}.unknown{fill:var(--c6)}.waiting,.median{fill:var(--c7)}";

impl Picture {
    /// Draws it.
    pub(super) fn to_svg(&self, title: &str, words: &str) -> String {
        let (height, body) = match self {
            Self::Trend(points) => trend(points),
            Self::Spans(points) => spans(points),
            Self::Stacks { legend, stacks } => stacked(legend, stacks),
            Self::Lives { lives, now } => drawn(lives, *now),
        };
        let (title, words) = (plain(title), plain(words));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\" aria-labelledby=\"title desc\">\n\
             <title id=\"title\">{title}</title>\n<desc id=\"desc\">{words}</desc>\n<style>{STYLE}</style>\n\
             <rect class=\"back\" width=\"{WIDTH}\" height=\"{height}\"/>\n\
             <text class=\"h\" x=\"16\" y=\"28\">{title}</text>\n{body}</svg>\n"
        )
    }
}

/// Text that is no markup, and nothing that XML forbids.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            letter if letter.is_control() || ('\u{fffe}'..='\u{ffff}').contains(&letter) => {
                safe.push('\u{fffd}');
            }
            letter => safe.push(letter),
        }
    }
    safe
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).expect("rows are few")
}

fn row_at(number: usize) -> i64 {
    TOP + whole(number) * ROW
}

fn text(body: &mut String, class: &str, (x, y): (i64, i64), anchor: &str, words: &str) {
    let words = plain(words);
    let _ =
        writeln!(body, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{words}</text>");
}

fn name(body: &mut String, row: usize, words: &str) {
    let short: String = words.chars().take(LETTERS).collect();
    let shown = if short == words { short } else { format!("{short}…") };
    text(body, "n", (LEFT - 10, row_at(row) + 13), "end", &shown);
}

fn bar(body: &mut String, class: &str, (x, y): (i64, i64), (width, height): (i64, i64), words: &str) {
    let words = plain(words);
    let _ = writeln!(
        body,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"><title>{words}</title></rect>"
    );
}

fn line(body: &mut String, class: &str, (x, y): (i64, i64), (to_x, to_y): (i64, i64)) {
    let _ = writeln!(body, "<line class=\"{class}\" x1=\"{x}\" y1=\"{y}\" x2=\"{to_x}\" y2=\"{to_y}\"/>");
}

/// What the colours mean.
fn legend(body: &mut String, parts: &[(&str, &str)]) {
    let mut x = 16;
    for (class, words) in parts {
        let _ = writeln!(body, "<rect class=\"{class}\" x=\"{x}\" y=\"42\" width=\"12\" height=\"12\"/>");
        text(body, "m", (x + 17, 53), "start", words);
        x += 32 + whole(words.len()) * 7;
    }
}

/// Marks of a scale of seconds: at most five, at round times.
fn marks(longest: i64) -> Vec<i64> {
    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;
    let steps = [60, 600, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY];
    let longer = (1..60).map(|count| count * 90 * DAY);
    let step = steps.into_iter().chain(longer).find(|step| longest <= step * 5).unwrap_or(longest / 5 + 1);
    (0..=longest / step).map(|mark| mark * step).collect()
}

fn longest(points: &[Point]) -> i64 {
    points.iter().filter_map(|point| point.ninetieth).max().unwrap_or(0).max(60)
}

fn in_words(point: &Point) -> String {
    let say = |time: Option<i64>| time.map_or_else(|| "none".to_owned(), length);
    format!("{}: median {}, 90th percentile {}", point.name, say(point.median), say(point.ninetieth))
}

/// A row each: a bar to the median, a line to the 90th percentile.
fn spans(points: &[Point]) -> (i64, String) {
    let mut body = String::new();
    let (longest, end) = (longest(points), row_at(points.len()));
    let x = |time: i64| LEFT + time * ROOM / longest;
    text(&mut body, "m", (16, 53), "start", "bar: median; line: up to the 90th percentile");
    for mark in marks(longest) {
        line(&mut body, "g", (x(mark), TOP - 6), (x(mark), end));
        text(&mut body, "m", (x(mark), end + 16), "middle", &length(mark));
    }
    for (row, point) in points.iter().enumerate() {
        name(&mut body, row, &point.name);
        let (Some(median), Some(ninetieth)) = (point.median, point.ninetieth) else { continue };
        let (y, middle) = (row_at(row), row_at(row) + BAR / 2);
        line(&mut body, "w", (x(median), middle), (x(ninetieth), middle));
        line(&mut body, "w", (x(ninetieth), y + 3), (x(ninetieth), y + BAR - 3));
        bar(&mut body, "median", (LEFT, y), ((x(median) - LEFT).max(2), BAR), &in_words(point));
        let label = format!("{} / {}", length(median), length(ninetieth));
        text(&mut body, "m", (x(ninetieth) + 6, y + 13), "start", &label);
    }
    (end + 30, body)
}

/// A column each: a bar up to the median, a mark at the 90th percentile.
fn trend(points: &[Point]) -> (i64, String) {
    let mut body = String::new();
    let (longest, bottom) = (longest(points), TOP + TALL);
    let y = |time: i64| bottom - time * TALL / longest;
    text(&mut body, "m", (16, 53), "start", "bar: median; mark: 90th percentile");
    for mark in marks(longest) {
        line(&mut body, "g", (90, y(mark)), (WIDTH - 20, y(mark)));
        text(&mut body, "m", (82, y(mark) + 4), "end", &length(mark));
    }
    let room = WIDTH - 110;
    let count = whole(points.len()).max(1);
    // Names are as wide as some narrow columns.
    let each_named = (60 * count / room + 1).max(1);
    for (number, point) in points.iter().enumerate() {
        let (left, right) = (90 + whole(number) * room / count, 90 + (whole(number) + 1) * room / count);
        let width = ((right - left) * 7 / 10).clamp(1, 40);
        let from = left + (right - left - width) / 2;
        if whole(number) % each_named == 0 {
            text(&mut body, "m", (from + width / 2, bottom + 16), "middle", &point.name);
        }
        let (Some(median), Some(ninetieth)) = (point.median, point.ninetieth) else { continue };
        let top = y(median).min(bottom - 2);
        bar(&mut body, "median", (from, top), (width, bottom - top), &in_words(point));
        line(&mut body, "w", (from, y(ninetieth)), (from + width, y(ninetieth)));
    }
    (bottom + 30, body)
}

/// A row each: counts one behind the other.
fn stacked(parts: &[(&'static str, &'static str)], stacks: &[Stack]) -> (i64, String) {
    let mut body = String::new();
    legend(&mut body, parts);
    let most = stacks.iter().map(|stack| stack.parts.iter().sum::<usize>()).max().unwrap_or(0).max(1);
    for (row, stack) in stacks.iter().enumerate() {
        name(&mut body, row, &stack.name);
        let mut before = 0;
        for ((class, words), count) in parts.iter().zip(&stack.parts).filter(|(_, count)| **count > 0) {
            let x = |count: usize| LEFT + whole(count) * ROOM / whole(most);
            let (from, to) = (x(before), x(before + count));
            let title = format!("{}: {count} {words}", stack.name);
            bar(&mut body, class, (from, row_at(row)), ((to - from).max(1), BAR), &title);
            before += count;
        }
        let end = LEFT + whole(before) * ROOM / whole(most);
        text(&mut body, "m", (end + 6, row_at(row) + 13), "start", &before.to_string());
    }
    (row_at(stacks.len()) + 14, body)
}

/// A row each: from public knowledge (thin) and detection (thick) to the end.
fn drawn(lives: &[Life], now: Epoch) -> (i64, String) {
    let mut body = String::new();
    legend(&mut body, &[("met", "fixed or gone"), ("overdue", "open")]);
    text(&mut body, "m", (250, 53), "start", "line: public; bar: from detection; mark: fix available");
    let begin = |life: &Life| [life.public, life.available, Some(life.detected)].into_iter().flatten().min();
    let first = lives.iter().filter_map(begin).min().unwrap_or(now);
    let last = lives.iter().map(|life| life.ended.unwrap_or(now)).max().unwrap_or(now).0.max(first.0 + 1);
    let x = |time: Epoch| LEFT + (time.0.clamp(first.0, last) - first.0) * ROOM / (last - first.0);
    let end = row_at(lives.len());
    for (row, life) in lives.iter().enumerate() {
        name(&mut body, row, &life.name);
        let (y, middle) = (row_at(row), row_at(row) + BAR / 2);
        let until = life.ended.unwrap_or(now);
        if let Some(public) = life.public {
            line(&mut body, "w", (x(public), middle), (x(life.detected), middle));
        }
        let class = if life.ended.is_some() { "met" } else { "overdue" };
        let ended = life.ended.map_or_else(|| "open".to_owned(), |ended| format!("until {ended}"));
        let title = format!("{}: detected {}, {ended}", life.name, life.detected);
        bar(&mut body, class, (x(life.detected), y), ((x(until) - x(life.detected)).max(2), BAR), &title);
        if let Some(available) = life.available {
            line(&mut body, "w", (x(available), y - 2), (x(available), y + BAR + 2));
        }
    }
    let day = |time: Epoch| time.to_string().chars().take(10).collect::<String>();
    text(&mut body, "m", (LEFT, end + 12), "start", &day(first));
    text(&mut body, "m", (LEFT + ROOM, end + 12), "end", &day(Epoch(last)));
    (end + 26, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_no_markup() {
        let stack = Stack { name: "<script>\u{1}&\"".to_owned(), parts: vec![1] };
        let picture = Picture::Stacks { legend: vec![("met", "met")], stacks: vec![stack] };
        let svg = picture.to_svg("a < b", "x & y");
        assert!(!svg.contains("<script>") && !svg.contains('\u{1}'), "{svg}");
        assert!(roxmltree::Document::parse(&svg).is_ok(), "{svg}");
    }

    #[test]
    fn every_kind_is_drawn_with_and_without_numbers() {
        let point = |median, ninetieth| Point { name: "2026-W47".to_owned(), median, ninetieth };
        let life = Life {
            name: "python".to_owned(),
            public: Some(Epoch(1_790_000_000)),
            available: None,
            detected: Epoch(1_790_000_100),
            ended: None,
        };
        for picture in [
            Picture::Trend(vec![]),
            Picture::Trend((0..300).map(|days| point(Some(days * 60), Some(days * 86_400))).collect()),
            Picture::Spans(vec![point(None, None), point(Some(0), Some(0))]),
            Picture::Spans(vec![point(Some(1), Some(i64::MAX / 1_000))]),
            Picture::Stacks { legend: vec![], stacks: vec![] },
            Picture::Lives { lives: vec![], now: Epoch(0) },
            Picture::Lives { lives: vec![life], now: Epoch(1_790_000_000) },
        ] {
            let svg = picture.to_svg("t", "w");
            let document = roxmltree::Document::parse(&svg).expect("XML");
            let root = document.root_element();
            assert_eq!(root.attribute("aria-labelledby"), Some("title desc"));
            for address in ["href", "url(", "src="] {
                assert!(!svg.contains(address));
            }
        }
    }

    #[test]
    fn a_scale_has_at_most_six_marks_at_round_times() {
        assert_eq!(marks(86_400), [0, 21_600, 43_200, 64_800, 86_400]);
        for longest in [0, 1, 60, 3_601, 1_000_000, 100_000_000, 10_000_000_000] {
            assert!((1..=6).contains(&marks(longest).len()), "{longest}");
        }
    }
}
