//! Sequences of various lengths in one array: (time, batch, …), or (batch, time, …).

use crate::kernels::index::{NOWHERE, gather, scatter_add};
use crate::ops::family::prelude::*;
use crate::ops::matrix::moving_samples;

const LENGTHS: &str = "The length of each sequence; all of them are whole without it.";

/// How the sequences lie in an array.
#[derive(Clone, Copy)]
struct Layout {
    time: usize,
    batch: usize,
    /// Elements at one time of one sequence.
    len: usize,
    /// Times come first.
    time_first: bool,
}

impl Layout {
    fn new(x: &Shape, axis: i64) -> Result<Layout> {
        if x.ndim() < 2 {
            return Err(err!(Shape, "expected at least 2 axes, got shape {x}").about("data"));
        }
        let time_first = match axis {
            0 => true,
            1 => false,
            _ => return Err(err!(InvalidValue, "expected 0 or 1, got {axis}").about("axis")),
        };
        let (a, b) = (x[0] as usize, x[1] as usize);
        let (time, batch) = if time_first { (a, b) } else { (b, a) };
        Ok(Layout { time, batch, len: x[2..].iter().product::<i64>() as usize, time_first })
    }

    /// Number of the row at time `t` of sequence `b`.
    fn row(self, t: usize, b: usize) -> usize {
        if self.time_first { t * self.batch + b } else { b * self.time + t }
    }

    /// Number of rows of the array.
    fn rows(self) -> usize {
        self.time * self.batch
    }

    /// For each row the one that `f` names by time, for its time and the length of its sequence.
    fn map(self, lengths: &[usize], f: impl Fn(usize, usize) -> Option<usize>) -> Vec<usize> {
        let mut rows = vec![NOWHERE; self.rows()];
        for (b, length) in lengths.iter().enumerate() {
            for t in 0..self.time {
                rows[self.row(t, b)] = f(t, *length).map_or(NOWHERE, |t| self.row(t, b));
            }
        }
        rows
    }

    /// The lengths that input `i` holds, or the whole time.
    fn lengths(self, k: &Kernel, i: usize, least: i64) -> Result<Vec<usize>> {
        if k.num_inputs() <= i {
            return Ok(vec![self.time; self.batch]);
        }
        let check = |length: i64| {
            if (least..=self.time as i64).contains(&length) {
                return Ok(length as usize);
            }
            Err(err!(Index, "expected lengths from {least} to {}, got {length}", self.time)
                .about("sequence_length"))
        };
        k.input_i64(i).into_iter().map(check).collect()
    }
}

/// Refuses lengths that are not one for each sequence.
fn check_lengths(s: &ShapeInfer, data: usize, lengths: usize, axis: i64) -> Result<()> {
    let Some(x) = s.known(data) else { return Ok(()) };
    let batch = Layout::new(x, axis)?.batch as i64;
    match s.known(lengths) {
        Some(n) if n[..] != [batch] => {
            Err(err!(Shape, "expected shape ({batch},), got {n}").about("sequence_length"))
        }
        _ => Ok(()),
    }
}

fn sequence_inputs() -> [Input; 2] {
    [Input::new("data", "The sequences."), Input::new("sequence_length", LENGTHS).optional()]
}

fn with_lengths(s: Sample, lengths: &[f64]) -> Sample {
    s.values(&[lengths.len() as i64], lengths).of(DType::F32).attr("use_sequence_length", true)
}

/// Sequences with a number in the place of what lies behind their ends.
#[derive(Attrs, Clone, Debug)]
pub struct SequenceMask {
    /// Lengths are given; otherwise nothing changes.
    #[attr(id = 1, default = false)]
    pub use_sequence_length: bool,
    /// The number.
    #[attr(id = 2, default = 0.0)]
    pub value: f64,
    /// The axis of time, 0 or 1; the other one is that of the batch.
    #[attr(id = 3, default = 0)]
    pub axis: i64,
}

impl Operator for SequenceMask {
    fn meta() -> Meta {
        Meta::new("SequenceMask", sequence_inputs()).aliases(&["_npx_sequence_mask"]).dtypes(DTypes::ALL)
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(1 + usize::from(self.use_sequence_length))
    }
    fn samples() -> Vec<Sample> {
        let of = |name| Sample::new(name).input(&[3, 2, 2]);
        let two = |s: Sample| with_lengths(s, &[1.0, 2.0]);
        let mut samples = vec![
            two(of("two lengths")),
            two(of("another number")).attr("value", -1.5),
            with_lengths(of("time is the second axis"), &[1.0, 0.0, 2.0]).attr("axis", 1),
            of("no lengths"),
        ];
        samples.extend(moving_samples(&[2, 2], two, "x[0] * np.array([[1, 1], [0, 1]], bool)"));
        samples.push(with_lengths(of("too many lengths"), &[1.0, 1.0, 1.0]).fails(ErrorCode::Shape));
        samples.push(of("another axis").attr("axis", 2).fails(ErrorCode::InvalidValue));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        check_lengths(s, 0, 1, self.axis)?;
        s.input(0).cloned().map_or(Ok(()), |x| s.set_output(0, x))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let layout = Layout::new(k.shape(0), self.axis)?;
        // Any length is a length here, as in MXNet: what lies behind it is masked.
        let lengths: Vec<usize> = match k.num_inputs() {
            1 => vec![layout.time; layout.batch],
            _ => k.input_i64(1).iter().map(|n| (*n).max(0) as usize).collect(),
        };
        let rows = layout.map(&lengths, |t, n| (t < n).then_some(t));
        with_dtype!(k.dtype(0), T => {
            let out = k.output::<T>(0);
            out.fill(T::from_f64(self.value));
            gather(k.input::<T>(0), (1, layout.rows(), layout.len), &rows, out);
        });
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let mask = SequenceMask { value: 0.0, ..self.clone() };
        let lengths: Vec<Val> = (1..b.num_inputs()).map(|i| b.input(i)).collect();
        b.set_grad(0, b.out_grad(0).apply(mask, &lengths));
        Ok(())
    }
}

/// The last element of each sequence.
#[derive(Attrs, Clone, Debug)]
pub struct SequenceLast {
    /// Lengths are given; otherwise the last time is taken.
    #[attr(id = 1, default = false)]
    pub use_sequence_length: bool,
    /// The axis of time, 0 or 1; the other one is that of the batch.
    #[attr(id = 2, default = 0)]
    pub axis: i64,
}

/// The row of each sequence's last element.
fn last_rows(k: &Kernel, layout: Layout, lengths: usize) -> Result<Vec<usize>> {
    let lengths = layout.lengths(k, lengths, 1)?;
    Ok(lengths.iter().enumerate().map(|(b, n)| layout.row(n - 1, b)).collect())
}

impl Operator for SequenceLast {
    fn meta() -> Meta {
        Meta::new("SequenceLast", sequence_inputs()).dtypes(DTypes::ALL)
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(1 + usize::from(self.use_sequence_length))
    }
    fn samples() -> Vec<Sample> {
        let of = |name| Sample::new(name).input(&[3, 2, 2]);
        let two = |s: Sample| with_lengths(s, &[1.0, 3.0]);
        let mut samples = vec![
            two(of("two lengths")),
            with_lengths(of("time is the second axis"), &[1.0, 2.0, 2.0])
                .attr("axis", 1)
                .oracle(Oracle::MxNetCode("mx.nd.concat(x[0][:1, 0], x[0][1:, 1], dim=0)")),
            of("no lengths").oracle(Oracle::MxNetCode("mx.nd.reverse(x[0], axis=0)[0]")),
        ];
        samples.extend(moving_samples(&[3, 2], two, "x[0][[0, 2], [0, 1]]"));
        samples.push(with_lengths(of("a length beyond the array"), &[1.0, 4.0]).fails(ErrorCode::Index));
        samples.push(Sample::new("one axis").input(&[3]).fails(ErrorCode::Shape));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        check_lengths(s, 0, 1, self.axis)?;
        let Some(mut out) = s.input(0).cloned() else { return Ok(()) };
        let axis = out.axis(self.axis)?;
        out.remove(axis);
        s.set_output(0, out)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let layout = Layout::new(k.shape(0), self.axis)?;
        let rows = last_rows(k, layout, 1)?;
        let around = (1, layout.rows(), layout.len);
        with_word!(k.dtype(0), W => gather(k.input_words::<W>(0), around, &rows, k.output_words::<W>(0)));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let back = SequenceLastInto { use_sequence_length: self.use_sequence_length, axis: self.axis };
        let mut inputs = vec![b.out_grad(0), b.input(0)];
        inputs.extend((1..b.num_inputs()).map(|i| b.input(i)));
        b.set_grad(0, b.apply(back, &inputs));
        Ok(())
    }
}

/// Zeros of the shape of `like`, with `data` as the last elements of the sequences: the gradient of `SequenceLast`.
#[derive(Attrs, Clone, Debug)]
pub struct SequenceLastInto {
    /// Lengths are given.
    #[attr(id = 1, default = false)]
    pub use_sequence_length: bool,
    /// The axis of time.
    #[attr(id = 2, default = 0)]
    pub axis: i64,
}

impl Operator for SequenceLastInto {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The last elements."),
            Input::new("like", "The shape of the result.").shape_only(),
            Input::new("sequence_length", LENGTHS).optional(),
        ];
        Meta::new("_sequence_last_into", inputs).dtypes(DTypes::NUMERIC).internal()
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(2 + usize::from(self.use_sequence_length))
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("np.array([[x[0][0], 0], [0, x[0][1]]])");
        let to = |s: Sample| with_lengths(s.ints(&[2, 2], 0, 1), &[1.0, 2.0]).oracle(numpy);
        vec![
            to(Sample::new("two lengths").input(&[2])).no_gradient(),
            to(Sample::new("integers").ints(&[2], 0, 9)).int_dtypes(),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        check_lengths(s, 1, 2, self.axis)?;
        s.input(1).cloned().map_or(Ok(()), |like| s.set_output(0, like))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let layout = Layout::new(k.out_shape(0), self.axis)?;
        let rows = last_rows(k, layout, 2)?;
        let around = (1, layout.rows(), layout.len);
        with_dtype!(k.dtype(0), T => scatter_add(k.input::<T>(0), around, &rows, k.output::<T>(0)));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let last = SequenceLast { use_sequence_length: self.use_sequence_length, axis: self.axis };
        let lengths: Vec<Val> = (2..b.num_inputs()).map(|i| b.input(i)).collect();
        b.set_grad(0, b.out_grad(0).apply(last, &lengths));
        Ok(())
    }
}

/// Sequences in reverse order, each up to its length; what lies behind stays.
#[derive(Attrs, Clone, Debug)]
pub struct SequenceReverse {
    /// Lengths are given; otherwise the whole sequences are reversed.
    #[attr(id = 1, default = false)]
    pub use_sequence_length: bool,
    /// The axis of time, 0 or 1; the other one is that of the batch.
    #[attr(id = 2, default = 0)]
    pub axis: i64,
}

impl Operator for SequenceReverse {
    fn meta() -> Meta {
        Meta::new("SequenceReverse", sequence_inputs()).dtypes(DTypes::ALL)
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(1 + usize::from(self.use_sequence_length))
    }
    fn samples() -> Vec<Sample> {
        let of = |name| Sample::new(name).input(&[3, 2, 2]);
        let two = |s: Sample| with_lengths(s, &[2.0, 3.0]);
        let mut samples = vec![
            two(of("two lengths")),
            of("no lengths"),
            with_lengths(of("time is the second axis"), &[1.0, 2.0, 2.0])
                .attr("axis", 1)
                .no_gradient()
                .oracle(Oracle::NumPy("np.stack([x[0][0], x[0][1, ::-1], x[0][2, ::-1]])")),
        ];
        samples.extend(moving_samples(&[3, 2], two, "x[0][[[1, 2], [0, 1], [2, 0]], [0, 1]]"));
        samples.push(with_lengths(of("a length beyond the array"), &[1.0, 4.0]).fails(ErrorCode::Index));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        check_lengths(s, 0, 1, self.axis)?;
        s.input(0).cloned().map_or(Ok(()), |x| s.set_output(0, x))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let layout = Layout::new(k.shape(0), self.axis)?;
        let lengths = layout.lengths(k, 1, 0)?;
        let rows = layout.map(&lengths, |t, n| Some(if t < n { n - 1 - t } else { t }));
        let around = (1, layout.rows(), layout.len);
        with_word!(k.dtype(0), W => gather(k.input_words::<W>(0), around, &rows, k.output_words::<W>(0)));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let lengths: Vec<Val> = (1..b.num_inputs()).map(|i| b.input(i)).collect();
        b.set_grad(0, b.out_grad(0).apply(self.clone(), &lengths));
        Ok(())
    }
}
