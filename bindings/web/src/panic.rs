//! The last resort: nothing that others wrote makes the module panic, and if a mistake of ours does, the module stops. Then
//! this says where, and nothing of the values that it was about.

use std::cell::RefCell;
use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Has panics leave their place.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        PLACE.with(|cell| {
            if let Ok(mut cell) = cell.try_borrow_mut() {
                *cell = Some(place.unwrap_or_default());
            }
        });
    }));
}

/// The place in the source where the module panicked; none when it did not.
#[wasm_bindgen]
pub fn panicked() -> Option<String> {
    PLACE.with(|cell| cell.try_borrow().ok().and_then(|place| place.clone()))
}
