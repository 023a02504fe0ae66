//! Files of records, RecordIO, and the headers of labelled records. See `mxr_core::format::recordio`.

use crate::attr::{length, slice, string};
use crate::error::{guard, mxr_error_t};
use crate::out::{give_bytes, out as place, places};
use crate::shared::{self, Handle, behind, give, lock};
use crate::text::{give_texts, mxr_texts_t};
use mxr_core::Result;
use mxr_core::format::recordio::{Header, Index, Label, Reader, Writer, pack, unpack};
use std::ffi::c_char;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Appends records to a file, `.rec`, and perhaps to its index, `.idx`.
pub struct mxr_record_writer_t {
    _opaque: [u8; 0],
}

impl Handle for mxr_record_writer_t {
    type Thing = Mutex<Writer>;
    const NAME: &'static str = "record writer";
}

/// Goes through the records of a file, `.rec`, perhaps by an index, `.idx`.
pub struct mxr_record_reader_t {
    _opaque: [u8; 0],
}

/// A file with its index, which is empty if there is none.
pub struct Indexed {
    reader: Mutex<Reader<File>>,
    index: Index,
}

impl Handle for mxr_record_reader_t {
    type Thing = Indexed;
    const NAME: &'static str = "record reader";
}

unsafe fn optional<'a>(text: *const c_char, argument: &str) -> Result<Option<&'a str>> {
    // SAFETY: the caller promises a C string or NULL.
    (!text.is_null()).then(|| unsafe { string(text, argument) }).transpose()
}

/// Makes a file of records, and with `index_path` its index; files that are there become empty. @nullable index_path
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_writer_create(
    path: *const c_char,
    index_path: *const c_char,
    out: *mut *mut mxr_record_writer_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives C strings or NULL, and a place for the writer.
        unsafe {
            let out = place(out, "out")?;
            let index = optional(index_path, "index_path")?.map(Path::new);
            out.write(give(Arc::new(Mutex::new(Writer::create(string(path, "path")?, index)?))));
        }
        Ok(())
    })
}

/// Appends a record of less than 2²⁹ bytes. A record with a key is found by it in the index. @nullable key
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_writer_write(
    writer: *const mxr_record_writer_t,
    key: *const c_char,
    record: *const u8,
    len: u64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, a C string or NULL, and `len` bytes.
        unsafe {
            let record = slice(record, len as usize, "record")?;
            lock(behind(writer, "writer")?).write(optional(key, "key")?, record)
        }
    })
}

/// Where the next record will begin, in bytes from the beginning of the file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_writer_position(
    writer: *const mxr_record_writer_t,
    position: *mut u64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the number.
        unsafe { place(position, "position")?.write(lock(behind(writer, "writer")?).position()) };
        Ok(())
    })
}

/// Gives what was written to the operating system. Freeing the last reference does that too, but cannot fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_writer_flush(writer: *const mxr_record_writer_t) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle.
    guard(|| lock(unsafe { behind(writer, "writer") }?).flush())
}

/// Takes another reference to a writer, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_writer_retain(
    writer: *mut mxr_record_writer_t,
) -> *mut mxr_record_writer_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(writer) }
}

/// Gives a reference back. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_writer_free(writer: *mut mxr_record_writer_t) {
    // SAFETY: the caller gives a handle that it owns, or NULL.
    unsafe { shared::free(writer) }
}

/// Opens a file of records before its first one, and with `index_path` reads its index. @nullable index_path
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_reader_open(
    path: *const c_char,
    index_path: *const c_char,
    out: *mut *mut mxr_record_reader_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives C strings or NULL, and a place for the reader.
        unsafe {
            let out = place(out, "out")?;
            let reader = Mutex::new(Reader::open(string(path, "path")?)?);
            let index = optional(index_path, "index_path")?.map(Index::load).transpose()?.unwrap_or_default();
            out.write(give(Arc::new(Indexed { reader, index })));
        }
        Ok(())
    })
}

/// The next record, which the caller frees with `mxr_bytes_free`; `record` becomes NULL at the end of the file. After
/// an error the reader is where it was.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_reader_read(
    reader: *const mxr_record_reader_t,
    record: *mut *mut u8,
    len: *mut u64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and places for the bytes and their number.
        unsafe {
            let (end, none) = (place(record, "record")?, place(len, "len")?);
            match lock(&behind(reader, "reader")?.reader).next_record()? {
                Some(bytes) => give_bytes(|| Ok(bytes), record, len)?,
                None => {
                    end.write(std::ptr::null_mut());
                    none.write(0);
                }
            }
        }
        Ok(())
    })
}

/// Goes to the record that begins there, in bytes from the beginning of the file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_reader_seek(
    reader: *const mxr_record_reader_t,
    position: u64,
) -> *mut mxr_error_t {
    // SAFETY: the caller gives a handle.
    guard(|| lock(&unsafe { behind(reader, "reader") }?.reader).seek(position))
}

/// Where the record of a key begins, by the index: the last if there are several.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_reader_find(
    reader: *const mxr_record_reader_t,
    key: *const c_char,
    position: *mut u64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, a C string and a place for the number.
        unsafe {
            let position = place(position, "position")?;
            position.write(behind(reader, "reader")?.index.find(string(key, "key")?)?);
        }
        Ok(())
    })
}

/// The keys of the index in its order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_reader_keys(
    reader: *const mxr_record_reader_t,
    keys: *mut *mut mxr_texts_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the list.
        unsafe {
            let keys = place(keys, "keys")?;
            keys.write(give_texts(behind(reader, "reader")?.index.keys().iter().cloned()));
        }
        Ok(())
    })
}

/// Where the records of the keys begin, as many as there is room for; `total` becomes the number of keys.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_reader_positions(
    reader: *const mxr_record_reader_t,
    positions: *mut u64,
    n: i64,
    total: *mut i64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, `n` places and one for the number.
        unsafe {
            let (places, total) = (places(positions, length(n, "n")?, "positions")?, place(total, "total")?);
            let known = behind(reader, "reader")?.index.positions();
            places.iter_mut().zip(known).for_each(|(place, at)| _ = place.write(*at));
            total.write(known.len() as i64);
        }
        Ok(())
    })
}

/// Takes another reference to a reader, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_reader_retain(
    reader: *mut mxr_record_reader_t,
) -> *mut mxr_record_reader_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(reader) }
}

/// Gives a reference back. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_reader_free(reader: *mut mxr_record_reader_t) {
    // SAFETY: the caller gives a handle that it owns, or NULL.
    unsafe { shared::free(reader) }
}

/// A record of a header and `data_len` bytes, which the caller frees with `mxr_bytes_free`. Its label is the number `label`
/// if `num_labels` is negative, else a list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_pack(
    label: f64,
    labels: *const f32,
    num_labels: i64,
    id: u64,
    id2: u64,
    data: *const u8,
    data_len: u64,
    bytes: *mut *mut u8,
    len: *mut u64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives as many numbers and bytes as it says, and places for the record and its length.
        unsafe {
            let label = match num_labels {
                ..0 => Label::One(label as f32),
                n => Label::Several(slice(labels, length(n, "num_labels")?, "labels")?.to_vec()),
            };
            let data = slice(data, data_len as usize, "data")?;
            give_bytes(|| Ok(pack(&Header { label, id, id2 }, data)), bytes, len)
        }
    })
}

/// What is in a record that has a header: the number that is its label, or its `num_labels` labels, as many as there
/// is room for; its numbers; and where its bytes begin. `num_labels` becomes -1 where the label is a number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_record_unpack(
    record: *const u8,
    len: u64,
    label: *mut f64,
    labels: *mut f32,
    room: i64,
    num_labels: *mut i64,
    id: *mut u64,
    id2: *mut u64,
    begin: *mut u64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives `len` bytes, `room` places for labels and one for each other result.
        unsafe {
            let labels = places(labels, length(room, "room")?, "labels")?;
            let (label, num_labels) = (place(label, "label")?, place(num_labels, "num_labels")?);
            let (id, id2, begin) = (place(id, "id")?, place(id2, "id2")?, place(begin, "begin")?);
            let (header, rest) = unpack(slice(record, len as usize, "record")?)?;
            let (one, several) = match &header.label {
                Label::One(number) => (f64::from(*number), None),
                Label::Several(numbers) => (0.0, Some(&numbers[..])),
            };
            label.write(one);
            let numbers = several.unwrap_or_default();
            labels.iter_mut().zip(numbers).for_each(|(place, number)| _ = place.write(*number));
            num_labels.write(several.map_or(-1, |numbers| numbers.len() as i64));
            id.write(header.id);
            id2.write(header.id2);
            begin.write(len - rest.len() as u64);
        }
        Ok(())
    })
}
