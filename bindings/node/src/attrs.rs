//! Attributes of calls, as JavaScript writes them into the memory that it shares with the addon.
//!
//! Numbers follow each other there: how many attributes there are, and of each its id, its form and its value. A
//! list is its length and its elements, and what has no number, NaN, is an absent element. Texts come apart.

use crate::error::Failure;
use crate::js::{Env, FromJs, Result};
use mxr_abi::ffi::{self, mxr_attr_t};
use napi_sys::napi_value;
use smallvec::SmallVec;
use std::ffi::{CString, c_void};
use std::ptr;

/// Stands for an absent element in a list of integers.
const NO_INT: i64 = i64::MIN;

/// Reads numbers one after the other.
pub struct Reader<'a> {
    numbers: &'a [f64],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader of what JavaScript wrote.
    pub fn new(env: Env) -> Reader<'a> {
        let (data, n) = env.state().scratch.get();
        // SAFETY: the memory is kept, and only JavaScript writes it, which waits for the call.
        Reader { numbers: unsafe { std::slice::from_raw_parts(data, n) }, at: 0 }
    }

    /// The next number.
    #[inline]
    pub fn next(&mut self) -> f64 {
        let number = self.numbers.get(self.at).copied().unwrap_or(0.0);
        self.at += 1;
        number
    }

    /// The next number, which counts what follows.
    #[inline]
    pub fn count(&mut self) -> usize {
        (self.next() as usize).min(self.numbers.len())
    }
}

/// Attributes, and what they point to.
#[derive(Default)]
pub struct Attrs {
    list: SmallVec<[mxr_attr_t; 8]>,
    ints: SmallVec<[i64; 16]>,
    floats: Vec<f64>,
    texts: Vec<CString>,
    pointers: Vec<*const c_void>,
}

impl Attrs {
    /// The attributes that come next; `texts` is an array with those that are texts, or undefined.
    pub fn read(env: Env, reader: &mut Reader<'_>, texts: napi_value) -> Result<Attrs> {
        let mut attrs = Attrs::default();
        let n = reader.count();
        if n > 0 && !env.lacks(texts) {
            attrs.texts = Vec::<CString>::from_js(env, texts, "texts")?;
        }
        for _ in 0..n {
            let (id, tag) = (reader.next() as u32, reader.next() as u32);
            let mut attr = mxr_attr_t { id, tag, integer: 0, number: 0.0, data: ptr::null() };
            match tag {
                ffi::MXR_ATTR_NONE | ffi::MXR_ATTR_NO_VALUE => {}
                ffi::MXR_ATTR_FLOAT => attr.number = reader.next(),
                // Its length is known when it is pointed to.
                ffi::MXR_ATTR_STRING => {}
                ffi::MXR_ATTR_INTS => {
                    attr.integer = reader.count() as i64;
                    for _ in 0..attr.integer {
                        let number = reader.next();
                        attrs.ints.push(if number.is_nan() { NO_INT } else { number as i64 });
                    }
                }
                ffi::MXR_ATTR_FLOATS => {
                    attr.integer = reader.count() as i64;
                    attrs.floats.extend((0..attr.integer).map(|_| reader.next()));
                }
                _ => attr.integer = reader.next() as i64,
            }
            attrs.list.push(attr);
        }
        Ok(attrs)
    }

    /// Where they are and how many. They point to what is here, which must not be moved from now on.
    pub fn finish(&mut self) -> Result<(*const mxr_attr_t, i32)> {
        let (mut ints, mut floats, mut texts) = (0, 0, 0);
        self.pointers = self.texts.iter().map(|text| text.as_ptr().cast()).collect();
        for attr in &mut self.list {
            let n = attr.integer as usize;
            match attr.tag {
                ffi::MXR_ATTR_INTS => {
                    attr.data = self.ints[ints..].as_ptr().cast();
                    ints += n;
                }
                ffi::MXR_ATTR_FLOATS => {
                    attr.data = self.floats[floats..].as_ptr().cast();
                    floats += n;
                }
                ffi::MXR_ATTR_STRING => {
                    let text = self.texts.get(texts).ok_or_else(|| Failure::internal("a text lacks"))?;
                    attr.integer = text.as_bytes().len() as i64;
                    attr.data = text.as_ptr().cast();
                    texts += 1;
                }
                ffi::MXR_ATTR_STRINGS => {
                    let here = self.pointers.get(texts..texts + n);
                    attr.data = here.ok_or_else(|| Failure::internal("a text lacks"))?.as_ptr().cast();
                    texts += n;
                }
                _ => {}
            }
        }
        Ok((self.list.as_ptr(), self.list.len() as i32))
    }
}
