//! `avizor doctor`.

use std::io::Write;

use avizor_kernels::Level;

use crate::args;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) fn run(session: &Session, args: &args::Doctor) -> Result<(), Failure> {
    let levels: Vec<&str> = Level::available().map(Level::name).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let writable = tempfile_in_current_folder();
    let mut out = anstream::stdout();
    if args.json {
        let answer = serde_json::json!({
            "format": 1,
            "version": env!("CARGO_PKG_VERSION"),
            "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            "level": session.level.name(),
            "levels": levels,
            "cores": cores,
            "threads": session.threads,
            "folder_writable": writable.is_ok(),
        });
        writeln!(out, "{answer}")?;
        return Ok(());
    }
    writeln!(out, "avizor   {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "system   {} {}", std::env::consts::OS, std::env::consts::ARCH)?;
    writeln!(out, "cores    {cores}, of which {} are used", session.threads)?;
    writeln!(out, "kernels  {} (this machine has {})", session.level, levels.join(", "))?;
    if session.level == Level::Scalar && cfg!(target_arch = "x86_64") {
        writeln!(out, "         without AVX2 training is many times slower; any x86-64 processor since 2013 has it")?;
    }
    match writable {
        Ok(()) => writeln!(out, "folder   files can be written here")?,
        Err(error) => writeln!(out, "folder   no file can be written here: {error}")?,
    }
    Ok(())
}

/// Runs are written below the current folder.
fn tempfile_in_current_folder() -> std::io::Result<()> {
    let path = std::env::current_dir()?.join(format!(".avizor-doctor-{}", std::process::id()));
    std::fs::write(&path, b"x")?;
    std::fs::remove_file(&path)
}
