//! The values that a client gives for variables: text, until the type of a variable asks for what is in it. So what is odd in a
//! value costs nothing where no operation asks for it, and is told of by name where one does.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

/// Values by the names of their variables.
#[derive(Debug, Clone, Default)]
pub struct GivenVariables(HashMap<String, Box<RawValue>>);

impl GivenVariables {
    pub(super) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.get(name).map(|value| &**value)
    }
}

/// Of one name that comes twice the last counts, as in any JSON object.
impl<'a> FromIterator<(Cow<'a, str>, &'a RawValue)> for GivenVariables {
    fn from_iter<T: IntoIterator<Item = (Cow<'a, str>, &'a RawValue)>>(members: T) -> Self {
        Self(members.into_iter().map(|(name, value)| (name.into_owned(), value.to_owned())).collect())
    }
}

impl From<Map<String, Value>> for GivenVariables {
    fn from(values: Map<String, Value>) -> Self {
        let text = |(name, value)| Some((name, to_raw_value(&value).ok()?));
        Self(values.into_iter().filter_map(text).collect())
    }
}

impl PartialEq for GivenVariables {
    fn eq(&self, other: &Self) -> bool {
        let is_in_other = |name: &String| match (self.get(name), other.get(name)) {
            (Some(one), Some(other)) => one.get() == other.get(),
            _ => false,
        };
        self.0.len() == other.0.len() && self.0.keys().all(is_in_other)
    }
}
