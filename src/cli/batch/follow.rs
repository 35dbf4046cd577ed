//! Following batches to their end.

use std::{collections::BTreeMap, time::Duration};

use super::{progress::Progress, send::Sent};
use crate::cli::{
    fate::Fate,
    remote::{Ask, Remote, RemoteError},
};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// How many operations are in each state, by its name.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts(pub(super) BTreeMap<String, usize>);

impl Counts {
    /// How many have one of these fates.
    pub(super) fn of(&self, fates: &[Fate]) -> usize {
        let those = self.0.iter().filter(|(state, _)| fates.contains(&Fate::of(state)));
        those.map(|(_, count)| count).sum()
    }

    /// Adds those of another batch.
    pub(super) fn add(&mut self, other: &Self) {
        for (state, count) in &other.0 {
            *self.0.entry(state.clone()).or_default() += count;
        }
    }
}

/// Asks until nothing of the batches goes on by itself any more; the counts of each.
///
/// # Errors
/// When the service can't be asked.
pub(super) async fn follow(remote: &Remote, sent: &[Sent], progress: &Progress) -> Result<Vec<Counts>, RemoteError> {
    let mut counts: Vec<Option<Counts>> = sent.iter().map(|_| None).collect();
    let mut pause = FIRST_PAUSE;
    loop {
        let mut all = Counts::default();
        for (sent, counts) in sent.iter().zip(&mut counts) {
            let goes_on = counts.as_ref().is_none_or(|counts| counts.of(&[Fate::Going]) > 0);
            if goes_on {
                *counts = Some(ask(remote, sent).await?);
            }
            if let Some(counts) = counts {
                all.add(counts);
            }
        }
        let refused: usize = sent.iter().map(|sent| sent.refused.len()).sum();
        progress.at(
            refused + all.of(&[Fate::Well, Fate::Ill, Fate::Waits, Fate::Later]),
            &told(&all, refused),
        );
        if all.of(&[Fate::Going]) == 0 {
            return Ok(counts.into_iter().flatten().collect());
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

async fn ask(remote: &Remote, sent: &Sent) -> Result<Counts, RemoteError> {
    let Some(batch) = &sent.batch else {
        return Ok(Counts::default());
    };
    let answer = remote.send(&Ask::get(&["batches", batch])).await?;
    let states = answer.body["states"].as_object().ok_or_else(|| remote.foreign())?;
    let counts = states
        .iter()
        .filter_map(|(state, count)| Some((state.clone(), usize::try_from(count.as_u64()?).ok()?)))
        .filter(|(_, count)| *count > 0)
        .collect();
    Ok(Counts(counts))
}

/// What there is to say while it goes on.
fn told(all: &Counts, refused: usize) -> String {
    let failed = refused + all.of(&[Fate::Ill]);
    let parts = [
        (failed, "failed"),
        (all.of(&[Fate::Waits]), "held"),
        (all.of(&[Fate::Later]), "for later"),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    parts.join(", ")
}
