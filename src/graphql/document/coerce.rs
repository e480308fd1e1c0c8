//! Variables: their given values against their types, before anything executes.

use async_graphql::parser::types::{BaseType, OperationDefinition, Type};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::types::{Kind, Types};
use super::wording::{MAX_ECHO, abbreviate, abbreviate_more, abbreviate_start, expected, expected_values};
use super::{RawVariables, RequestError};
use crate::domain::id::ObjectId;
use crate::domain::json_shape::{Members, Shape, member};
use crate::domain::plain_json;
use crate::domain::timestamp::Timestamp;

/// The values of an operation's variables, coerced; what it does not define is left out, and what was not given stays
/// absent unless it has a default.
pub(super) fn variables(
    types: &Types,
    operation: &OperationDefinition,
    given: &RawVariables,
) -> Result<Map<String, Value>, Vec<RequestError>> {
    let (mut coerced, mut errors) = (Map::new(), Vec::new());
    for definition in &operation.variable_definitions {
        let (name, ty, at) = (definition.node.name.node.as_str(), &definition.node.var_type.node, definition.pos);
        let default = definition.node.default_value.as_ref().map(|default| default.node.clone());
        match (given.get(name), default) {
            (Some(value), _) => match coerce(types, value, ty) {
                Ok(value) => {
                    coerced.insert(name.to_owned(), value);
                }
                Err(fault) => errors.push(RequestError::input(fault.message_for(name), at)),
            },
            (None, Some(default)) => {
                let default = default.into_json().and_then(|default| to_raw_value(&default));
                // That it fits has been seen to.
                if let Ok(Ok(value)) = default.map(|default| coerce(types, &default, ty)) {
                    coerced.insert(name.to_owned(), value);
                }
            }
            (None, None) if !ty.nullable => {
                let message = format!("Variable \"${name}\" of required type \"{ty}\" was not provided.");
                errors.push(RequestError::input(message, at));
            }
            (None, None) => {}
        }
    }
    if errors.is_empty() { Ok(coerced) } else { Err(errors) }
}

/// Where in a variable's value, and what, is wrong.
struct Fault {
    path: String,
    reason: String,
}

impl Fault {
    fn new(reason: String) -> Self {
        Self { path: String::new(), reason }
    }

    /// Abbreviates long names, so that the length limit of messages does not cut off the reason.
    fn message_for(&self, variable: &str) -> String {
        let Self { path, reason } = self;
        let name = abbreviate(variable);
        if path.is_empty() {
            return format!("Variable \"${name}\" got an invalid value; {reason}");
        }
        let place = abbreviate_start(&format!("{variable}{path}"));
        let name =
            if name.chars().count() + place.chars().count() <= MAX_ECHO { name } else { abbreviate_more(variable) };
        format!("Variable \"${name}\" got an invalid value at \"{place}\"; {reason}")
    }

    fn within(self, step: &str) -> Self {
        Self { path: format!("{step}{}", self.path), ..self }
    }
}

fn coerce(types: &Types, value: &RawValue, ty: &Type) -> Result<Value, Fault> {
    match (Shape::parse(value), &ty.base) {
        (Shape::Null, _) if ty.nullable => Ok(Value::Null),
        (Shape::Null, _) => Err(Fault::new(format!("Expected non-nullable type \"{ty}\" not to be null."))),
        (Shape::Array(items), BaseType::List(inner)) => {
            let item = |(index, item)| coerce(types, item, inner).map_err(|fault| fault.within(&format!("[{index}]")));
            items.into_iter().enumerate().map(item).collect::<Result<_, _>>().map(Value::Array)
        }
        // A single value is a list of one.
        (_, BaseType::List(inner)) => Ok(Value::Array(vec![coerce(types, value, inner)?])),
        (shape, BaseType::Named(name)) => match (types.get(name), shape) {
            (Some(kind @ Kind::Enum(known)), shape) => match shape {
                Shape::String(Some(word)) if known.contains(&*word) => Ok(Value::from(word)),
                Shape::String(word) => {
                    let known = expected_values(kind, types.may_suggest());
                    let word = abbreviate(&word.unwrap_or_default());
                    Err(Fault::new(format!("Value \"{word}\" does not exist in \"{name}\" enum{known}.")))
                }
                other => {
                    let (known, found) = (expected_values(kind, types.may_suggest()), describe(&other));
                    Err(Fault::new(format!("Enum \"{name}\" cannot represent {found}{known}.")))
                }
            },
            (Some(Kind::Input(_)), Shape::Object(given)) => input(types, &given, name),
            (Some(Kind::Input(_)), other) => {
                Err(Fault::new(format!("Expected type \"{name}\" to be an object, not {}.", describe(&other))))
            }
            (_, shape) => scalar(value, &shape, name).ok_or_else(|| scalar_error(&shape, name)),
        },
    }
}

fn input(types: &Types, given: &Members<'_>, name: &str) -> Result<Value, Fault> {
    let Some(Kind::Input(fields)) = types.get(name) else { return Ok(Value::Null) };
    if let Some((unknown, _)) = given.iter().find(|(key, _)| !fields.contains_key(&**key)) {
        let meant = types.did_you_mean(unknown, fields.keys());
        let unknown = abbreviate(unknown);
        return Err(Fault::new(format!("Field \"{unknown}\" is not defined by type \"{name}\".{meant}")));
    }
    let mut coerced = Map::new();
    for (field, input) in fields {
        match member(given, field) {
            Some(value) => {
                let value = coerce(types, value, &input.ty).map_err(|fault| fault.within(&format!(".{field}")))?;
                coerced.insert(field.clone(), value);
            }
            None if input.is_required() => {
                let text = format!("Field \"{field}\" of required type \"{}\" was not provided.", input.ty);
                return Err(Fault::new(text));
            }
            None => {}
        }
    }
    Ok(Value::Object(coerced))
}

fn scalar(value: &RawValue, shape: &Shape<'_>, name: &str) -> Option<Value> {
    match (name, shape) {
        ("Int", Shape::Number(number)) => {
            let whole = number.parse().ok().filter(|number: &f64| number.fract() == 0.0)?;
            let is_int = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&whole);
            #[expect(clippy::cast_possible_truncation, reason = "it was just seen to be whole and in range")]
            is_int.then(|| Value::from(whole as i64))
        }
        ("ID", Shape::Number(number)) => integer_digits(number).map(Value::from),
        ("ObjectID", Shape::String(Some(text))) => ObjectId::parse(text).is_ok().then(|| Value::from(&**text)),
        ("DateTime", Shape::String(Some(text))) => Timestamp::parse(text).is_ok().then(|| Value::from(&**text)),
        ("String" | "ID", Shape::String(Some(text))) => Some(Value::from(&**text)),
        ("Boolean", Shape::Boolean(value)) => Some(Value::from(*value)),
        ("Int" | "ID" | "ObjectID" | "DateTime" | "String" | "Boolean", _) => None,
        ("Float", shape) if !matches!(shape, Shape::Number(_)) => None,
        _ => plain_json::parse(value.get().as_bytes()).ok(),
    }
}

/// The digits of a whole number in any notation, since some clients write all numbers as fractions (`1.0`).
fn integer_digits(number: &str) -> Option<String> {
    let is_written_so = number.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    if is_written_so && number != "-0" {
        return Some(number.to_owned());
    }
    let number: f64 = number.parse().ok()?;
    // `-0` and `0` are the same id.
    (number.fract() == 0.0).then(|| (number + 0.0).to_string())
}

/// The error for a value that its scalar does not accept.
fn scalar_error(shape: &Shape<'_>, name: &str) -> Fault {
    let found = match shape {
        Shape::String(None) => "a string with a lone surrogate, which is not a character".to_owned(),
        // The value is not repeated, since it could be a secret.
        Shape::String(Some(_)) if matches!(name, "ObjectID" | "DateTime") => "this string".to_owned(),
        other => describe(other),
    };
    Fault::new(format!("{name} cannot represent {found}; {}.", expected(name)))
}

fn describe(shape: &Shape<'_>) -> String {
    match shape {
        Shape::Number(number) => format!("the number {}", abbreviate(number)),
        other => other.kind().to_owned(),
    }
}
