//! Pages of the book that follow from the program.

use std::{fs, path::Path};
use xtask::pages;

#[test]
fn the_pages_of_the_book_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let wanted = pages::wanted(&root).expect("pages");
    assert_eq!(wanted.len(), 4);
    for (path, content) in wanted {
        assert!(content.len() > 2_000, "{}", path.display());
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(content == committed, "{} is out of date: run `cargo xtask pages`", path.display());
    }
}
