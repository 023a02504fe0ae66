# Lifetimes, memory, threads of calls, waits and interrupts.

@testset "memory stays flat over a hundred thousand temporaries" begin
    function churn(a, n)
        most = 0
        b = a
        for i in 1:n
            b = (a .+ 1) .* 0.5 .- a ./ 2
            i % 1000 == 0 && (most = max(most, mx.memory().in_use))
        end
        return b, most
    end
    a = mx.ones(1000)
    before = mx.memory().in_use
    b, most = churn(a, 25_000)
    @test b == fill(0.5, 1000) && most - before < 128 << 20
    # Small ones as well: what they take beside their elements.
    resident() = parse(Int, split(read("/proc/self/statm", String))[2]) * 4096
    churn(mx.ones(2), 1000)
    start = resident()
    churn(mx.ones(2), 100_000)
    @test resident() - start < 128 << 20
end

@testset "large arrays are given back as they are dropped" begin
    f() = (for _ in 1:100; mx.zeros(Float32, 4 << 20); end)
    f()
    @test mx.memory().in_use < 1 << 30
end

@testset "a closed object says so" begin
    x = NDArray([1.0])
    close(x)
    close(x)
    @test !isopen(x)
    @test error_of(() -> x .+ 1).code === :CLOSED
    @test sprint(show, x) == "NDArray{Float64,1}, closed"
    node = mx.Variable(:x)
    close(node)
    @test error_of(() -> mx.list_arguments(node)).code === :CLOSED
    @test error_of(() -> exp.(node)).code === :CLOSED
    s = mx.SGD()
    close(s)
    @test error_of(() -> mx.get_lr(s)).code === :CLOSED
end

@testset "objects outlive what they were made from" begin
    row, gradient = let a = mx.attach_grad!(NDArray([1.0 3; 2 4]))
        mx.backward!(mx.@record a .* 3)
        a[:, 2], mx.getgrad(a)
    end
    GC.gc()
    @test row == [3, 4] && gradient == fill(3, 2, 2)
end

@testset "calls return before they are done, and waits say what failed" begin
    a = mx.full(0.01, (512, 512))
    product = foldl((x, _) -> x * a, 1:4; init = a)
    wait(product)
    # That an index is out of range only running shows.
    taken = mx.take(a, NDArray([1000.0]), mode = :raise)
    @test error_of(() -> wait(taken)).code === :INDEX && error_of(() -> Array(taken .+ 1)).code === :INDEX
    @test error_of(mx.wait_all) isa MXError
    mx.wait_all()
    @test mx.pending() == 0
end

@testset "a wait can be interrupted" begin
    # In a program of its own, which another one interrupts.
    text, ok = program("""
        using MXR
        ccall(:jl_exit_on_sigint, Cvoid, (Cint,), 0)
        a = mx.full(0.001, (1500, 1500))
        wait(a * a)
        product = foldl((x, _) -> x * a, 1:25; init = a)
        run(`sh -c "sleep 0.2; kill -INT \$(getpid())"`; wait = false)
        try
            wait(product)
            sleep(10)
        catch error
            print(typeof(error))
        end
        wait(product)
        print(" and goes on")
        """)
    @test ok && text == "InterruptException and goes on"
end

@testset "tasks and threads share arrays" begin
    a = mx.ones(64)
    sums = Vector{Any}(nothing, 4)
    Threads.@threads for t in 1:4
        s = a
        for _ in 1:200
            s = s .+ a
        end
        sums[t] = s
    end
    @test all(s -> s == fill(201, 64), sums)
    @test fetch(@async sum(a .+ 1)) == 128
end

@testset "the library can be shut down and goes on" begin
    mx.shutdown()
    @test NDArray([1.0]) .+ 1 == [2] && mx.num_threads() >= 1
end
