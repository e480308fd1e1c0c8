//! A prepared operation as a document again, so that it can be read once more: by us, and by the library's own parser.

use std::fmt::Write;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value;

/// The one operation of a prepared document, and how many fields it has.
pub(super) fn operation(document: &ExecutableDocument) -> (String, usize) {
    assert!(document.fragments.is_empty(), "fragments are expanded");
    let DocumentOperations::Single(operation) = &document.operations else {
        panic!("one operation is chosen");
    };
    let OperationDefinition { ty, variable_definitions, directives, selection_set } = &operation.node;
    assert!(directives.is_empty());
    let mut printer = Printer { text: ty.to_string(), fields: 0 };
    if !variable_definitions.is_empty() {
        printer.text.push_str(" (");
        for definition in variable_definitions {
            let definition = &definition.node;
            printer.add(format_args!("${}: {} ", definition.name.node, definition.var_type.node));
            if let Some(default) = &definition.default_value {
                printer.add(format_args!("= "));
                printer.value(&default.node.clone().into_value());
            }
        }
        printer.text.push(')');
    }
    printer.selections(&selection_set.node);
    (printer.text, printer.fields)
}

struct Printer {
    text: String,
    fields: usize,
}

impl Printer {
    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("a text takes everything");
    }

    fn selections(&mut self, set: &SelectionSet) {
        if set.items.is_empty() {
            return;
        }
        self.text.push_str(" { ");
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => self.field(&field.node),
                Selection::InlineFragment(fragment) => {
                    assert!(fragment.node.directives.is_empty());
                    let condition = fragment.node.type_condition.as_ref().expect("the object that it is for");
                    self.add(format_args!("... on {}", condition.node.on.node));
                    self.selections(&fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(_) => panic!("fragments are expanded"),
            }
        }
        self.text.push_str("} ");
    }

    fn field(&mut self, field: &Field) {
        self.fields += 1;
        let Field { alias, name, arguments, directives, selection_set } = field;
        if let Some(alias) = alias {
            self.add(format_args!("{}: ", alias.node));
        }
        self.add(format_args!("{} ", name.node));
        self.arguments(arguments);
        for directive in directives {
            let Directive { name, arguments } = &directive.node;
            self.add(format_args!("@{} ", name.node));
            self.arguments(arguments);
        }
        self.selections(&selection_set.node);
    }

    fn arguments(&mut self, arguments: &[(Positioned<Name>, Positioned<Value>)]) {
        if arguments.is_empty() {
            return;
        }
        self.text.push('(');
        for (name, value) in arguments {
            self.add(format_args!("{}: ", name.node));
            self.value(&value.node);
        }
        self.text.push_str(") ");
    }

    /// The library's own printer writes control characters wrong.
    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add(format_args!("{} ", serde_json::Value::from(text.as_str()))),
            Value::List(items) => {
                self.text.push('[');
                for item in items {
                    self.value(item);
                }
                self.text.push_str("] ");
            }
            Value::Object(fields) => {
                self.text.push('{');
                for (name, value) in fields {
                    self.add(format_args!("{name}: "));
                    self.value(value);
                }
                self.text.push_str("} ");
            }
            other => self.add(format_args!("{other} ")),
        }
    }
}
