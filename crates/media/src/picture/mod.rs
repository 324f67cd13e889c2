//! Sizes, frame rates and compositions of pictures.

mod composition;
mod constant_size;
mod conversion;
mod frame_rate;
mod placement;
mod size;

pub use self::composition::Composition;
pub(crate) use self::constant_size::{constant_size_options, fit_filters};
pub(crate) use self::conversion::{deinterlacing_filters, stored_size, tone_mapping_filters};
pub(crate) use self::frame_rate::{constant_rate, constant_rate_filters};
pub(crate) use self::size::{capped_height, even, square_pixel_size};
