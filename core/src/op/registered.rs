//! Tables of things other than operators that every language creates by name: optimizers, initializers,
//! learning-rate schedulers, ….
//!
//! Such a thing is a struct whose fields are its attributes, and a trait that says what it does. Its table is
//! a list made by [`registered_table!`](crate::registered_table).

use crate::error::Result;
use crate::op::attrs::{AttrSchema, AttrValue, find_attr, nearest};

/// Makes a thing from its attributes, by id.
pub type Make<T> = fn(&[(u32, AttrValue)]) -> Result<Box<T>>;

/// One thing in a table: how it is called, described and made.
pub struct Registered<T: ?Sized> {
    /// Name, as MXNet's class has it.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Documentation.
    pub doc: &'static str,
    /// The attributes.
    pub attrs: Vec<AttrSchema>,
    #[doc(hidden)]
    pub make: Make<T>,
}

impl<T: ?Sized> Registered<T> {
    /// The name and the aliases.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Makes one with these attributes, by id.
    ///
    /// # Errors
    /// About an attribute that is missing, unknown or has a value that is not allowed.
    pub fn create(&self, values: &[(u32, AttrValue)]) -> Result<Box<T>> {
        let unknown = values.iter().find(|(id, _)| !self.attrs.iter().any(|a| a.id == *id));
        let made = match unknown {
            Some((id, _)) => Err(crate::err!(NotFound, "there is no attribute with id {id}")),
            None => (self.make)(values),
        };
        made.map_err(|e| e.in_operator(self.name))
    }

    /// Makes one with these attributes, by name.
    ///
    /// # Errors
    /// As [`Registered::create`].
    pub fn create_named(&self, pairs: &[(&str, AttrValue)]) -> Result<Box<T>> {
        let values: Result<Vec<_>> =
            pairs.iter().map(|(n, v)| Ok((find_attr(&self.attrs, n)?.id, v.clone()))).collect();
        self.create(&values.map_err(|e| e.in_operator(self.name))?)
    }
}

/// A table of things of one kind.
pub struct Table<T: ?Sized> {
    /// What they are called in messages: `optimizer`.
    pub kind: &'static str,
    /// All of them, in a stable order.
    pub entries: Vec<Registered<T>>,
}

impl<T: ?Sized> Table<T> {
    /// The one with this name or alias; capital letters do not matter.
    ///
    /// # Errors
    /// `NotFound`, with the nearest name.
    pub fn find(&self, name: &str) -> Result<&Registered<T>> {
        let called = |e: &&Registered<T>| e.names().any(|n| n.eq_ignore_ascii_case(name));
        self.entries.iter().find(called).ok_or_else(|| {
            let hint = nearest(name, self.entries.iter().flat_map(Registered::names))
                .map_or_else(String::new, |n| format!("; did you mean '{}'?", n.to_lowercase()));
            crate::err!(NotFound, "there is no {} '{name}'{hint}", self.kind)
        })
    }

    /// Makes the one with this name and these attributes.
    ///
    /// # Errors
    /// As [`Table::find`] and [`Registered::create`].
    pub fn create(&self, name: &str, attrs: &[(&str, AttrValue)]) -> Result<Box<T>> {
        self.find(name)?.create_named(attrs)
    }
}

/// Defines a function that returns the table of a kind.
///
/// ```ignore
/// registered_table! {
///     /// All optimizers.
///     pub fn optimizers() -> dyn Rule = "optimizer" {
///         Sgd = "SGD" aliases ["ccSGD"],
///     }
/// }
/// ```
/// Each type implements `Attrs` and the trait, which has a method `check(&self) -> Result<()>`.
#[macro_export]
macro_rules! registered_table {
    (
        $(#[$meta:meta])*
        $vis:vis fn $table:ident() -> $trait:ty = $kind:literal {
            $($type:ty = $name:literal $(aliases [$($alias:literal),*])?),* $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis fn $table() -> &'static $crate::op::Table<$trait> {
            static TABLE: std::sync::OnceLock<$crate::op::Table<$trait>> = std::sync::OnceLock::new();
            TABLE.get_or_init(|| $crate::op::Table {
                kind: $kind,
                entries: vec![$($crate::op::Registered {
                    name: $name,
                    aliases: &[$($($alias),*)?],
                    doc: <$type as $crate::op::Attrs>::DOC,
                    attrs: <$type as $crate::op::Attrs>::schema(),
                    make: |values| {
                        let made = <$type as $crate::op::Attrs>::from_values(values)?;
                        made.check()?;
                        Ok(Box::new(made))
                    },
                }),*],
            })
        }
    };
}
