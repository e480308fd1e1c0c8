//! Whether a value that stands in a document fits its type. Variables in it are the library's to judge.

use async_graphql::parser::types::{BaseType, Type};
use async_graphql_value::Value;

use super::types::{Input, Kind, Types};
use crate::domain::id::ObjectId;
use crate::domain::timestamp::Timestamp;

/// What is wrong with a literal, or `None`.
pub(super) fn fault(types: &Types, value: &Value, ty: &Type) -> Option<String> {
    match (value, &ty.base) {
        (Value::Variable(_), _) => None,
        (Value::Null, _) => (!ty.nullable).then(|| format!("Expected value of type \"{ty}\", found null.")),
        (Value::List(items), BaseType::List(inner)) => items.iter().find_map(|item| fault(types, item, inner)),
        (value, BaseType::List(inner)) => fault(types, value, inner),
        (value, BaseType::Named(name)) => named_fault(types, value, name),
    }
}

fn named_fault(types: &Types, value: &Value, name: &str) -> Option<String> {
    let expected = || Some(format!("Expected value of type \"{name}\", found {}.", told(value)));
    match (types.get(name), value) {
        (Some(Kind::Enum(words)), Value::Enum(word)) => {
            (!words.contains(word.as_str())).then(|| format!("Value \"{word}\" does not exist in \"{name}\" enum."))
        }
        (Some(Kind::Enum(_)), _) => Some(format!("Enum \"{name}\" cannot represent non-enum value: {}.", told(value))),
        (Some(Kind::Input(fields)), Value::Object(given)) => {
            if let Some(unknown) = given.keys().find(|key| !fields.contains_key(key.as_str())) {
                return Some(format!("Field \"{unknown}\" is not defined by type \"{name}\"."));
            }
            let lacks = |(field, input): &(&String, &Input)| input.is_required() && !given.contains_key(field.as_str());
            if let Some((field, input)) = fields.iter().find(lacks) {
                return Some(format!("Field \"{name}.{field}\" of required type \"{}\" was not provided.", input.ty));
            }
            given.iter().find_map(|(key, value)| fault(types, value, &fields.get(key.as_str())?.ty))
        }
        (Some(Kind::Scalar), value) => {
            let fits = match (name, value) {
                ("Int", Value::Number(number)) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
                ("Float", Value::Number(_)) | ("String" | "ID", Value::String(_)) | ("Boolean", Value::Boolean(_)) => {
                    true
                }
                ("ID", Value::Number(number)) => number.is_i64() || number.is_u64(),
                ("ObjectID", Value::String(text)) => ObjectId::parse(text).is_ok(),
                ("DateTime", Value::String(text)) => Timestamp::parse(text).is_ok(),
                ("Int" | "Float" | "String" | "Boolean" | "ID" | "ObjectID" | "DateTime", _) => false,
                _ => true,
            };
            if fits { None } else { expected() }
        }
        _ => expected(),
    }
}

/// A value as an error may tell it: short.
fn told(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 40 { text } else { text.chars().take(39).chain(['…']).collect() }
}
