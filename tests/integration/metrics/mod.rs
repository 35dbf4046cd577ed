//! What an operator sees from afar: metrics as they are scraped, who may read them, and the page
//! that tells of each.

mod access;
mod leavers;
mod listed;

use std::collections::BTreeMap;

use crate::harness::World;

/// A scrape: each series with its labels as they are written, and its value.
#[derive(Debug)]
pub(crate) struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    /// Reads a scrape's text.
    pub(crate) fn of(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), value.parse().unwrap())
        };
        Self(samples.map(sample).collect())
    }

    /// The sum of the series of this name whose labels have all of these.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let is_wanted = |series: &str| {
            let (own, rest) = series.split_once('{').unwrap_or((series, ""));
            let has = |(name, value): &(&str, &str)| rest.contains(&format!("{name}=\"{value}\""));
            own == name && labels.iter().all(has)
        };
        let wanted = self.0.iter().filter(|(series, _)| is_wanted(series));
        wanted.map(|(_, value)| value).sum()
    }

    /// Every series.
    pub(crate) fn series(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl World {
    /// What a Prometheus would read now.
    pub(crate) async fn scrape(&self) -> Scrape {
        let answer = self.get("/metrics").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        Scrape::of(&answer.text)
    }
}
