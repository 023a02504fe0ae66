"""R and Python in one process, over one engine: ``R CMD python with_python.py FIRST``.

FIRST is ``r`` or ``python``, whose package is loaded first. The process is Python's and has an R
embedded, which it calls by ctypes, as rpy2 does. R's package is in R_LIBS, Python's is installed, and
MXR_LIBRARY is not set. Ends with the line `N passed, N failed`.
"""

import ctypes
import gc
import importlib
import os
import sys

DLTENSOR, USED = b"dltensor", b"used_dltensor"


def functions(library, **signatures):
    """Says what functions give, and what they take."""
    for name, (result, *arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments


SEXP, TEXT, INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
functions(
    ctypes.pythonapi,
    PyCapsule_New=(ctypes.py_object, ctypes.c_void_p, TEXT, ctypes.c_void_p),
    PyCapsule_GetPointer=(ctypes.c_void_p, ctypes.py_object, TEXT),
    PyCapsule_SetName=(INT, ctypes.py_object, TEXT),
)


class RError(Exception):
    """What R's own error message says."""


class R:
    """The R of this process. What it evaluates must be read before it evaluates anything else."""

    def __init__(self):
        library = ctypes.CDLL(os.environ["R_HOME"] + "/lib/libR.so", ctypes.RTLD_GLOBAL)
        functions(
            library,
            Rf_initEmbeddedR=(INT, INT, ctypes.POINTER(TEXT)),
            Rf_endEmbeddedR=(None, INT),
            Rf_mkString=(SEXP, TEXT),
            R_ParseVector=(SEXP, SEXP, INT, ctypes.POINTER(INT), SEXP),
            R_tryEvalSilent=(SEXP, SEXP, SEXP, ctypes.POINTER(INT)),
            R_curErrorBuf=(TEXT,),
            VECTOR_ELT=(SEXP, SEXP, ctypes.c_ssize_t),
            Rf_protect=(SEXP, SEXP),
            Rf_unprotect=(None, INT),
            Rf_xlength=(ctypes.c_ssize_t, SEXP),
            REAL=(ctypes.POINTER(ctypes.c_double), SEXP),
            Rf_asChar=(SEXP, SEXP),
            R_CHAR=(TEXT, SEXP),
            Rf_install=(SEXP, TEXT),
            Rf_defineVar=(None, SEXP, SEXP, SEXP),
            R_MakeExternalPtr=(SEXP, ctypes.c_void_p, SEXP, SEXP),
            R_ExternalPtrAddr=(ctypes.c_void_p, SEXP),
            R_ClearExternalPtr=(None, SEXP),
        )
        # Python handles its signals itself.
        INT.in_dll(library, "R_SignalHandlers").value = 0
        arguments = [b"R", b"--vanilla", b"--quiet"]
        library.Rf_initEmbeddedR(len(arguments), (TEXT * len(arguments))(*arguments))
        self.library = library
        self.nil = SEXP.in_dll(library, "R_NilValue")
        self.world = SEXP.in_dll(library, "R_GlobalEnv")

    def __call__(self, text):
        """Evaluates one expression."""
        r, status = self.library, INT(0)
        source = r.Rf_protect(r.Rf_mkString(text.encode()))
        expressions = r.Rf_protect(r.R_ParseVector(source, -1, ctypes.byref(status), self.nil))
        assert status.value == 1, f"R does not parse {text}"
        failed = INT(0)
        value = r.R_tryEvalSilent(r.VECTOR_ELT(expressions, 0), self.world, ctypes.byref(failed))
        r.Rf_unprotect(2)
        if failed.value:
            raise RError(r.R_curErrorBuf().decode())
        return value

    def text(self, expression):
        return self.library.R_CHAR(self.library.Rf_asChar(self(expression))).decode()

    def numbers(self, expression):
        value = self(f"as.double({expression})")
        return self.library.REAL(value)[: self.library.Rf_xlength(value)]

    def array(self, expression):
        """An array of R's as one of Python's that shares its memory."""
        tensor = self(f"mx.nd.to.dlpack({expression})")
        address = self.library.R_ExternalPtrAddr(tensor)
        capsule = ctypes.pythonapi.PyCapsule_New(address, DLTENSOR, None)
        self.library.R_ClearExternalPtr(tensor)
        return mx.nd.from_dlpack(capsule)

    def let(self, name, array):
        """Gives R, under a name, an array of Python's whose memory it shares."""
        r, capsule = self.library, array.__dlpack__()
        address = ctypes.pythonapi.PyCapsule_GetPointer(capsule, DLTENSOR)
        tensor = r.R_MakeExternalPtr(address, r.Rf_install(DLTENSOR), self.nil)
        r.Rf_defineVar(r.Rf_install(b"tensor"), tensor, self.world)
        ctypes.pythonapi.PyCapsule_SetName(capsule, USED)
        self(f"{name} <- mx.nd.from.dlpack(tensor)")


def mapped_libraries():
    with open("/proc/self/maps") as maps:
        files = {line.split()[-1] for line in maps if "/" in line}
    return {file for file in files if "libmxr" in os.path.basename(file)}


def in_use():
    """Bytes of arrays as Python counts them, and as R does."""
    return mx.runtime.memory_stats()["in_use"], r.numbers("mx.memory()['in.use']")[0]


def both_have_the_library_of_the_one_that_came_first():
    of_r = os.path.realpath(r.text("file.path(find.package('mxr'), 'lib', 'libmxr.so')"))
    of_python = os.path.realpath(os.path.join(os.path.dirname(mx.__file__), "lib", "libmxr.so"))
    used = os.path.realpath(mx.runtime.library_file())
    assert used == os.path.realpath(r.text("mx.info()$library"))
    assert used == (of_r if FIRST == "r" else of_python)
    assert mapped_libraries() == {used}


def an_array_of_r_is_read_and_changed_in_python_without_a_copy():
    r("x <- mx.nd.array(matrix(1:6, 3))")
    before = in_use()
    x = r.array("x")
    assert in_use() == before
    assert x.asnumpy().tolist() == [[1, 2, 3], [4, 5, 6]]
    x[1] = x[1] * 10
    mx.nd.waitall()
    assert r.numbers("as.array(x)") == [1, 2, 3, 40, 50, 60]


def an_array_of_python_is_read_and_changed_in_r_without_a_copy():
    x = mx.nd.array([[1, 2, 3], [4, 5, 6]])
    mx.nd.waitall()
    before = in_use()
    r.let("shared", x)
    assert in_use() == before
    assert r.numbers("dim(shared)") == [3, 2]
    r("shared[, 2] <- 7")
    r("mx.wait.all()")
    assert x.asnumpy().tolist() == [[1, 2, 3], [7, 7, 7]]


def shared_memory_outlives_the_array_that_it_came_from():
    r("x <- mx.nd.array(c(5, 6))")
    x = r.array("x")
    r("rm(x)")
    r("gc()")
    assert x.asnumpy().tolist() == [5, 6]
    r.let("shared", mx.nd.array([8, 9]))
    gc.collect()
    assert r.numbers("as.array(shared)") == [8, 9]


def work_of_one_is_waited_for_by_the_other():
    r("x <- mx.nd.ones(c(500, 500))")
    x = r.array("x")
    r("for (i in 1:20) x[] <- mx.nd.dot(x, x) / 500")
    mx.nd.waitall()
    assert r.numbers("mx.info()$pending") == [0]
    assert x.asnumpy().min() == x.asnumpy().max() == 1


def memory_counts_the_arrays_of_both():
    mx.nd.waitall()
    before = in_use()
    assert before[0] == before[1]
    r("big <- mx.nd.zeros(c(1024, 1024))")
    r("mx.wait.all()")
    of_r = in_use()
    big = mx.nd.zeros((1024, 1024))
    mx.nd.waitall()
    of_both = in_use()
    assert of_r == (before[0] + 4 * 1024**2,) * 2
    assert of_both == (before[0] + 8 * 1024**2,) * 2
    r("close(big)")
    del big
    gc.collect()
    assert in_use() == before


def draws_follow_a_seed_that_the_other_set():
    mx.random.seed(7)
    first, second = (mx.nd.random.uniform(shape=8).asnumpy().tolist() for _ in range(2))
    assert first != second
    r("mx.set.seed(7)")
    assert mx.nd.random.uniform(shape=8).asnumpy().tolist() == first
    assert r.numbers("as.array(mx.runif(8))") == second
    mx.random.seed(7)
    assert r.numbers("as.array(mx.runif(8))") == first
    assert mx.nd.random.uniform(shape=8).asnumpy().tolist() == second


def an_error_of_one_leaves_the_other_as_it_is():
    x = mx.nd.ones(2)
    product = "mx.nd.dot(mx.nd.ones(c(2, 3)), mx.nd.ones(c(2, 3)))"
    assert r.text(f"class(tryCatch({product}, error = identity))[1]") == "mxr_error_shape"
    try:
        r("mx.nd.array(1:2) + mx.nd.array(1:3)")
        raise AssertionError("R adds two elements to three")
    except RError as error:
        assert "broadcast_add" in str(error)
    assert (x + 1).asnumpy().tolist() == [2, 2]
    try:
        mx.nd.dot(mx.nd.ones((2, 3)), mx.nd.ones((2, 3)))
        raise AssertionError("Python multiplies matrices that do not fit")
    except mx.MXNetError as error:
        assert "dot" in str(error)
    assert r.numbers("as.array(mx.nd.array(1:2) + 1)") == [2, 3]


def recording_in_one_is_none_in_the_other():
    with mx.autograd.record():
        assert r.text("mx.autograd.is.recording()") == "FALSE"
    r("w <- mx.nd.attach.grad(mx.nd.array(c(2, 3)))")
    r("mx.autograd.backward(mx.autograd.record(sum(w * w)))")
    assert r.array("mx.nd.grad(w)").asnumpy().tolist() == [4, 6]


def python_goes_on_when_r_has_ended():
    r.let("left", mx.nd.ones(3))
    x = r.array("left * 2")
    r.library.Rf_endEmbeddedR(0)
    assert (x + 1).asnumpy().tolist() == [3, 3, 3]


TESTS = [
    both_have_the_library_of_the_one_that_came_first,
    an_array_of_r_is_read_and_changed_in_python_without_a_copy,
    an_array_of_python_is_read_and_changed_in_r_without_a_copy,
    shared_memory_outlives_the_array_that_it_came_from,
    work_of_one_is_waited_for_by_the_other,
    memory_counts_the_arrays_of_both,
    draws_follow_a_seed_that_the_other_set,
    an_error_of_one_leaves_the_other_as_it_is,
    recording_in_one_is_none_in_the_other,
]

(FIRST,) = sys.argv[1:]
r = R()
if FIRST == "r":
    r("library(mxr, warn.conflicts = FALSE)")
    mx = importlib.import_module("mxr")
else:
    mx = importlib.import_module("mxr")
    r("library(mxr, warn.conflicts = FALSE)")
    # Where R came first it is still there when the process ends.
    TESTS.append(python_goes_on_when_r_has_ended)

passed = 0
for test in TESTS:
    try:
        test()
        passed += 1
    except Exception as error:
        print(f"FAILED: {test.__name__}: {type(error).__name__} {error}", flush=True)
print(f"{passed} passed, {len(TESTS) - passed} failed", flush=True)
sys.exit(passed < len(TESTS))
