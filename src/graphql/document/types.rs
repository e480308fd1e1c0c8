//! What the schema says of each type, by name: read once out of its definition language. Introspection's own types are
//! among them.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, OperationType, Type, TypeKind as Definition, TypeSystemDefinition,
};
use async_graphql::{Name, Positioned};

/// The schema cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the schema cannot be read")]
pub struct InvalidSchema(#[from] async_graphql::parser::Error);

/// An argument or an input field.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) ty: Type,
    pub(super) has_default: bool,
}

impl Input {
    pub(super) fn is_required(&self) -> bool {
        !self.ty.nullable && !self.has_default
    }
}

#[derive(Debug)]
pub(super) struct OutputField {
    pub(super) ty: Type,
    pub(super) arguments: HashMap<String, Input>,
}

impl OutputField {
    /// The name of its type, without lists and exclamation marks.
    pub(super) fn named(&self) -> &str {
        named(&self.ty)
    }
}

fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named(inner),
    }
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar,
    Enum(HashSet<String>),
    Input(HashMap<String, Input>),
    Object(HashMap<String, OutputField>),
    /// An interface, with the objects that it stands for, in order of their names.
    Abstract(HashMap<String, OutputField>, Vec<String>),
}

/// All types of a schema.
#[derive(Debug)]
pub(super) struct Types {
    by_name: HashMap<String, Kind>,
    query: String,
    mutation: Option<String>,
    /// `__typename`, which every object has.
    typename: OutputField,
    /// `__schema` and `__type`, which the root of queries has.
    of_root: HashMap<String, OutputField>,
    /// Whether they may be asked for.
    introspection: bool,
    /// The type of the argument of `@skip` and `@include`.
    pub(super) condition: Type,
}

/// The fields of introspection, for the root of queries.
const ROOT_FIELDS: &str = "type __Root { __schema: __Schema! __type(name: String!): __Type }";

impl Types {
    pub(super) fn read(sdl: &str, introspection: bool) -> Result<Self, InvalidSchema> {
        let mut by_name: HashMap<String, Kind> =
            ["Int", "Float", "String", "Boolean", "ID"].map(|name| (name.to_owned(), Kind::Scalar)).into();
        let (mut query, mut mutation) = ("Query".to_owned(), None);
        let mut implementations: HashMap<String, Vec<String>> = HashMap::new();
        let introspected = parse_schema(format!("{}{ROOT_FIELDS}", include_str!("introspection.graphql")))?.definitions;
        for definition in parse_schema(sdl)?.definitions.into_iter().chain(introspected) {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    query = schema.node.query.map_or(query, |name| name.node.to_string());
                    mutation = schema.node.mutation.map(|name| name.node.to_string());
                }
                TypeSystemDefinition::Type(ty) => {
                    let name = ty.node.name.node.to_string();
                    let kind = match ty.node.kind {
                        Definition::Scalar => Kind::Scalar,
                        Definition::Enum(values) => {
                            Kind::Enum(values.values.iter().map(|value| value.node.value.node.to_string()).collect())
                        }
                        Definition::InputObject(object) => Kind::Input(inputs(object.fields)),
                        Definition::Object(object) => {
                            for interface in &object.implements {
                                implementations.entry(interface.node.to_string()).or_default().push(name.clone());
                            }
                            Kind::Object(fields(object.fields))
                        }
                        Definition::Interface(interface) => Kind::Abstract(fields(interface.fields), Vec::new()),
                        Definition::Union(union) => Kind::Abstract(
                            HashMap::new(),
                            union.members.iter().map(|name| name.node.to_string()).collect(),
                        ),
                    };
                    by_name.insert(name, kind);
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        for (interface, mut objects) in implementations {
            objects.sort_unstable();
            if let Some(Kind::Abstract(_, possible)) = by_name.get_mut(&interface) {
                *possible = objects;
            }
        }
        let of_root = match by_name.remove("__Root") {
            Some(Kind::Object(fields)) => fields,
            _ => HashMap::new(),
        };
        let required = |name| Type { base: BaseType::Named(Name::new(name)), nullable: false };
        let typename = OutputField { ty: required("String"), arguments: HashMap::new() };
        let condition = required("Boolean");
        Ok(Self { by_name, query, mutation, typename, of_root, introspection, condition })
    }

    pub(super) fn get(&self, name: &str) -> Option<&Kind> {
        self.by_name.get(name)
    }

    pub(super) fn root(&self, operation: OperationType) -> Option<&str> {
        match operation {
            OperationType::Query => Some(&self.query),
            OperationType::Mutation => self.mutation.as_deref(),
            OperationType::Subscription => None,
        }
    }

    pub(super) fn field(&self, parent: &str, name: &str) -> Option<&OutputField> {
        match self.get(parent)? {
            Kind::Object(_) | Kind::Abstract(..) if name == "__typename" => Some(&self.typename),
            Kind::Object(_) if parent == self.query && self.introspection && self.of_root.contains_key(name) => {
                self.of_root.get(name)
            }
            Kind::Object(fields) | Kind::Abstract(fields, _) => fields.get(name),
            _ => None,
        }
    }

    /// Whether a field would be there, if introspection were not off.
    pub(super) fn is_hidden(&self, parent: &str, name: &str) -> bool {
        !self.introspection && parent == self.query && self.of_root.contains_key(name)
    }

    /// Whether a variable may have this type.
    pub(super) fn is_input(&self, ty: &Type) -> bool {
        matches!(self.get(named(ty)), Some(Kind::Scalar | Kind::Enum(_) | Kind::Input(_)))
    }

    /// The objects that a type stands for: itself, or an interface's. Empty for what has no fields.
    pub(super) fn objects<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        match self.get(name) {
            Some(Kind::Object(_)) => vec![name],
            Some(Kind::Abstract(_, possible)) => possible.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

fn inputs(definitions: Vec<Positioned<InputValueDefinition>>) -> HashMap<String, Input> {
    let input = |definition: Positioned<InputValueDefinition>| {
        let InputValueDefinition { name, ty, default_value, .. } = definition.node;
        (name.node.to_string(), Input { ty: ty.node, has_default: default_value.is_some() })
    };
    definitions.into_iter().map(input).collect()
}

fn fields(definitions: Vec<Positioned<FieldDefinition>>) -> HashMap<String, OutputField> {
    let field = |definition: Positioned<FieldDefinition>| {
        let FieldDefinition { name, arguments, ty, .. } = definition.node;
        (name.node.to_string(), OutputField { ty: ty.node, arguments: inputs(arguments) })
    };
    definitions.into_iter().map(field).collect()
}
