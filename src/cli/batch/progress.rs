//! How far it is: a bar on a terminal, lines elsewhere. Both go to standard error, so that standard
//! output has the result alone.

use std::{
    io::IsTerminal as _,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// How far lines are apart.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// How often the bar shows that the program lives.
const TICK: Duration = Duration::from_millis(200);

/// Shows progress.
pub(super) enum Progress {
    Bar(ProgressBar),
    Lines(Mutex<Lines>),
}

/// What was told last.
pub(super) struct Lines {
    total: usize,
    name: &'static str,
    told: Instant,
    trouble: String,
}

impl Progress {
    /// Of so many rows.
    pub(super) fn of(total: usize) -> Self {
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(total as u64);
            let form = "{prefix:>9} [{bar:30}] {human_pos}/{human_len} {wide_msg} {elapsed}";
            if let Ok(style) = ProgressStyle::with_template(form) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(TICK);
            return Self::Bar(bar);
        }
        Self::Lines(Mutex::new(Lines {
            total,
            name: "",
            told: Instant::now(),
            trouble: String::new(),
        }))
    }

    /// Begins a part of the work.
    pub(super) fn begin(&self, name: &'static str) {
        match self {
            Self::Bar(bar) => {
                bar.set_prefix(name);
                bar.set_message("");
                bar.set_position(0);
            }
            Self::Lines(lines) => lines.lock().unwrap_or_else(PoisonError::into_inner).name = name,
        }
    }

    /// So many rows are through; what else there is to say of them.
    pub(super) fn at(&self, count: usize, message: &str) {
        match self {
            Self::Bar(bar) => {
                bar.set_position(count as u64);
                bar.set_message(message.to_owned());
            }
            Self::Lines(lines) => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.told.elapsed() >= BETWEEN_LINES {
                    lines.told = Instant::now();
                    let comma = if message.is_empty() { "" } else { ", " };
                    eprintln!("{}: {count} of {}{comma}{message}", lines.name, lines.total);
                }
            }
        }
    }

    /// Tells something that happened.
    pub(super) fn tell(&self, text: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| eprintln!("{text}")),
            Self::Lines(_) => eprintln!("{text}"),
        }
    }

    /// Tells why something takes longer, once while it stays the same.
    pub(super) fn trouble(&self, text: &str) {
        match self {
            Self::Bar(bar) => bar.set_message(text.to_owned()),
            Self::Lines(lines) => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.trouble != text {
                    lines.trouble = text.to_owned();
                    eprintln!("{text}");
                }
            }
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        match self {
            Self::Bar(bar) => bar.finish_and_clear(),
            Self::Lines(_) => {}
        }
    }
}
