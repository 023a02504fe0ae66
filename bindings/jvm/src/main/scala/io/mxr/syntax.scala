package io.mxr

import java.util.{List => JavaList, Map => JavaMap}
import java.util.function.Supplier
import scala.jdk.CollectionConverters._

/** Scala's operators, slices and scopes for `io.mxr`, in Scala 2.13 and 3: `import io.mxr.syntax._`. */
object syntax {

  /** Operators of arrays. Results are new arrays; axes of size 1 are repeated. */
  implicit final class ArrayOperators(private val a: NDArray) extends AnyVal {
    def +(b: NDArray): NDArray = a.add(b)
    def +(b: Double): NDArray = a.add(b)
    def -(b: NDArray): NDArray = a.sub(b)
    def -(b: Double): NDArray = a.sub(b)
    def *(b: NDArray): NDArray = a.mul(b)
    def *(b: Double): NDArray = a.mul(b)
    def /(b: NDArray): NDArray = a.div(b)
    def /(b: Double): NDArray = a.div(b)
    def %(b: NDArray): NDArray = a.mod(b)
    def %(b: Double): NDArray = a.mod(b)
    def **(b: NDArray): NDArray = a.pow(b)
    def **(b: Double): NDArray = a.pow(b)
    def >(b: NDArray): NDArray = a.gt(b)
    def >(b: Double): NDArray = a.gt(b)
    def <(b: NDArray): NDArray = a.lt(b)
    def <(b: Double): NDArray = a.lt(b)
    def +=(b: NDArray): Unit = { a.addi(b); () }
    def -=(b: NDArray): Unit = { a.subi(b); () }
    def *=(b: Double): Unit = { a.muli(b); () }
    def unary_- : NDArray = a.neg()

    /** A part along the first axes: `x(0, 1 until 3)`. Of ranges, those with step 1 and others are understood. */
    def apply(indices: Any*): NDArray = a.get(indices.map(index): _*)

    /** Sets a part to an array or a number: `x(0) = 1.0`. */
    def update(i: Any, value: Double): Unit = { a.set(value, index(i)); () }
    def update(i: Any, value: NDArray): Unit = { a.set(value, index(i)); () }
    def update(i: Any, j: Any, value: Double): Unit = { a.set(value, index(i), index(j)); () }
    def update(i: Any, j: Any, value: NDArray): Unit = { a.set(value, index(i), index(j)); () }
  }

  /** Numbers on the left. */
  implicit final class NumberOperators(private val x: Double) extends AnyVal {
    def +(a: NDArray): NDArray = a.add(x)
    def -(a: NDArray): NDArray = a.rsub(x)
    def *(a: NDArray): NDArray = a.mul(x)
    def /(a: NDArray): NDArray = a.rdiv(x)
    def +(a: Symbol): Symbol = a.add(x)
    def -(a: Symbol): Symbol = a.rsub(x)
    def *(a: Symbol): Symbol = a.mul(x)
    def /(a: Symbol): Symbol = a.rdiv(x)
  }

  /** Operators of symbols. */
  implicit final class SymbolOperators(private val a: Symbol) extends AnyVal {
    def +(b: Symbol): Symbol = a.add(b)
    def +(b: Double): Symbol = a.add(b)
    def -(b: Symbol): Symbol = a.sub(b)
    def -(b: Double): Symbol = a.sub(b)
    def *(b: Symbol): Symbol = a.mul(b)
    def *(b: Double): Symbol = a.mul(b)
    def /(b: Symbol): Symbol = a.div(b)
    def /(b: Double): Symbol = a.div(b)
    def unary_- : Symbol = a.neg()

    /** Runs it once on arrays for its variables. */
    def evaluate(arrays: (String, NDArray)*): Seq[NDArray] = a.eval(Map(arrays: _*).asJava).asScala.toSeq

    /** An executor over new arrays, with gradients. */
    def simpleBind(shapes: (String, Shape)*): Executor = a.simpleBind(Map(shapes: _*).asJava)
  }

  private def index(what: Any): Index = what match {
    case i: Int => Index.at(i.toLong)
    case i: Long => Index.at(i)
    case r: Range => Index.range(r.start.toLong, (if (r.isInclusive) r.end + r.step.sign else r.end).toLong, r.step.toLong)
    case i: Index => i
    case other => throw new IllegalArgumentException(s"expected a number, a range or an Index, got $other")
  }

  /** What is computed is recorded: `record { loss(x) }.backward()`. */
  def record[T](body: => T): T = Autograd.record(new Supplier[T] { override def get(): T = body })

  /** What is computed is not recorded. */
  def pause[T](body: => T): T = Autograd.pause(new Supplier[T] { override def get(): T = body })

  /** Closes the arrays that are made in the body, but for its result. */
  def scoped(body: => NDArray): NDArray = {
    val scope = NDScope.open()
    try scope.keep(body)
    finally scope.close()
  }

  /** Several arrays as the operators take them. */
  def arrays(all: NDArray*): JavaList[NDArray] = all.asJava

  /** Attributes by name as `create` takes them: `Optimizer.create("sgd", attrs("learning_rate" -> 0.1))`. */
  def attrs(all: (String, Any)*): JavaMap[String, Object] =
    Map(all: _*).map { case (name, value) => name -> value.asInstanceOf[Object] }.asJava
}
