//! The program: hands over to the library's command line.

// The import makes and drops many short-lived buffers, where this allocator is the faster one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    patwatch::cli::main()
}
