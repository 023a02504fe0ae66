(ns mxr.operators
  "Makes a function for each operator, for mxr.nd and mxr.sym."
  (:require [clojure.string :as string]
            [mxr.core :as core])
  (:import (io.mxr Registry)))

(defn kebab
  "FullyConnected as fully-connected, broadcast_add as broadcast-add, _plus_scalar as plus-scalar."
  [operator]
  (-> operator
      (string/replace #"([a-z0-9])([A-Z])" "$1-$2")
      (string/replace #"([A-Z]+)([A-Z][a-z])" "$1-$2")
      (string/replace #"^_" "")
      (string/replace "_" "-")
      string/lower-case))

(defn define
  "Interns a function in a namespace for each operator: call is given the operator's name, its inputs and attributes.
  A name that two operators would have belongs to the one whose name is it, else to the first."
  [ns call]
  (doseq [operator (reverse (sort-by #(not= % (kebab %)) (Registry/names "operators")))]
    (intern ns
            (with-meta (symbol (kebab operator))
              {:doc (str "The operator " operator ": inputs, then a map of attributes.")
               :arglists '([& inputs] [& inputs attrs])})
            (fn [& args]
              (let [attrs (when (map? (last args)) (last args))
                    inputs (if attrs (butlast args) args)
                    inputs (if (sequential? (first inputs)) (first inputs) inputs)]
                (call operator (or inputs []) attrs))))))
