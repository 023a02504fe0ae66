import io.mxr._
import io.mxr.syntax._

/** Scala over the jar. */
object SyntaxTest {
  private var passed = 0
  private var failed = 0

  private def test(name: String)(holds: => Boolean): Unit = {
    val right =
      try holds
      catch { case error: Throwable => error.printStackTrace(System.out); false }
    if (right) passed += 1
    else {
      failed += 1
      println(s"FAILED $name")
    }
  }

  private def is(a: NDArray, expected: Double*): Boolean = a.toDoubleArray.toSeq == expected

  def main(args: Array[String]): Unit = {
    val x = NDArray.of(Array(1f, 2f, 3f, 4f), 2, 2)
    test("operators of arrays")(is(x * 2.0 + x / x - 1.0, 2, 4, 6, 8) && is(-x % 2.0 + 1.0, 2, 1, 2, 1))
    test("numbers on the left")(is(2.0 * x, 2, 4, 6, 8) && is(12.0 / x, 12, 6, 4, 3) && is(1.0 - x, 0, -1, -2, -3))
    test("comparisons and powers")(is(x > 2.0, 0, 0, 1, 1) && is(x ** 2.0, 1, 4, 9, 16))
    test("parts") {
      is(x(1), 3, 4) && is(x(0 until 2, 1), 2, 4) && is(x(0 to 0, 0 to 1), 1, 2)
    }
    test("parts are set") {
      val y = x.copy()
      y(0) = 7.0
      y(1, 0) = 5.0
      y += x
      is(y, 8, 9, 8, 8)
    }
    test("gradients of what is recorded") {
      val w = NDArray.of(Array(1f, 2f))
      w.attachGrad()
      record((w * w).sum()).backward()
      is(w.grad(), 2, 4)
    }
    test("operators with options")(is(ND.sum(x, _.axis(1)), 3, 7))
    test("a scope closes all but its result") {
      var inner: NDArray = null
      val kept = scoped { inner = x + 1.0; inner * 2.0 }
      inner.isClosed && is(kept, 4, 6, 8, 10)
    }
    test("symbols") {
      val a = Symbol.variable("a")
      val b = Symbol.variable("b")
      val y = (2.0 * a - b) / 2.0
      is(y.evaluate("a" -> NDArray.ones(1), "b" -> NDArray.zeros(1)).head, 1)
    }
    test("an optimizer by name") {
      val w = NDArray.ones(1)
      Optimizer.create("sgd", attrs("learning_rate" -> 0.5)).update(0, w, NDArray.ones(1))
      is(w, 0.5)
    }
    test("errors are exceptions") {
      try { x.dot(NDArray.ones(3, 3)); false }
      catch { case error: MxrException => error.code == MxrException.Code.SHAPE && error.operator == "dot" }
    }
    println(s"$passed passed, $failed failed")
    if (failed > 0) sys.exit(1)
  }
}
