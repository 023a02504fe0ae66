//! Attributes of layers that slide a window over one to three axes.

use crate::error::Result;
use crate::op::attrs::AttrEnum as _;
use crate::shape::Shape;
use crate::{bail, err};
use mxr_macros::AttrEnum;
use smallvec::SmallVec;

/// Sizes along the axes of a window.
pub type Sizes = SmallVec<[usize; 3]>;

/// Checks a kernel: one to three axes, all at least 1.
///
/// # Errors
/// `InvalidValue` about `kernel`.
pub fn check_kernel(kernel: &Shape) -> Result<()> {
    if !(1..=3).contains(&kernel.ndim()) || kernel.iter().any(|k| *k < 1) {
        return Err(err!(InvalidValue, "expected 1 to 3 sizes of at least 1, got {kernel}").about("kernel"));
    }
    Ok(())
}

/// An attribute with a value per axis; `fill` everywhere if it is empty.
///
/// # Errors
/// `InvalidValue` for another number of axes or values below `least`.
pub fn per_axis(name: &str, value: &Shape, n: usize, fill: usize, least: i64) -> Result<Sizes> {
    if value.ndim() == 0 {
        return Ok(Sizes::from_elem(fill, n));
    }
    if value.ndim() != n || value.iter().any(|v| *v < least) {
        return Err(err!(InvalidValue, "expected {n} values of at least {least}, got {value}").about(name));
    }
    Ok(value.iter().map(|v| *v as usize).collect())
}

/// The spatial axes of an array whose first two are samples and channels.
pub fn spatial(shape: &Shape) -> Sizes {
    shape[2..].iter().map(|d| *d as usize).collect()
}

/// The order of the axes.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum Layout {
    /// Depth, height, width after the channels.
    #[attr(name = "NCDHW")]
    Ncdhw,
    /// Height, width after the channels.
    #[attr(name = "NCHW")]
    Nchw,
    /// Width after the channels.
    #[attr(name = "NCW")]
    Ncw,
    /// Depth, height, width before the channels.
    #[attr(name = "NDHWC")]
    Ndhwc,
    /// Height, width before the channels.
    #[attr(name = "NHWC")]
    Nhwc,
    /// Width before the channels.
    #[attr(name = "NWC")]
    Nwc,
}

impl Layout {
    /// True if channels come last.
    pub fn channels_last(self) -> bool {
        matches!(self, Layout::Ndhwc | Layout::Nhwc | Layout::Nwc)
    }

    fn spatial(self) -> usize {
        match self {
            Layout::Ncw | Layout::Nwc => 1,
            Layout::Nchw | Layout::Nhwc => 2,
            Layout::Ncdhw | Layout::Ndhwc => 3,
        }
    }
}

/// Checks a layout for `n` spatial axes and says whether channels come last.
///
/// # Errors
/// `InvalidValue` for a layout with another number of axes.
pub fn check_layout(layout: Option<Layout>, n: usize) -> Result<bool> {
    let Some(layout) = layout else { return Ok(false) };
    if layout.spatial() != n {
        let name = Layout::NAMES[layout.position()];
        return Err(err!(InvalidValue, "expected a layout with {n} spatial axes, got {name}").about("layout"));
    }
    Ok(layout.channels_last())
}

/// Refuses layouts with channels last.
///
/// # Errors
/// `Unsupported` for those, and as [`check_layout`].
pub fn channels_first(layout: Option<Layout>, n: usize) -> Result<()> {
    if check_layout(layout, n)? {
        bail!(Unsupported, "the layout with channels last is not supported: transpose to NCHW");
    }
    Ok(())
}
