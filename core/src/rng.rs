//! stub
#[allow(missing_docs)]
#[derive(Clone, Copy, Default)]
pub struct Stream;
#[allow(missing_docs)]
pub struct Generator;
#[allow(missing_docs)]
pub fn generator(_d: crate::Device) -> Generator {
    Generator
}
#[allow(missing_docs)]
impl Generator {
    pub fn reserve(&self, _n: u64) -> Stream {
        Stream
    }
}
