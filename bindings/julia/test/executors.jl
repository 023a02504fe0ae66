# Executors and cached operators.

function line()
    x, w = mx.@var x w
    return mx.broadcast_mul(x, w, name = :y)
end

@testset "a bound symbol computes outputs and gradients" begin
    e = mx.bind(line(), mx.cpu(), [NDArray([1.0, 2.0]), NDArray([3.0, 4.0])];
        args_grad = (w = mx.zeros(Float64, 2),))
    @test mx.forward(e; is_train = true)[1] == [3, 8]
    mx.backward!(e, NDArray([1.0, 10.0]))
    @test e.grad_dict[:w] == [1, 20] && e.grad_arrays[1] === nothing
    @test mx.forward(e; x = [5.0, 5.0])[1] == [15, 20] && e.output_dict[:y_output] == [15, 20]
end

@testset "what is wrong with a binding is named" begin
    @test error_of(() -> mx.bind(line(), (x = mx.zeros(1),))).argument == "args"
    @test error_of(() -> mx.bind(line(), [mx.zeros(1)])).code === :INVALID_VALUE
    e = mx.simple_bind(line(); x = (2,), w = (2,))
    @test error_of(() -> mx.forward(e; z = [1, 2])).argument == "z"
    @test error_of(() -> mx.forward(e; x = [1, 2, 3])).code === :SHAPE
end

@testset "a simple binding makes its arrays" begin
    e = mx.simple_bind(line(), mx.cpu(); grad_req = (x = :null, w = :add), types = (x = Float64,),
        x = (2, 3), w = (2, 3))
    @test size(e.arg_dict[:w]) == (2, 3)
    @test eltype(e.arg_dict[:w]) == Float64
    @test collect(keys(e.grad_dict)) == [:w]
    mx.copy_params_from(e, Dict(:x => mx.full(2, (2, 3)), :w => mx.ones(2, 3)))
    for _ in 1:2
        mx.forward(e; is_train = true)
        mx.backward!(e, mx.ones(Float64, 2, 3))
    end
    @test e.grad_dict[:w] == fill(4.0, 2, 3)
    @test error_of(() -> mx.copy_params_from(e, Dict(:v => mx.ones(1)))).code === :NOT_FOUND
    mx.copy_params_from(e, Dict(:v => mx.ones(1)); allow_extra_params = true)
end

@testset "an executor for other sizes shares what stays" begin
    x, w = mx.@var x w
    e = mx.simple_bind(mx.FullyConnected(x, w, no_bias = true, num_hidden = 2); x = (3, 4))
    e.arg_dict[:w] .= 1
    f = reshape(e; x = (3, 2))
    @test mx.forward(f; x = ones(3, 2))[1] == fill(3, 2, 2) && size(f.arg_dict[:x]) == (3, 2)
    @test error_of(() -> reshape(e; x = (3, 8))) isa MXError
    @test size(reshape(e; allow_up_sizing = true, x = (3, 8)).outputs[1]) == (2, 8)
end

@testset "a monitor sees every output" begin
    e = mx.simple_bind(exp.(line()); x = (2,), w = (2,))
    seen = Symbol[]
    mx.set_monitor_callback(e, (name, array) -> push!(seen, name))
    mx.forward(e)
    mx.set_monitor_callback(e, nothing)
    mx.forward(e)
    @test length(seen) == 2 && :y_output in seen
end

@testset "a cached operator is called like one, and differentiated" begin
    op = mx.CachedOp(line())
    x, w = NDArray([1.0, 2.0]), mx.attach_grad!(NDArray([3.0, 4.0]))
    y = mx.record(() -> op(x, w))
    mx.backward!(y)
    @test y == [3, 8] && mx.getgrad(w) == [1, 2] && op(w = w, x = x) == [3, 8]
    @test error_of(() -> op(x)) isa MXError && error_of(() -> op(v = x)).code === :NOT_FOUND
    @test run(line(); x = x, w = w)[1] == [3, 8]
end

@testset "the plan of an executor can be read" begin
    e = mx.simple_bind(line(); budget = :least, x = (2,), w = (2,))
    @test mx.plan(e).steps == 1
    @test occursin("broadcast_mul", sprint(show, MIME("text/plain"), mx.plan(e; training = true)))
end

@testset "a symbol whose shapes only running shows has other outputs after each run" begin
    data, mask = mx.@var data mask
    kept = mx.contrib.boolean_mask(data, mask)
    e = mx.bind(kept, mx.cpu(), [NDArray([1.0, 2.0, 3.0]), NDArray([1.0, 0.0, 1.0])];
        args_grad = (data = mx.zeros(Float64, 3),))
    @test isempty(e.outputs)
    @test mx.forward(e; is_train = true)[1] == [1, 3]
    mx.backward!(e, NDArray([5.0, 6.0]))
    @test e.grad_dict[:data] == [5, 0, 6]
    @test mx.forward(e; mask = [0.0, 1.0, 0.0])[1] == [2] && first(values(e.output_dict)) == [2]
end
