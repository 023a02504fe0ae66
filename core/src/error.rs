//! The one error type of the engine.
//!
//! An error says what went wrong in words for a person and carries what a program may want: a code, the
//! operator and the argument it is about. It is cheap to clone, because a failed operation hands the same
//! error to every variable it should have written.

use std::fmt;
use std::sync::Arc;

/// What kind of failure an [`Error`] is. The numbers are part of the C ABI and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum ErrorCode {
    /// An argument has a value that is not allowed.
    InvalidValue = 1,
    /// An argument is of the wrong kind.
    InvalidType = 2,
    /// Shapes do not fit each other or the operator.
    Shape = 3,
    /// Data types do not fit each other or the operator.
    DType = 4,
    /// An index lies outside its axis.
    Index = 5,
    /// No operator, attribute, parameter or file has this name.
    NotFound = 6,
    /// The object was closed.
    Closed = 7,
    /// Memory could not be had.
    OutOfMemory = 8,
    /// The request is well formed but not supported.
    Unsupported = 9,
    /// Reading or writing a file failed.
    Io = 10,
    /// Bytes do not follow the format they claim.
    Format = 11,
    /// A wait took longer than its timeout.
    Timeout = 12,
    /// Misuse of automatic differentiation.
    Autograd = 13,
    /// Two parts of mxr have versions that do not go together.
    Version = 14,
    /// The device is missing or cannot be used, for instance after a fork.
    Device = 15,
    /// A fault in mxr itself.
    Internal = 16,
    /// A callback of the caller failed.
    Callback = 17,
}

#[derive(Clone, Debug)]
struct Detail {
    code: ErrorCode,
    message: String,
    operator: Option<String>,
    argument: Option<String>,
    origin: Option<u64>,
}

/// A failure, with its code, message and what it is about.
#[derive(Clone, Debug)]
pub struct Error(Arc<Detail>);

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with a code and a message for a person.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Error(Arc::new(Detail {
            code,
            message: message.into(),
            operator: None,
            argument: None,
            origin: None,
        }))
    }

    /// A fault in mxr itself: something that the code believed impossible.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }

    /// The same error, naming the operator it came from unless one is named already.
    #[must_use]
    pub fn in_operator(mut self, name: &str) -> Self {
        if self.0.operator.is_none() {
            Arc::make_mut(&mut self.0).operator = Some(name.to_owned());
        }
        self
    }

    /// The same error, naming the argument it is about unless one is named already.
    #[must_use]
    pub fn about(mut self, argument: &str) -> Self {
        if self.0.argument.is_none() {
            Arc::make_mut(&mut self.0).argument = Some(argument.to_owned());
        }
        self
    }

    /// The same error with another message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).message = message.into();
        self
    }

    /// The same error, naming the node of a graph it came from.
    #[must_use]
    pub fn in_node(self, name: &str) -> Self {
        let message = format!("{}, in node '{name}'", self.message());
        self.with_message(message)
    }

    /// The same error, naming the file that was read.
    #[must_use]
    pub fn in_file(self, path: &std::path::Path) -> Self {
        let message = format!("{}: {}", path.display(), self.message());
        self.with_message(message)
    }

    /// The same error with the caller's own id, as a callback's error that passes through the engine.
    #[must_use]
    pub fn with_origin(mut self, origin: u64) -> Self {
        Arc::make_mut(&mut self.0).origin = Some(origin);
        self
    }

    /// What kind of failure this is.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The message without operator and argument.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The operator that failed, if one did.
    pub fn operator(&self) -> Option<&str> {
        self.0.operator.as_deref()
    }

    /// The argument that the error is about, if it is about one.
    pub fn argument(&self) -> Option<&str> {
        self.0.argument.as_deref()
    }

    /// The id that the caller gave to an error of its own.
    pub fn origin(&self) -> Option<u64> {
        self.0.origin
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(op) = &self.0.operator {
            write!(f, "{op}: ")?;
        }
        if let Some(arg) = &self.0.argument {
            write!(f, "argument '{arg}': ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

/// Returns early with an [`Error`] of the given code: `bail!(Shape, "expected {}, got {}", a, b)`.
#[macro_export]
macro_rules! bail {
    ($code:ident, $($arg:tt)*) => { return Err($crate::err!($code, $($arg)*)) };
}

/// Makes an [`Error`] of the given code: `err!(Shape, "expected {}, got {}", a, b)`.
#[macro_export]
macro_rules! err {
    ($code:ident, $($arg:tt)*) => {
        $crate::error::Error::new($crate::error::ErrorCode::$code, format!($($arg)*))
    };
}
