"""Help that a notebook shows as HTML."""

import inspect
import re
from html import escape

from .ndarray._find import find

#: Sections whose entries are names with their types, each above its description.
_LISTS = ("Parameters", "Returns", "Attributes", "Raises")


def _words(text):
    """A paragraph; what stands between backticks is code."""
    text = escape(re.sub(r"\\([\[\]*_`])", r"\1", " ".join(text.split())), quote=False)
    return re.sub(r"(`+)(.+?)\1", r"<code>\2</code>", text)


def _paragraphs(lines):
    parts = re.split(r"\n\s*\n", "\n".join(lines).strip())
    return "".join(f"<p>{_words(part)}</p>" for part in parts if part)


def _entries(lines):
    """Names with their types as terms, and what is indented below each as its description."""
    html, below = [], []

    def close():
        if html:
            html.append(f"<dd>{_paragraphs(below)}</dd>")
        below.clear()

    for line in lines:
        if line and not line[0].isspace():
            close()
            name, _, kind = line.partition(" : ")
            html.append(f"<dt><b>{escape(name)}</b> <i>{_words(kind)}</i></dt>")
        else:
            below.append(line)
    close()
    return f"<dl>{''.join(html)}</dl>"


def _sections(doc):
    """The documentation in pieces: a title, '' for what comes first, and its lines."""
    title, lines = "", []
    source = inspect.cleandoc(doc).split("\n")
    for i, line in enumerate(source):
        following = source[i + 1] if i + 1 < len(source) else ""
        if line and following and set(following) == {"-"}:
            yield title, lines
            title, lines = line, []
        elif not (line and set(line) == {"-"}):
            lines.append(line)
    yield title, lines


def _signature(thing):
    try:
        return f"{thing.__qualname__}{inspect.signature(thing)}"
    except (AttributeError, TypeError, ValueError):
        return getattr(thing, "__qualname__", type(thing).__qualname__)


class Help:
    """The documentation of something: HTML where a notebook shows it, text elsewhere."""

    def __init__(self, thing):
        self._signature = _signature(thing)
        self._doc = inspect.getdoc(thing) or "There is no documentation."

    def __repr__(self):
        return f"{self._signature}\n\n{self._doc}"

    def _repr_html_(self):
        html = [f"<p><code>{escape(self._signature, quote=False)}</code></p>"]
        for title, lines in _sections(self._doc):
            html.append(f"<h4>{escape(title)}</h4>" if title else "")
            if title in _LISTS:
                html.append(_entries(lines))
            elif title == "Examples":
                example = "\n".join(lines).strip()
                html.append(f"<pre>{escape(example, quote=False)}</pre>")
            else:
                html.append(_paragraphs(lines))
        return "".join(html)


def help(thing):
    """The documentation of a function, a class or an array's method; as HTML in a notebook.

    Parameters
    ----------
    thing : object or str
        What it is about, or the name of an operator.

    Examples
    --------
    >>> mx.help(mx.nd.relu)
    >>> mx.help("relu")
    """
    return Help(find(thing) if isinstance(thing, str) else thing)
