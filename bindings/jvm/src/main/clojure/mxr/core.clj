(ns mxr.core
  "Arrays, gradients and training in Clojure, over io.mxr. Operators are functions of mxr.nd and mxr.sym."
  (:import (io.mxr Autograd Context Initializer LRScheduler NDArray NDScope Optimizer Random Scope Shape Symbol)
           (java.util List Map)
           (java.util.function Supplier)))

(set! *warn-on-reflection* true)

(defn attr-name
  "A keyword as MXNet's name: :num-filter is num_filter."
  [k]
  (.replace (name k) "-" "_"))

(defn attr-map
  "Attributes by keyword as the Java functions take them. Keywords as values are texts."
  ^Map [attrs]
  (into {} (map (fn [[k v]] [(attr-name k) (if (keyword? v) (attr-name v) v)])) attrs))

(defn array
  "An array of numbers, row by row, in single precision: (array [1 2 3 4] [2 2])."
  (^NDArray [numbers] (NDArray/of (float-array numbers) (long-array 0)))
  (^NDArray [numbers shape] (NDArray/of (float-array numbers) (long-array shape))))

(defn zeros ^NDArray [shape] (NDArray/zeros (long-array shape)))

(defn ones ^NDArray [shape] (NDArray/ones (long-array shape)))

(defn shape
  "The sizes of the axes, as a vector."
  [^NDArray x]
  (vec (.toArray (.shape x))))

(defn ->vec
  "The elements, row by row, as a vector of doubles."
  [^NDArray x]
  (vec (.toDoubleArray x)))

(defn ->scalar
  "The only element."
  [^NDArray x]
  (.item x))

(defn seed! [n] (Random/seed (long n)))

(defmacro record
  "What the body computes, recorded for differentiation."
  [& body]
  `(with-open [_# ^Scope (Autograd/record)] ~@body))

(defmacro with-scope
  "Closes the arrays that the body makes, but for its result."
  [& body]
  `(with-open [scope# (NDScope/open)]
     (let [result# (do ~@body)]
       (when (instance? NDArray result#) (.keep scope# ^NDArray result#))
       result#)))

(defn attach-grad! ^NDArray [^NDArray x] (.attachGrad x))

(defn backward! [^NDArray x] (.backward x))

(defn grad ^NDArray [^NDArray x] (.grad x))

(defn optimizer
  "An optimizer by name: (optimizer :sgd {:learning-rate 0.1})."
  (^Optimizer [kind attrs] (Optimizer/create (name kind) (attr-map attrs)))
  (^Optimizer [kind attrs ^LRScheduler scheduler] (Optimizer/create (name kind) (attr-map attrs) scheduler)))

(defn lr-scheduler ^LRScheduler [kind attrs] (LRScheduler/create (name kind) (attr-map attrs)))

(defn initializer ^Initializer [kind attrs] (Initializer/create (name kind) (attr-map attrs)))

(defn step!
  "Changes variables by their gradients."
  [^Optimizer optimizer variables]
  (.step optimizer ^List variables))

(defn variable ^Symbol [variable-name] (Symbol/variable (name variable-name)))
