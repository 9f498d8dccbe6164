//! What the project is built from, held against `.deny.toml` on every run of the tests: where packages come from, under
//! which licences, in which versions. `cargo deny --config .deny.toml check` reads the same file, and asks for known
//! vulnerabilities as well, which takes a network.

#[path = "workspace/metadata.rs"]
mod metadata;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What `.deny.toml` allows.
struct Rules {
    licences: BTreeSet<String>,
    /// Packages of which one version only may be there.
    single: Vec<String>,
}

impl Rules {
    fn read() -> Self {
        let text = include_str!("../../../.deny.toml");
        let file: toml::Table = text.parse().expect("TOML");
        let licences = file["licenses"]["allow"].as_array().expect("a list of licences");
        let text = |v: &toml::Value| v.as_str().expect("a text").to_owned();
        let bans = &file["bans"];
        for (section, key) in
            [("sources", "unknown-registry"), ("sources", "unknown-git"), ("bans", "wildcards")]
        {
            assert_eq!(file[section][key].as_str(), Some("deny"), "{key}: this test takes it for denied");
        }
        let single = bans["deny"].as_array().expect("a list of packages").iter().map(|ban| {
            assert_eq!(
                ban["deny-multiple-versions"].as_bool(),
                Some(true),
                "{ban}: this test knows no other ban"
            );
            text(&ban["crate"])
        });
        Self { licences: licences.iter().map(text).collect(), single: single.collect() }
    }
}

/// A licence expression under a set of allowed licences: `OR` needs one side, `AND` both, and `/` is an old `OR`.
struct Expression<'a> {
    words: Vec<&'a str>,
    at: usize,
    allowed: &'a BTreeSet<String>,
}

impl Expression<'_> {
    fn holds(text: &str, allowed: &BTreeSet<String>) -> Result<bool, String> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let mut parser = Expression { words: spaced.split_whitespace().collect(), at: 0, allowed };
        let verdict = parser.any()?;
        if parser.at == parser.words.len() { Ok(verdict) } else { Err(format!("{text}: not understood")) }
    }

    fn next_is(&mut self, word: &str) -> bool {
        let found = self.words.get(self.at) == Some(&word);
        self.at += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<bool, String> {
        let mut verdict = self.all()?;
        while self.next_is("OR") {
            verdict |= self.all()?;
        }
        Ok(verdict)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut verdict = self.one()?;
        while self.next_is("AND") {
            verdict &= self.one()?;
        }
        Ok(verdict)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.next_is("(") {
            let verdict = self.any()?;
            return if self.next_is(")") { Ok(verdict) } else { Err("a bracket stays open".into()) };
        }
        let mut name = (*self.words.get(self.at).ok_or("it ends too early")?).to_owned();
        self.at += 1;
        if self.next_is("WITH") {
            let exception = self.words.get(self.at).ok_or("it ends too early")?;
            name = format!("{name} WITH {exception}");
            self.at += 1;
        }
        Ok(self.allowed.contains(&name))
    }
}

/// Everything in these packages that the rules forbid.
fn faults(packages: &[Value], rules: &Rules) -> Vec<String> {
    let mut faults = Vec::new();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        let (name, version) =
            (package["name"].as_str().unwrap_or("?"), package["version"].as_str().unwrap_or("?"));
        versions.entry(name).or_default().insert(version);
        let ours = package["source"].is_null();
        if !ours && package["source"] != CRATES_IO {
            faults.push(format!("{name} {version} comes from {}", package["source"]));
        }
        match package["license"].as_str().map(|text| Expression::holds(text, &rules.licences)) {
            Some(Ok(true)) => {}
            Some(Ok(false)) => faults.push(format!("{name} {version} is under {}", package["license"])),
            Some(Err(why)) => faults.push(format!("{name} {version}: {why}")),
            None => faults.push(format!("{name} {version} states no licence")),
        }
        for needed in package["dependencies"].as_array().into_iter().flatten().filter(|_| ours) {
            if needed["req"] == "*" && needed["path"].is_null() {
                faults.push(format!("{name} takes any version of {}", needed["name"]));
            }
        }
    }
    for name in &rules.single {
        match versions.get(name.as_str()).map_or(0, BTreeSet::len) {
            1 => {}
            0 => faults.push(format!("{name} is not there: strike it from .deny.toml")),
            _ => faults.push(format!("{name} is there as {:?}", versions[name.as_str()])),
        }
    }
    faults
}

#[test]
fn packages_are_those_that_are_allowed() {
    let metadata = metadata::metadata();
    let packages = metadata["packages"].as_array().expect("a list");
    assert!(packages.len() > 300, "{} packages", packages.len());
    assert_eq!(faults(packages, &Rules::read()), Vec::<String>::new());
}

#[test]
fn each_kind_of_fault_is_seen() {
    let rules = Rules {
        licences: ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(String::from).into(),
        single: vec!["ff".into()],
    };
    let package = |name: &str, version: &str, source: &str, license: Value| serde_json::json!({"name": name, "version": version, "source": source, "license": license, "dependencies": []});
    let good = package("ff", "1.0.0", CRATES_IO, "MIT".into());
    assert!(faults(std::slice::from_ref(&good), &rules).is_empty());
    let ours = serde_json::json!({"name": "a", "version": "1", "source": null, "license": "MIT", "dependencies": [
        {"name": "b", "req": "*", "path": null}, {"name": "c", "req": "*", "path": "/c"}]});
    for (bad, words) in [
        (package("a", "1", "git+https://example.org/a", "MIT".into()), "comes from"),
        (package("a", "1", CRATES_IO, "GPL-3.0".into()), "is under"),
        (package("a", "1", CRATES_IO, Value::Null), "states no licence"),
        (package("a", "1", CRATES_IO, "MIT AND (".into()), "ends too early"),
        (package("ff", "2.0.0", CRATES_IO, "MIT".into()), "is there as"),
        (ours, "any version of \"b\""),
    ] {
        let found = faults(&[good.clone(), bad], &rules);
        assert!(found.len() == 1 && found[0].contains(words), "{found:?}");
    }
    for (text, holds) in [
        ("MIT OR GPL-3.0", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("MIT AND (GPL-3.0 OR ISC)", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
        ("GPL-3.0 OR MIT AND ISC", true),
    ] {
        assert_eq!(Expression::holds(text, &rules.licences), Ok(holds), "{text}");
    }
}
