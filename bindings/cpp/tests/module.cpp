// Modules: what they are bound to, the loops over batches, callbacks, and checkpoints.
#include "testing.hpp"
#include "mxr_ops.hpp"
#include <cmath>
#include <cstdio>

namespace {

using namespace mxr;
using testing::Floats;
using testing::Names;
using testing::near;

/// One weight and a bias, whose gradients are those of half the squared error.
Symbol line() {
    return op::LinearRegressionOutput("out", op::FullyConnected("fc", Symbol::Variable("data"), {}, {}, 1),
                                      Symbol::Variable("label"));
}

ModuleOptions names() {
    ModuleOptions options;
    options.label_names = Names{"label"};
    return options;
}

/// The points (1, 2) and (2, 4), in batches of so many.
DataIter points(int batch_size) {
    return NDArrayIter({NDArray(Floats{1, 2}, Shape(2, 1))}, {NDArray(Floats{2, 4}, Shape(2, 1))},
                       {{"batch_size", batch_size}, {"label_name", "label"}});
}

InitOptions zeros() {
    InitOptions init;
    init.initializer = Initializer("Zero");
    return init;
}

Optimizer sgd() {
    Optimizer made("sgd");
    made.SetParam("lr", 0.1);
    return made;
}

/// Without text.
FitOptions silent() {
    FitOptions options;
    options.eval_metric = EvalMetric("mse");
    options.init = zeros();
    options.log = [](const std::string &) {};
    return options;
}

Floats values(const NamedArrays &params, const std::string &name) {
    for (const auto &[key, array] : params) {
        if (key == name) return array.ToVector();
    }
    throw testing::Failed{"there is a parameter " + name};
}

void a_step_is_that_of_the_formula() {
    Module module(line(), names());
    CHECK(!module.IsBound() && module.LabelNames() == (Names{"label"}));
    module.Bind({{"data", Shape(2, 1)}}, {{"label", Shape(2, 1)}});
    CHECK(module.ParamNames() == (Names{"fc_weight", "fc_bias"}));
    CHECK(module.InitParams(zeros()) && !module.InitParams(zeros()));
    Optimizer optimizer = sgd();
    CHECK(module.InitOptimizer(&optimizer) && module.HasOptimizer() && module.HasParams());
    module.Forward({{NDArray(Floats{1, 2}, Shape(2, 1))}, {NDArray(Floats{2, 4}, Shape(2, 1))}, 0, {}}, true);
    CHECK(module.GetOutputs().at(0).ToVector() == (Floats{0, 0}));
    module.Backward();
    module.Update();
    // 0.1 * (2 * 1 + 4 * 2) / 2 and 0.1 * (2 + 4) / 2
    CHECK(near(values(module.GetArgParams(), "fc_weight")[0], 0.5));
    CHECK(near(values(module.GetArgParams(), "fc_bias")[0], 0.3));
    CHECK(module.GetAuxParams().empty());
}

/// Weight and bias, 1 at first and with gradients of 0, after a step.
template <class Take> Floats decayed(const Take &take_optimizer) {
    Module module(line(), names());
    module.Bind({{"data", Shape(1, 1)}}, {{"label", Shape(1, 1)}});
    InitOptions ones;
    ones.initializer = Initializer("One");
    ones.arg_params = NamedArrays{{"fc_bias", NDArray(Floats{1})}};
    ones.allow_missing = true;
    module.InitParams(ones);
    take_optimizer(module);
    module.Forward({{NDArray(Floats{0}, Shape(1, 1))}, {NDArray(Floats{1}, Shape(1, 1))}, 0, {}}, true);
    module.Backward();
    module.Update();
    return {values(module.GetArgParams(), "fc_weight")[0], values(module.GetArgParams(), "fc_bias")[0]};
}

void biases_decay_unless_the_optimizer_is_named() {
    const AttrMap attrs{{"learning_rate", 0.5}, {"wd", 0.5}};
    CHECK(decayed([&](Module &module) { module.InitOptimizer("sgd", attrs); }) == (Floats{0.75f, 1}));
    Optimizer given("sgd");
    for (const auto &[name, value] : attrs) given.SetParam(name, value);
    CHECK(decayed([&](Module &module) { module.InitOptimizer(&given); }) == (Floats{0.75f, 0.75f}));
}

void training_finds_the_line() {
    Module module(line(), names());
    Optimizer optimizer = sgd();
    std::vector<std::pair<int64_t, int64_t>> batches;
    Names lines;
    int epochs = 0, evaluations = 0;
    FitOptions options = silent();
    options.optimizer = &optimizer;
    options.eval_data = points(2);
    options.batch_end = {[&](const FitEvent &event) { batches.emplace_back(event.epoch, event.batch); }};
    options.epoch_end = {[&](const FitEvent &event) { epochs += event.module == &module; }};
    options.eval_end = {[&](const FitEvent &) { evaluations++; }};
    options.log = [&](const std::string &text) { lines.push_back(text); };
    module.Fit(points(1), 300, options);
    CHECK(batches.size() == 600 && batches[3] == (std::pair<int64_t, int64_t>(1, 1)));
    CHECK(epochs == 300 && evaluations == 300 && lines.size() == 900);
    CHECK(lines[0].rfind("Epoch[0] Train-mse=", 0) == 0 && lines[2].rfind("Epoch[0] Validation-mse=", 0) == 0);
    const Floats weight = values(module.GetArgParams(), "fc_weight"), bias = values(module.GetArgParams(), "fc_bias");
    CHECK(std::abs(weight[0] - 2) < 0.01 && std::abs(bias[0]) < 0.01);
    CHECK(module.Score(points(2), EvalMetric("mse")).at(0).second < 1e-4);
}

void prediction_leaves_out_what_fills_batches_up() {
    Module module(line(), names());
    DataIter iter = NDArrayIter({NDArray(Floats{1, 2, 3}, Shape(3, 1))}, {}, {{"batch_size", 2}});
    module.Bind(iter, BindOptions{false});
    module.InitParams(zeros());
    module.SetParams({{"fc_weight", NDArray(Floats{10}, Shape(1, 1))}, {"fc_bias", NDArray(Floats{1})}});
    const auto outputs = module.Predict(iter);
    CHECK(outputs.size() == 1 && outputs[0].GetShape() == (std::vector<int64_t>{3, 1}));
    CHECK(outputs[0].ToVector() == (Floats{11, 21, 31}));
}

void evaluation_begins_the_iterator_again() {
    Module module(line(), names());
    DataIter iter = points(1);
    module.Bind(iter);
    module.SetParams({{"fc_weight", NDArray(Floats{1}, Shape(1, 1))}, {"fc_bias", NDArray(Floats{0})}});
    CHECK(iter.Next());
    CHECK(near(module.Score(iter, EvalMetric("mse")).at(0).second, 2.5)); // (1 + 4) / 2
    while (iter.Next()) {
    }
    CHECK(module.Predict(iter).at(0).ToVector() == (Floats{1, 2}));
}

void without_a_store_each_device_goes_by_its_own_gradients() {
    ModuleOptions options = names();
    options.contexts = {Context::cpu(0), Context::cpu(1)};
    Module module(line(), options);
    module.Bind(points(2));
    module.InitParams(zeros());
    Optimizer optimizer = sgd();
    module.InitOptimizer(&optimizer, "");
    module.Forward({{NDArray(Floats{1, 2}, Shape(2, 1))}, {NDArray(Floats{2, 4}, Shape(2, 1))}, 0, {}}, true);
    module.Backward();
    module.Update();
    // The mean of 0.1 * 2 * 1 / 2 and 0.1 * 4 * 2 / 2, where a store would give both their sum.
    CHECK(near(values(module.GetArgParams(), "fc_weight")[0], 0.25));
}

void gradients_of_data_are_had() {
    Module module(line(), names());
    BindOptions bind;
    bind.inputs_need_grad = true;
    module.Bind({{"data", Shape(1, 1)}}, {{"label", Shape(1, 1)}}, bind);
    module.SetParams({{"fc_weight", NDArray(Floats{3}, Shape(1, 1))}, {"fc_bias", NDArray(Floats{0})}});
    module.Forward({{NDArray(Floats{2}, Shape(1, 1))}, {NDArray(Floats{1}, Shape(1, 1))}, 0, {}});
    module.Backward();
    CHECK(module.GetInputGrads().at(0).Scalar() == 15); // (3 * 2 - 1) * 3
}

void what_a_callback_throws_comes_out_of_fit() {
    Module module(line(), names());
    FitOptions options = silent();
    int calls = 0;
    options.batch_end = {[&](const FitEvent &event) {
        calls++;
        if (event.batch == 1) throw std::logic_error("enough");
    }};
    std::string what;
    try {
        module.Fit(points(1), 5, options);
    } catch (const std::logic_error &error) {
        what = error.what();
    }
    CHECK(what == "enough" && calls == 2);
}

void checkpoints_are_written_and_read() {
    const std::string prefix = "module-test";
    Module module(line(), names());
    Optimizer optimizer("sgd");
    optimizer.SetParam("lr", 0.1)->SetParam("momentum", 0.5);
    FitOptions options = silent();
    options.optimizer = &optimizer;
    callback::do_checkpointOptions with_states;
    with_states.save_optimizer_states = true;
    options.epoch_end = {callback::do_checkpoint(prefix, with_states)};
    module.Fit(points(2), 2, options);
    Module other = Module::Load(prefix, 2, true, names());
    other.Bind(points(2));
    CHECK(values(other.GetArgParams(), "fc_weight") == values(module.GetArgParams(), "fc_weight"));
    Optimizer again("sgd");
    again.SetParam("lr", 0.1)->SetParam("momentum", 0.5);
    other.InitOptimizer(&again);
    // Both go on with the same momentum.
    for (Module *each : {&module, &other}) {
        FitOptions more = silent();
        more.begin_epoch = 2;
        each->Fit(points(2), 3, more);
    }
    CHECK(values(other.GetArgParams(), "fc_weight") == values(module.GetArgParams(), "fc_weight"));
    for (const char *end : {"-symbol.json", "-0001.params", "-0002.params", "-0001.states", "-0002.states"}) {
        CHECK(std::remove((prefix + end).c_str()) == 0);
    }
}

void modules_refuse_what_does_not_fit() {
    ModuleOptions wrong;
    wrong.data_names = Names{"pictures"};
    const Error error = testing::error_of([&] { Module module(line(), wrong); });
    CHECK(std::string(error.what()).find("pictures") != std::string::npos);
    Module module(line(), names());
    testing::error_of([&] { module.Forward(DataBatch()); });
    module.Bind(points(2));
    module.InitParams();
    testing::error_of([&] { module.Update(); });
    CHECK(testing::error_of([&] { module.InitOptimizer(nullptr); }).argument() == "optimizer");
    testing::error_of([&] { module.SetParams({{"fc_weight", NDArray(Floats{1, 2})}}, {}, true); });
    testing::error_of([&] { Module::Load("no-such-checkpoint", 1); });
    testing::error_of([] { Callback("Speedometre"); });
}

} // namespace

int main() {
    RUN(a_step_is_that_of_the_formula);
    RUN(biases_decay_unless_the_optimizer_is_named);
    RUN(training_finds_the_line);
    RUN(prediction_leaves_out_what_fills_batches_up);
    RUN(evaluation_begins_the_iterator_again);
    RUN(without_a_store_each_device_goes_by_its_own_gradients);
    RUN(gradients_of_data_are_had);
    RUN(what_a_callback_throws_comes_out_of_fit);
    RUN(checkpoints_are_written_and_read);
    RUN(modules_refuse_what_does_not_fit);
    return testing::summary();
}
