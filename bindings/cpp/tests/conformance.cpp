// Every operator by its public functions, on arrays and on symbols, against the oracle's numbers:
// `conformance CASES QUIRKS [OPERATOR]`.
#include "caller.hpp"
#include "dtypes.h"
#include "testing.hpp"
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

namespace {

using mxr::NDArray;

/// How a case is run.
struct Way {
    int32_t dtype;
    bool view;
    bool symbolic;
};

struct Ran {
    std::vector<NDArray> inputs, outputs;
    std::vector<bool> variables;
};

std::string quirks;
std::set<std::string> used_quirks;

bool failed(const case_t &c, const Way &way, const std::string &why) {
    std::cout << "    '" << c.name << "', dtype " << way.dtype << (way.view ? ", on views" : "")
              << (way.symbolic ? ", on symbols" : "") << ": " << why << "\n";
    return false;
}

int32_t error_code(const std::string &name) {
    static const std::map<std::string, int32_t> codes = {
        {"InvalidValue", MXR_ERROR_INVALID_VALUE}, {"InvalidType", MXR_ERROR_INVALID_TYPE},
        {"Shape", MXR_ERROR_SHAPE}, {"DType", MXR_ERROR_DTYPE}, {"Index", MXR_ERROR_INDEX},
        {"NotFound", MXR_ERROR_NOT_FOUND}, {"Closed", MXR_ERROR_CLOSED},
        {"OutOfMemory", MXR_ERROR_OUT_OF_MEMORY}, {"Unsupported", MXR_ERROR_UNSUPPORTED}, {"Io", MXR_ERROR_IO},
        {"Format", MXR_ERROR_FORMAT}, {"Timeout", MXR_ERROR_TIMEOUT}, {"Autograd", MXR_ERROR_AUTOGRAD},
        {"Version", MXR_ERROR_VERSION}, {"Device", MXR_ERROR_DEVICE}, {"Internal", MXR_ERROR_INTERNAL},
        {"Callback", MXR_ERROR_CALLBACK}};
    return codes.at(name);
}

/// An array of values; as a view, the third of four rows of another.
NDArray make(const std::vector<int64_t> &dims, const double *values, int64_t len, int32_t dtype, bool view) {
    const std::size_t size = size_of(dtype), n = static_cast<std::size_t>(len);
    std::vector<unsigned char> bytes(n * size * (view ? 4 : 1));
    for (std::size_t i = 0; i < bytes.size() / size; i++) {
        store(dtype, view && i / n != 2 ? 77 : values[i % n], bytes.data() + i * size);
    }
    std::vector<int64_t> all = dims;
    if (view) all.insert(all.begin(), 4);
    const NDArray whole = NDArray::FromBytes(bytes.data(), bytes.size(), all, static_cast<mxr::DType>(dtype));
    return view ? whole[2] : whole;
}

NDArray make(const tensor_t &t, int32_t dtype, bool view) {
    return make({t.dims, t.dims + t.ndim}, t.data, t.len, t.dtype < 0 ? dtype : t.dtype, view);
}

std::vector<double> elements(const NDArray &array) {
    const auto dtype = static_cast<int32_t>(array.GetDType());
    const std::size_t size = size_of(dtype), n = array.Size();
    std::vector<unsigned char> bytes(n * size + 1);
    mxr::detail::check(mxr_array_copy_to(array.get(), bytes.data(), n * size));
    std::vector<double> out;
    for (std::size_t i = 0; i < n; i++) out.push_back(load(dtype, bytes.data() + i * size));
    return out;
}

/// The gradient that every runner feeds to an output.
NDArray head(const NDArray &output, std::size_t i) {
    static const double pattern[5] = {0.5, -1.0, 1.5, 0.25, -0.75};
    std::vector<double> values(output.Size());
    for (std::size_t j = 0; j < values.size(); j++) values[j] = pattern[(i + j) % 5];
    return make(output.GetShape(), values.data(), static_cast<int64_t>(values.size()),
                static_cast<int32_t>(output.GetDType()), false);
}

mxr::Outputs call_symbol(const Caller &caller, const case_t &c, const std::vector<NDArray> &inputs) {
    std::vector<mxr::Symbol> variables;
    std::map<std::string, NDArray> by_name;
    for (std::size_t i = 0; i < inputs.size(); i++) {
        const std::string name = "in" + std::to_string(i);
        variables.push_back(mxr::Symbol::Variable(name));
        by_name.emplace(name, inputs[i]);
    }
    const mxr::Symbol symbol = caller.on_symbols(SymbolCase(c, variables));
    std::vector<NDArray> ordered;
    for (const std::string &name : symbol.ListInputs()) ordered.push_back(by_name.at(name));
    return mxr::CachedOp(symbol)(ordered);
}

/// Runs a case: inputs, the call, waiting and, where there are expected gradients, backward.
Ran run(const Caller &caller, const case_t &c, const Way &way) {
    Ran ran;
    for (int32_t i = 0; i < c.num_inputs; i++) {
        ran.inputs.push_back(make(c.inputs[i], way.dtype, way.view));
        const bool variable = c.num_gradients > 0 && is_float(static_cast<int32_t>(ran.inputs.back().GetDType()));
        if (variable) ran.inputs.back().AttachGrad();
        ran.variables.push_back(variable);
    }
    {
        const bool training = c.training != 0;
        const mxr::autograd::Scope scope((c.num_gradients > 0 ? MXR_CALL_RECORDING : 0u) |
                                             (training ? MXR_CALL_TRAINING : 0u),
                                         MXR_CALL_RECORDING | MXR_CALL_TRAINING);
        if (way.symbolic) ran.outputs = call_symbol(caller, c, ran.inputs);
        else ran.outputs = caller.on_arrays(ArrayCase(c, ran.inputs));
        for (const NDArray &output : ran.outputs) output.WaitToRead();
    }
    if (c.num_gradients > 0) {
        std::vector<NDArray> heads;
        for (std::size_t i = 0; i < ran.outputs.size(); i++) heads.push_back(head(ran.outputs[i], i));
        mxr::autograd::Backward(ran.outputs, heads, false, c.training != 0);
    }
    return ran;
}

double epsilon_of(int32_t dtype, double precision) {
    switch (dtype) {
    case MXR_FLOAT64: return precision;
    case MXR_FLOAT32: return 1e-5;
    case MXR_FLOAT16: return 4e-3;
    case MXR_BFLOAT16: return 3e-2;
    default: return 0;
    }
}

/// Whether an array has the expected shape and, within the tolerance, elements.
bool compare(const case_t &c, const Way &way, const std::string &what, const tensor_t &expected,
             const NDArray &array) {
    if (array.GetShape() != std::vector<int64_t>(expected.dims, expected.dims + expected.ndim)) {
        return failed(c, way, what + " has another shape");
    }
    const auto dtype = static_cast<int32_t>(array.GetDType());
    const double epsilon = epsilon_of(dtype, c.precision) * c.tolerance;
    const auto got = elements(array);
    double scale = 0;
    for (std::size_t i = 0; i < got.size(); i++) {
        const double size = std::fabs(wrapped(dtype, expected.data[i]));
        if (std::isfinite(size) && size > scale) scale = size;
    }
    for (std::size_t i = 0; i < got.size(); i++) {
        const double w = wrapped(dtype, expected.data[i]), v = got[i];
        const bool close = std::fabs(v - w) <= epsilon * (std::fabs(w) + 0.2 * scale + 1e-3);
        if (close || v == w || (std::isnan(v) && std::isnan(w))) continue;
        std::ostringstream why;
        why << what << ", element " << i << ": expected " << w << ", got " << v;
        return failed(c, way, why.str());
    }
    return true;
}

bool check_results(const case_t &c, const Way &way, const Ran &ran) {
    if (c.num_outputs > 0 && static_cast<std::size_t>(c.num_outputs) != ran.outputs.size()) {
        return failed(c, way, "got " + std::to_string(ran.outputs.size()) + " outputs");
    }
    bool ok = true;
    for (int32_t i = 0; i < c.num_outputs; i++) {
        const auto at = static_cast<std::size_t>(i);
        ok &= compare(c, way, "output " + std::to_string(i), c.outputs[i], ran.outputs[at]);
    }
    for (int32_t i = 0; i < c.num_gradients && i < c.num_inputs; i++) {
        const auto at = static_cast<std::size_t>(i);
        if (!ran.variables[at]) continue;
        ok &= compare(c, way, "gradient " + std::to_string(i), c.gradients[i], ran.inputs[at].Grad());
    }
    for (int32_t i = 0; i < c.num_states; i++) {
        const auto at = static_cast<std::size_t>(c.states[i].input);
        ok &= compare(c, way, "state " + std::to_string(at), c.states[i], ran.inputs[at]);
    }
    return ok;
}

/// Whether a case that does not compile is known not to, and should have failed anyway.
bool is_quirk(const case_t &c, const Way &way, const std::string &why) {
    used_quirks.insert(why);
    if (quirks.find('"' + why + '"') == std::string::npos) return failed(c, way, "not in quirks.json: " + why);
    return c.error ? true : failed(c, way, "does not compile (" + why + "), but has results");
}

bool check_run(const Caller &caller, const case_t &c, const Way &way) {
    const std::string on_symbols = std::string("\"") + c.operator_name + " on symbols\"";
    const bool never = way.symbolic && quirks.find(on_symbols) != std::string::npos;
    try {
        const Ran ran = run(caller, c, way);
        if (never) return failed(c, way, "passes, but quirks.json lists it");
        if (!c.error) return check_results(c, way, ran);
        return failed(c, way, std::string("expected ") + c.error + ", got a result");
    } catch (const DoesNotCompile &does_not) {
        return is_quirk(c, way, does_not.why);
    } catch (const mxr::Error &error) {
        const bool right = c.error && error.code() == error_code(c.error) && !error.op().empty();
        return right || never ? true : failed(c, way, error.what());
    }
}

/// Runs a case with float32, float64 or int32, or, if it takes none of these, with its first dtype.
bool check_case(const Caller &caller, const case_t &c, bool full) {
    std::vector<int32_t> dtypes;
    for (int32_t i = 0; i < c.num_dtypes; i++) {
        const int32_t d = c.dtypes[i];
        if (full || d == MXR_FLOAT32 || d == MXR_FLOAT64 || d == MXR_INT32) dtypes.push_back(d);
    }
    if (dtypes.empty() && c.num_dtypes > 0) dtypes.push_back(c.dtypes[0]);
    bool ok = true;
    for (const int32_t dtype : dtypes) {
        ok &= check_run(caller, c, {dtype, false, false});
        if (c.error) continue;
        ok &= check_run(caller, c, {dtype, true, false});
        ok &= check_run(caller, c, {dtype, false, true});
    }
    return ok;
}

std::string contents(const char *path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) broken("cannot open", path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Reads the cases of all operators, and runs those of one that has public functions.
class Runner {
public:
    Runner(std::string text, std::string only) : text_(std::move(text)), only_(std::move(only)), callers_(callers()) {
        const char *full = std::getenv("MXR_TEST_FULL");
        full_ = full && std::string(full) == "1";
    }
    void all() {
        static reader_t reader;
        reader.at = text_.data();
        while (const char *line = next_word(&reader)) {
            if (std::string(line) == "operator") start(next_word(&reader));
            else if (std::string(line) == "case") one(reader);
            else broken("there is no line", line);
        }
        finish();
        for (const auto &[name, caller] : callers_) {
            if (only_.empty() && ran_.count(name) == 0) testing::count(name + " has no cases", false);
        }
    }

private:
    void start(const std::string &name) {
        finish();
        const auto found = callers_.find(name);
        name_ = name;
        caller_ = found != callers_.end() && (only_.empty() || only_ == name) ? &found->second : nullptr;
        ok_ = true, cases_ = 0;
    }
    void one(reader_t &reader) {
        static case_t c;
        c = case_t{};
        c.operator_name = name_.data();
        c.name = next_text(&reader, nullptr);
        next_case(&reader, &c);
        if (caller_) ok_ &= check_case(*caller_, c, full_);
        release_case(&reader);
        cases_++;
    }
    void finish() {
        if (!caller_) return;
        testing::count(name_, ok_ && cases_ > 0);
        ran_.insert(name_);
        caller_ = nullptr;
    }
    std::string text_, only_, name_;
    Callers callers_;
    std::set<std::string> ran_;
    const Caller *caller_ = nullptr;
    bool ok_ = true, full_ = false;
    int cases_ = 0;
};

} // namespace

int main(int argc, char **argv) {
    if (argc < 3) broken("usage:", "conformance CASES QUIRKS [OPERATOR]");
    quirks = contents(argv[2]);
    Runner(contents(argv[1]), argc > 3 ? argv[3] : "").all();
    if (argc == 3) {
        for (const char *why : {"too many inputs", "wrong type", "no such attribute", "missing attribute",
                                "no such value"}) {
            const bool listed = quirks.find('"' + std::string(why) + '"') != std::string::npos;
            testing::count(std::string("quirk: ") + why, listed == (used_quirks.count(why) > 0));
        }
    }
    return testing::summary();
}
