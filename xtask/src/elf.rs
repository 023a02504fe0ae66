//! What a shared library offers to programs, and demands of the system's C library.

use object::Endianness;
use object::elf::{DT_SONAME, FileHeader64, SHN_UNDEF, SHT_DYNSYM, STB_LOCAL};
use object::read::elf::{Dyn, FileHeader, Sym};

use crate::error::{Context, Result};

/// A version of glibc, such as 2.28.
pub type Version = (u32, u32);

/// The newest version of glibc that a symbol of the library needs; none where it needs none.
pub fn glibc_needed(library: &[u8]) -> Result<Option<Version>> {
    let names = versions_needed(library).context(|| "reading the symbol versions of a shared library")?;
    Ok(names.iter().filter_map(|name| glibc(name)).max())
}

/// The name under which the library is looked for at run time; none where it has no SONAME.
pub fn soname(library: &[u8]) -> Result<Option<String>> {
    read_soname(library).context(|| "reading the SONAME of a shared library")
}

/// The names of all symbols that programs can link to, sorted: what `nm -D --defined-only` lists.
pub fn exports(library: &[u8]) -> Result<Vec<String>> {
    let mut names = read_exports(library).context(|| "reading the symbols of a shared library")?;
    names.sort();
    Ok(names)
}

fn read_exports(library: &[u8]) -> object::Result<Vec<String>> {
    let header = FileHeader64::<Endianness>::parse(library)?;
    let endian = header.endian()?;
    let symbols = header.sections(endian, library)?.symbols(endian, library, SHT_DYNSYM)?;
    let offered = symbols.iter().filter(|s| s.st_shndx(endian) != SHN_UNDEF && s.st_bind() != STB_LOCAL);
    offered.map(|s| Ok(String::from_utf8_lossy(s.name(endian, symbols.strings())?).into_owned())).collect()
}

fn read_soname(library: &[u8]) -> object::Result<Option<String>> {
    let header = FileHeader64::<Endianness>::parse(library)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, library)?;
    let Some((entries, link)) = sections.dynamic(endian, library)? else { return Ok(None) };
    let strings = sections.strings(endian, library, link)?;
    let Some(entry) = entries.iter().find(|entry| entry.d_tag(endian) == u64::from(DT_SONAME)) else {
        return Ok(None);
    };
    let name = entry.string(endian, strings)?;
    Ok(Some(String::from_utf8_lossy(name).into_owned()))
}

/// The names of all symbol versions that the library needs, such as `GLIBC_2.14`.
fn versions_needed(library: &[u8]) -> object::Result<Vec<String>> {
    let header = FileHeader64::<Endianness>::parse(library)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, library)?;
    let mut names = Vec::new();
    let Some((mut needed, link)) = sections.gnu_verneed(endian, library)? else { return Ok(names) };
    let strings = sections.strings(endian, library, link)?;
    while let Some((_, mut versions)) = needed.next()? {
        while let Some(version) = versions.next()? {
            names.push(String::from_utf8_lossy(version.name(endian, strings)?).into_owned());
        }
    }
    Ok(names)
}

fn glibc(name: &str) -> Option<Version> {
    let mut numbers = name.strip_prefix("GLIBC_")?.split('.').map(str::parse);
    match (numbers.next()?, numbers.next()?) {
        (Ok(major), Ok(minor)) => Some((major, minor)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(glibc("GLIBC_2.2.5"), Some((2, 2)));
        assert!(glibc("GLIBC_2.9") < glibc("GLIBC_2.28"));
        assert_eq!((glibc("GCC_3.0"), glibc("GLIBC_PRIVATE")), (None, None));
    }

    #[test]
    fn what_is_no_library_is_an_error() {
        assert!(glibc_needed(b"#!/bin/sh\n").is_err());
        assert!(glibc_needed(b"").is_err());
    }

    #[test]
    fn a_program_offers_no_symbol_of_its_own_accord() {
        assert!(exports(b"#!/bin/sh\n").is_err());
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(exports(&program).unwrap().iter().all(|name| !name.starts_with("mxr_")));
    }

    #[test]
    fn this_very_program_needs_some_glibc() {
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let needed = glibc_needed(&program).unwrap();
        assert_eq!(needed.is_some(), cfg!(all(target_os = "linux", target_env = "gnu")));
    }
}
