//! Shapes and dtypes of all variables of a symbol, from those of some.

use super::ir::Type;
use super::symbol::{Inputs, Symbol};
use crate::dtype::DType;
use crate::error::Result;
use crate::shape::Shape;

impl Symbol {
    /// The types of all variables, in the order of [`Symbol::inputs`], from shapes and dtypes of some, by name.
    /// Dtypes that do not follow are `float32`.
    ///
    /// # Errors
    /// As [`Symbol::infer_shape`]; `Shape` for a variable whose shape does not follow.
    pub fn infer_types(&self, shapes: &[(&str, Shape)], dtypes: &[(&str, DType)]) -> Result<Vec<Type>> {
        let shapes = self.infer_shape(shapes.iter().map(|(n, s)| (*n, s.clone())))?;
        let inferred = self.infer_type(dtypes.iter().copied())?;
        let states = self.list_auxiliary_states();
        let (mut s, mut t) = (shapes.arguments.into_iter(), inferred.arguments.into_iter());
        let (mut aux_s, mut aux_t) =
            (shapes.auxiliary_states.into_iter(), inferred.auxiliary_states.into_iter());
        let mut types = Vec::new();
        for variable in self.inputs(Inputs::All) {
            let (shape, dtype) = match states.contains(&variable.name) {
                false => (s.next().flatten(), t.next().flatten()),
                true => (aux_s.next().flatten(), aux_t.next().flatten()),
            };
            let shape = shape.filter(Shape::is_known).ok_or_else(|| {
                crate::err!(Shape, "the shape of this variable does not follow from those given")
                    .about(&variable.name)
            })?;
            types.push(Type { shape, dtype: dtype.unwrap_or(DType::F32) });
        }
        Ok(types)
    }
}
