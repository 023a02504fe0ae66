//! Shapes and dtypes of all variables of a symbol, from those of some.

use super::ir::Type;
use super::symbol::{Inputs, Symbol};
use crate::dtype::DType;
use crate::error::Result;
use crate::op::Req;
use crate::shape::Shape;
use std::collections::{HashMap, HashSet};

impl Symbol {
    /// A request for each variable, in the order of [`Symbol::inputs`], from those of some, by name; `otherwise`
    /// for other arguments, none for auxiliary states.
    ///
    /// # Errors
    /// `NotFound` for a name that no variable has.
    pub fn requests(&self, named: &[(&str, Req)], otherwise: Req) -> Result<Vec<Req>> {
        let names = self.list_inputs();
        if let Some((name, _)) = named.iter().find(|(n, _)| !names.iter().any(|m| m == n)) {
            return Err(crate::err!(NotFound, "the symbol has no such argument").about(name));
        }
        let named: HashMap<&str, Req> = named.iter().copied().collect();
        let states: HashSet<String> = self.list_auxiliary_states().into_iter().collect();
        let request = |n: &String| match named.get(n.as_str()) {
            _ if states.contains(n) => Req::Null,
            Some(request) => *request,
            None => otherwise,
        };
        Ok(names.iter().map(request).collect())
    }

    /// The types of all variables, in the order of [`Symbol::inputs`], from shapes and dtypes of some, by name.
    /// Dtypes that do not follow are `float32`.
    ///
    /// # Errors
    /// As [`Symbol::infer_shape`]; `Shape` for a variable whose shape does not follow.
    pub fn infer_types(&self, shapes: &[(&str, Shape)], dtypes: &[(&str, DType)]) -> Result<Vec<Type>> {
        let shapes = self.infer_shape(shapes.iter().map(|(n, s)| (*n, s.clone())))?;
        let inferred = self.infer_type(dtypes.iter().copied())?;
        let states: HashSet<String> = self.list_auxiliary_states().into_iter().collect();
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
