/// @file
/// Optimizers, learning-rate schedules and initializers by name; training.hpp has a function for each.
#ifndef MXR_OPTIMIZER_HPP
#define MXR_OPTIMIZER_HPP

#include "lists.hpp"
#include "registered.hpp"

namespace mxr {
namespace detail {

/// Whether two names differ in nothing but capitals.
inline bool same_name(const std::string &a, const char *b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b, b + std::string(b).size(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

/// What a table has under a name; NULL if nothing.
template <std::size_t N> const Registered *find_registered(const Registered (&table)[N], const std::string &name) {
    for (const Registered &thing : table) {
        if (same_name(name, thing.name)) return &thing;
        for (const char *const *alias = thing.aliases; *alias; alias++) {
            if (same_name(name, *alias)) return &thing;
        }
    }
    return nullptr;
}

/// Attributes by name, as the library takes them.
class NamedAttrs {
public:
    template <std::size_t N>
    NamedAttrs(const Registered (&table)[N], const std::string &owner, const std::map<std::string, AttrValue> &attrs)
        : NamedAttrs(owner, find_registered(table, owner), attrs) {}
    NamedAttrs(const std::string &owner, const Registered *thing, const std::map<std::string, AttrValue> &attrs) {
        if (!thing) return; // The library says that there is no such thing.
        for (const auto &[name, value] : attrs) {
            const RegisteredAttr *attr = thing->attrs;
            while (attr->name && name != attr->name) attr++;
            if (!attr->name) refuse(MXR_ERROR_NOT_FOUND, owner, name, "there is no attribute of this name");
            raw_.push_back(value.raw(attr->id));
        }
    }
    const mxr_attr_t *data() const noexcept { return raw_.data(); }
    int32_t size() const noexcept { return static_cast<int32_t>(raw_.size()); }

private:
    std::vector<mxr_attr_t> raw_;
};

} // namespace detail

/// Attributes by name.
using AttrMap = std::map<std::string, AttrValue>;

namespace detail {

/// Attributes by name, without those that are absent.
class NamedValues {
public:
    template <class T> void add(uint32_t, const char *name, const T &value) {
        if constexpr (std::is_enum_v<T> && !std::is_same_v<T, DType>) values_.emplace(name, AttrValue(text_of(value)));
        else values_.emplace(name, AttrValue(value));
    }
    template <class T> void add(uint32_t id, const char *name, const Attr<T> &attr) {
        if (attr.is_none()) values_.emplace(name, AttrValue(none));
        else if (attr.given()) add(id, name, attr.value());
    }
    const AttrMap &values() const noexcept { return values_; }

private:
    AttrMap values_;
};

} // namespace detail

/// A learning rate that depends on the number of updates. Optimizers may share one.
class LRScheduler {
public:
    /// No schedule.
    LRScheduler() = default;
    /// By name, as `FactorScheduler` or `factor`.
    explicit LRScheduler(const std::string &name, const AttrMap &attrs = {}) {
        const detail::NamedAttrs raw(detail::lr_schedulers, name, attrs);
        create(name, raw.data(), raw.size());
    }
    LRScheduler(const std::string &name, const mxr_attr_t *attrs, int32_t n) { create(name, attrs, n); }

    /// The learning rate when some parameter has had so many updates, and none more.
    double GetLR(int64_t num_update) const {
        double lr = 0;
        detail::check(mxr_lr_scheduler_value(get(), num_update, &lr));
        return lr;
    }
    void SetLR(double lr) { detail::check(mxr_lr_scheduler_set_base(get(), lr)); }
    mxr_lr_scheduler_t *get() const noexcept { return handle_.get(); }

private:
    void create(const std::string &name, const mxr_attr_t *attrs, int32_t n) {
        detail::ready();
        mxr_lr_scheduler_t *raw = nullptr;
        detail::check(mxr_lr_scheduler_create(name.c_str(), attrs, n, &raw));
        handle_ = decltype(handle_)(raw);
    }
    detail::Handle<mxr_lr_scheduler_t, mxr_lr_scheduler_retain, mxr_lr_scheduler_free> handle_;
};

/// An optimizer with the states of the parameters that it has seen.
class Optimizer {
public:
    /// By name, as `SGD` or `sgd`.
    explicit Optimizer(std::string name) : name_(std::move(name)) {}
    Optimizer(std::string name, const mxr_attr_t *attrs, int32_t n, const LRScheduler &scheduler = {})
        : name_(std::move(name)), scheduler_(scheduler) {
        create(attrs, n);
    }

    /// Sets an attribute; `lr` is `learning_rate`. Gives the optimizer for the next.
    Optimizer *SetParam(const std::string &name, const AttrValue &value) {
        const std::string full = name == "lr" ? "learning_rate" : name;
        if (optimizer_) {
            const detail::NamedAttrs raw(detail::optimizers, name_, {{full, value}});
            detail::check(mxr_optimizer_set(optimizer_.get(), raw.data(), raw.size()));
        } else {
            params_.insert_or_assign(full, value);
        }
        return this;
    }
    /// Says the learning rate from now on. Only before the first update.
    Optimizer *SetLRScheduler(const LRScheduler &scheduler) {
        if (optimizer_) {
            detail::refuse(MXR_ERROR_INVALID_VALUE, "", "scheduler", "expected before the optimizer is used");
        }
        scheduler_ = scheduler;
        return this;
    }
    /// Says the names of parameters, from number 0. Those that end neither in `_weight` nor in `_gamma` then do not
    /// decay.
    Optimizer *SetNames(const std::vector<std::string> &names) {
        const auto raw = detail::c_strings(names);
        std::vector<int64_t> indices;
        for (std::size_t i = 0; i < raw.size(); i++) indices.push_back(static_cast<int64_t>(i));
        detail::check(mxr_optimizer_set_names(get(), indices.data(), raw.data(), static_cast<int32_t>(raw.size())));
        return this;
    }
    /// Sets the factors of a parameter's learning rate and decay.
    Optimizer *SetMult(int64_t index, double lr_mult, double wd_mult) {
        detail::check(mxr_optimizer_set_mult(get(), index, lr_mult, wd_mult));
        return this;
    }
    /// Changes a weight by its gradient; its state is made with the first call.
    void Update(int64_t index, const NDArray &weight, const NDArray &grad) {
        get();
        detail::check(mxr_updater_update(updater_.get(), index, grad.get(), weight.get()));
    }
    /// The learning rate now.
    double GetLR() {
        double lr = 0;
        detail::check(mxr_optimizer_learning_rate(get(), &lr));
        return lr;
    }
    /// All states and counts.
    std::vector<uint8_t> SaveStates() {
        get();
        return detail::bytes([&](uint8_t **bytes, uint64_t *len) {
            return mxr_updater_to_bytes(updater_.get(), bytes, len);
        });
    }
    /// Replaces all states and counts by those that SaveStates gave.
    void LoadStates(const std::vector<uint8_t> &states) {
        get();
        detail::check(mxr_updater_set_bytes(updater_.get(), states.data(), states.size()));
    }
    const std::string &GetType() const noexcept { return name_; }
    /// The handle of the C ABI, borrowed; makes the optimizer if it is not made yet.
    mxr_optimizer_t *get() {
        if (!optimizer_) {
            const detail::NamedAttrs raw(detail::optimizers, name_, params_);
            create(raw.data(), raw.size());
        }
        return optimizer_.get();
    }

private:
    void create(const mxr_attr_t *attrs, int32_t n) {
        detail::ready();
        mxr_optimizer_t *raw = nullptr;
        detail::check(mxr_optimizer_create(name_.c_str(), attrs, n, scheduler_.get(), &raw));
        optimizer_ = decltype(optimizer_)(raw);
        mxr_updater_t *updater = nullptr;
        detail::check(mxr_updater_create(raw, &updater));
        updater_ = decltype(updater_)(updater);
    }
    std::string name_;
    AttrMap params_;
    LRScheduler scheduler_;
    detail::Handle<mxr_optimizer_t, mxr_optimizer_retain, mxr_optimizer_free> optimizer_;
    detail::Handle<mxr_updater_t, mxr_updater_retain, mxr_updater_free> updater_;
};

/// Finds optimizers, as MXNet's cpp-package does.
class OptimizerRegistry {
public:
    /// An optimizer by its name, as `sgd`.
    static std::unique_ptr<Optimizer> Find(const std::string &name) {
        if (!detail::find_registered(detail::optimizers, name)) {
            detail::refuse(MXR_ERROR_NOT_FOUND, "", "name", "there is no optimizer " + name);
        }
        return std::make_unique<Optimizer>(name);
    }
};

/// Fills new parameters.
class Initializer {
public:
    /// By name, as `Xavier`.
    explicit Initializer(const std::string &name, const AttrMap &attrs = {}) {
        const detail::NamedAttrs raw(detail::initializers, name, attrs);
        create(name, raw.data(), raw.size());
    }
    Initializer(const std::string &name, const mxr_attr_t *attrs, int32_t n) { create(name, attrs, n); }

    /// Fills a parameter by its name: a weight as the initializer does, a bias with zeros, a gamma with ones.
    void operator()(const std::string &name, NDArray *array) const {
        detail::check(mxr_initializer_apply(get(), name.c_str(), nullptr, array->get()));
    }
    /// Fills an array, whatever it is.
    void Fill(NDArray *array) const { detail::check(mxr_initializer_fill(get(), array->get())); }
    mxr_initializer_t *get() const noexcept { return handle_.get(); }

private:
    void create(const std::string &name, const mxr_attr_t *attrs, int32_t n) {
        detail::ready();
        mxr_initializer_t *raw = nullptr;
        detail::check(mxr_initializer_create(name.c_str(), attrs, n, &raw));
        handle_ = decltype(handle_)(raw);
    }
    detail::Handle<mxr_initializer_t, mxr_initializer_retain, mxr_initializer_free> handle_;
};

} // namespace mxr

#endif
