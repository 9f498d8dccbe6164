//! Circles among the modules of a crate: which top-level module (a file or folder directly under `src/`) names which, read
//! from the paths in its sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Sources by their path under `src/`.
pub(crate) type Sources = BTreeMap<String, String>;
/// Which top-level module names which.
type Arrows = BTreeMap<String, BTreeSet<String>>;

/// All sources of a crate.
pub(crate) fn sources(root: &Path) -> Sources {
    let (mut found, mut folders) = (Sources::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).expect("it is in there").to_str().expect("a name");
                found.insert(name.to_owned(), fs::read_to_string(&path).expect("a source"));
            }
        }
    }
    found
}

/// A circle among top-level modules, as `a -> b -> a`, if there is one. A path through the root counts as one to the module
/// that the root has the name from. Tests may look further, and so may the root itself.
pub(crate) fn circle(sources: &Sources) -> Option<String> {
    let arrows = arrows(sources);
    let mut done = BTreeSet::new();
    arrows.keys().find_map(|from| walk(from, &arrows, &mut Vec::new(), &mut done))
}

fn walk(at: &str, arrows: &Arrows, way: &mut Vec<String>, done: &mut BTreeSet<String>) -> Option<String> {
    if let Some(start) = way.iter().position(|module| module == at) {
        return Some([&way[start..], &[at.to_owned()]].concat().join(" -> "));
    }
    if done.contains(at) {
        return None;
    }
    way.push(at.to_owned());
    let found = arrows.get(at).into_iter().flatten().find_map(|to| walk(to, arrows, way, done));
    way.pop();
    done.insert(at.to_owned());
    found
}

fn arrows(sources: &Sources) -> Arrows {
    let is_root = |path: &str| ["lib.rs", "main.rs"].contains(&path);
    let module = |path: &str| path.split('/').next().unwrap_or(path).trim_end_matches(".rs").to_owned();
    let modules: BTreeSet<String> =
        sources.keys().filter(|path| !is_root(path)).map(|path| module(path)).collect();
    // Names that the root has from its modules.
    let mut lent = BTreeMap::new();
    for (_, text) in sources.iter().filter(|(path, _)| is_root(path)) {
        for path in
            ["pub use ", "pub(crate) use ", "use "].iter().flat_map(|keyword| after(&code(text), keyword))
        {
            let path: Vec<&str> =
                path.iter().map(String::as_str).skip_while(|part| *part == "crate").collect();
            if let (Some(first), Some(last)) = (path.first(), path.last())
                && modules.contains(*first)
            {
                lent.insert((*last).to_owned(), (*first).to_owned());
            }
        }
    }
    let tests = test_files(sources);
    let mut arrows = Arrows::new();
    for (path, text) in sources.iter().filter(|(path, _)| !is_root(path) && !tests.contains(*path)) {
        let (from, text) = (module(path), code(text));
        // `lib.rs` is the root; each folder is a step further, and so is a file that is not its folder's own.
        let depth = path.matches('/').count() + usize::from(!path.ends_with("/mod.rs"));
        let up = "super::".repeat(depth);
        let named = after(&text, "crate::").into_iter().chain(after(&text, &up));
        let to = named.filter_map(|path| {
            let name = path.first()?;
            modules.get(name).or_else(|| lent.get(name)).cloned()
        });
        let to: BTreeSet<String> = to.filter(|to| *to != from).collect();
        arrows.entry(from).or_default().extend(to);
    }
    arrows
}

/// Files that are compiled for tests only: `#[cfg(test)] mod name;`.
fn test_files(sources: &Sources) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for (path, text) in sources {
        let folder = match path.rsplit_once('/') {
            Some((folder, "mod.rs")) => format!("{folder}/"),
            None if ["lib.rs", "main.rs"].contains(&path.as_str()) => String::new(),
            _ => format!("{}/", path.trim_end_matches(".rs")),
        };
        for (at, keyword) in text.match_indices("#[cfg(test)]") {
            let rest = text[at + keyword.len()..].trim_start().trim_start_matches("pub(crate) ");
            let name = rest.strip_prefix("mod ").and_then(|rest| rest.split_once(';')).map(|(name, _)| name);
            if let Some(name) = name.filter(|name| name.chars().all(is_name)) {
                files.extend([format!("{folder}{name}.rs"), format!("{folder}{name}/mod.rs")]);
            }
        }
    }
    files
}

/// A source without comments and without its tests, which are its last part.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..end].lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths that follow a keyword, groups spelt out: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn after(text: &str, keyword: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for (at, _) in text.match_indices(keyword) {
        // Neither `mycrate::` nor one `super::` of several.
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| is_name(c) || c == ':' || c == '$') {
            continue;
        }
        tree(&mut text[at + keyword.len()..].chars().peekable(), &[], &mut paths);
    }
    paths
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// One path or group at the beginning of a text.
fn tree(text: &mut Chars<'_>, before: &[String], paths: &mut Vec<Vec<String>>) {
    let mut path = before.to_vec();
    loop {
        while text.next_if(|c| c.is_whitespace()).is_some() {}
        if text.next_if_eq(&'{').is_some() {
            loop {
                tree(text, &path, paths);
                while text.next_if(|c| c.is_whitespace() || *c == ',').is_some() {}
                if text.next_if_eq(&'}').is_some() || text.peek().is_none() {
                    return;
                }
            }
        }
        let mut name = String::new();
        while let Some(c) = text.next_if(|c| is_name(*c) || *c == '*') {
            name.push(c);
        }
        if name.is_empty() {
            // Nothing of a path: whatever it is, the group goes on behind it.
            text.next_if(|c| !",}".contains(*c));
        } else {
            path.push(name);
        }
        if text.next_if_eq(&':').is_none() || text.next_if_eq(&':').is_none() {
            break;
        }
    }
    // `as` gives the last part another name; the first one says where it comes from.
    let rest: String = text.clone().take_while(|c| is_name(*c) || *c == ' ').collect();
    let mut words = rest.split_whitespace();
    if let (Some("as"), Some(name), true) = (words.next(), words.next(), path.len() > 1) {
        path.pop();
        path.push(name.to_owned());
        text.nth(rest.len() - 1);
    }
    paths.push(path);
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod made_up {
    use super::*;

    fn made_up(files: &[(&str, &str)]) -> Option<String> {
        circle(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn one_way_is_no_circle() {
        let lib = ("lib.rs", "mod a;\nmod b;\nmod c;\npub use c::{Error, Result};\n");
        let c = ("c.rs", "pub struct Error;\npub type Result = ();\n");
        assert_eq!(
            made_up(&[lib, ("a.rs", "use crate::{Error, b::B};\n"), ("b.rs", "use crate::Result;\n"), c]),
            None
        );
        // What tests and comments name does not count.
        let b = "//! See [`crate::a`].\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n";
        assert_eq!(made_up(&[lib, ("a.rs", "use crate::b::B;\n"), ("b.rs", b), c]), None);
        let b = ("b/mod.rs", "#[cfg(test)]\nmod tests;\n");
        assert_eq!(made_up(&[lib, ("a.rs", "use crate::b;"), b, ("b/tests.rs", "use crate::a;\n"), c]), None);
    }

    #[test]
    fn parents_and_children_may_name_each_other() {
        let parent = ("a/mod.rs", "mod child;\nuse self::child::Child;\n");
        let child = ("a/child.rs", "use super::Parent;\nuse crate::a::Other;\n");
        assert_eq!(made_up(&[("lib.rs", "mod a;\n"), parent, child]), None);
    }

    #[test]
    fn circles_are_found_over_any_number_of_steps() {
        let lib = ("lib.rs", "mod a;\nmod b;\nmod c;\n");
        let a = ("a.rs", "use crate::{\n    b::{self, B},\n};\n");
        assert_eq!(made_up(&[lib, a, ("b.rs", "fn f() { crate::a::g() }\n")]).unwrap(), "a -> b -> a");
        let three = [
            lib,
            a,
            ("b/mod.rs", "mod d;\n"),
            ("b/d.rs", "use super::super::c::C;\n"),
            ("c.rs", "use crate::a;\n"),
        ];
        assert_eq!(made_up(&three).unwrap(), "a -> b -> c -> a");
        assert_eq!(made_up(&[lib, a, ("b.rs", "use super::a::A;\n")]).unwrap(), "a -> b -> a");
    }

    #[test]
    fn names_that_the_root_lends_lead_to_their_module() {
        let lib = ("lib.rs", "mod a;\nmod b;\npub use a::{A as Renamed, Other};\n");
        let a = ("a.rs", "use crate::b::B;\n");
        for b in
            ["use crate::Renamed;\n", "use crate::{Vec, Other};\n", "fn f() -> crate::Other { todo() }\n"]
        {
            assert_eq!(made_up(&[lib, a, ("b.rs", b)]).unwrap(), "a -> b -> a", "{b}");
        }
        assert_eq!(made_up(&[lib, a, ("b.rs", "use crate::Elsewhere;\n")]), None);
    }
}
