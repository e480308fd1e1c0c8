//! From tokens to the library's document (September 2025, section 2; only what can be executed).
//!
//! Ours, since the library's own parser takes what is no GraphQL (`queryX { a }`), refuses what is (`[ Int ]`, a surrogate
//! pair), and cannot tell that an input field is given twice.

use std::collections::HashMap;

use async_graphql::parser::types::{
    BaseType, Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, FragmentSpread,
    InlineFragment, OperationDefinition, OperationType, Selection, SelectionSet, Type, TypeCondition,
    VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned};
use async_graphql_value::Value;
use indexmap::IndexMap;

use super::lexer::{Kind, Token};
use super::wording::abbreviate;
use super::{RequestError, literals};

type Result<T> = std::result::Result<T, RequestError>;
type Arguments = Vec<(Positioned<Name>, Positioned<Value>)>;

/// Definitions that make a schema, and have no place in a request.
const OF_SCHEMAS: [&str; 9] =
    ["schema", "scalar", "type", "interface", "union", "enum", "input", "directive", "extend"];

/// The document that the tokens make. Behind them stands their end.
pub(super) fn document(tokens: &[Token<'_>]) -> Result<ExecutableDocument> {
    let mut parser = Parser { tokens, at: 0, invalid: None };
    let mut operations: Vec<(Option<Positioned<Name>>, Positioned<OperationDefinition>)> = Vec::new();
    let mut fragments: HashMap<Name, Positioned<FragmentDefinition>> = HashMap::new();
    loop {
        if parser.description()? && parser.is_next("{") {
            return Err(parser.unexpected("Unexpected description before"));
        }
        let start = parser.peek();
        match start.text {
            "fragment" => {
                let (name, fragment) = parser.fragment_definition()?;
                if fragments.contains_key(&name.node) {
                    let message = format!("There can be only one fragment named \"{}\".", name.node);
                    parser.refuse(message, name.pos);
                }
                fragments.insert(name.node, Positioned::new(fragment, start.pos));
            }
            text if OF_SCHEMAS.contains(&text) => {
                return Err(RequestError::invalid(format!("The \"{text}\" definition is not executable."), start.pos));
            }
            _ => {
                let (name, operation) = parser.operation_definition()?;
                operations.push((name, Positioned::new(operation, start.pos)));
            }
        }
        if parser.peek().kind == Kind::End {
            if let Some(invalid) = parser.invalid {
                return Err(invalid);
            }
            return Ok(ExecutableDocument { operations: named(operations)?, fragments });
        }
    }
}

/// The operations by their names, or the one that has none.
fn named(
    mut operations: Vec<(Option<Positioned<Name>>, Positioned<OperationDefinition>)>,
) -> Result<DocumentOperations> {
    match operations.iter().find(|(name, _)| name.is_none()) {
        Some((_, anonymous)) if operations.len() > 1 => {
            let message = "This anonymous operation must be the only defined operation.";
            return Err(RequestError::invalid(message, anonymous.pos));
        }
        Some(_) => {
            if let Some((_, operation)) = operations.pop() {
                return Ok(DocumentOperations::Single(operation));
            }
        }
        None => {}
    }
    let mut by_name = HashMap::new();
    for (name, operation) in operations.into_iter().filter_map(|(name, operation)| Some((name?, operation))) {
        let Positioned { node: name, pos } = name;
        if by_name.contains_key(&name) {
            let message = format!("There can be only one operation named \"{name}\".");
            return Err(RequestError::invalid(message, pos));
        }
        by_name.insert(name, operation);
    }
    Ok(DocumentOperations::Multiple(by_name))
}

/// Whether a value may hold variables.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Variables {
    Allowed,
    /// In a variable's default value.
    Refused,
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    /// What is well-formed and still no document: told only when all of it is well-formed.
    invalid: Option<RequestError>,
}

impl<'a> Parser<'a> {
    fn refuse(&mut self, message: String, at: Pos) {
        self.invalid.get_or_insert_with(|| RequestError::invalid(message, at));
    }

    fn peek(&self) -> Token<'a> {
        self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn is_next(&self, punctuator: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Punctuator && token.text == punctuator
    }

    /// Takes the punctuator, if it comes next.
    fn take(&mut self, punctuator: &str) -> bool {
        let is_next = self.is_next(punctuator);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, punctuator: &str) -> Result<Pos> {
        let pos = self.peek().pos;
        if self.take(punctuator) { Ok(pos) } else { Err(self.unexpected(&format!("Expected \"{punctuator}\", found"))) }
    }

    fn unexpected(&self, said: &str) -> RequestError {
        let Token { kind, text, pos } = self.peek();
        let found = match kind {
            Kind::End => "the end of the document".to_owned(),
            Kind::Punctuator => format!("\"{text}\""),
            Kind::Name => format!("Name \"{text}\""),
            Kind::Int => format!("Int \"{text}\""),
            Kind::Float => format!("Float \"{text}\""),
            Kind::String | Kind::BlockString => "String".to_owned(),
        };
        RequestError::syntax(&format!("{said} {found}."), pos)
    }

    fn name(&mut self) -> Result<Positioned<Name>> {
        let token = self.peek();
        if token.kind != Kind::Name {
            return Err(self.unexpected("Expected Name, found"));
        }
        self.at += 1;
        Ok(Positioned::new(Name::new(token.text), token.pos))
    }

    /// At least one of them, up to the closing bracket.
    fn many<T>(&mut self, open: &str, close: &str, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect(open)?;
        let mut items = vec![item(self)?];
        while !self.take(close) {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn optional_many<T>(
        &mut self,
        open: &str,
        close: &str,
        item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        if self.is_next(open) { self.many(open, close, item) } else { Ok(Vec::new()) }
    }

    /// Passes over a description, which is for readers of the document: it must be a string all the same.
    fn description(&mut self) -> Result<bool> {
        let is_next = matches!(self.peek().kind, Kind::String | Kind::BlockString);
        if is_next {
            self.value(Variables::Refused)?;
        }
        Ok(is_next)
    }

    fn operation_definition(&mut self) -> Result<(Option<Positioned<Name>>, OperationDefinition)> {
        let (mut ty, mut name) = (OperationType::Query, None);
        let (mut variable_definitions, mut directives) = (Vec::new(), Vec::new());
        if !self.is_next("{") {
            ty = match self.peek().text {
                "query" => OperationType::Query,
                "mutation" => OperationType::Mutation,
                "subscription" => OperationType::Subscription,
                _ => return Err(self.unexpected("Unexpected")),
            };
            self.at += 1;
            if self.peek().kind == Kind::Name {
                name = Some(self.name()?);
            }
            variable_definitions = self.optional_many("(", ")", Self::variable_definition)?;
            directives = self.directives(Variables::Allowed)?;
        }
        let selection_set = self.selection_set()?;
        Ok((name, OperationDefinition { ty, variable_definitions, directives, selection_set }))
    }

    fn variable_definition(&mut self) -> Result<Positioned<VariableDefinition>> {
        self.description()?;
        let pos = self.expect("$")?;
        let name = self.name()?;
        self.expect(":")?;
        let type_pos = self.peek().pos;
        let var_type = Positioned::new(self.ty()?, type_pos);
        let default_value = if self.take("=") { Some(self.constant()?) } else { None };
        let directives = self.directives(Variables::Refused)?;
        Ok(Positioned::new(VariableDefinition { name, var_type, directives, default_value }, pos))
    }

    fn constant(&mut self) -> Result<Positioned<async_graphql_value::ConstValue>> {
        let pos = self.peek().pos;
        let value = self.value(Variables::Refused)?;
        let constant = value.node.into_const();
        constant.map(|value| Positioned::new(value, pos)).ok_or_else(|| RequestError::syntax("Not a constant.", pos))
    }

    fn ty(&mut self) -> Result<Type> {
        let base = if self.take("[") {
            let inner = self.ty()?;
            self.expect("]")?;
            BaseType::List(Box::new(inner))
        } else {
            BaseType::Named(self.name()?.node)
        };
        Ok(Type { base, nullable: !self.take("!") })
    }

    fn fragment_definition(&mut self) -> Result<(Positioned<Name>, FragmentDefinition)> {
        self.at += 1;
        if self.peek().text == "on" {
            return Err(self.unexpected("Unexpected"));
        }
        let name = self.name()?;
        if self.peek().text != "on" {
            return Err(self.unexpected("Expected \"on\", found"));
        }
        let type_condition = self.type_condition()?;
        let directives = self.directives(Variables::Allowed)?;
        let selection_set = self.selection_set()?;
        Ok((name, FragmentDefinition { type_condition, directives, selection_set }))
    }

    fn type_condition(&mut self) -> Result<Positioned<TypeCondition>> {
        let pos = self.next().pos;
        Ok(Positioned::new(TypeCondition { on: self.name()? }, pos))
    }

    fn selection_set(&mut self) -> Result<Positioned<SelectionSet>> {
        let pos = self.peek().pos;
        let items = self.many("{", "}", Self::selection)?;
        Ok(Positioned::new(SelectionSet { items }, pos))
    }

    fn selection(&mut self) -> Result<Positioned<Selection>> {
        let pos = self.peek().pos;
        let selection = if self.take("...") {
            if self.peek().kind == Kind::Name && self.peek().text != "on" {
                let fragment_name = self.name()?;
                let directives = self.directives(Variables::Allowed)?;
                Selection::FragmentSpread(Positioned::new(FragmentSpread { fragment_name, directives }, pos))
            } else {
                let type_condition = if self.peek().text == "on" { Some(self.type_condition()?) } else { None };
                let directives = self.directives(Variables::Allowed)?;
                let selection_set = self.selection_set()?;
                let fragment = InlineFragment { type_condition, directives, selection_set };
                Selection::InlineFragment(Positioned::new(fragment, pos))
            }
        } else {
            Selection::Field(Positioned::new(self.field()?, pos))
        };
        Ok(Positioned::new(selection, pos))
    }

    fn field(&mut self) -> Result<Field> {
        let (mut alias, mut name) = (None, self.name()?);
        if self.take(":") {
            alias = Some(std::mem::replace(&mut name, self.name()?));
        }
        let arguments = self.arguments(Variables::Allowed)?;
        let directives = self.directives(Variables::Allowed)?;
        let selection_set = if self.is_next("{") { self.selection_set()? } else { Positioned::default() };
        Ok(Field { alias, name, arguments, directives, selection_set })
    }

    fn arguments(&mut self, variables: Variables) -> Result<Arguments> {
        self.optional_many("(", ")", |parser| {
            let name = parser.name()?;
            parser.expect(":")?;
            Ok((name, parser.value(variables)?))
        })
    }

    fn directives(&mut self, variables: Variables) -> Result<Vec<Positioned<Directive>>> {
        let mut directives = Vec::new();
        while self.is_next("@") {
            let pos = self.next().pos;
            let name = self.name()?;
            let arguments = self.arguments(variables)?;
            directives.push(Positioned::new(Directive { name, arguments }, pos));
        }
        Ok(directives)
    }

    fn value(&mut self, variables: Variables) -> Result<Positioned<Value>> {
        let Token { kind, text, pos } = self.peek();
        let value = match (kind, text) {
            (Kind::Punctuator, "$") if variables == Variables::Allowed => {
                self.at += 1;
                Value::Variable(self.name()?.node)
            }
            (Kind::Punctuator, "[") => {
                self.at += 1;
                let mut items = Vec::new();
                while !self.take("]") {
                    items.push(self.value(variables)?.node);
                }
                Value::List(items)
            }
            (Kind::Punctuator, "{") => self.object(variables)?,
            (Kind::Punctuator | Kind::End, _) => return Err(self.unexpected("Unexpected")),
            (Kind::Name, word) => {
                self.at += 1;
                match word {
                    "true" => Value::Boolean(true),
                    "false" => Value::Boolean(false),
                    "null" => Value::Null,
                    word => Value::Enum(Name::new(word)),
                }
            }
            (Kind::Int | Kind::Float, digits) => {
                self.at += 1;
                // The number's reader would make it a fraction.
                let digits = if digits == "-0" { "0" } else { digits };
                Value::Number(digits.parse().unwrap_or_else(|_| {
                    self.refuse(format!("The number {} is too large.", abbreviate(digits)), pos);
                    0.into()
                }))
            }
            (Kind::String, literal) => {
                self.at += 1;
                Value::String(literals::string(literal).map_err(|message| RequestError::syntax(&message, pos))?)
            }
            (Kind::BlockString, literal) => {
                self.at += 1;
                Value::String(literals::block_string(literal))
            }
        };
        Ok(Positioned::new(value, pos))
    }

    fn object(&mut self, variables: Variables) -> Result<Value> {
        self.expect("{")?;
        let mut fields = IndexMap::new();
        while !self.take("}") {
            let Positioned { node: name, pos } = self.name()?;
            self.expect(":")?;
            let value = self.value(variables)?.node;
            if fields.contains_key(&name) {
                self.refuse(format!("There can be only one input field named \"{name}\"."), pos);
            }
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}
