//! What was counted and measured.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::support::binary::Running;

/// Of the answers.
#[derive(Default)]
pub struct Figures {
    outcomes: Mutex<BTreeMap<(&'static str, &'static str), usize>>,
    /// Of answers while there was no trouble.
    times: Mutex<Vec<Duration>>,
    wrong: Mutex<Vec<String>>,
}

/// So many are kept to be read.
const MOST_WRONG: usize = 50;

impl Figures {
    pub fn outcome(&self, kind: &'static str, outcome: &'static str) {
        *self.outcomes.lock().unwrap().entry((kind, outcome)).or_default() += 1;
    }

    pub fn time(&self, took: Duration) {
        self.times.lock().unwrap().push(took);
    }

    pub fn wrong(&self, what: &str) {
        let mut wrong = self.wrong.lock().unwrap();
        if wrong.len() < MOST_WRONG {
            // Bodies are long.
            wrong.push(what.chars().take(600).collect());
        }
    }

    pub fn all(&self) -> usize {
        self.outcomes.lock().unwrap().values().sum()
    }

    /// How often it came out so, whatever was asked.
    pub fn count(&self, outcome: &str) -> usize {
        let outcomes = self.outcomes.lock().unwrap();
        outcomes.iter().filter(|((_, one), _)| *one == outcome).map(|(_, count)| count).sum()
    }

    pub fn print(&self) {
        for ((kind, outcome), count) in &*self.outcomes.lock().unwrap() {
            println!("  {kind}: {outcome} {count}");
        }
        let mut times = self.times.lock().unwrap();
        times.sort();
        let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
        println!("  without trouble: p50 {:?}, p99 {:?}", at(50), at(99));
    }

    pub fn are_right(&self) {
        let wrong = self.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{} wrong answers, or more: {}", wrong.len(), wrong.join("\n"));
    }
}

/// What the process holds at a time.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub memory: i64,
    pub files: usize,
}

pub fn sample(server: &Running) -> Sample {
    Sample { memory: server.memory(), files: server.open_files() }
}

/// One each second.
pub async fn watch(server: &Running, until: Instant) -> Vec<Sample> {
    let mut samples = Vec::new();
    while Instant::now() < until {
        sleep(Duration::from_secs(1)).await;
        samples.push(sample(server));
    }
    samples
}

pub fn median<T: Ord + Copy>(samples: &[Sample], of: impl Fn(&Sample) -> T) -> T {
    let mut values: Vec<T> = samples.iter().map(of).collect();
    values.sort();
    values[values.len() / 2]
}
