"""In Jupyter: cells that a real kernel runs, as a notebook sends them."""

import time

import pytest
from jupyter_client.manager import start_new_kernel

import mxr as mx


class Notebook:
    """A kernel, and what a notebook does with it."""

    def __init__(self):
        self.manager, self.client = start_new_kernel(kernel_name="python3")

    def messages(self, of, timeout=60):
        """What the kernel says about a request, until it is idle."""
        end = time.monotonic() + timeout
        while True:
            message = self.client.get_iopub_msg(timeout=end - time.monotonic())
            if message["parent_header"].get("msg_id") != of:
                continue
            if message["content"].get("execution_state") == "idle":
                return
            yield message["msg_type"], message["content"]

    def run(self, code):
        """What a cell shows, by MIME type, what it prints, and the error that ended it."""
        shown, printed, error = {}, "", None
        for kind, content in self.messages(self.client.execute(code)):
            if kind == "execute_result":
                shown = content["data"]
            elif kind == "stream":
                printed += content["text"]
            elif kind == "error":
                error = content["ename"]
        return shown, printed, error


@pytest.fixture(scope="module")
def notebook():
    notebook = Notebook()
    try:
        assert notebook.run("import mxr as mx") == ({}, "", None)
        yield notebook
    finally:
        notebook.client.stop_channels()
        notebook.manager.shutdown_kernel(now=True)


def test_an_array_is_shown_as_its_elements(notebook):
    shown, _, error = notebook.run("mx.nd.array([[1, 2], [3, 4]])")
    assert error is None
    assert shown["text/plain"] == "\n[[1. 2.]\n [3. 4.]]\n<NDArray 2x2 @cpu(0)>"
    assert "<pre>[[1. 2.]\n [3. 4.]]</pre>" in shown["text/html"]
    assert "NDArray 2x2 float32 @cpu(0)" in shown["text/html"]


def test_help_is_shown_as_html(notebook):
    shown, _, _ = notebook.run("mx.help(mx.nd.Convolution)")
    assert shown["text/plain"].startswith("Convolution(data, weight, bias=None, kernel")
    assert "num_filter : int, required" in shown["text/plain"]
    html = shown["text/html"]
    assert "<code>Convolution(data, weight, bias=None, kernel" in html
    assert "<dt><b>kernel</b> <i>int or tuple of int, required</i></dt>" in html
    assert "<dd><p>Size of the window along each axis.</p></dd>" in html


def test_an_error_ends_a_cell_and_not_the_kernel(notebook):
    _, _, error = notebook.run("mx.nd.ones((2, 3)) + mx.nd.ones((4, 5))")
    assert error == "ShapeError"
    assert notebook.run("print((mx.nd.ones(2) + 1).sum().asscalar())") == ({}, "4.0\n", None)


def test_interrupting_ends_a_long_wait_and_the_kernel_goes_on(notebook):
    code = """
array = ones = mx.nd.ones((3000, 3000))
for _ in range(10):
    array = mx.nd.dot(array, ones) / 3000
print("waiting")
array.wait_to_read()
print("over")
"""
    printed, error, interrupted = "", None, 0.0
    for kind, content in notebook.messages(notebook.client.execute(code)):
        if kind == "stream":
            printed += content["text"]
            interrupted = time.monotonic()
            notebook.manager.interrupt_kernel()
        elif kind == "error":
            error = content["ename"]
    assert (printed, error) == ("waiting\n", "KeyboardInterrupt")
    assert time.monotonic() - interrupted < 5
    assert notebook.run("print(array.shape)") == ({}, "(3000, 3000)\n", None)


def test_every_operator_has_help_as_html():
    for name in mx.nd.op.__all__:
        html = mx.help(name)._repr_html_()
        assert html.startswith("<p><code>") and "<dl>" in html, name
        assert html.count("<dt>") == html.count("<dd>"), name


def test_help_for_what_is_not_there_says_so():
    with pytest.raises(NotImplementedError, match="no operator 'reluu'"):
        mx.help("reluu")
