//! Means and co-moments of two variables, merged without loss of accuracy.

/// Count, means, and sums of squared and multiplied distances from the means, of pairs `(a, b)`.
///
/// Source of the merging: Chan, Golub, LeVeque, «Updating formulae and a pairwise algorithm for computing sample
/// variances», 1979.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moments {
    n: f64,
    mean: [f64; 2],
    squares: [f64; 2],
    product: f64,
}

impl Moments {
    /// Those of some pairs, in two passes.
    pub fn of(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> Moments {
        let (mut n, mut sum) = (0.0, [0.0; 2]);
        for (a, b) in pairs.clone() {
            n += 1.0;
            sum = [sum[0] + a, sum[1] + b];
        }
        let mut out = Moments { n, mean: sum.map(|s| s / n), ..Moments::default() };
        for (a, b) in pairs {
            let (da, db) = (a - out.mean[0], b - out.mean[1]);
            out.squares = [out.squares[0] + da * da, out.squares[1] + db * db];
            out.product += da * db;
        }
        out
    }

    /// Takes in those of other pairs.
    pub fn merge(&mut self, other: &Moments) {
        if other.n == 0.0 {
            return;
        }
        if self.n == 0.0 {
            *self = *other;
            return;
        }
        let n = self.n + other.n;
        let apart = [other.mean[0] - self.mean[0], other.mean[1] - self.mean[1]];
        let weight = self.n * other.n / n;
        for (i, d) in apart.into_iter().enumerate() {
            self.squares[i] += other.squares[i] + d * d * weight;
            self.mean[i] += d * other.n / n;
        }
        self.product += other.product + apart[0] * apart[1] * weight;
        self.n = n;
    }

    /// Pearson's correlation; not a number where one variable does not vary.
    pub fn correlation(&self) -> f64 {
        self.product / (self.squares[0].sqrt() * self.squares[1].sqrt())
    }
}
