;; Clojure over the jar.
(require '[mxr.core :as core] '[mxr.nd :as nd] '[mxr.sym :as sym])
(import '(io.mxr MxrException MxrException$Code))

(def passed (atom 0))
(def failed (atom 0))

(defmacro check [what & body]
  `(if (try (do ~@body) (catch Throwable error# (println error#) false))
     (swap! passed inc)
     (do (swap! failed inc) (println "FAILED" ~what))))

(def x (core/array [1 2 3 4] [2 2]))

(check "numbers come back" (= [1.0 2.0 3.0 4.0] (core/->vec x)) (= [2 2] (core/shape x)))
(check "operators" (= [2.0 4.0 6.0 8.0] (core/->vec (nd/broadcast-add x x))))
(check "attributes" (= [3.0 7.0] (core/->vec (nd/sum x {:axis 1})))
       (= [2 1] (core/shape (nd/sum x {:axis [1] :keepdims true}))))
(check "lists of inputs" (= [4 2] (core/shape (nd/concat [x x] {:dim 0}))))
(check "several results" (= 2 (count (nd/slice-channel x {:num-outputs 2}))))
(check "gradients"
       (core/attach-grad! x)
       (core/backward! (core/record (nd/sum (nd/square x))))
       (= [2.0 4.0 6.0 8.0] (core/->vec (core/grad x))))
(check "a scope closes all but its result"
       (let [inner (atom nil)
             kept (core/with-scope (reset! inner (nd/square x)) (nd/square @inner))]
         (and (.isClosed @inner) (= 256.0 (last (core/->vec kept))))))
(check "a network learns"
       (core/seed! 1)
       (let [w (core/attach-grad! (core/zeros [1 2]))
             data (core/array (range -6 6) [6 2])
             label (nd/fully-connected data (core/array [3 -1] [1 2]) {:num-hidden 1 :no-bias true})
             sgd (core/optimizer :sgd {:learning-rate 0.02})]
         (dotimes [_ 400]
           (core/with-scope
             (core/backward!
              (core/record
               (nd/mean (nd/square (nd/broadcast-sub (nd/fully-connected data w {:num-hidden 1 :no-bias true}) label)))))
             (core/step! sgd [w])))
         (every? #(< (Math/abs (double %)) 0.05) (map - (core/->vec w) [3 -1]))))
(check "symbols"
       (let [net (sym/fully-connected (core/variable :data) {:num-hidden 3})]
         (= ["data" "fully-connected0_weight" "fully-connected0_bias"] (vec (.listArguments net)))))
(check "errors are exceptions"
       (try (nd/dot x (core/ones [3 3])) false
            (catch MxrException error (= MxrException$Code/SHAPE (.code error)))))

(println (str @passed " passed, " @failed " failed"))
(System/exit (if (pos? @failed) 1 0))
