/// @file
/// Stores of values that several devices share.
#ifndef MXR_KVSTORE_HPP
#define MXR_KVSTORE_HPP

#include "callable.hpp"
#include "lists.hpp"
#include "optimizer.hpp"

namespace mxr {

/// A key of a store: a number or a text.
class Key {
public:
    template <class I, class = std::enable_if_t<std::is_integral_v<I>>>
    Key(I index) : index_(static_cast<int64_t>(index)) {}
    Key(const char *name) : named_(true), name_(name) {}
    Key(std::string name) : named_(true), name_(std::move(name)) {}

    /// The text; empty if the key is a number.
    const std::string &name() const noexcept { return name_; }
    /// The number; 0 if the key is a text.
    int64_t index() const noexcept { return index_; }
    /// NULL if the key is a number.
    const char *raw() const noexcept { return named_ ? name_.c_str() : nullptr; }

private:
    bool named_ = false;
    std::string name_;
    int64_t index_ = 0;
};

/// A store. Keys of one store are all numbers or all texts.
class KVStore {
public:
    /// Changes a stored value by what was pushed. It must not use the store.
    using Updater = std::function<void(const Key &key, const NDArray &pushed, NDArray &stored)>;

    /// By name: `local` or `device`.
    explicit KVStore(const std::string &type = "local") {
        detail::ready();
        mxr_kvstore_t *raw = nullptr;
        detail::check(mxr_kvstore_create(type.c_str(), &raw));
        handle_ = decltype(handle_)(raw);
    }

    /// The name by which it was made.
    std::string GetType() const {
        char *name = nullptr;
        detail::check(mxr_kvstore_type(get(), &name));
        return detail::owned(name);
    }
    /// The number of this worker.
    int64_t GetRank() const { return workers().first; }
    /// How many workers share the store.
    int64_t GetNumWorkers() const { return workers().second; }

    /// Keeps a copy of a value under a new key.
    void Init(const Key &key, const NDArray &value) {
        detail::check(mxr_kvstore_init(get(), key.raw(), key.index(), value.get()));
    }
    /// Changes the stored value by another: by the optimizer or function that was set; else it takes its place.
    void Push(const Key &key, const NDArray &value) { Push(key, std::vector{value}); }
    /// Sums values, one of each device, and changes the stored one by the sum.
    void Push(const Key &key, const std::vector<NDArray> &values) {
        const auto raw = detail::handles(values);
        detail::check(mxr_kvstore_push(get(), key.raw(), key.index(), raw.data(), detail::count(raw)));
    }
    /// Copies the stored value to an array.
    void Pull(const Key &key, NDArray *out) { Pull(key, std::vector{*out}); }
    /// Copies the stored value to arrays.
    void Pull(const Key &key, const std::vector<NDArray> &out) {
        const auto raw = detail::handles(out);
        detail::check(mxr_kvstore_pull(get(), key.raw(), key.index(), raw.data(), detail::count(raw)));
    }
    /// Pushes values, and then pulls to arrays.
    void PushPull(const Key &key, const std::vector<NDArray> &values, const std::vector<NDArray> &out) {
        const auto raw = detail::handles(values), raw_out = detail::handles(out);
        detail::check(mxr_kvstore_pushpull(get(), key.raw(), key.index(), raw.data(), detail::count(raw),
                                           raw_out.data(), detail::count(raw_out)));
    }
    /// Keeps a copy of a value under a new key, and copies it to arrays.
    void Broadcast(const Key &key, const NDArray &value, const std::vector<NDArray> &out) {
        const auto raw = detail::handles(out);
        detail::check(mxr_kvstore_broadcast(get(), key.raw(), key.index(), value.get(), raw.data(),
                                            detail::count(raw)));
    }

    /// Updates stored values by an optimizer from now on, with new states.
    void SetOptimizer(Optimizer *optimizer) {
        detail::check(mxr_kvstore_set_optimizer(get(), optimizer ? optimizer->get() : nullptr));
    }
    /// Updates stored values by a function from now on; without one sums take their place. What it throws, the push
    /// throws as an Error.
    void SetUpdater(Updater update) {
        if (!update) {
            detail::check(mxr_kvstore_set_update(get(), nullptr, nullptr, nullptr));
            return;
        }
        auto owned = std::make_unique<Updater>(std::move(update));
        detail::check(mxr_kvstore_set_update(get(), run, owned.release(), detail::drop<Updater>));
    }
    /// Compresses what is pushed to a store `device` from now on: `2bit`.
    void SetGradientCompression(const std::string &type, const AttrMap &attrs = {}) {
        const detail::NamedAttrs raw(detail::gradient_compressions, type, attrs);
        detail::check(mxr_kvstore_set_compression(get(), type.c_str(), raw.data(), raw.size()));
    }
    /// The states of the optimizer.
    std::vector<uint8_t> SaveOptimizerStates() const {
        return detail::bytes([&](uint8_t **bytes, uint64_t *len) {
            return mxr_kvstore_optimizer_states(get(), bytes, len);
        });
    }
    /// Replaces the states of the optimizer by those that SaveOptimizerStates gave.
    void LoadOptimizerStates(const std::vector<uint8_t> &states) {
        detail::check(mxr_kvstore_set_optimizer_states(get(), states.data(), states.size()));
    }

    mxr_kvstore_t *get() const noexcept { return handle_.get(); }

private:
    static mxr_error_t *run(void *payload, const char *key, int64_t index, mxr_array_t *pushed,
                            mxr_array_t *stored) {
        return detail::guarded([&] {
            const NDArray from(mxr_array_retain(pushed));
            NDArray to(mxr_array_retain(stored));
            (*static_cast<Updater *>(payload))(key ? Key(key) : Key(index), from, to);
        });
    }
    std::pair<int64_t, int64_t> workers() const {
        int64_t rank = 0, n = 0;
        detail::check(mxr_kvstore_workers(get(), &rank, &n));
        return {rank, n};
    }

    detail::Handle<mxr_kvstore_t, mxr_kvstore_retain, mxr_kvstore_free> handle_;
};

} // namespace mxr

#endif
