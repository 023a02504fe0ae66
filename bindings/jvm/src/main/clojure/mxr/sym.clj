(ns mxr.sym
  "The operators on symbols: (sym/fully-connected (core/variable :data) {:num-hidden 10}). Inputs that are left out
  become variables."
  (:refer-clojure :only [])
  (:require [clojure.core :as clj]
            [mxr.core :as core]
            [mxr.operators :as operators])
  (:import (io.mxr Sym)))

(operators/define
 'mxr.sym
 (clj/fn [operator inputs attrs]
   (Sym/call operator (operators/kebab operator) (clj/vec inputs) (core/attr-map attrs))))
