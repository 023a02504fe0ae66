// Autograd, symbols, executors, optimizers and prediction.
#include "testing.hpp"
#include "mxr_ops.hpp"
#include <cmath>
#include <cstdio>

namespace {

using namespace mxr;
using testing::Floats;
using testing::Names;

void what_is_recorded_has_gradients() {
    NDArray x(Floats{1, 2, 3}), y;
    x.AttachGrad();
    {
        const autograd::RecordScope scope;
        CHECK(autograd::IsRecording() && autograd::IsTraining());
        y = x * x;
    }
    CHECK(!autograd::IsRecording());
    y.Backward(NDArray(Floats{1, 10, 100}));
    CHECK(x.Grad().ToVector() == (Floats{2, 40, 600}));
    CHECK(!NDArray(Floats{1}).Grad() && !y.Detach().Grad());
}

void gradients_are_added_where_it_is_asked_for() {
    NDArray x(Floats{3});
    x.AttachGrad(kAddTo);
    for (int i = 0; i < 2; i++) {
        const autograd::RecordScope scope;
        (x * 5).Backward();
    }
    CHECK(x.Grad().Scalar() == 10);
}

void gradients_of_gradients_are_had() {
    NDArray x(Floats{2});
    x.AttachGrad();
    std::vector<NDArray> first;
    {
        const autograd::RecordScope scope;
        first = autograd::Grad({x * x * x}, {x}, {}, true);
    }
    CHECK(first[0].Scalar() == 12);
    CHECK(Symbol::Recorded(first).ListArguments() == (Names{"null1", "var0"}));
    first[0].Backward();
    CHECK(x.Grad().Scalar() == 12);
}

void functions_may_have_gradients_of_their_own() {
    // The gradient of a rounded number is zero; this one lets it through, and tells of it.
    const autograd::Function round(
        "round", [](const std::vector<NDArray> &x) { return std::vector<NDArray>{op::round(x[0])}; },
        [](const std::vector<NDArray> &grads) { return std::vector<NDArray>{grads[0] * 10}; });
    NDArray x(Floats{1.2f, 2.7f}), y;
    CHECK(round({x}).at(0).ToVector() == (Floats{1, 3}));
    x.AttachGrad();
    {
        const autograd::RecordScope scope;
        y = round({x * 2}).at(0) * 3;
    }
    CHECK(y.ToVector() == (Floats{6, 15}));
    y.Backward();
    CHECK(x.Grad().ToVector() == (Floats{60, 60}));
}

void what_a_gradient_throws_backward_throws() {
    const auto same = [](const std::vector<NDArray> &x) { return std::vector<NDArray>{x[0] * 1}; };
    const autograd::Function fails(
        "fails", same, [](const std::vector<NDArray> &) -> std::vector<NDArray> { throw std::runtime_error("never"); });
    const autograd::Function none_given(
        "short", same, [](const std::vector<NDArray> &) { return std::vector<NDArray>(); });
    const auto error_of = [](const autograd::Function &function) {
        NDArray x(Floats{1}), y;
        x.AttachGrad();
        {
            const autograd::RecordScope scope;
            y = function({x}).at(0);
        }
        return testing::error_of([&] {
            y.Backward();
            x.Grad().WaitToRead();
        });
    };
    const Error error = error_of(fails);
    CHECK(error.code() == MXR_ERROR_CALLBACK && std::string(error.what()).find("never") != std::string::npos);
    CHECK(std::string(error_of(none_given).what()).find("expected 1 gradients, got 0") != std::string::npos);
}

void scopes_end_where_they_began() {
    const autograd::RecordScope record(false);
    CHECK(autograd::IsRecording() && !autograd::IsTraining());
    {
        const autograd::PauseScope pause;
        const autograd::TrainScope train;
        CHECK(!autograd::IsRecording() && autograd::IsTraining());
        const autograd::PredictScope predict;
        CHECK(!autograd::IsTraining());
    }
    CHECK(autograd::IsRecording());
    const Error error = testing::error_of([] { NDArray(Floats{1}).Backward(); });
    CHECK(error.code() == MXR_ERROR_AUTOGRAD);
}

/// Two layers and a loss, as programs for MXNet's cpp-package compose them.
Symbol perceptron() {
    const auto x = Symbol::Variable("x"), label = Symbol::Variable("label");
    op::FullyConnectedOptions options;
    const auto hidden = op::Activation("act", op::FullyConnected("fc1", x, {}, {}, 8), op::ActivationActType::kTanh);
    return op::SoftmaxOutput("softmax", op::FullyConnected("fc2", hidden, {}, {}, 2), label);
}

void inputs_that_are_not_given_become_variables() {
    const Symbol net = perceptron();
    CHECK(net.ListArguments() ==
          (Names{"x", "fc1_weight", "fc1_bias", "fc2_weight", "fc2_bias", "label"}));
    CHECK(net.ListOutputs() == Names{"softmax_output"} && net.GetName() == "softmax");
    CHECK(net.GetInternals()["act_output"].GetName() == "act");
    const auto shapes = net.InferShape({{"x", Shape(4, 3)}});
    CHECK(shapes.complete && shapes.arguments[1] == Shape(8, 3) && shapes.outputs[0] == Shape(4, 2));
    CHECK(net.InferType({{"x", DType::kFloat64}}).outputs[0] == DType::kFloat64);
    CHECK(!net.InferShape({}).complete);
}

void symbols_are_composed_by_operators_and_by_name() {
    const Symbol x = Symbol::Variable("x", {{"__shape__", "(2,)"}}), y("y");
    const Symbol z = (x + y) * 2 - 1 / y;
    CHECK(z.ListInputs() == (Names{"x", "y"}) && x.GetAttr("__shape__") == "(2,)");
    const CachedOp call(z);
    CHECK(NDArray(call({NDArray(Floats{1, 2}), NDArray(Floats{1, 4})})).ToVector() == (Floats{3, 11.75}));
    const Symbol conv = Operator("Convolution").SetParam("kernel", Shape(3, 3)).SetParam("num_filter", 8)
                            .SetInput("data", x).CreateSymbol("conv");
    CHECK(conv.ListArguments() == (Names{"x", "conv_weight", "conv_bias"}));
    CHECK(conv.ListAttrs().at("kernel") == "(3, 3)");
    const Symbol exchanged = conv.Compose({{"x", op::relu("r", y)}});
    CHECK(exchanged.ListArguments()[0] == "y");
    CHECK(Symbol::Group({x, y}).GetNumOutputs() == 2);
    CHECK(x.WithAttrs({{"__lr_mult__", "2"}}).GetAttr("__lr_mult__") == "2");
    CHECK(op::concat("cat", {x, y}).ListArguments() == (Names{"x", "y"}));
}

void symbols_go_through_json() {
    const Symbol net = perceptron();
    CHECK(Symbol::LoadJSON(net.ToJSON()).ToJSON() == net.ToJSON());
    const Error error = testing::error_of([] { Symbol::LoadJSON("{"); });
    CHECK(error.code() == MXR_ERROR_FORMAT);
    CHECK(testing::error_of([&] { net[3]; }).code() != 0);
}

void an_executor_runs_over_arrays() {
    const Symbol x("x"), w("w");
    NDArray xs(Floats{1, 2}), ws(Floats{3, 4}), grad(Floats{0, 0});
    const auto bound = (x * w).Bind(Context::cpu(), {xs, ws}, {{}, grad});
    bound->Forward(true);
    bound->Backward({NDArray(Floats{1, 10})});
    CHECK(bound->outputs[0].ToVector() == (Floats{3, 8}) && grad.ToVector() == (Floats{1, 20}));
    CHECK(bound->grad_dict().size() == 1 && bound->arg_dict().at("w").get() == ws.get());
    bound->CopyParamsFrom({{"w", NDArray(Floats{0, 1})}});
    bound->Forward(false);
    CHECK(bound->outputs[0].ToVector() == (Floats{0, 2}) && !bound->PlanText(false).empty());
    CHECK(testing::error_of([&] { (x * w).Bind(Context::cpu(), {xs}); }).argument() == "args");
}

/// Trains on points on both sides of a line with MXNet's names, and gives the executor.
std::unique_ptr<Executor> trained(const Symbol &net, Optimizer *optimizer) {
    RandomSeed(3);
    std::map<std::string, NDArray> args;
    NDArray x(Floats{1, 0, -1, 0, 0.5, 1, -0.5, 1, 2, -1, -2, -1}, Shape(6, 2));
    args["x"] = x;
    args["label"] = NDArray(Floats{1, 0, 1, 0, 1, 0});
    auto executor = net.SimpleBind(Context::cpu(), args, {{"x", kNullOp}, {"label", kNullOp}});
    const Initializer xavier("Xavier");
    const Names names = net.ListArguments();
    for (auto &[name, array] : executor->arg_dict()) {
        NDArray parameter = array;
        if (args.count(name) == 0) xavier(name, &parameter);
    }
    for (int step = 0; step < 60; step++) {
        executor->Forward(true);
        executor->Backward();
        for (std::size_t i = 0; i < names.size(); i++) {
            if (args.count(names[i]) > 0) continue;
            optimizer->Update(static_cast<int64_t>(i), executor->arg_arrays[i], executor->grad_arrays[i]);
        }
    }
    executor->Forward(false);
    return executor;
}

void a_network_learns_by_an_optimizer_that_is_found() {
    const auto optimizer = OptimizerRegistry::Find("sgd");
    optimizer->SetParam("lr", 0.1)->SetParam("momentum", 0.9)->SetParam("rescale_grad", 1.0 / 6);
    const auto executor = trained(perceptron(), optimizer.get());
    CHECK(executor->outputs[0].ArgmaxChannel().ToVector() == (Floats{1, 0, 1, 0, 1, 0}));
    CHECK(OptimizerRegistry::Find("sgd")->GetType() == "sgd");
    CHECK(testing::error_of([] { OptimizerRegistry::Find("none"); }).code() == MXR_ERROR_NOT_FOUND);
}

void optimizers_keep_states_and_follow_schedules() {
    lr_scheduler::FactorSchedulerOptions schedule;
    schedule.factor = 0.5;
    optimizer::SGDOptions options;
    options.learning_rate = 0.5;
    options.momentum = 0.5;
    Optimizer sgd = optimizer::SGD(options, lr_scheduler::FactorScheduler(1, schedule));
    NDArray w(Floats{1}), g(Floats{1});
    sgd.Update(0, w, g);
    const float once = w.Scalar();
    CHECK(once < 1 && sgd.GetLR() <= 0.5);
    const auto states = sgd.SaveStates();
    sgd.Update(0, w, g);
    const float twice = w.Scalar();
    w = static_cast<double>(once);
    sgd.LoadStates(states);
    sgd.Update(0, w, g);
    CHECK(w.Scalar() == twice);
    const Error error = testing::error_of([] { Optimizer("sgd").SetParam("momentun", 1)->get(); });
    CHECK(error.argument() == "momentun");
    CHECK(LRScheduler("factor", {{"step", 1}, {"base_lr", 2.0}}).GetLR(0) == 2.0);
}

void initializers_fill_by_name() {
    NDArray weight(Shape(50, 50)), bias(Shape(3));
    initializer::XavierOptions options;
    options.rnd_type = initializer::XavierRndType::kGaussian;
    const Initializer fill = initializer::Xavier(options);
    fill("fc_weight", &weight);
    fill("fc_bias", &bias);
    CHECK(bias.ToVector() == Floats(3, 0.0f) && std::fabs(op::norm(weight).Scalar()) > 0);
    initializer::One().Fill(&bias);
    CHECK(bias.ToVector() == Floats(3, 1.0f));
}

void a_saved_model_predicts_in_three_lines() {
    const auto optimizer = OptimizerRegistry::Find("adam");
    const Symbol net = perceptron();
    const auto executor = trained(net, optimizer.get());
    std::map<std::string, NDArray> params;
    for (const auto &[name, array] : executor->arg_dict()) {
        if (name != "x" && name != "label") params["arg:" + name] = array;
    }
    net.Save("cpp-symbol.json");
    NDArray::Save("cpp-0000.params", params);

    const Predictor model("cpp-symbol.json", "cpp-0000.params");
    const NDArray scores = model(executor->arg_arrays[0]);
    CHECK(scores.ToVector() == executor->outputs[0].ToVector());

    CHECK(model.ListInputs() == (Names{"x", "label"}));
    CHECK(testing::error_of([&] { model({{"y", scores}}); }).argument() == "y");
    std::remove("cpp-symbol.json");
    std::remove("cpp-0000.params");

    Model{net, params}.Save("cpp.safetensors");
    const NDArray again = Predictor(Model::Load("cpp.safetensors"))(executor->arg_arrays[0]);
    CHECK(again.ToVector() == scores.ToVector());
    CHECK(testing::error_of([&] { Model::Load("no.safetensors"); }).code() == MXR_ERROR_NOT_FOUND);
    std::remove("cpp.safetensors");
}

/// Sums rows: `data` by a weight of ones and no bias.
std::unique_ptr<Executor> row_sums() {
    op::FullyConnectedOptions options;
    options.no_bias = true;
    const auto sum = op::FullyConnected("sum", Symbol::Variable("data"), Symbol::Variable("w"), {}, 1, options);
    return op::square("squared", sum)
        .SimpleBind(Context::cpu(), {{"data", NDArray(Floats{1, 2, 3, 4}, Shape(2, 2))},
                                     {"w", NDArray(Floats{1, 1}, Shape(1, 2))}});
}

void executors_are_made_for_other_shapes() {
    const auto two = row_sums();
    const auto one = two->Reshape({{"data", Shape(1, 2)}});
    one->arg_dict().at("data").SyncCopyFromCPU(Floats{5, 6});
    one->Forward(true);
    CHECK(one->outputs.at(0).ToVector() == (Floats{121}));
    one->Backward({NDArray(Floats{1}, Shape(1, 1))});
    CHECK(one->grad_dict().at("data").ToVector() == (Floats{22, 22}));
    two->arg_dict().at("w") = 2.0; // Shared.
    one->Forward(false);
    CHECK(one->outputs.at(0).ToVector() == (Floats{484}));
    testing::error_of([&] { two->Reshape({{"data", Shape(3, 2)}}); });
    const auto three = two->Reshape({{"data", Shape(3, 2)}}, true);
    CHECK(three->arg_dict().at("data").GetShape() == (std::vector<int64_t>{3, 2}));
    testing::error_of([&] { two->Reshape({{"no_such", Shape(1, 2)}}); });
}

void executors_keep_their_dtypes_when_they_are_reshaped() {
    const auto doubled = op::square("squared", Symbol::Variable("x"))
                             .SimpleBind(Context::cpu(), {{"x", NDArray(std::vector<double>{1, 2})}});
    const auto one = doubled->Reshape({{"x", Shape(1)}});
    one->arg_arrays.at(0) = 1e-30;
    one->Forward(false);
    CHECK(one->outputs.at(0).ToVector<double>() == std::vector<double>{1e-30 * 1e-30});
}

void monitors_see_outputs_and_may_fail() {
    const auto executor = row_sums();
    std::map<std::string, Floats> seen;
    executor->SetMonitor([&](const std::string &name, const NDArray &output) { seen[name] = output.ToVector(); });
    executor->Forward(false);
    CHECK(seen.size() == 2 && seen.at("sum_output") == (Floats{3, 7}));
    CHECK(seen.at("squared_output") == (Floats{9, 49}));
    executor->SetMonitor([](const std::string &name, const NDArray &) { throw std::out_of_range(name); });
    std::string what;
    try {
        executor->Forward(false);
    } catch (const std::out_of_range &error) {
        what = error.what();
    }
    CHECK(what == "sum_output");
    executor->SetMonitor({});
    seen.clear();
    executor->Forward(false);
    CHECK(seen.empty() && executor->outputs.at(0).ToVector() == (Floats{9, 49}));
}

} // namespace

int main() {
    RUN(executors_are_made_for_other_shapes);
    RUN(executors_keep_their_dtypes_when_they_are_reshaped);
    RUN(monitors_see_outputs_and_may_fail);
    RUN(what_is_recorded_has_gradients);
    RUN(gradients_are_added_where_it_is_asked_for);
    RUN(gradients_of_gradients_are_had);
    RUN(functions_may_have_gradients_of_their_own);
    RUN(what_a_gradient_throws_backward_throws);
    RUN(scopes_end_where_they_began);
    RUN(inputs_that_are_not_given_become_variables);
    RUN(symbols_are_composed_by_operators_and_by_name);
    RUN(symbols_go_through_json);
    RUN(an_executor_runs_over_arrays);
    RUN(a_network_learns_by_an_optimizer_that_is_found);
    RUN(optimizers_keep_states_and_follow_schedules);
    RUN(initializers_fill_by_name);
    RUN(a_saved_model_predicts_in_three_lines);
    return testing::summary();
}
