//! Functions.
/// Functions of real numbers.
pub trait Transcendental: Copy {
    #[allow(missing_docs)]
    fn exp(self) -> Self;
    #[allow(missing_docs)]
    fn log(self) -> Self;
    #[allow(missing_docs)]
    fn tanh(self) -> Self;
    #[allow(missing_docs)]
    fn sqrt(self) -> Self;
}
macro_rules! t { ($($t:ty),*) => {$(impl Transcendental for $t {
    fn exp(self) -> Self { <$t>::exp(self) }
    fn log(self) -> Self { <$t>::ln(self) }
    fn tanh(self) -> Self { <$t>::tanh(self) }
    fn sqrt(self) -> Self { <$t>::sqrt(self) }
})*}; }
t!(f32, f64);
