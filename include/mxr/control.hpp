/// @file
/// Loops and branches in symbols. On arrays they are those of C++.
#ifndef MXR_CONTROL_HPP
#define MXR_CONTROL_HPP

#include "symbol.hpp"
#include <functional>

namespace mxr {
namespace control {

using Symbols = std::vector<Symbol>;

/// What a step of a loop gives: outputs, and the states of the next step.
struct Step {
    Symbols outputs, states;
};

} // namespace control

namespace detail {

/// The attribute that says of which body a node is.
constexpr const char *kBodyName = "__subgraph_name__";

/// A body of a loop or a branch: a scope of its own, variables that stand for what comes in, and what it makes.
class Body {
public:
    /// Composes the body: `run` is called once with the variables.
    template <class Run> Body(const std::string &hint, const std::vector<Symbol> &outside, const Run &run) {
        const auto outer = scope_attrs().find(kBodyName);
        scope_ = auto_name(outer == scope_attrs().end() ? hint : outer->second + "$" + hint);
        const AttrScope attrs{{kBodyName, scope_}};
        for (std::size_t i = 0; i < outside.size(); i++) {
            inside_.push_back(Symbol::Variable(scope_ + "-" + std::to_string(i)));
        }
        for (const Symbol &made : run(inside_)) {
            for (std::size_t i = 0; i < made.GetNumOutputs(); i++) made_.push_back(made[static_cast<int64_t>(i)]);
        }
        variables_ = raw(inside_);
        outputs_ = raw(made_);
    }
    Body(const Body &) = delete;

    /// As the library takes it; borrowed.
    mxr_body_t get() const {
        mxr_body_t body{};
        body.struct_size = sizeof body;
        body.num_variables = static_cast<int32_t>(variables_.size());
        body.scope = scope_.c_str();
        body.variables = variables_.data();
        body.outputs = outputs_.data();
        body.num_outputs = static_cast<int32_t>(outputs_.size());
        return body;
    }
    std::size_t num_outputs() const noexcept { return outputs_.size(); }

    static std::vector<mxr_symbol_t *> raw(const std::vector<Symbol> &symbols) {
        std::vector<mxr_symbol_t *> out;
        for (const Symbol &symbol : symbols) out.push_back(symbol.get());
        return out;
    }

private:
    std::string scope_;
    std::vector<Symbol> inside_, made_;
    std::vector<mxr_symbol_t *> variables_, outputs_;
};

/// The attributes that a symbol has from the scope around it, and a name of its own.
struct Named {
    explicit Named(const std::string &hint) : name(auto_name(hint)) { add_scope(&keys, &values); }
    int32_t size() const noexcept { return static_cast<int32_t>(keys.size()); }

    std::string name;
    std::vector<const char *> keys, values;
};

/// A step's outputs, and then its states, which must be as many as came in.
inline std::vector<Symbol> joined(const char *op, const control::Step &step, std::size_t num_states) {
    if (step.states.size() != num_states) {
        refuse(MXR_ERROR_INVALID_VALUE, op, "states",
               "expected " + std::to_string(num_states) + " from the body, got " + std::to_string(step.states.size()));
    }
    std::vector<Symbol> all = step.outputs;
    all.insert(all.end(), step.states.begin(), step.states.end());
    return all;
}

/// The outputs of a loop's symbol: those of its steps, and the states after the last.
inline control::Step parted(mxr_symbol_t *raw, std::size_t num_states) {
    const Symbol loop(raw);
    control::Step out;
    const std::size_t n = loop.GetNumOutputs();
    for (std::size_t i = 0; i < n; i++) {
        (i + num_states < n ? out.outputs : out.states).push_back(loop[static_cast<int64_t>(i)]);
    }
    return out;
}

} // namespace detail

namespace control {

/// Runs a body for each row of `data`; gives its outputs, stacked, and the states after the last row.
/// @param body Called once, with symbols of a row of each of `data` and of the states; each has one output.
inline Step Foreach(const std::function<Step(const Symbols &rows, const Symbols &states)> &body, const Symbols &data,
                    const Symbols &states) {
    Symbols outside = data;
    outside.insert(outside.end(), states.begin(), states.end());
    const auto rows = static_cast<std::ptrdiff_t>(data.size());
    const mxr::detail::Body made("foreach", outside, [&](const Symbols &inside) {
        const Step step = body({inside.begin(), inside.begin() + rows}, {inside.begin() + rows, inside.end()});
        return mxr::detail::joined("Foreach", step, states.size());
    });
    const auto raw_data = mxr::detail::Body::raw(data), raw_states = mxr::detail::Body::raw(states);
    const mxr_body_t raw = made.get();
    const mxr::detail::Named loop("_foreach");
    mxr_symbol_t *out = nullptr;
    mxr::detail::check(mxr_symbol_foreach(loop.name.c_str(), loop.keys.data(), loop.values.data(), loop.size(),
                                          raw_data.data(), static_cast<int32_t>(raw_data.size()), raw_states.data(),
                                          static_cast<int32_t>(raw_states.size()), &raw, &out));
    return mxr::detail::parted(out, states.size());
}

/// Runs a body on its own states as long as a condition of them is not zero, at most `max_iterations` times; gives its
/// outputs, stacked, with rows of zeros for steps that are not taken, and the last states.
/// @param cond Called once; gives a symbol of one element.
/// @param body Called once, with symbols of the states; each has one output.
inline Step WhileLoop(const std::function<Symbol(const Symbols &states)> &cond,
                      const std::function<Step(const Symbols &states)> &body, const Symbols &states,
                      int64_t max_iterations) {
    const mxr::detail::Body test("while_loop_cond", states,
                                 [&](const Symbols &inside) { return Symbols{cond(inside)}; });
    const mxr::detail::Body made("while_loop_func", states, [&](const Symbols &inside) {
        return mxr::detail::joined("WhileLoop", body(inside), states.size());
    });
    const auto raw_states = mxr::detail::Body::raw(states);
    const mxr_body_t raw_test = test.get(), raw = made.get();
    const mxr::detail::Named loop("_while_loop");
    mxr_symbol_t *out = nullptr;
    mxr::detail::check(mxr_symbol_while_loop(loop.name.c_str(), loop.keys.data(), loop.values.data(), loop.size(),
                                             raw_states.data(), static_cast<int32_t>(raw_states.size()), &raw_test,
                                             &raw, max_iterations, &out));
    return mxr::detail::parted(out, states.size());
}

/// What `then` makes if `pred`, of one element, is not zero, else what `otherwise` makes. Both are called once.
inline Symbols Cond(const Symbol &pred, const std::function<Symbols()> &then,
                    const std::function<Symbols()> &otherwise) {
    // The condition was composed outside, and comes into a body of no nodes.
    std::vector<mxr_symbol_t *> raw_pred{pred.get()};
    const std::string scope = mxr::detail::auto_name("cond_pred");
    mxr_body_t raw_test{};
    raw_test.struct_size = sizeof raw_test;
    raw_test.scope = scope.c_str();
    raw_test.outputs = raw_pred.data();
    raw_test.num_outputs = 1;
    const mxr::detail::Body first("cond_then", {}, [&](const Symbols &) { return then(); });
    const mxr::detail::Body second("cond_else", {}, [&](const Symbols &) { return otherwise(); });
    const mxr_body_t raw_then = first.get(), raw_else = second.get();
    const mxr::detail::Named branch("_cond");
    mxr_symbol_t *out = nullptr;
    mxr::detail::check(mxr_symbol_cond(branch.name.c_str(), branch.keys.data(), branch.values.data(), branch.size(),
                                       &raw_test, &raw_then, &raw_else, &out));
    return mxr::detail::parted(out, 0).outputs;
}

} // namespace control
} // namespace mxr

#endif
