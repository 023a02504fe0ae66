// A program of somebody else's, over the installed package.
#include <iostream>
#include <mxr_ops.hpp>

int main() {
    const mxr::NDArray a(std::vector<float>{1, 2, 3, 4}, {2, 2});
    const mxr::NDArray product = mxr::op::dot(a, a);
    const bool right = product.ToVector() == std::vector<float>{7, 10, 15, 22};
    std::cout << "mxr " << mxr::Version() << "\n" << product << "\n";
    std::cout << (right ? "1 passed, 0 failed" : "0 passed, 1 failed") << std::endl;
    return right ? 0 : 1;
}
