/// @file
/// Batches of data and labels, from memory and from files.
#ifndef MXR_DATA_ITER_HPP
#define MXR_DATA_ITER_HPP

#include "lists.hpp"
#include "optimizer.hpp"

namespace mxr {

/// What every batch has under a name.
struct DataDesc {
    std::string name = {};         ///< As `data`.
    Shape shape = {};              ///< With the axis of the batch.
    DType dtype = DType::kFloat32; ///< Of the elements.
    std::string layout = {};       ///< What the axes are, `N` that of the batch; empty if it is not said.
};

/// A batch.
struct DataBatch {
    std::vector<NDArray> data, label;
    int64_t pad_num = 0;        ///< How many examples, the last ones, only fill the batch up.
    std::vector<int64_t> index; ///< Numbers of the examples in their source; empty if they are not known.
};

/// Goes through batches. A copy goes through the same ones.
class DataIter {
public:
    /// By name, as `CSVIter`, which reads from what its attributes say.
    explicit DataIter(const std::string &name, const AttrMap &attrs = {}) { create(name, attrs, {}, {}, {}); }
    /// By name, from arrays. Names may all be empty: then they follow from the attributes.
    DataIter(const std::string &name, const NamedArrays &data, const NamedArrays &labels, const AttrMap &attrs = {}) {
        create(name, attrs, data, labels, {});
    }
    /// By name, as `ResizeIter`, from other iterators.
    DataIter(const std::string &name, const std::vector<DataIter> &iters, const AttrMap &attrs = {}) {
        create(name, attrs, {}, {}, iters);
    }

    /// Begins the next epoch.
    void Reset() { detail::check(mxr_data_iter_reset(get(), 0)); }
    /// Begins as if nothing had been read, so that nothing is carried over from the epoch before.
    void HardReset() { detail::check(mxr_data_iter_reset(get(), 1)); }
    /// Begins the next epoch.
    void BeforeFirst() { Reset(); }
    /// Goes to the next batch; false at the end of the epoch.
    bool Next() {
        int32_t more = 0;
        detail::check(mxr_data_iter_next(get(), &more));
        return more != 0;
    }

    /// The first array of the batch's data.
    NDArray GetData() const { return array(MXR_DATA, 0); }
    /// The first array of the batch's labels.
    NDArray GetLabel() const { return array(MXR_LABELS, 0); }
    /// How many examples of the batch, the last ones, only fill it up.
    int64_t GetPadNum() const {
        int64_t pad = 0;
        detail::check(mxr_data_iter_pad(get(), &pad));
        return pad;
    }
    /// Numbers of the batch's examples in their source.
    std::vector<int64_t> GetIndex() const {
        int64_t n = 0;
        detail::check(mxr_data_iter_index(get(), nullptr, 0, &n));
        std::vector<int64_t> index(static_cast<std::size_t>(n));
        detail::check(mxr_data_iter_index(get(), index.data(), n, &n));
        return index;
    }
    DataBatch GetDataBatch() const {
        return {arrays(MXR_DATA), arrays(MXR_LABELS), GetPadNum(), GetIndex()};
    }

    /// The number of examples in a batch.
    int64_t GetBatchSize() const {
        int64_t size = 0;
        detail::check(mxr_data_iter_batch_size(get(), &size));
        return size;
    }
    /// What every batch has as data.
    std::vector<DataDesc> ProvideData() const { return describe(MXR_DATA); }
    /// What every batch has as labels.
    std::vector<DataDesc> ProvideLabel() const { return describe(MXR_LABELS); }

    mxr_data_iter_t *get() const noexcept { return handle_.get(); }

protected:
    /// None yet.
    struct Later {};
    explicit DataIter(Later) {}

    void create(const std::string &name, const AttrMap &attrs, const NamedArrays &data, const NamedArrays &labels,
                const std::vector<DataIter> &iters) {
        detail::ready();
        const detail::NamedAttrs raw(detail::data_iters, name, attrs);
        const detail::NamedHandles raw_data(data), raw_labels(labels);
        std::vector<mxr_data_iter_t *> raw_iters;
        for (const DataIter &iter : iters) raw_iters.push_back(iter.get());
        mxr_data_iter_t *made = nullptr;
        detail::check(mxr_data_iter_create(name.c_str(), raw.data(), raw.size(), names(data, raw_data),
                                           raw_data.handles.data(), raw_data.size(), names(labels, raw_labels),
                                           raw_labels.handles.data(), raw_labels.size(), raw_iters.data(),
                                           detail::count(raw_iters), &made));
        handle_ = decltype(handle_)(made);
    }

private:
    /// NULL if no array has a name.
    static const char *const *names(const NamedArrays &arrays, const detail::NamedHandles &raw) {
        const bool any = std::any_of(arrays.begin(), arrays.end(), [](const auto &a) { return !a.first.empty(); });
        return any ? raw.names.data() : nullptr;
    }
    std::vector<std::string> list_names(int32_t list) const {
        mxr_texts_t *texts = nullptr;
        detail::check(mxr_data_iter_names(get(), list, &texts));
        return detail::strings(texts);
    }
    NDArray array(int32_t list, int64_t i) const {
        mxr_array_t *raw = nullptr;
        detail::check(mxr_data_iter_array(get(), list, i, &raw));
        return NDArray(raw);
    }
    std::vector<NDArray> arrays(int32_t list) const {
        std::vector<NDArray> out;
        for (std::size_t i = 0, n = list_names(list).size(); i < n; i++) {
            out.push_back(array(list, static_cast<int64_t>(i)));
        }
        return out;
    }
    std::vector<DataDesc> describe(int32_t list) const {
        std::vector<DataDesc> out;
        for (std::string &name : list_names(list)) out.push_back(desc(list, out.size(), std::move(name)));
        return out;
    }
    DataDesc desc(int32_t list, std::size_t i, std::string name) const {
        const auto at = static_cast<int64_t>(i);
        std::vector<int64_t> dims(8);
        int32_t ndim = 0, dtype = 0;
        detail::check(mxr_data_iter_desc(get(), list, at, dims.data(), detail::count(dims), &ndim, &dtype));
        if (ndim > detail::count(dims)) {
            dims.resize(static_cast<std::size_t>(ndim));
            detail::check(mxr_data_iter_desc(get(), list, at, dims.data(), ndim, &ndim, &dtype));
        }
        dims.resize(static_cast<std::size_t>(ndim));
        char *layout = nullptr;
        detail::check(mxr_data_iter_layout(get(), list, at, &layout));
        return {std::move(name), Shape(std::move(dims)), static_cast<DType>(dtype), detail::owned(layout)};
    }

    detail::Handle<mxr_data_iter_t, mxr_data_iter_retain, mxr_data_iter_free> handle_;
};

/// Arrays that batches are cut from: none, one, several, or several with names.
class DataArrays {
public:
    DataArrays() = default;
    DataArrays(const NDArray &array) : arrays_{{"", array}} {}
    DataArrays(std::initializer_list<NDArray> arrays) : DataArrays(std::vector<NDArray>(arrays)) {}
    DataArrays(const std::vector<NDArray> &arrays) {
        for (const NDArray &array : arrays) arrays_.emplace_back("", array);
    }
    DataArrays(NamedArrays arrays) : arrays_(std::move(arrays)) {}
    const NamedArrays &arrays() const noexcept { return arrays_; }

private:
    NamedArrays arrays_;
};

/// Batches of arrays in memory, cut along their first axis. Attributes as those of `NDArrayIter` by name:
/// `batch_size`, `shuffle`, `last_batch_handle`, …; `io::NDArrayIter` takes them as options.
inline DataIter NDArrayIter(const std::vector<NDArray> &data, const std::vector<NDArray> &labels = {},
                            const AttrMap &attrs = {}) {
    return DataIter("NDArrayIter", DataArrays(data).arrays(), DataArrays(labels).arrays(), attrs);
}

/// An iterator over files whose attributes are set one by one, as with MXNet's cpp-package.
class MXDataIter : public DataIter {
public:
    explicit MXDataIter(std::string name) : DataIter(Later{}), name_(std::move(name)) {}
    MXDataIter &SetParam(const std::string &name, const AttrValue &value) {
        attrs_.insert_or_assign(name, value);
        return *this;
    }
    /// Opens it.
    MXDataIter &CreateDataIter() {
        create(name_, attrs_, {}, {}, {});
        return *this;
    }

private:
    std::string name_;
    AttrMap attrs_;
};

} // namespace mxr

#endif
