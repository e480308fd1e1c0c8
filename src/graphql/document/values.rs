//! Whether a value that stands in a document, or a variable, fits its place.

use async_graphql::Positioned;
use async_graphql::parser::types::{BaseType, Type, VariableDefinition};
use async_graphql_value::{ConstValue, Value};

use super::types::{Input, Kind, Types};
use super::wording::{abbreviate, expected, expected_values};
use crate::domain::id::ObjectId;
use crate::domain::timestamp::Timestamp;

type Definitions = [Positioned<VariableDefinition>];

/// What is wrong with the value of an argument or an input field, or `None`.
pub(super) fn input_fault(types: &Types, variables: &Definitions, value: &Value, input: &Input) -> Option<String> {
    match value {
        Value::Variable(name) => variable_fault(variables, name, &input.ty, input.default.is_some()),
        value => fault(types, variables, value, &input.ty),
    }
}

/// What is wrong with a value of a type, or `None`.
pub(super) fn fault(types: &Types, variables: &Definitions, value: &Value, ty: &Type) -> Option<String> {
    match (value, &ty.base) {
        (Value::Variable(name), _) => variable_fault(variables, name, ty, false),
        (Value::Null, _) => (!ty.nullable).then(|| format!("Expected value of type \"{ty}\", found null.")),
        (Value::List(items), BaseType::List(inner)) => {
            items.iter().find_map(|item| fault(types, variables, item, inner))
        }
        (value, BaseType::List(inner)) => fault(types, variables, value, inner),
        (value, BaseType::Named(name)) => named_fault(types, variables, value, name),
    }
}

/// A variable may stand where its type fits. One that may be null may also stand where null may not, if its own default
/// or that of the place steps in when nothing is given.
fn variable_fault(variables: &Definitions, name: &str, ty: &Type, has_default: bool) -> Option<String> {
    let definition = &variables.iter().find(|definition| definition.node.name.node == name)?.node;
    let declared = &definition.var_type.node;
    let own_default = definition.default_value.as_ref().is_some_and(|default| default.node != ConstValue::Null);
    let is_stepped_in_for = has_default || own_default;
    let fits = fits_base(declared, ty) && (ty.nullable || !declared.nullable || is_stepped_in_for);
    (!fits).then(|| format!("Variable \"${name}\" of type \"{declared}\" used in position expecting type \"{ty}\"."))
}

fn fits_base(declared: &Type, expected: &Type) -> bool {
    match (&declared.base, &expected.base) {
        (BaseType::Named(declared), BaseType::Named(expected)) => declared == expected,
        (BaseType::List(declared), BaseType::List(expected)) => {
            fits_base(declared, expected) && (expected.nullable || !declared.nullable)
        }
        _ => false,
    }
}

fn named_fault(types: &Types, variables: &Definitions, value: &Value, name: &str) -> Option<String> {
    let fault = |expected: &str| Some(format!("Expected value of type \"{name}\", found {}{expected}.", told(value)));
    match (types.get(name), value) {
        (Some(Kind::Enum(known)), Value::Enum(word)) if known.contains(word.as_str()) => None,
        (Some(kind @ Kind::Enum(_)), Value::Enum(word)) => {
            let (word, known) = (abbreviate(word), expected_values(kind, types.may_suggest()));
            Some(format!("Value \"{word}\" does not exist in \"{name}\" enum{known}."))
        }
        (Some(kind @ Kind::Enum(_)), _) => {
            let known = expected_values(kind, types.may_suggest());
            Some(format!("Enum \"{name}\" cannot represent non-enum value: {}{known}.", told(value)))
        }
        (Some(Kind::Input(fields)), Value::Object(given)) => {
            if let Some(unknown) = given.keys().find(|key| !fields.contains_key(key.as_str())) {
                let meant = types.did_you_mean(unknown, fields.keys());
                let unknown = abbreviate(unknown);
                return Some(format!("Field \"{unknown}\" is not defined by type \"{name}\".{meant}"));
            }
            let lacks = |(field, input): &(&String, &Input)| input.is_required() && !given.contains_key(field.as_str());
            if let Some((field, input)) = fields.iter().find(lacks) {
                return Some(format!("Field \"{name}.{field}\" of required type \"{}\" was not provided.", input.ty));
            }
            given.iter().find_map(|(key, value)| input_fault(types, variables, value, fields.get(key.as_str())?))
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
            if fits { None } else { fault(&format!("; {}", expected(name))) }
        }
        _ => fault(""),
    }
}

/// A value as an error may tell it: short.
fn told(value: &Value) -> String {
    abbreviate(&value.to_string())
}
