//! What the schema says of each type, by name: read once out of its definition language. Introspection's own types are
//! among them.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, OperationType, Type, TypeKind as Definition, TypeSystemDefinition,
};
use async_graphql::{Name, Positioned};
use async_graphql_value::ConstValue;

use super::wording::did_you_mean;

/// The schema cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the schema cannot be read")]
pub struct InvalidSchema(#[from] async_graphql::parser::Error);

/// An argument or an input field.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) ty: Type,
    pub(super) default: Option<ConstValue>,
}

impl Input {
    pub(super) fn is_required(&self) -> bool {
        !self.ty.nullable && self.default.is_none()
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

    pub(super) fn is_list(&self) -> bool {
        matches!(self.ty.base, BaseType::List(_))
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
    /// What has fields, with the objects that it stands for, in order of their names: an object for itself alone.
    Composite(HashMap<String, OutputField>, Vec<String>),
}

/// All types of a schema.
#[derive(Debug)]
pub(super) struct Types {
    by_name: HashMap<String, Kind>,
    query: String,
    mutation: Option<String>,
    /// Whether the root of queries has `__schema` and `__type`.
    introspection: bool,
    /// The type of the argument of `@skip` and `@include`.
    pub(super) condition: Type,
}

impl Types {
    pub(super) fn read(sdl: &str, introspection: bool) -> Result<Self, InvalidSchema> {
        let mut by_name: HashMap<String, Kind> =
            ["Int", "Float", "String", "Boolean", "ID"].map(|name| (name.to_owned(), Kind::Scalar)).into();
        let (mut query, mut mutation) = ("Query".to_owned(), None);
        let mut implementations: HashMap<String, Vec<String>> = HashMap::new();
        let introspected = parse_schema(include_str!("introspection.graphql"))?.definitions;
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
                            Kind::Composite(fields(object.fields), vec![name.clone()])
                        }
                        Definition::Interface(interface) => Kind::Composite(fields(interface.fields), Vec::new()),
                        Definition::Union(union) => Kind::Composite(
                            fields(Vec::new()),
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
            if let Some(Kind::Composite(_, possible)) = by_name.get_mut(&interface) {
                *possible = objects;
            }
        }
        let of_root = by_name.remove("__Root");
        if let (Some(Kind::Composite(of_root, _)), Some(Kind::Composite(fields, _)), true) =
            (of_root, by_name.get_mut(&query), introspection)
        {
            fields.extend(of_root);
        }
        Ok(Self { by_name, query, mutation, introspection, condition: required("Boolean") })
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
            Kind::Composite(fields, _) => fields.get(name),
            _ => None,
        }
    }

    /// The names of a type's fields.
    pub(super) fn field_names(&self, parent: &str) -> impl Iterator<Item = &String> {
        let fields = match self.get(parent) {
            Some(Kind::Composite(fields, _)) => Some(fields),
            _ => None,
        };
        fields.into_iter().flat_map(HashMap::keys)
    }

    /// Whether a field would be there, if introspection were not off.
    pub(super) fn is_hidden(&self, parent: &str, name: &str) -> bool {
        !self.introspection && parent == self.query && ["__schema", "__type"].contains(&name)
    }

    /// Whether errors can suggest names and values of the schema.
    pub(super) fn may_suggest(&self) -> bool {
        self.introspection
    }

    /// Suggests a similar name, unless introspection is off: guesses would reveal the schema.
    pub(super) fn did_you_mean<'a>(&self, given: &str, known: impl Iterator<Item = &'a String>) -> String {
        if !self.introspection {
            return String::new();
        }
        did_you_mean(given, known.map(String::as_str))
    }

    /// Whether a variable may have this type.
    pub(super) fn is_input(&self, ty: &Type) -> bool {
        matches!(self.get(named(ty)), Some(Kind::Scalar | Kind::Enum(_) | Kind::Input(_)))
    }

    /// The objects that a type stands for: itself, or an interface's. Empty for what has no fields.
    pub(super) fn objects(&self, name: &str) -> &[String] {
        match self.get(name) {
            Some(Kind::Composite(_, objects)) => objects,
            _ => &[],
        }
    }

    /// Whether an object is of a type.
    pub(super) fn is_of(&self, object: &str, ty: &str) -> bool {
        self.objects(ty).iter().any(|one| one == object)
    }
}

fn required(name: &str) -> Type {
    Type { base: BaseType::Named(Name::new(name)), nullable: false }
}

fn inputs(definitions: Vec<Positioned<InputValueDefinition>>) -> HashMap<String, Input> {
    let input = |definition: Positioned<InputValueDefinition>| {
        let InputValueDefinition { name, ty, default_value, .. } = definition.node;
        (name.node.to_string(), Input { ty: ty.node, default: default_value.map(|default| default.node) })
    };
    definitions.into_iter().map(input).collect()
}

/// The fields of a type, `__typename` among them.
fn fields(definitions: Vec<Positioned<FieldDefinition>>) -> HashMap<String, OutputField> {
    let field = |definition: Positioned<FieldDefinition>| {
        let FieldDefinition { name, arguments, ty, .. } = definition.node;
        (name.node.to_string(), OutputField { ty: ty.node, arguments: inputs(arguments) })
    };
    let typename = OutputField { ty: required("String"), arguments: HashMap::new() };
    definitions.into_iter().map(field).chain([("__typename".to_owned(), typename)]).collect()
}
