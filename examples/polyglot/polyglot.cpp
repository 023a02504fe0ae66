// The prediction of README.md in C++: `polyglot predict MODEL OUTPUT`.
#include <iostream>

#include <mxr_ops.hpp>

using namespace mxr;

int main(int argc, char **argv) {
    if (argc != 4 || std::string(argv[1]) != "predict") {
        std::cerr << "usage: polyglot predict MODEL OUTPUT\n";
        return 2;
    }
    try {
        RandomSeed(7);
        op::NormalOptions normal;
        normal.shape = Shape(600, 8);
        const NDArray data = op::random_normal(normal);
        NDArray::Save(argv[3], std::vector<NDArray>{Predictor(Model::Load(argv[2]))(data)[0]});
    } catch (const Error &error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
