(ns mxr.nd
  "The operators on arrays: (nd/fully-connected x w b {:num-hidden 10}). A result, or a vector of several."
  (:refer-clojure :only [])
  (:require [clojure.core :as clj]
            [mxr.core :as core]
            [mxr.operators :as operators])
  (:import (io.mxr ND)))

(operators/define
 'mxr.nd
 (clj/fn [operator inputs attrs]
   (clj/let [results (ND/call operator (clj/vec inputs) (core/attr-map attrs))]
     (if (clj/= 1 (clj/count results)) (clj/first results) (clj/vec results)))))
