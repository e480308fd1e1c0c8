//! Variables: their given values against their types, before anything executes.

use async_graphql::parser::types::{BaseType, OperationDefinition, Type};
use serde_json::{Map, Value};

use super::RequestError;
use super::types::{Kind, Types};
use crate::domain::id::ObjectId;
use crate::domain::timestamp::Timestamp;

/// The values of an operation's variables, coerced; what it does not define is left out, and what was not given stays
/// absent unless it has a default.
pub(super) fn variables(
    types: &Types,
    operation: &OperationDefinition,
    given: &Map<String, Value>,
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
                Err(Fault { path, reason }) => {
                    let place = if path.is_empty() { String::new() } else { format!(" at \"{name}{path}\"") };
                    let message = format!("Variable \"${name}\" got an invalid value{place}; {reason}");
                    errors.push(RequestError::input(message, at));
                }
            },
            (None, Some(default)) => {
                // That it fits has been seen to.
                if let Ok(Ok(value)) = default.into_json().map(|default| coerce(types, &default, ty)) {
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

    fn within(self, step: &str) -> Self {
        Self { path: format!("{step}{}", self.path), ..self }
    }
}

fn coerce(types: &Types, value: &Value, ty: &Type) -> Result<Value, Fault> {
    match (value, &ty.base) {
        (Value::Null, _) if ty.nullable => Ok(Value::Null),
        (Value::Null, _) => Err(Fault::new(format!("Expected non-nullable type \"{ty}\" not to be null."))),
        (Value::Array(items), BaseType::List(inner)) => {
            let item = |(index, item)| coerce(types, item, inner).map_err(|fault| fault.within(&format!("[{index}]")));
            items.iter().enumerate().map(item).collect::<Result<_, _>>().map(Value::Array)
        }
        // A single value is a list of one.
        (value, BaseType::List(inner)) => Ok(Value::Array(vec![coerce(types, value, inner)?])),
        (value, BaseType::Named(name)) => named(types, value, name),
    }
}

fn named(types: &Types, value: &Value, name: &str) -> Result<Value, Fault> {
    match types.get(name) {
        Some(Kind::Enum(words)) => match value {
            Value::String(word) if words.contains(word) => Ok(value.clone()),
            Value::String(_) => Err(Fault::new(format!("The value does not exist in \"{name}\" enum."))),
            _ => Err(Fault::new(format!("Enum \"{name}\" cannot represent non-string values."))),
        },
        Some(Kind::Input(fields)) => {
            let Value::Object(given) = value else {
                return Err(Fault::new(format!("Expected type \"{name}\" to be an object.")));
            };
            if given.keys().any(|key| !fields.contains_key(key)) {
                let mut known: Vec<&str> = fields.keys().map(String::as_str).collect();
                known.sort_unstable();
                let text = format!("A field is not defined by type \"{name}\"; it has {}.", known.join(", "));
                return Err(Fault::new(text));
            }
            let mut coerced = Map::new();
            for (field, input) in fields {
                match given.get(field) {
                    Some(value) => {
                        let value =
                            coerce(types, value, &input.ty).map_err(|fault| fault.within(&format!(".{field}")))?;
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
        _ => scalar(value, name).ok_or_else(|| Fault::new(format!("{name} cannot represent it."))),
    }
}

fn scalar(value: &Value, name: &str) -> Option<Value> {
    match (name, value) {
        ("Int", Value::Number(number)) => {
            let whole = number.as_f64().filter(|number| number.fract() == 0.0)?;
            let is_int = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&whole);
            #[expect(clippy::cast_possible_truncation, reason = "it was just seen to be whole and in range")]
            is_int.then(|| Value::from(whole as i64))
        }
        ("ID", Value::Number(number)) => (number.is_i64() || number.is_u64()).then(|| Value::from(number.to_string())),
        ("ObjectID", Value::String(text)) => ObjectId::parse(text).is_ok().then(|| value.clone()),
        ("DateTime", Value::String(text)) => Timestamp::parse(text).is_ok().then(|| value.clone()),
        ("Float", Value::Number(_)) | ("String" | "ID", Value::String(_)) | ("Boolean", Value::Bool(_)) => {
            Some(value.clone())
        }
        ("Int" | "ID" | "ObjectID" | "DateTime" | "Float" | "String" | "Boolean", _) => None,
        _ => Some(value.clone()),
    }
}
