// The training of README.md in Java: `java -cp mxr-0.1.0.jar Polyglot.java train MODEL` or `… predict MODEL OUTPUT`.

import io.mxr.DataIter;
import io.mxr.DataIters;
import io.mxr.Initializers;
import io.mxr.Metric;
import io.mxr.Metrics;
import io.mxr.Model;
import io.mxr.Module;
import io.mxr.ND;
import io.mxr.NDArray;
import io.mxr.NDList;
import io.mxr.Predictor;
import io.mxr.Random;
import io.mxr.Sym;
import io.mxr.Symbol;
import java.util.List;
import java.util.Map;

public final class Polyglot {
    /** The 600 examples. */
    static NDArray examples() {
        Random.seed(7);
        return ND.randomNormal(o -> o.shape(600, 8));
    }

    /** The labels of the examples, which are drawn after them. */
    static NDArray labels(NDArray data) {
        return data.dot(ND.randomNormal(o -> o.shape(8, 3))).argmax(o -> o.axis(1));
    }

    static Symbol network() {
        Symbol h = Sym.fullyConnected(Symbol.variable("data"), 32, o -> o.name("fc1"));
        h = Sym.activation(h, "relu", o -> o.name("relu1"));
        h = Sym.fullyConnected(h, 3, o -> o.name("fc2"));
        return Sym.softmaxOutput(h, o -> o.name("softmax"));
    }

    static void train(String file) {
        NDArray data = examples();
        NDArray label = labels(data);
        DataIter batches =
                DataIters.ndArrayIter(o -> o.batchSize(50).shuffle(true).seed(7).data(data).label(label));
        Module module = new Module(network());
        Metric metric = Metrics.accuracy();
        module.fit(batches, 4, o -> o
                .evalMetric(metric)
                .initializer(Initializers.xavier())
                .optimizer("sgd", Map.of("learning_rate", 0.1, "momentum", 0.9)));
        new Model(module.symbol(), module.argParams(), module.auxParams()).save(file);
    }

    static void predict(String file, String output) {
        NDList.save(output, List.of(Predictor.load(file).predict(examples())));
    }

    public static void main(String[] args) {
        if (args[0].equals("train")) {
            train(args[1]);
        } else {
            predict(args[1], args[2]);
        }
    }
}
