// Trains LeNet on MNIST: `lenet DATA [EPOCHS [IMAGES]]`.
//
// DATA is a folder with MNIST's four IDX files, as train.py reads them; `cargo xtask demo` fetches them. With the
// package of `cargo xtask dist cpp` unpacked in mxr/:
//
//     c++ -std=c++17 -O2 lenet.cpp -Imxr/include -Lmxr/lib -lmxr -Wl,-rpath,$PWD/mxr/lib -o lenet
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <numeric>
#include <random>

#include <mxr_ops.hpp>

namespace {

using namespace mxr;

constexpr int64_t kBatch = 64;

/// The bytes of an IDX file after its header of so many sizes.
std::vector<uint8_t> read_idx(const std::string &path, std::size_t num_axes) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot open " + path);
    std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.size() < 4 + 4 * num_axes || bytes[3] != num_axes) throw std::runtime_error(path + " is no IDX file");
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(4 + 4 * num_axes));
    return bytes;
}

/// Images and the digits on them.
struct Images {
    std::vector<uint8_t> pixels, digits;

    Images(const std::string &folder, const std::string &part)
        : pixels(read_idx(folder + "/" + part + "-images-idx3-ubyte", 3)),
          digits(read_idx(folder + "/" + part + "-labels-idx1-ubyte", 1)) {}

    /// Images from 0 to 1 with a channel axis.
    NDArray images(const std::size_t *chosen, std::size_t n) const {
        std::vector<float> out(n * 784);
        for (std::size_t i = 0; i < n; i++) {
            const uint8_t *image = pixels.data() + chosen[i] * 784;
            std::transform(image, image + 784, out.begin() + static_cast<std::ptrdiff_t>(i * 784),
                           [](uint8_t pixel) { return static_cast<float>(pixel) / 255; });
        }
        return NDArray::Adopt(std::move(out), Shape(n, 1, 28, 28));
    }
    NDArray labels(const std::size_t *chosen, std::size_t n) const {
        std::vector<float> out(n);
        std::transform(chosen, chosen + n, out.begin(), [this](std::size_t i) { return digits[i]; });
        return NDArray(out);
    }
};

using Params = std::map<std::string, NDArray>;

/// Weights that keep the size of what flows through them; biases of zero.
Params initialize() {
    const std::map<std::string, Shape> shapes = {
        {"conv1_weight", {20, 1, 5, 5}}, {"conv1_bias", {20}},    {"conv2_weight", {50, 20, 5, 5}},
        {"conv2_bias", {50}},            {"fc1_weight", {500, 800}}, {"fc1_bias", {500}},
        {"fc2_weight", {10, 500}},       {"fc2_bias", {10}}};
    initializer::XavierOptions options;
    options.rnd_type = initializer::XavierRndType::kUniform;
    options.factor_type = initializer::XavierFactorType::kIn;
    options.magnitude = 6;
    const Initializer fill = initializer::Xavier(options);
    Params params;
    for (const auto &[name, shape] : shapes) {
        NDArray array(shape);
        fill(name, &array);
        array.AttachGrad();
        params.emplace(name, array);
    }
    return params;
}

NDArray pooled(const NDArray &x) {
    op::PoolingOptions options;
    options.kernel = {2, 2};
    options.stride = {2, 2};
    options.pool_type = op::PoolingPoolType::kMax;
    return op::Pooling(op::relu(x), options);
}

/// The scores of the ten digits.
NDArray lenet(NDArray x, const Params &p) {
    x = pooled(op::Convolution(x, p.at("conv1_weight"), p.at("conv1_bias"), {5, 5}, 20));
    x = pooled(op::Convolution(x, p.at("conv2_weight"), p.at("conv2_bias"), {5, 5}, 50));
    x = op::relu(op::FullyConnected(x, p.at("fc1_weight"), p.at("fc1_bias"), 500));
    return op::FullyConnected(x, p.at("fc2_weight"), p.at("fc2_bias"), 10);
}

/// The part of the images that the network knows.
double accuracy(const Images &test, const Params &params) {
    std::vector<std::size_t> all(test.digits.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    double known = 0;
    for (std::size_t i = 0; i < all.size(); i += 500) {
        const std::size_t n = std::min<std::size_t>(500, all.size() - i);
        const NDArray guess = lenet(test.images(&all[i], n), params).ArgmaxChannel();
        known += op::sum(guess == test.labels(&all[i], n)).Scalar();
    }
    return known / static_cast<double>(all.size());
}

/// One pass over the images; gives the mean loss.
double epoch(const Images &train, const std::vector<std::size_t> &order, const Params &params, Optimizer &sgd) {
    NDArray sum(std::vector<float>{0});
    const std::size_t steps = order.size() / kBatch;
    for (std::size_t step = 0; step < steps; step++) {
        const std::size_t *chosen = &order[step * kBatch];
        NDArray loss;
        {
            const autograd::RecordScope scope;
            loss = op::softmax_cross_entropy(lenet(train.images(chosen, kBatch), params),
                                             train.labels(chosen, kBatch));
        }
        loss.Backward();
        int64_t index = 0;
        for (const auto &[name, weight] : params) sgd.Update(index++, weight, weight.Grad());
        sum += loss.Detach().Reshape({1});
    }
    return sum.Scalar() / static_cast<double>(steps * kBatch);
}

void train(const std::string &folder, int epochs, std::size_t most) {
    const Images images(folder, "train"), test(folder, "t10k");
    std::vector<std::size_t> order(std::min(most, images.digits.size()));
    std::iota(order.begin(), order.end(), std::size_t{0});
    RandomSeed(1);
    std::mt19937 random(1);
    const Params params = initialize();
    // The learning rate rises for a moment, then falls to zero along a cosine.
    lr_scheduler::CosineSchedulerOptions schedule;
    schedule.base_lr = 0.05;
    schedule.warmup_steps = 100;
    optimizer::SGDOptions options;
    options.momentum = 0.9;
    options.wd = 1e-4;
    options.rescale_grad = 1.0 / kBatch;
    const int64_t steps = epochs * static_cast<int64_t>(order.size() / kBatch);
    Optimizer sgd = optimizer::SGD(options, lr_scheduler::CosineScheduler(steps, schedule));
    std::cout << "LeNet on " << order.size() << " images, mxr " << Version() << std::endl << std::fixed;
    for (int i = 1; i <= epochs; i++) {
        const auto start = std::chrono::steady_clock::now();
        std::shuffle(order.begin(), order.end(), random);
        const double loss = epoch(images, order, params, sgd);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        std::cout << "epoch " << i << "/" << epochs << ": loss " << std::setprecision(4) << loss << ", test "
                  << accuracy(test, params) << ", " << std::setprecision(0) << took.count() << " s" << std::endl;
    }
    std::cout << "test accuracy: " << std::setprecision(4) << accuracy(test, params) << std::endl;
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 2) {
        std::cerr << "usage: lenet DATA [EPOCHS [IMAGES]]\n";
        return 2;
    }
    try {
        train(argv[1], argc > 2 ? std::stoi(argv[2]) : 4, argc > 3 ? std::stoul(argv[3]) : 60000);
    } catch (const std::exception &error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
    return 0;
}
