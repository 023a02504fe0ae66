//! Data iterators: batches from arrays and files.

use crate::attr::{length, mxr_attr_t, owned_string, read_attrs, slice, string};
use crate::error::{guard, mxr_error_t};
use crate::handle::{arrays, as_arrays, give as give_array, mxr_array_t};
use crate::out::{out as place, places};
use crate::shared::{self, Handle, behind, give, lock};
use crate::text::{give_texts, mxr_texts_t};
use mxr_core::io::{self, Batch, DataDesc, DataIter, MaybeNamed, SharedIter, Sources};
use mxr_core::{Result, err};
use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex};

/// Gives one batch after the other.
pub struct mxr_data_iter_t {
    _opaque: [u8; 0],
}

/// An iterator with the batch that it gave last.
pub struct Opened {
    iter: SharedIter,
    batch: Mutex<Option<Batch>>,
}

impl Handle for mxr_data_iter_t {
    type Thing = Opened;
    const NAME: &'static str = "data iterator";
}

/// The data of batches.
pub const MXR_DATA: i32 = 0;
/// The labels of batches.
pub const MXR_LABELS: i32 = 1;

/// `n` arrays with names; `names`, or one of them, may be NULL.
unsafe fn maybe_named(
    names: *const *const c_char,
    given: *const *mut mxr_array_t,
    n: i32,
    argument: &str,
) -> Result<MaybeNamed> {
    // SAFETY: the caller promises `n` handles, and as many C strings or NULL.
    unsafe {
        let borrowed = arrays(given, n, argument)?;
        let all = as_arrays(&borrowed);
        let names = if names.is_null() { &[] } else { slice(names, all.len(), argument)? };
        let name = |i: usize| match names.get(i) {
            Some(name) if !name.is_null() => string(*name, argument).map(|n| Some(n.to_owned())),
            _ => Ok(None),
        };
        all.iter().enumerate().map(|(i, a)| Ok((name(i)?, a.clone()))).collect()
    }
}

/// Opens a data iterator by its name, such as `NDArrayIter`, with attributes by the schema's ids.
///
/// The schema says what it reads from besides: nothing, arrays of data and labels, with names or NULL for names that
/// follow from the attributes, or other iterators, which stay the caller's too. @nullable data_names, label_names
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_data_iter_create(
    name: *const c_char,
    attrs: *const mxr_attr_t,
    num_attrs: i32,
    data_names: *const *const c_char,
    data: *const *mut mxr_array_t,
    num_data: i32,
    label_names: *const *const c_char,
    labels: *const *mut mxr_array_t,
    num_labels: i32,
    iters: *const *mut mxr_data_iter_t,
    num_iters: i32,
    out: *mut *mut mxr_data_iter_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives C strings, attributes, as many handles as it says and a place for the new one.
        unsafe {
            let out = place(out, "out")?;
            let attrs = read_attrs(attrs, num_attrs)?;
            let data = maybe_named(data_names, data, num_data, "data")?;
            let label = maybe_named(label_names, labels, num_labels, "labels")?;
            let iters = slice(iters, length(num_iters.into(), "num_iters")?, "iters")?.iter();
            let iters = iters.map(|i| Ok(behind(*i, "iters")?.iter.clone())).collect::<Result<Vec<_>>>()?;
            let opened = io::open(string(name, "name")?, &attrs, Sources { data, label, iters })?;
            out.write(give(Arc::new(Opened { iter: Arc::new(Mutex::new(opened)), batch: Mutex::new(None) })));
        }
        Ok(())
    })
}

/// What an iterator gives in a list.
fn descs(iter: &dyn DataIter, list: i32) -> Result<&[DataDesc]> {
    match list {
        MXR_DATA => Ok(iter.provide_data()),
        MXR_LABELS => Ok(iter.provide_label()),
        _ => Err(err!(InvalidValue, "expected MXR_DATA or MXR_LABELS, got {list}").about("list")),
    }
}

/// Element `i` of a list.
pub(crate) fn nth<T>(items: &[T], i: i64) -> Result<&T> {
    let found = usize::try_from(i).ok().and_then(|i| items.get(i));
    found.ok_or_else(|| err!(Index, "there is no element {i} of {}", items.len()).about("i"))
}

/// The names of what batches have in a list, `MXR_DATA` or `MXR_LABELS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_data_iter_names(
    iter: *const mxr_data_iter_t,
    list: i32,
    names: *mut *mut mxr_texts_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let names = place(names, "names")?;
            let iter = lock(&behind(iter, "iter")?.iter);
            names.write(give_texts(descs(&**iter, list)?.iter().map(|d| d.name.clone())));
        }
        Ok(())
    })
}

/// The places for the shape and dtype of a description.
pub(crate) struct DescPlaces<'a> {
    dims: &'a mut [MaybeUninit<i64>],
    ndim: &'a mut MaybeUninit<i32>,
    dtype: &'a mut MaybeUninit<i32>,
}

impl DescPlaces<'_> {
    pub(crate) unsafe fn new(
        dims: *mut i64,
        room: i32,
        ndim: *mut i32,
        dtype: *mut i32,
    ) -> Result<DescPlaces<'static>> {
        // SAFETY: the caller promises room for `room` sizes and places for the numbers, for the time of a call.
        unsafe {
            let dims = places(dims, length(room.into(), "room")?, "dims")?;
            Ok(DescPlaces { dims, ndim: place(ndim, "ndim")?, dtype: place(dtype, "dtype")? })
        }
    }

    /// Writes as many sizes as there is room for.
    pub(crate) fn write(self, desc: &DataDesc) {
        for (place, d) in self.dims.iter_mut().zip(desc.shape.iter()) {
            place.write(*d);
        }
        self.ndim.write(desc.shape.ndim() as i32);
        self.dtype.write(desc.dtype as i32);
    }
}

/// Shape, as many sizes as there is room for, and dtype of element `i` of a list of every batch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_data_iter_desc(
    iter: *const mxr_data_iter_t,
    list: i32,
    i: i64,
    dims: *mut i64,
    room: i32,
    ndim: *mut i32,
    dtype: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, room and places.
        unsafe {
            let to = DescPlaces::new(dims, room, ndim, dtype)?;
            let iter = lock(&behind(iter, "iter")?.iter);
            to.write(nth(descs(&**iter, list)?, i)?);
        }
        Ok(())
    })
}

/// What the axes of element `i` of a list are, `N` that of the batch: `NCHW`. The caller owns the text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_data_iter_layout(
    iter: *const mxr_data_iter_t,
    list: i32,
    i: i64,
    layout: *mut *mut c_char,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the text.
        unsafe {
            let layout = place(layout, "layout")?;
            let iter = lock(&behind(iter, "iter")?.iter);
            layout.write(owned_string(&nth(descs(&**iter, list)?, i)?.layout));
        }
        Ok(())
    })
}

/// Number of examples in a batch.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_data_iter_batch_size(
    iter: *const mxr_data_iter_t,
    size: *mut i64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the number.
        unsafe { place(size, "size")?.write(lock(&behind(iter, "iter")?.iter).batch_size() as i64) };
        Ok(())
    })
}

/// Goes to the next batch; `more` becomes 0 at the end of the epoch, where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_data_iter_next(
    iter: *const mxr_data_iter_t,
    more: *mut i32,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the number.
        unsafe {
            let more = place(more, "more")?;
            let opened = behind(iter, "iter")?;
            let batch = lock(&opened.iter).next()?;
            more.write(i32::from(batch.is_some()));
            *lock(&opened.batch) = batch;
        }
        Ok(())
    })
}

/// Begins the next epoch; with `hard` not 0 as if nothing had been read, so that nothing is carried over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_data_iter_reset(iter: *const mxr_data_iter_t, hard: i32) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle.
        let opened = unsafe { behind(iter, "iter") }?;
        let mut iter = lock(&opened.iter);
        if hard == 0 {
            iter.reset()?
        } else {
            iter.hard_reset()?
        }
        *lock(&opened.batch) = None;
        Ok(())
    })
}

/// Runs `f` over the batch that `mxr_data_iter_next` went to.
unsafe fn batch<T>(iter: *const mxr_data_iter_t, f: impl FnOnce(&Batch) -> Result<T>) -> Result<T> {
    // SAFETY: the caller gives a handle.
    let batch = lock(&unsafe { behind(iter, "iter") }?.batch);
    f(batch.as_ref().ok_or_else(|| err!(InvalidValue, "there is no batch: go to the next one first"))?)
}

/// Element `i` of a list of the batch, `MXR_DATA` or `MXR_LABELS`: a new reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_data_iter_array(
    iter: *const mxr_data_iter_t,
    list: i32,
    i: i64,
    array: *mut *mut mxr_array_t,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the new one.
        unsafe {
            let array = place(array, "array")?;
            let found = batch(iter, |b| match list {
                MXR_DATA => nth(&b.data, i).cloned(),
                MXR_LABELS => nth(&b.label, i).cloned(),
                _ => Err(err!(InvalidValue, "expected MXR_DATA or MXR_LABELS, got {list}").about("list")),
            })?;
            array.write(give_array(found));
        }
        Ok(())
    })
}

/// How many examples of the batch, the last ones, only fill it up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_data_iter_pad(iter: *const mxr_data_iter_t, pad: *mut i64) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle and a place for the number.
        unsafe { place(pad, "pad")?.write(batch(iter, |b| Ok(b.pad as i64))?) };
        Ok(())
    })
}

/// Numbers of the batch's examples in their source, as many as there is room for, and how many there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_data_iter_index(
    iter: *const mxr_data_iter_t,
    index: *mut i64,
    room: i64,
    n: *mut i64,
) -> *mut mxr_error_t {
    guard(|| {
        // SAFETY: the caller gives a handle, room for `room` numbers and a place for their number.
        unsafe {
            let n = place(n, "n")?;
            let index = places(index, length(room, "room")?, "index")?;
            n.write(batch(iter, |b| {
                for (place, i) in index.iter_mut().zip(&b.index) {
                    place.write(*i);
                }
                Ok(b.index.len() as i64)
            })?);
        }
        Ok(())
    })
}

/// Takes another reference to a data iterator, to be freed like the first. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_data_iter_retain(iter: *mut mxr_data_iter_t) -> *mut mxr_data_iter_t {
    // SAFETY: the caller gives a live handle or NULL.
    unsafe { shared::retain(iter) }
}

/// Gives a reference back. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mxr_data_iter_free(iter: *mut mxr_data_iter_t) {
    // SAFETY: the caller gives a handle that it owns, or NULL.
    unsafe { shared::free(iter) }
}
