//! `#[derive(Attrs)]` and `#[derive(AttrEnum)]`: typed parsing, defaults, bounds and docs of attributes.
//!
//! ```ignore
//! /// Sets elements to zero at random.
//! #[derive(Attrs, Clone, Debug)]
//! pub struct Dropout {
//!     /// Fraction of the elements that become zero.
//!     #[attr(id = 1, default = 0.5, min = 0.0, max = 1.0)]
//!     pub p: f64,
//!     /// Axes that share one draw.
//!     #[attr(id = 2, default = Shape::scalar())]
//!     pub axes: Shape,
//! }
//! ```
//! An attribute without a default must be given; an `Option` has the default `None`. `name = "…"` is for
//! names that are no Rust identifiers. A number whose default is written without a point, as MXNet writes it in files,
//! is shown so.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{Data, DeriveInput, Expr, ExprLit, Field, Fields, Lit, LitInt, LitStr, parse_macro_input};

/// Implements `mxr_core::op::Attrs` for a struct. See the crate's documentation.
#[proc_macro_derive(Attrs, attributes(attr))]
pub fn derive_attrs(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    attrs(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Implements `AttrEnum` and `AttrType` for an enumeration without data. The names are the variants in
/// snake case, or `#[attr(name = "…")]`.
#[proc_macro_derive(AttrEnum, attributes(attr))]
pub fn derive_attr_enum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    attr_enum(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

#[derive(Default)]
struct Options {
    id: Option<u32>,
    name: Option<String>,
    default: Option<Expr>,
    min: Option<Expr>,
    max: Option<Expr>,
}

fn options(attrs: &[syn::Attribute]) -> syn::Result<Options> {
    let mut options = Options::default();
    for attr in attrs.iter().filter(|a| a.path().is_ident("attr")) {
        attr.parse_nested_meta(|meta| {
            let value = meta.value()?;
            if meta.path.is_ident("id") {
                options.id = Some(value.parse::<LitInt>()?.base10_parse()?);
            } else if meta.path.is_ident("name") {
                options.name = Some(value.parse::<LitStr>()?.value());
            } else if meta.path.is_ident("default") {
                options.default = Some(value.parse()?);
            } else if meta.path.is_ident("min") {
                options.min = Some(value.parse()?);
            } else if meta.path.is_ident("max") {
                options.max = Some(value.parse()?);
            } else {
                return Err(meta.error("expected id, name, default, min or max"));
            }
            Ok(())
        })?;
    }
    Ok(options)
}

fn docs(attrs: &[syn::Attribute]) -> String {
    let lines: Vec<String> = attrs
        .iter()
        .filter(|a| a.path().is_ident("doc"))
        .filter_map(|a| match &a.meta.require_name_value().ok()?.value {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Str(s) => Some(s.value().strip_prefix(' ').map_or_else(|| s.value(), str::to_owned)),
                _ => None,
            },
            _ => None,
        })
        .collect();
    lines.join("\n").trim().to_owned()
}

fn is_float(field: &Field) -> bool {
    matches!(&field.ty, syn::Type::Path(path) if path.path.is_ident("f64"))
}

fn is_option(field: &Field) -> bool {
    matches!(&field.ty, syn::Type::Path(p) if p.path.segments.last().is_some_and(|s| s.ident == "Option"))
}

struct Attr {
    schema: Tokens,
    read: Tokens,
    write: Tokens,
}

fn attr(field: &Field) -> syn::Result<Attr> {
    let ident =
        field.ident.as_ref().ok_or_else(|| syn::Error::new_spanned(field, "expected a named field"))?;
    let ty = &field.ty;
    let options = options(&field.attrs)?;
    let id = options.id.ok_or_else(|| syn::Error::new_spanned(field, "expected #[attr(id = …)]"))?;
    let name = options.name.unwrap_or_else(|| ident.to_string().trim_start_matches("r#").to_owned());
    let doc = docs(&field.attrs);
    if doc.is_empty() {
        return Err(syn::Error::new_spanned(field, "an attribute needs documentation"));
    }
    let default = match (&options.default, is_option(field)) {
        // `Some` of what is written, unless it says so itself.
        (Some(e), true) => Some(quote!({ let v: #ty = #e; v })),
        (Some(e), false) => Some(quote!({ let v: #ty = ::core::convert::From::from(#e); v })),
        (None, true) => Some(quote!(<#ty as ::core::default::Default>::default())),
        (None, false) => None,
    };
    let bound = |e: &Option<Expr>, none: Tokens| e.as_ref().map_or(none, |e| quote!((#e) as f64));
    let bounded = options.min.is_some() || options.max.is_some();
    let low = bound(&options.min, quote!(f64::NEG_INFINITY));
    let high = bound(&options.max, quote!(f64::INFINITY));
    let schema_bounds = if bounded { quote!(Some((#low, #high))) } else { quote!(None) };
    let check = if bounded { quote!(mxr_attrs::check_bounds(#name, value, #low, #high)?;) } else { quote!() };
    let schema_default = match (&options.default, &default) {
        (Some(Expr::Lit(ExprLit { lit: Lit::Int(whole), .. })), _) if is_float(field) => {
            quote!(Some(mxr_attrs::AttrValue::Int(#whole)))
        }
        (_, Some(d)) => quote!(Some(<#ty as mxr_attrs::AttrType>::to_value(&#d))),
        (_, None) => quote!(None),
    };
    let absent = default.unwrap_or_else(
        || quote!(return Err(crate::err!(InvalidValue, "this attribute must be given").about(#name))),
    );
    Ok(Attr {
        schema: quote!(mxr_attrs::AttrSchema {
            id: #id, name: #name, kind: <#ty as mxr_attrs::AttrType>::kind(), doc: #doc,
            default: #schema_default, bounds: #schema_bounds,
        }),
        read: quote!(#ident: match values.iter().rev().find(|(id, _)| *id == #id) {
            Some((_, value)) => {
                #check
                <#ty as mxr_attrs::AttrType>::from_value(value).map_err(|e| e.about(#name))?
            }
            None => #absent,
        }),
        write: quote!(<#ty as mxr_attrs::AttrType>::to_value(&self.#ident)),
    })
}

fn attrs(input: &DeriveInput) -> syn::Result<Tokens> {
    let ident = &input.ident;
    let doc = docs(&input.attrs);
    let fields: Vec<&Field> = match &input.data {
        Data::Struct(s) => match &s.fields {
            Fields::Named(f) => f.named.iter().collect(),
            Fields::Unit => vec![],
            Fields::Unnamed(_) => return Err(syn::Error::new_spanned(ident, "expected named fields")),
        },
        _ => return Err(syn::Error::new_spanned(ident, "expected a struct")),
    };
    let parsed = fields.into_iter().map(attr).collect::<syn::Result<Vec<_>>>()?;
    let schema = parsed.iter().map(|a| &a.schema);
    let read = parsed.iter().map(|a| &a.read);
    let write = parsed.iter().map(|a| &a.write);
    Ok(quote! {
        const _: () = {
            use crate::op::attrs as mxr_attrs;
            impl mxr_attrs::Attrs for #ident {
                const DOC: &'static str = #doc;
                fn schema() -> Vec<mxr_attrs::AttrSchema> { vec![#(#schema),*] }
                #[allow(unused_variables)]
                fn from_values(values: &[(u32, mxr_attrs::AttrValue)]) -> crate::error::Result<Self> {
                    Ok(Self { #(#read),* })
                }
                fn to_values(&self) -> Vec<mxr_attrs::AttrValue> { vec![#(#write),*] }
            }
        };
    })
}

fn attr_enum(input: &DeriveInput) -> syn::Result<Tokens> {
    let ident = &input.ident;
    let Data::Enum(data) = &input.data else {
        return Err(syn::Error::new_spanned(ident, "expected an enumeration"));
    };
    let mut names = Vec::new();
    let mut variants = Vec::new();
    for v in &data.variants {
        if !matches!(v.fields, Fields::Unit) {
            return Err(syn::Error::new_spanned(v, "expected a variant without data"));
        }
        names.push(options(&v.attrs)?.name.unwrap_or_else(|| snake(&v.ident.to_string())));
        variants.push(&v.ident);
    }
    let positions = 0..variants.len();
    Ok(quote! {
        const _: () = {
            use crate::op::attrs as mxr_attrs;
            impl mxr_attrs::AttrEnum for #ident {
                const NAMES: &'static [&'static str] = &[#(#names),*];
                fn from_position(position: usize) -> Self { [#(Self::#variants),*][position] }
                fn position(self) -> usize { match self { #(Self::#variants => #positions),* } }
            }
            impl mxr_attrs::AttrType for #ident {
                fn kind() -> mxr_attrs::AttrKind {
                    mxr_attrs::AttrKind::Enum(<Self as mxr_attrs::AttrEnum>::NAMES)
                }
                fn from_value(value: &mxr_attrs::AttrValue) -> crate::error::Result<Self> {
                    mxr_attrs::enum_from_value(value)
                }
                fn to_value(&self) -> mxr_attrs::AttrValue {
                    mxr_attrs::AttrValue::Int(mxr_attrs::AttrEnum::position(*self) as i64)
                }
            }
        };
    })
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_uppercase() && i > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}
