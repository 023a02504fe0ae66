/// @file
/// The class of arrays; its functions are in array_impl.hpp and array_ops.hpp.
#ifndef MXR_ARRAY_HPP
#define MXR_ARRAY_HPP

#include "base.hpp"
#include "dlpack_owner.hpp"
#include "op.hpp"
#include <algorithm>
#include <map>
#include <utility>

namespace mxr {

/// Elements in memory that another object keeps: valid as long as the array that they are of.
template <class T> class Span {
public:
    Span(T *data, std::size_t size) : data_(data), size_(size) {}
    T *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    T *begin() const noexcept { return data_; }
    T *end() const noexcept { return data_ + size_; }
    T &operator[](std::size_t i) const { return data_[i]; }

private:
    T *data_;
    std::size_t size_;
};

/// An n-dimensional array. A copy is the same array; `Copy` makes another.
///
/// Operations return before they are done; whatever shows elements waits, and throws what failed meanwhile.
class NDArray {
public:
    using handle_type = detail::Handle<mxr_array_t, mxr_array_retain, mxr_array_free>;

    /// No array: true of none of the operators' inputs that must be given.
    NDArray() = default;
    /// Takes a handle of the C ABI over.
    explicit NDArray(mxr_array_t *raw) noexcept : handle_(raw) {}
    /// An array whose elements are not set.
    explicit NDArray(const Shape &shape, const Context &context = {}, DType dtype = DType::kFloat32);
    /// An array of a copy of row-major elements.
    template <class T, class = std::enable_if_t<detail::is_number<T>>>
    NDArray(const T *data, const Shape &shape, const Context &context = {})
        : NDArray(FromBytes(data, static_cast<std::size_t>(shape.Size()) * sizeof(T), shape, dtype_of<T>, context)) {}
    /// An array of a copy of row-major elements, which must be as many as the shape says.
    template <class T, class = std::enable_if_t<detail::is_number<T>>>
    NDArray(const std::vector<T> &data, const Shape &shape, const Context &context = {})
        : NDArray(FromBytes(data.data(), data.size() * sizeof(T), shape, dtype_of<T>, context)) {}
    /// An array of one axis.
    template <class T, class = std::enable_if_t<detail::is_number<T>>>
    explicit NDArray(const std::vector<T> &data) : NDArray(data, Shape(static_cast<int64_t>(data.size()))) {}
    /// An array of `bytes` bytes of row-major elements of any dtype.
    static NDArray FromBytes(const void *data, std::size_t bytes, const Shape &shape, DType dtype,
                             const Context &context = {});
    /// An array over the memory of a vector, which it keeps.
    template <class T> static NDArray Adopt(std::vector<T> data, const Shape &shape);

    /// Whether there is an array.
    explicit operator bool() const noexcept { return static_cast<bool>(handle_); }
    /// The handle of the C ABI, borrowed.
    mxr_array_t *get() const noexcept { return handle_.get(); }

    std::vector<int64_t> GetShape() const;
    DType GetDType() const { return static_cast<DType>(mxr_array_dtype(get())); }
    Context GetContext() const;
    std::size_t ndim() const { return GetShape().size(); }
    /// The number of elements.
    std::size_t Size() const { return static_cast<std::size_t>(Shape(GetShape()).Size()); }

    /// The elements as a copy; the dtype must be that of `T`.
    template <class T = float> std::vector<T> ToVector() const;
    /// Copies all elements to `size` places.
    template <class T> void SyncCopyToCPU(T *data, std::size_t size) const {
        detail::check(mxr_array_copy_to(get(), data, typed<T>(size) * sizeof(T)));
    }
    template <class T> void SyncCopyToCPU(std::vector<T> *data) const {
        data->resize(Size());
        SyncCopyToCPU(data->data(), data->size());
    }
    /// Sets all elements from `size` ones.
    template <class T> void SyncCopyFromCPU(const T *data, std::size_t size) {
        detail::check(mxr_array_copy_from(get(), data, typed<T>(size) * sizeof(T)));
    }
    template <class T> void SyncCopyFromCPU(const std::vector<T> &data) { SyncCopyFromCPU(data.data(), data.size()); }
    /// The elements themselves, to iterate over and to change, once nothing else uses them.
    template <class T = float> Span<T> View() {
        void *data = nullptr;
        const std::size_t n = typed<T>(Size());
        detail::check(mxr_array_data(get(), &data));
        return {static_cast<T *>(data), n};
    }
    template <class T = float> Span<const T> View() const {
        const Span<T> view = const_cast<NDArray *>(this)->View<T>();
        return {view.data(), view.size()};
    }
    /// The address of the elements, once nothing else uses them.
    const float *GetData() const { return View<float>().data(); }
    /// The element of an array that has one.
    template <class T = float> T Scalar() const;
    /// The element at these places along the axes.
    template <class... I, class = std::enable_if_t<(std::is_integral_v<I> && ...)>> float At(I... index) const;

    /// Rows `begin` to before `end` of the first axis; shares memory.
    NDArray Slice(int64_t begin, int64_t end) const;
    /// A row of the first axis, without that axis; shares memory. Negative numbers count from the end.
    NDArray operator[](int64_t index) const;
    /// The same elements in another shape, one size of which may be -1; shares memory.
    NDArray Reshape(const Shape &shape) const;
    /// A new array with the same elements.
    NDArray Copy() const;
    /// A new array with the same elements on a device.
    NDArray Copy(const Context &context) const;
    /// Copies the elements to an array of the same shape and dtype.
    void CopyTo(NDArray *other) const { detail::check(mxr_array_copy(get(), other->get())); }
    /// A new array with the elements in another dtype.
    NDArray AsType(DType dtype) const;
    /// Sets all elements to one value.
    NDArray &operator=(double value);
    /// Places of the greatest elements along the second axis.
    NDArray ArgmaxChannel() const;

    void WaitToRead() const { detail::check(mxr_array_wait_to_read(get(), MXR_FOREVER)); }
    void WaitToWrite() const { detail::check(mxr_array_wait_to_write(get(), MXR_FOREVER)); }
    /// Waits for everything asked so far, of all threads; throws what failed.
    static void WaitAll() { detail::check(mxr_wait_all(MXR_FOREVER)); }

    /// Makes the array a variable: `Backward` of what is made from it leaves its gradient in `Grad()`.
    void AttachGrad(OpReqType request = kWriteTo);
    /// The gradient of a variable; empty if the array is none.
    NDArray Grad() const;
    /// The same elements, which autograd knows nothing about.
    NDArray Detach() const;
    /// Computes the gradients of the sum of the elements, weighted by `head`, with respect to all variables.
    void Backward(const NDArray &head = {}, bool retain_graph = false, bool training = true) const;

    /// The array as a DLPack tensor that shares its memory.
    DLPackTensor ToDLPack() const;
    /// An array over the memory of a DLPack tensor.
    static NDArray FromDLPack(DLPackTensor tensor);

    static void Save(const std::string &path, const std::map<std::string, NDArray> &arrays);
    static void Save(const std::string &path, const std::vector<NDArray> &arrays);
    /// The arrays of a file with their names; those without names have empty ones.
    static std::vector<std::pair<std::string, NDArray>> LoadPairs(const std::string &path);
    /// The arrays of a list of the C ABI, which is taken.
    static std::vector<std::pair<std::string, NDArray>> TakePairs(mxr_list_t *list);
    static std::map<std::string, NDArray> LoadToMap(const std::string &path);
    static std::vector<NDArray> LoadList(const std::string &path);

    NDArray &operator+=(const NDArray &other);
    NDArray &operator-=(const NDArray &other);
    NDArray &operator*=(const NDArray &other);
    NDArray &operator/=(const NDArray &other);
    NDArray &operator+=(double scalar);
    NDArray &operator-=(double scalar);
    NDArray &operator*=(double scalar);
    NDArray &operator/=(double scalar);

private:
    /// `size`, if the elements are of this type.
    template <class T> std::size_t typed(std::size_t size) const {
        if (GetDType() != dtype_of<T>) {
            detail::refuse(MXR_ERROR_DTYPE, "", "array",
                           std::string("expected elements of ") + name_of(dtype_of<T>) + ", got " +
                               name_of(GetDType()));
        }
        return size;
    }
    handle_type handle_;
};

} // namespace mxr

#endif
