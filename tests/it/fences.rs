//! The arrows between modules run one way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

const EVERYTHING_ABOVE: &[&str] = &[
    "axum",
    "async_graphql",
    "sea_orm",
    "reqwest",
    "crate::api_error",
    "crate::app",
    "crate::cli",
    "crate::front",
    "crate::graphql",
    "crate::http",
    "crate::rest",
    "crate::service",
    "crate::sso",
    "crate::store",
];

/// A folder or file of `src`, and words that must not stand in its code.
const FENCES: [(&str, &[&str]); 14] = [
    (
        "domain",
        &[
            "axum",
            "async_graphql",
            "sea_orm",
            "reqwest",
            "tokio",
            "utoipa",
            "crate::api_error",
            "crate::app",
            "crate::cli",
            "crate::clock",
            "crate::config",
            "crate::front",
            "crate::graphql",
            "crate::http",
            "crate::rest",
            "crate::service",
            "crate::sso::",
            "crate::store",
            "crate::telemetry",
        ],
    ),
    (
        "store",
        &[
            "crate::api_error",
            "axum",
            "async_graphql",
            "reqwest",
            "utoipa",
            "crate::sso",
            "crate::service",
            "crate::graphql",
            "crate::rest",
            "crate::http",
            "crate::front",
            "crate::cli",
            "crate::app",
        ],
    ),
    (
        "sso",
        &[
            "crate::api_error",
            "async_graphql",
            "sea_orm",
            "crate::store",
            "crate::service",
            "crate::graphql",
            "crate::rest",
            "crate::http",
            "crate::front",
            "crate::cli",
            "crate::app",
        ],
    ),
    (
        "service",
        &[
            "crate::api_error",
            "axum",
            "async_graphql",
            "sea_orm",
            "reqwest",
            "utoipa",
            "crate::graphql",
            "crate::rest",
            "crate::http",
            "crate::front",
            "crate::cli",
            "crate::app",
        ],
    ),
    (
        "front",
        &[
            "async_graphql",
            "sea_orm",
            "reqwest",
            "crate::store",
            "crate::sso",
            "crate::graphql",
            "crate::rest",
            "crate::http",
            "crate::cli",
        ],
    ),
    ("graphql", &["sea_orm", "reqwest", "crate::store", "crate::sso", "crate::rest", "crate::http", "crate::cli"]),
    (
        "rest",
        &[
            "async_graphql",
            "sea_orm",
            "reqwest",
            "crate::store",
            "crate::sso",
            "crate::graphql",
            "crate::http",
            "crate::cli",
        ],
    ),
    ("http", &["sea_orm", "reqwest", "crate::sso", "crate::cli"]),
    // At the bottom, beside the domain: they know none of what uses them.
    ("allowance.rs", EVERYTHING_ABOVE),
    ("clock.rs", EVERYTHING_ABOVE),
    ("config", EVERYTHING_ABOVE),
    ("database_use.rs", EVERYTHING_ABOVE),
    ("telemetry", EVERYTHING_ABOVE),
    ("api_error.rs", &["async_graphql", "sea_orm", "crate::graphql", "crate::rest", "crate::http", "crate::front"]),
];

/// Names that one file may use where its folder may not.
const GATES: [(&str, &str); 1] = [
    // Exports go over a client that no request shares.
    ("telemetry/traces/transport.rs", "reqwest"),
];

#[test]
fn no_arrow_runs_the_wrong_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut offences = Vec::new();
    for (place, forbidden) in FENCES {
        let place = root.join(place);
        let files = if place.is_dir() { sources(&place) } else { vec![place.clone()] };
        assert!(!files.is_empty(), "nothing at {}", place.display());
        for file in files {
            for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
                let code = line.split("//").next().unwrap();
                assert!(!code.contains("crate::{"), "{}: one path a line, so that fences see it", file.display());
                for word in forbidden {
                    if GATES.iter().any(|(gate, name)| file == root.join(gate) && name == word) {
                        continue;
                    }
                    let names_it = code.match_indices(word).any(|(at, _)| {
                        let before = code[..at].chars().next_back();
                        let after = code[at + word.len()..].chars().next();
                        let is_name =
                            |character: Option<char>| character.is_some_and(|one| one.is_alphanumeric() || one == '_');
                        !is_name(before) && (word.ends_with(':') || !is_name(after))
                    });
                    if names_it {
                        offences.push(format!("{}:{}: names {word}", file.display(), number + 1));
                    }
                }
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn each_module_says_what_it_owns_and_fits_in_the_head() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "entity/src", "migration/src", "crates"] {
        for file in sources(&root.join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(
                text.starts_with("//!") || text.starts_with("#![doc = include_str!(\"../README.md\")]"),
                "{} does not open with what it owns",
                file.display()
            );
            let lines = text.lines().count();
            assert!(lines <= 400, "{} has {lines} lines", file.display());
        }
    }
}

#[test]
fn only_the_store_names_the_database_library() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in sources(&root) {
        if file.starts_with(root.join("store")) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let names_it = text.lines().any(|line| line.split("//").next().unwrap().contains("sea_orm"));
        assert!(!names_it, "{} names sea_orm", file.display());
    }
}

/// The modules of a crate that each of its modules imports, tests apart.
fn imports(source: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources(source) {
        let path = file.strip_prefix(source).unwrap().with_extension("");
        let module = path.iter().next().unwrap().to_str().unwrap().to_owned();
        if ["lib", "tests"].contains(&&*module) {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        for path in text.split("crate::").skip(1) {
            // `use crate::{one, two}` names several.
            let names = path.strip_prefix('{').map_or(path, |list| list.split('}').next().unwrap());
            let first = |name: &str| {
                name.trim().split(|one: char| !one.is_alphanumeric() && one != '_').next().unwrap().to_owned()
            };
            let names: Vec<String> =
                if path.starts_with('{') { names.split(',').map(first).collect() } else { vec![first(names)] };
            imports.entry(module.clone()).or_default().extend(names.into_iter().filter(|name| *name != module));
        }
        imports.entry(module).or_default();
    }
    imports
}

#[test]
fn no_crate_of_generic_machinery_names_the_server_or_has_a_circle() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    for entry in fs::read_dir(crates).unwrap() {
        let folder = entry.unwrap().path();
        for file in sources(&folder.join("src")) {
            assert!(!fs::read_to_string(&file).unwrap().contains("lc_connections"), "{}", file.display());
        }
        // Modules without imports are taken away until none is left; a circle stays.
        let mut left = imports(&folder.join("src"));
        assert!(left.len() > 3 && left.values().any(|imports| !imports.is_empty()), "{left:?}");
        while let Some(leaf) = left.iter().find(|(_, imports)| imports.is_empty()).map(|(module, _)| module.clone()) {
            left.remove(&leaf);
            for imports in left.values_mut() {
                imports.remove(&leaf);
            }
        }
        assert!(left.is_empty(), "{}: modules that import each other in a circle: {left:?}", folder.display());
    }
}

/// What stands in back quotes and looks like a file or a folder of ours.
fn named_paths(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|name| {
        let is_path = Path::new(name).extension().is_some_and(|extension| extension == "rs") || name.ends_with('/');
        is_path && name.chars().all(|one| one.is_alphanumeric() || "/._-".contains(one)) && !name.starts_with('/')
    })
}

#[test]
fn every_file_that_the_documents_name_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in ["README.md", "ARCHITECTURE.md", "THREATS.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let named: Vec<&str> = named_paths(&text).collect();
        assert!(named.len() > 10, "{document}: {named:?}");
        for name in named {
            // README names them from the top, ARCHITECTURE from `src/`, THREATS from `tests/it/`.
            let places = ["", "src", "tests/it"].map(|folder| root.join(folder).join(name));
            assert!(places.iter().any(|place| place.exists()), "{document} names {name}, which is nowhere");
        }
    }
}

/// A lint that is forbidden cannot be allowed again anywhere in the crate.
#[test]
fn no_crate_of_ours_may_hold_unsafe_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = |folder: &str| -> toml::Table {
        fs::read_to_string(root.join(folder).join("Cargo.toml")).unwrap().parse().unwrap()
    };
    let workspace = manifest(".");
    assert_eq!(workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for member in workspace["workspace"]["members"].as_array().unwrap() {
        let member = member.as_str().unwrap();
        assert_eq!(manifest(member)["lints"]["workspace"].as_bool(), Some(true), "{member}");
    }
    assert_eq!(manifest("fuzz")["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
}
