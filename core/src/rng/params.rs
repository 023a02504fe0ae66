//! Parameters of distributions: the same for all elements, or an array with some draws for each entry.

/// `N` parameters. Element `i` of a result has those of entry `i / draws`.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a, T, const N: usize> {
    values: [&'a [T]; N],
    draws: usize,
}

impl<'a, T: Copy, const N: usize> Params<'a, T, N> {
    /// The same parameters for every element.
    pub fn same(values: &'a [T; N]) -> Self {
        let mut slices: [&[T]; N] = [&[]; N];
        for (slice, value) in slices.iter_mut().zip(values) {
            *slice = std::slice::from_ref(value);
        }
        Params { values: slices, draws: usize::MAX }
    }

    /// `draws` elements for each entry of the arrays. Filling more elements than that panics.
    ///
    /// # Panics
    /// If the arrays differ in length or `draws` is 0.
    pub fn each(values: [&'a [T]; N], draws: usize) -> Self {
        assert!(draws > 0, "each parameter needs at least one draw");
        assert!(values.iter().all(|v| v.len() == values[0].len()), "parameters must have equal lengths");
        Params { values, draws }
    }

    /// The parameters, if they are the same for every element.
    #[inline(always)]
    pub(crate) fn single(&self) -> Option<[T; N]> {
        (self.draws == usize::MAX).then(|| self.entry(0))
    }

    /// The parameters of element `i`.
    #[inline(always)]
    pub(crate) fn of(&self, i: usize) -> [T; N] {
        self.entry(i / self.draws)
    }

    /// The parameters of element `i`, if there are any.
    #[inline(always)]
    pub(crate) fn get(&self, i: usize) -> Option<[T; N]> {
        let entry = i / self.draws;
        (entry < self.values[0].len()).then(|| self.entry(entry))
    }

    /// The parameters of element `i`, and how many elements from there on have them.
    #[inline(always)]
    pub(crate) fn run(&self, i: usize) -> ([T; N], usize) {
        let entry = i / self.draws;
        (self.entry(entry), self.draws - (i - entry * self.draws))
    }

    #[inline(always)]
    fn entry(&self, entry: usize) -> [T; N] {
        self.values.map(|v| v[entry])
    }
}
