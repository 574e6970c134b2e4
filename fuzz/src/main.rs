//! One program for all targets. `CONNECT_FUZZ_TARGET` names the one that is run; without it, all are listed. `CONNECT_FUZZ_SEEDS` is a folder that gets the
//! target's seeds before it begins.
#![no_main]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    env, fs,
    path::Path,
    process,
    sync::OnceLock,
};

use connect_api::testing::FuzzTarget;
use libfuzzer_sys::fuzz_target;

/// No parser asks for so many bytes at once: the largest is a message that grows to 64 MiB while it is decompressed.
const MOST_AT_ONCE: usize = 192 << 20;

static TARGET: OnceLock<FuzzTarget> = OnceLock::new();

fuzz_target!(init: begin(), |bytes: &[u8]| {
    if let Some(target) = TARGET.get() {
        (target.run)(bytes);
    }
});

fn begin() {
    let targets = || connectors::fuzzing::TARGETS.iter().chain(connect_runtime::fuzzing::TARGETS);
    let Ok(name) = env::var("CONNECT_FUZZ_TARGET") else {
        targets().for_each(|target| println!("{}", target.name));
        process::exit(0);
    };
    let Some(target) = targets().find(|target| target.name == name) else {
        eprintln!("there is no target {name}");
        process::exit(2);
    };
    if let Ok(folder) = env::var("CONNECT_FUZZ_SEEDS") {
        for (number, seed) in target.seeds.iter().enumerate() {
            fs::write(Path::new(&folder).join(format!("seed-{number}")), seed).expect("the folder of seeds can be written to");
        }
    }
    TARGET.get_or_init(|| *target);
}

/// The system's, which ends the process where somebody asks for too much: libFuzzer sees that with a sanitizer alone.
struct Bounded;

#[global_allocator]
static ALLOCATOR: Bounded = Bounded;

fn check(bytes: usize) {
    if bytes > MOST_AT_ONCE {
        // It is said with what little needs no memory.
        eprintln!("somebody asks for more bytes at once than any parser may");
        process::abort();
    }
}

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        check(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        check(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(place, layout) };
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        check(bytes);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(place, layout, bytes) }
    }
}
