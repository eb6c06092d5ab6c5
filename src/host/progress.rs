//! Telling people how far it is: bars on a terminal, plain lines elsewhere, nothing when quiet.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// Nothing but problems.
    Quiet,
    /// Lines.
    Lines,
    /// Lines, and bars that move.
    Bars,
}

/// Who is told.
#[derive(Debug, Clone)]
pub struct Progress {
    voice: Voice,
    bars: MultiProgress,
}

/// Something under way.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Progress {
    /// Tells by `voice`, on the error output.
    pub fn new(voice: Voice) -> Self {
        let target =
            if voice == Voice::Bars { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { voice, bars: MultiProgress::with_draw_target(target) }
    }

    /// Says a line: a verb in a column, and what it is done to.
    pub fn say(&self, verb: &str, what: &str) {
        if self.voice != Voice::Quiet {
            let line = format!("{verb:>12} {what}");
            self.bars.suspend(|| {
                let _ = writeln!(std::io::stderr(), "{line}");
            });
        }
    }

    /// A bar for so many bytes of something.
    pub fn bytes(&self, verb: &str, what: &str, total: u64) -> Bar {
        if self.voice == Voice::Lines {
            let of = if total == 0 { String::new() } else { format!(" ({})", size(total)) };
            self.say(&capital(verb), &format!("{what}{of}"));
        }
        let style = ProgressStyle::with_template(
            "{prefix:>12} [{bar:30}] {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec}",
        );
        self.bar(verb, total, style.expect("a template of ours"))
    }

    /// A bar for so many steps.
    pub fn steps(&self, verb: &str, total: u64) -> Bar {
        let style = ProgressStyle::with_template("{prefix:>12} [{bar:30}] {pos}/{len} {msg}");
        self.bar(verb, total, style.expect("a template of ours"))
    }

    fn bar(&self, verb: &str, total: u64, style: ProgressStyle) -> Bar {
        let bar = self.bars.add(ProgressBar::new(total).with_style(style.progress_chars("=> ")));
        bar.set_prefix(capital(verb));
        if self.voice == Voice::Bars {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Bar(bar)
    }
}

impl Bar {
    /// So many more are done.
    pub fn add(&self, more: u64) {
        self.0.inc(more);
    }

    /// All is done; the bar goes.
    pub fn done(&self) {
        self.0.finish_and_clear();
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Bytes for people: `36.6 MB`, powers of ten as registries count.
pub fn size(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    #[allow(clippy::cast_precision_loss)] // for people, with one digit after the point
    let mut number = bytes as f64 / 1000.0;
    let mut unit = 0;
    while number >= 999.95 && unit + 1 < units.len() {
        number /= 1000.0;
        unit += 1;
    }
    format!("{number:.1} {}", units[unit])
}

/// Whether the error output is a terminal.
pub fn on_terminal() -> bool {
    std::io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_for_people() {
        for (bytes, text) in
            [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (36_600_000, "36.6 MB"), (999_999, "1.0 MB")]
        {
            assert_eq!(size(bytes), text);
        }
    }
}
