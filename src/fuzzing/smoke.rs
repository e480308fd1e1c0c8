//! The properties over the inputs that were kept, and over random changes of them: a second for each target, with `LC_LONG`
//! half a minute. No more than a smoke test; what finds new ways through the code is cargo-fuzz (`fuzz/README.md`).

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::{TARGETS, check};

/// No longer than what is kept.
const LONGEST_INPUT: usize = 4096;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder().join("corpus").join(target)).unwrap();
    entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}

/// The tokens of a dictionary: one a line, in quotes, which are written as JSON.
fn dictionary(target: &str) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(folder().join("dictionaries").join(format!("{target}.dict"))).unwrap();
    let tokens = text.lines().filter(|line| line.starts_with('"'));
    tokens.map(|line| serde_json::from_str::<String>(line).unwrap().into_bytes()).collect()
}

/// One of the inputs, changed at one to four places.
fn changed(random: &mut StdRng, corpus: &[Vec<u8>], dictionary: &[Vec<u8>]) -> Vec<u8> {
    let mut input = corpus.choose(random).unwrap().clone();
    for _ in 0..random.random_range(1..=4) {
        let from = random.random_range(0..=input.len());
        let to = random.random_range(from..=input.len().min(from + 20));
        let with = match random.random_range(0..5) {
            0 => Vec::new(),
            1 => vec![random.random()],
            2 => dictionary.choose(random).unwrap().clone(),
            3 => input[from..to].repeat(2),
            _ => {
                let other = corpus.choose(random).unwrap();
                let start = random.random_range(0..=other.len());
                other[start..random.random_range(start..=other.len())].to_vec()
            }
        };
        input.splice(from..to, with);
    }
    input.truncate(LONGEST_INPUT);
    input
}

fn hold(target: &str, input: &[u8]) {
    let told = input.escape_ascii();
    assert!(catch_unwind(|| check(target, input)).is_ok(), "{target} does not hold of \"{told}\"");
}

fn hold_for_a_while(target: &str) {
    let (corpus, dictionary) = (corpus(target), dictionary(target));
    for input in &corpus {
        hold(target, input);
    }
    #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
    let is_long = std::env::var("LC_LONG").is_ok_and(|long| long == "1");
    let end = Instant::now() + Duration::from_secs(if is_long { 30 } else { 1 });
    let mut random = StdRng::from_os_rng();
    while Instant::now() < end {
        hold(target, &changed(&mut random, &corpus, &dictionary));
    }
}

macro_rules! hold_for_a_while {
    ($($target:ident),+) => {
        $(
            #[test]
            fn $target() {
                hold_for_a_while(stringify!($target));
            }
        )+

        #[test]
        fn each_target_is_run_here_and_by_the_fuzzer() {
            let here = [$(stringify!($target)),+];
            let mut there: Vec<_> = fs::read_dir(folder().join("fuzz_targets"))
                .unwrap()
                .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            there.sort_unstable();
            assert_eq!(TARGETS.map(|target| target.name), here);
            assert_eq!(there, here);
        }
    };
}

hold_for_a_while!(config, cursors, documents, headers, ids, requests, server, sso);
