/// @file
/// Models in one file, mxr's own.
#ifndef MXR_MODEL_HPP
#define MXR_MODEL_HPP

#include "symbol.hpp"

namespace mxr {

/// A graph with its parameters.
///
///     Model model = Model::Load("lenet.safetensors");
///     Predictor predictor(model);
struct Model {
    Symbol symbol;
    std::map<std::string, NDArray> params; ///< By their names in files: `arg:…` and, for auxiliary states, `aux:…`.

    /// Opens a file. Its arrays stay in the file until they are written to, unless `copy` reads it at once.
    static Model Load(const std::string &path, bool copy = false) {
        detail::ready();
        mxr_model_t *raw = nullptr;
        detail::check(mxr_model_load(path.c_str(), copy ? MXR_MODEL_COPY : 0, &raw));
        const std::unique_ptr<mxr_model_t, decltype(&mxr_model_free)> file(raw, mxr_model_free);
        mxr_symbol_t *symbol = nullptr;
        detail::check(mxr_model_symbol(file.get(), &symbol));
        Model model{Symbol(symbol), {}};
        mxr_list_t *arrays = nullptr;
        detail::check(mxr_model_arrays(file.get(), &arrays));
        for (auto &[name, array] : NDArray::TakePairs(arrays)) model.params.insert_or_assign(name, array);
        return model;
    }

    /// Writes the model. An existing file is replaced only by a whole one; what has no parameter is an input.
    void Save(const std::string &path) const {
        std::vector<const char *> names;
        std::vector<mxr_array_t *> arrays;
        for (const auto &[name, array] : params) {
            names.push_back(name.c_str());
            arrays.push_back(array.get());
        }
        detail::check(mxr_model_save(path.c_str(), symbol.get(), names.data(), arrays.data(),
                                     static_cast<int32_t>(arrays.size()), nullptr, 0, nullptr, nullptr, 0));
    }
};

} // namespace mxr

#endif
