//! The ways in which the simulator behaves, for all accounts or for one, and what a call meets under them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::id::SsoId;

/// How the simulator behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// All is well.
    Ok,
    /// Every call is answered with 503.
    Down,
    /// Every call is answered after [`SLOWNESS`].
    Slow,
    /// No call is ever answered.
    Hang,
    /// Calls are answered with 503 and well in turn, the first with 503.
    Flap,
    /// Every page of a list after the first is answered with 500.
    PageFails,
    /// Every call is answered with 200 and a page of HTML.
    Garbage,
    /// No connection is left: lists are empty, and a single call is answered with 404.
    Revoked,
    /// Every account has one connection more, which LC cannot know of.
    Missing,
}

/// How long [`Scenario::Slow`] takes: half of the server's default budget.
pub const SLOWNESS: Duration = Duration::from_millis(400);

impl Scenario {
    /// Every scenario there is.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Down,
        Self::Slow,
        Self::Hang,
        Self::Flap,
        Self::PageFails,
        Self::Garbage,
        Self::Revoked,
        Self::Missing,
    ];

    /// Its word in `/__scenario`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Down => "down",
            Self::Slow => "slow",
            Self::Hang => "hang",
            Self::Flap => "flap",
            Self::PageFails => "page-fails",
            Self::Garbage => "garbage",
            Self::Revoked => "revoked",
            Self::Missing => "missing",
        }
    }

    /// What it does, and what the server then shows.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "all is well",
            Self::Down => "every call gets 503: lists are degraded (BAD_STATUS), repairs get 503",
            Self::Slow => "every call takes 400 ms: answers are whole, but late",
            Self::Hang => "no call is answered: degraded (TIMEOUT) after the budget, repairs get 503",
            Self::Flap => "calls fail (500) and work in turn: degraded, whole, degraded, ...",
            Self::PageFails => "pages after the first get 500: long lists are degraded (BAD_STATUS)",
            Self::Garbage => "every call gets 200 and HTML: degraded (BAD_PAYLOAD), repairs get 503",
            Self::Revoked => "SSO lists nothing: every row is drift MISSING_IN_SSO, repairs get 422",
            Self::Missing => "one connection more that LC missed: sso_only, and can be repaired",
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Every word, for a refusal.
pub(super) fn known() -> String {
    Scenario::ALL.map(Scenario::as_str).join(", ")
}

/// No scenario has this word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown scenario; known: {}", known())]
pub struct UnknownScenario;

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(word: &str) -> Result<Self, UnknownScenario> {
        Self::ALL.into_iter().find(|scenario| scenario.as_str() == word).ok_or(UnknownScenario)
    }
}

/// What a call meets before it is answered by the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    Down,
    Slow,
    Hang,
    Error,
    Garbage,
}

/// The scenario of all, and those that accounts have of their own.
#[derive(Debug)]
pub(super) struct Scenarios {
    default: Setting,
    own: BTreeMap<SsoId, Setting>,
}

#[derive(Debug, Clone, Copy)]
struct Setting {
    scenario: Scenario,
    /// What [`Scenario::Flap`] does next.
    fails_next: bool,
}

impl Setting {
    const fn new(scenario: Scenario) -> Self {
        Self { scenario, fails_next: true }
    }

    /// The trouble of one call. [`Scenario::Flap`] gives each call a turn, but a list as a whole; it fails with what is not
    /// tried again, lest nobody sees it.
    fn trouble(&mut self, is_further_page: bool) -> Trouble {
        match self.scenario {
            Scenario::Down => Trouble::Down,
            Scenario::Slow => Trouble::Slow,
            Scenario::Hang => Trouble::Hang,
            Scenario::Garbage => Trouble::Garbage,
            Scenario::PageFails if is_further_page => Trouble::Error,
            Scenario::Flap if !is_further_page => {
                self.fails_next = !self.fails_next;
                if self.fails_next { Trouble::None } else { Trouble::Error }
            }
            // What is left shows in the data, or not in this call.
            Scenario::Ok | Scenario::Revoked | Scenario::Missing | Scenario::PageFails | Scenario::Flap => {
                Trouble::None
            }
        }
    }
}

impl Scenarios {
    pub(super) const fn new() -> Self {
        Self { default: Setting::new(Scenario::Ok), own: BTreeMap::new() }
    }

    pub(super) const fn default(&self) -> Scenario {
        self.default.scenario
    }

    pub(super) fn own(&self) -> impl Iterator<Item = (SsoId, Scenario)> {
        self.own.iter().map(|(account, setting)| (*account, setting.scenario))
    }

    pub(super) const fn set_default(&mut self, scenario: Scenario) {
        self.default = Setting::new(scenario);
    }

    pub(super) fn set_own(&mut self, account: SsoId, scenario: Scenario) {
        self.own.insert(account, Setting::new(scenario));
    }

    /// An account's scenario: its own before the one of all.
    pub(super) fn of(&self, account: SsoId) -> Scenario {
        self.own.get(&account).map_or(self.default.scenario, |setting| setting.scenario)
    }

    /// Whether a connection between the two is gone: the scenarios of their own decide, then the one of all.
    pub(super) fn revokes(&self, parties: [SsoId; 2]) -> bool {
        let mut own = parties.iter().filter_map(|party| self.own.get(party)).peekable();
        match own.peek() {
            Some(_) => own.any(|setting| setting.scenario == Scenario::Revoked),
            None => self.default.scenario == Scenario::Revoked,
        }
    }

    /// What a list call meets: the trouble of the first account, by id, that has any.
    pub(super) fn meet_list(&mut self, accounts: &BTreeSet<SsoId>, is_further_page: bool) -> Trouble {
        let mut troubles = accounts.iter().map(|account| match self.own.get_mut(account) {
            Some(own) => own.trouble(is_further_page),
            None => self.default.trouble(is_further_page),
        });
        troubles.find(|trouble| *trouble != Trouble::None).unwrap_or(Trouble::None)
    }

    /// What a call for a connection of these parties meets: the trouble of the first that has a scenario of its own, else
    /// of all.
    pub(super) fn meet_single(&mut self, parties: impl IntoIterator<Item = SsoId>) -> Trouble {
        let own = parties.into_iter().find(|party| self.own.contains_key(party));
        let setting = own.and_then(|party| self.own.get_mut(&party)).unwrap_or(&mut self.default);
        setting.trouble(false)
    }
}
