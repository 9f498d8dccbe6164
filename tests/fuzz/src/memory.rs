//! An allocator that ends the process when something asks for far more memory than its input can be worth.

use std::alloc::{GlobalAlloc, Layout, System};

/// Bytes of the largest allocation.
const LARGEST: usize = 1 << 29;

struct Limited;

#[global_allocator]
static LIMITED: Limited = Limited;

impl Limited {
    fn check(bytes: usize) {
        if bytes > LARGEST {
            // Printing may allocate, but little. libFuzzer keeps the input of a process that aborts.
            eprintln!("an allocation of {bytes} bytes\n{}", std::backtrace::Backtrace::force_capture());
            std::process::abort();
        }
    }
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::check(layout.size());
        // SAFETY: the caller keeps the contract of this function, which is that of the same function of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::check(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::check(size);
        // SAFETY: as above.
        unsafe { System.realloc(place, layout, size) }
    }
}
