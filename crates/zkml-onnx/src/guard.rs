//! Keeps panics of the ONNX library from reaching the user.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f`; a panic inside becomes its message, and nothing is printed for it.
pub(crate) fn quietly<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    let outer = QUIET.replace(true);
    // What `f` borrows is dropped or discarded by the caller when this fails.
    let result = catch_unwind(AssertUnwindSafe(f));
    QUIET.set(outer);
    result.map_err(|cause| {
        let text = cause.downcast_ref::<&str>().map(|s| (*s).to_owned());
        text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_else(|| "internal failure".into())
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn panic_becomes_its_message() {
        assert_eq!(super::quietly(|| 3), Ok(3));
        assert_eq!(super::quietly(|| -> u8 { panic!("number {}", 5) }), Err("number 5".into()));
    }
}
