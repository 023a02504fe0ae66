//! What is done with any bytes: read them within the bound on memory, and if they are good, write and read
//! again.

use crate::memory::bounded;
use mxr_core::format::recordio::{self, Index, Reader};
use mxr_core::format::{StorageKind, ndarray_list};
use mxr_core::graph::Symbol;
use mxr_core::model::native;
use mxr_core::ndarray::safetensors::{self, Contents};
use std::io::Cursor;

/// `.params` files and other lists of arrays.
pub fn ndarray_list(bytes: &[u8]) {
    let Ok(entries) = bounded(bytes.len(), || ndarray_list::read(bytes)) else { return };
    // A list with an empty place, or of both kinds of shapes, can be read only.
    let Ok(written) = ndarray_list::write(&entries) else { return };
    let again = ndarray_list::read(&written).expect("what was written can be read");
    for ((name, tensor), (name_again, tensor_again)) in entries.iter().zip(&again) {
        assert_eq!(name, name_again);
        assert_eq!((&tensor.shape, tensor.dtype), (&tensor_again.shape, tensor_again.dtype));
        assert_eq!((&tensor.data, &tensor.aux), (&tensor_again.data, &tensor_again.aux));
        assert_ne!(tensor.storage, StorageKind::None);
    }
    assert_eq!(ndarray_list::write(&again).expect("it was written before"), written);
}

/// `.rec` files, `.idx` files and packed records.
pub fn recordio(bytes: &[u8]) {
    let _ = bounded(bytes.len(), || Index::read(bytes));
    if let Ok((header, rest)) = bounded(bytes.len(), || recordio::unpack(bytes)) {
        // The field of a single label is not used where there are several.
        let packed = recordio::pack(&header, rest);
        assert_eq!((&packed[..4], &packed[8..]), (&bytes[..4], &bytes[8..]));
    }
    let mut reader = Reader::new(Cursor::new(bytes));
    loop {
        let begin = reader.position();
        let Ok(Some(record)) = bounded(bytes.len(), || reader.next_record()) else { break };
        assert!(record.len() as u64 <= reader.position() - begin);
    }
}

/// `-symbol.json` files.
pub fn symbol_json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(symbol) = bounded(bytes.len(), || Symbol::from_json(text)) else { return };
    lists(&symbol);
    let written = symbol.to_json();
    let again = Symbol::from_json(&written).expect("what was written can be read");
    assert_eq!(again.to_json(), written);
}

fn lists(symbol: &Symbol) {
    let inputs = symbol.list_arguments().len() + symbol.list_auxiliary_states().len();
    assert_eq!(symbol.list_inputs().len(), inputs);
    assert_eq!(symbol.list_outputs().len(), symbol.outputs.len());
}

/// mxr's model files, and other safetensors files.
pub fn model(bytes: &[u8]) {
    let Ok(contents) = bounded(bytes.len(), || safetensors::from_bytes(bytes)) else { return };
    if !native::has_graph(&contents.metadata) {
        let written = arrays_written(&contents);
        let again = safetensors::from_bytes(&written).expect("what was written can be read");
        assert_eq!(arrays_written(&again), written);
        return;
    }
    let Ok(model) = bounded(bytes.len(), || native::from_contents(contents)) else { return };
    lists(&model.symbol);
    assert!(model.unused().len() <= model.arguments.len() + model.auxiliary_states.len());
    let written = native::to_bytes(&model).expect("what was read can be written");
    let again = native::from_bytes(&written).expect("what was written can be read");
    assert_eq!(native::to_bytes(&again).expect("it was written before"), written);
}

fn arrays_written(contents: &Contents) -> Vec<u8> {
    let arrays: Vec<_> = contents.arrays.iter().map(|(name, array)| (name.as_str(), array)).collect();
    safetensors::to_bytes(&contents.metadata, &arrays).expect("what was read can be written")
}
