// Loops and branches in symbols.
#include "testing.hpp"
#include "mxr_ops.hpp"

namespace {

using namespace mxr;
using control::Step;
using control::Symbols;
using testing::Floats;

/// The outputs of symbols for these variables.
std::vector<NDArray> computed(const Symbols &symbols, const std::map<std::string, NDArray> &variables) {
    const auto executor = Symbol::Group(symbols).SimpleBind(Context::cpu(), variables);
    executor->Forward(false);
    return executor->outputs;
}

void foreach_goes_over_rows() {
    const auto data = Symbol::Variable("data"), start = Symbol::Variable("start"), scale = Symbol::Variable("scale");
    int calls = 0;
    const Step sums = control::Foreach(
        [&](const Symbols &rows, const Symbols &states) {
            calls++;
            const Symbol sum = states[0] + rows[0] * scale;
            return Step{{sum}, {sum}};
        },
        {data}, {start});
    CHECK(calls == 1 && sums.outputs.size() == 1 && sums.states.size() == 1);
    const auto executor = Symbol::Group({sums.outputs[0], sums.states[0]})
                              .SimpleBind(Context::cpu(), {{"data", NDArray(Floats{1, 2, 3}, Shape(3, 1))},
                                                           {"start", NDArray(Floats{10})},
                                                           {"scale", NDArray(Floats{2})}});
    executor->Forward(true);
    CHECK(executor->outputs.at(0).ToVector() == (Floats{12, 16, 22}));
    CHECK(executor->outputs.at(1).ToVector() == (Floats{22}));
    executor->Backward({NDArray(Floats{0, 0, 0}, Shape(3, 1)), NDArray(Floats{1})});
    CHECK(executor->grad_dict().at("scale").ToVector() == (Floats{6}));
    CHECK(executor->grad_dict().at("data").ToVector() == (Floats{2, 2, 2}));
}

void comparisons_give_ones_and_zeros() {
    const Symbol x("x"), y("y");
    const std::map<std::string, NDArray> args{{"x", NDArray(Floats{1, 2, 3})}, {"y", NDArray(Floats{2, 2, 2})}};
    const auto found = computed({x > y, x >= y, x < y, x <= y, Equal(x, y), NotEqual(x, y)}, args);
    CHECK(found.at(0).ToVector() == (Floats{0, 0, 1}) && found.at(1).ToVector() == (Floats{0, 1, 1}));
    CHECK(found.at(2).ToVector() == (Floats{1, 0, 0}) && found.at(3).ToVector() == (Floats{1, 1, 0}));
    CHECK(found.at(4).ToVector() == (Floats{0, 1, 0}) && found.at(5).ToVector() == (Floats{1, 0, 1}));
    const auto scalars = computed({x > 2, 2 > x, x >= 2, 2 <= x, Equal(x, 3), NotEqual(x, 3)},
                                  {{"x", NDArray(Floats{1, 2, 3})}});
    CHECK(scalars.at(0).ToVector() == (Floats{0, 0, 1}) && scalars.at(1).ToVector() == (Floats{1, 0, 0}));
    CHECK(scalars.at(2).ToVector() == (Floats{0, 1, 1}) && scalars.at(3).ToVector() == (Floats{0, 1, 1}));
    CHECK(scalars.at(4).ToVector() == (Floats{0, 0, 1}) && scalars.at(5).ToVector() == (Floats{1, 1, 0}));
    // Whether two symbols are equal is not a question with the answer yes or no.
    static_assert(!std::is_convertible_v<decltype(x < y), bool>);
}

void symbols_have_the_attributes_of_the_scopes_around_them() {
    Symbol inner, outer;
    {
        const AttrScope scope{{"ctx_group", "dev1"}, {"lr_mult", "2"}};
        outer = Symbol::Variable("x");
        const AttrScope nested{{"ctx_group", "dev2"}};
        inner = op::exp("e", outer);
        CHECK(Symbol::Variable("own", {{"ctx_group", "dev3"}}).GetAttr("ctx_group") == "dev3");
    }
    CHECK(outer.GetAttr("ctx_group") == "dev1" && outer.GetAttr("__lr_mult__") == "2");
    CHECK(inner.GetAttr("ctx_group") == "dev2" && inner.GetAttr("lr_mult") == "2");
    CHECK(Symbol::Variable("y").ListAttrs().empty());
}

void while_loops_end_by_their_condition() {
    const auto below_20 = [](const Symbols &x) {
        return x[0] < 20;
    };
    const auto doubled = [](const Symbols &x) { return Step{{x[0]}, {x[0] * 2}}; };
    const Step powers = control::WhileLoop(below_20, doubled, {Symbol::Variable("x")}, 5);
    const auto found = computed({powers.outputs[0], powers.states[0]}, {{"x", NDArray(Floats{3})}});
    CHECK(found.at(0).ToVector() == (Floats{3, 6, 12, 0, 0}) && found.at(1).ToVector() == (Floats{24}));
}

void branches_are_chosen_by_a_condition() {
    const auto x = Symbol::Variable("x"), which = Symbol::Variable("which");
    const Symbols chosen = control::Cond(
        which, [&] { return Symbols{x + 1}; }, [&] { return Symbols{x * 10}; });
    for (const float on : {0.0f, 1.0f}) {
        const auto found = computed(chosen, {{"x", NDArray(Floats{5})}, {"which", NDArray(Floats{on})}});
        CHECK(found.at(0).Scalar() == (on > 0 ? 6 : 50));
    }
}

void loops_may_be_in_loops() {
    const auto inner = [](const Symbols &rows, const Symbols &states) {
        return Step{{}, control::Foreach([](const Symbols &row, const Symbols &sum) {
                            return Step{{}, {sum[0] + row[0]}};
                        }, {rows[0]}, {states[0]}).states};
    };
    const Step sum = control::Foreach(inner, {Symbol::Variable("data")}, {Symbol::Variable("start")});
    const auto found = computed(sum.states, {{"data", NDArray(Floats{1, 2, 3, 4}, Shape(2, 2, 1))},
                                             {"start", NDArray(Floats{0})}});
    CHECK(found.at(0).ToVector() == (Floats{10}));
}

void a_body_that_fails_leaves_no_trace() {
    const auto x = Symbol::Variable("x");
    const auto short_body = [](const Symbols &, const Symbols &) { return Step{}; };
    const Error error = testing::error_of([&] { control::Foreach(short_body, {x}, {x}); });
    CHECK(error.op() == "Foreach" && error.argument() == "states");
    CHECK((x + 1).ToJSON().find("__subgraph_name__") == std::string::npos);
}

} // namespace

int main() {
    RUN(foreach_goes_over_rows);
    RUN(comparisons_give_ones_and_zeros);
    RUN(symbols_have_the_attributes_of_the_scopes_around_them);
    RUN(while_loops_end_by_their_condition);
    RUN(branches_are_chosen_by_a_condition);
    RUN(loops_may_be_in_loops);
    RUN(a_body_that_fails_leaves_no_trace);
    return testing::summary();
}
