//! `zkml-web-bindgen IN.wasm FOLDER`: the JavaScript that loads a module which was built with wasm-bindgen, and its types.
//!
//! It is the library behind wasm-bindgen's command. The command itself also holds a test runner with a server, and its version would not
//! be tied to the one in `Cargo.lock`.

#![forbid(unsafe_code)]

use std::{env, error::Error, path::Path, process::ExitCode};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    // The first word is the program's name.
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, folder] = arguments.as_slice() else {
        eprintln!("usage: zkml-web-bindgen IN.wasm FOLDER");
        return ExitCode::from(2);
    };
    match write(Path::new(module), Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{module}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(module: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut bindgen = Bindgen::new();
    bindgen
        .web(true)
        .map_err(said)?
        .input_path(module)
        .out_name("zkml")
        .typescript(true)
        .omit_default_module_path(false);
    bindgen.remove_name_section(true).remove_producers_section(true).generate(folder).map_err(said)?;
    Ok(())
}

/// These libraries' errors are no `std::error::Error`.
fn said(error: impl std::fmt::Display) -> Box<dyn Error> {
    format!("{error:#}").into()
}
