//! The client's values of variables. They stay JSON text until a variable's type needs them: an invalid value of an undefined
//! variable is ignored, and one of a defined variable is reported by name.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

/// Values by the names of their variables.
#[derive(Debug, Clone, Default)]
pub struct RawVariables(HashMap<String, Box<RawValue>>);

impl RawVariables {
    pub(super) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.get(name).map(|value| &**value)
    }
}

/// The last duplicate of a name wins, as in most JSON readers.
impl<'a> FromIterator<(Cow<'a, str>, &'a RawValue)> for RawVariables {
    fn from_iter<T: IntoIterator<Item = (Cow<'a, str>, &'a RawValue)>>(members: T) -> Self {
        Self(members.into_iter().map(|(name, value)| (name.into_owned(), value.to_owned())).collect())
    }
}

impl From<Map<String, Value>> for RawVariables {
    fn from(values: Map<String, Value>) -> Self {
        let text = |(name, value)| Some((name, to_raw_value(&value).ok()?));
        Self(values.into_iter().filter_map(text).collect())
    }
}

impl PartialEq for RawVariables {
    fn eq(&self, other: &Self) -> bool {
        let is_in_other = |name: &String| match (self.get(name), other.get(name)) {
            (Some(one), Some(other)) => one.get() == other.get(),
            _ => false,
        };
        self.0.len() == other.0.len() && self.0.keys().all(is_in_other)
    }
}
