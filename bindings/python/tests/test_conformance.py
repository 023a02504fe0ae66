"""Every operator against the numbers that all languages share, by its public function."""

import numpy as np
import pytest

import mxr as mx
from cases import HEAD, OPERATORS, QUIRKS, compare, dtypes, file, function, name_of
from mxr import autograd


def array(spec, dtype):
    """An input of a case."""
    # JSON has no number that is none.
    data = np.array([np.nan if v is None else float(v) for v in spec["data"]]).reshape(
        spec["shape"]
    )
    found = mx.nd.array(data, dtype=spec["dtype"] or dtype)
    return found if data.ndim else found.reshape(())


def head(output, i):
    """The gradient that is fed to output number i."""
    values = np.resize(np.roll(HEAD, -i), output.size).reshape(output.shape)
    return mx.nd.array(values, dtype=output.dtype).reshape(output.shape)


def call(name, case, dtype):
    """Calls the operator; returns inputs, outputs, and which inputs have gradients."""
    inputs = [array(spec, dtype) for spec in case["inputs"]]
    attrs = {k: tuple(v) if isinstance(v, list) else v for k, v in case["attrs"].items()}
    wants = case.get("gradients") is not None
    variables = [i for i, a in enumerate(inputs) if wants and "float" in name_of(a)]
    for i in variables:
        inputs[i].attach_grad()
    recorded = autograd.record() if wants else autograd.pause()
    mode = autograd.train_mode() if case["training"] else autograd.predict_mode()
    with recorded, mode:
        found = function(name)(*inputs, **attrs)
    outputs = found if isinstance(found, list) else [found]
    for output in outputs:
        output.wait_to_read()
    if wants:
        heads = [head(o, i) for i, o in enumerate(outputs)]
        autograd.backward(outputs, heads, train_mode=case["training"])
    return inputs, outputs, variables


def differences(name, case, dtype):
    """How the results of a case differ from the expected ones."""
    inputs, outputs, variables = call(name, case, dtype)
    precision = 1e-5 if case.get("computed_in") == "float32" else 1e-10
    pairs = []
    if case.get("outputs") is not None:
        if len(case["outputs"]) != len(outputs):
            return [f"expected {len(case['outputs'])} outputs, got {len(outputs)}"]
        pairs += [(f"output {i}", e, outputs[i]) for i, e in enumerate(case["outputs"])]
    for i in variables:
        pairs.append((f"gradient {i}", case["gradients"][i], inputs[i].grad))
    for i, e in (case.get("states") or {}).items():
        pairs.append((f"state {i}", e, inputs[int(i)]))
    found = [(what, compare(e, got, precision, case["tolerance"])) for what, e, got in pairs]
    return [f"{what}: {difference}" for what, difference in found if difference]


def error_of(name, case):
    """What is wrong with the error of a case that must fail."""
    try:
        call(name, case, "float32")
    except (mx.MXRError, TypeError, ValueError):
        return None
    return f"expected the error {case['error']}, got a result"


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_operator_gives_the_expected_numbers(name):
    failures = []
    for case in file(name):
        if case["name"] in QUIRKS["*"]:
            continue
        quirk = QUIRKS.get(name, {}).get(case["name"])
        found = []
        if case.get("error"):
            wrong = error_of(name, case)
            found += [wrong] if wrong else []
        else:
            for dtype in dtypes(OPERATORS[name], case):
                try:
                    found += [f"{dtype}: {d}" for d in differences(name, case, dtype)]
                except (mx.MXRError, TypeError, ValueError) as error:
                    if not quirk:
                        raise AssertionError(f"'{case['name']}' {dtype}: {error}") from error
                    found.append(str(error))
        if quirk and not found:
            failures.append(f"'{case['name']}' passes, but quirks.json lists it")
        if not quirk:
            failures += [f"'{case['name']}' {f}" for f in found]
    assert not failures, "\n".join(failures)
