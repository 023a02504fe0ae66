# Metrics, iterators, stores, callbacks and fit.

@testset "metrics add up and begin again" begin
    label, scores = NDArray(Float32[1, 0]), NDArray(Float32[0.25 0.25; 0.75 0.75])
    acc = mx.Metric(:acc)
    @test isnan(get(acc)[1][2])
    mx.update!(acc, label, scores)
    # The first is right, the second is not.
    @test get(acc) == [:accuracy => 0.5]
    mx.reset!(acc; local_only = true)
    mx.add!(acc, 2, 2)
    @test get(acc) == [:accuracy => 1.0] && mx.get_global(acc) == [:accuracy => 0.75]
    both = push!(push!(mx.CompositeEvalMetric(), mx.Accuracy()), mx.TopKAccuracy(top_k = 2))
    mx.update!(both, [label], [scores])
    @test get(both) == [:accuracy => 0.5, :top_k_accuracy_2 => 1.0]
    @test error_of(() -> mx.update!(acc, [label], NDArray[])).argument == "labels"
    @test mx.Metric("mse") isa mx.Metric && error_of(() -> mx.Metric(:none)).code === :NOT_FOUND
end

@testset "an iterator gives batches along the last axis" begin
    x, y = Float32[1 2 3 4 5; 6 7 8 9 10], Float32[0, 1, 2, 3, 4]
    iter = mx.NDArrayIter(x, y, batch_size = 2)
    batches = collect(iter)
    @test length(batches) == 3 && batches[1].data[1] == x[:, 1:2] && batches[2].label[1] == y[3:4]
    @test batches[3].pad == 1 && batches[3].index[1] == 5 && batches[3].data[1][:, 1] == x[:, 5]
    @test [b.pad for b in iter] == [0, 0, 1] && mx.get_batch_size(iter) == 2
    d = mx.provide_data(iter)[1]
    @test d.name === :data
    @test d.shape == (2, 2)
    @test d.dtype == Float32
    @test mx.provide_label(iter)[1].name === :softmax_label
    named = mx.NDArrayIter((left = x, right = x), nothing, batch_size = 5)
    @test [d.name for d in mx.provide_data(named)] == [:left, :right] && isempty(mx.provide_label(named))
    resized = mx.PrefetchingIter(mx.ResizeIter(iter, size = 4))
    @test length(collect(resized)) == 4
    @test error_of(() -> mx.MNISTIter(image = "/nowhere")).code === :NOT_FOUND
    order(seed) = mx.NDArrayIter(x, y, batch_size = 1, shuffle = true, seed = seed)
    shuffled(seed) = vcat((Array(b.label[1]) for b in order(seed))...)
    @test shuffled(3) == shuffled(3) && sort(shuffled(3)) == y
end

@testset "rows of a file are read" begin
    mktempdir() do folder
        write(joinpath(folder, "x.csv"), "1,2,3\n4,5,6\n")
        iter = mx.CSVIter(data_csv = joinpath(folder, "x.csv"), data_shape = (3,), batch_size = 2)
        @test first(iter).data[1] == [1 4; 2 5; 3 6]
    end
end

@testset "a store sums and updates" begin
    store, out = mx.KVStore(:local), mx.zeros(2)
    mx.init!(store, "w", NDArray(Float32[1, 2]))
    push!(store, "w", [NDArray(Float32[1, 2]), NDArray(Float32[1, 2])])
    @test mx.pull!(store, "w", out) == [2, 4] && mx.get_type(store) === :local
    mx.set_optimizer!(store, mx.SGD(learning_rate = 0.5))
    push!(store, "w", NDArray(Float32[2, 4]))
    @test mx.pull!(store, "w", out) == [1, 2]
    mx.set_states!(store, mx.get_states(store))
    @test error_of(() -> mx.init!(store, 3, out)).argument == "key"
    @test mx.workers(store) == (rank = 0, num_workers = 1)
    device = mx.KVStore(:device)
    mx.set_gradient_compression!(device, mx.compression_2bit(threshold = 0.2))
    @test error_of(() -> mx.KVStore(:dist_sync)).code === :UNSUPPORTED
end

# Two numbers, of which the label says whether the first is the larger.
const POINTS = Float32[1 0 3 1 2 0; 0 1 1 4 1 2]
const LARGER = Float32[1, 0, 1, 0, 1, 0]
classifier() = mx.@chain mx.Variable(:data) =>
    mx.FullyConnected(num_hidden = 2, name = :fc) =>
    mx.SoftmaxOutput(name = :softmax)

@testset "a store is updated by a function" begin
    store, seen = mx.KVStore(:local), []
    mx.init!(store, :w, mx.ones(2))
    mx.set_updater!(store) do key, pushed, stored
        push!(seen, key)
        stored[:] = Array(stored) .+ 10 .* Array(pushed)
    end
    push!(store, :w, [mx.ones(2), mx.ones(2)])
    @test mx.pull!(store, :w, mx.zeros(2)) == Float32[21, 21] && seen == [:w]
    mx.set_updater!((_...) -> throw(DomainError(3, "no")), store)
    @test error_of(() -> push!(store, :w, mx.ones(2))) isa DomainError
    mx.set_updater!(nothing, store)
    push!(store, :w, mx.ones(2))
    @test mx.pull!(store, :w, mx.zeros(2)) == Float32[1, 1]
    numbered = mx.KVStore(:device)
    mx.init!(numbered, 3, mx.ones(1))
    mx.set_updater!((key, _, stored) -> stored[:] = [key], numbered)
    push!(numbered, 3, mx.ones(1))
    @test mx.pull!(numbered, 3, mx.zeros(1)) == Float32[3]
end

@testset "all parameters decay, and the symbol's factors wait, as in MXNet.jl" begin
    line = mx.@chain mx.Variable(:data) => mx.FullyConnected(num_hidden = 1, name = :fc)
    model = mx.FeedForward(mx.LinearRegressionOutput(line; name = :softmax))
    data = mx.NDArrayIter(zeros(Float32, 1, 1), ones(Float32, 1, 1), batch_size = 1)
    args = Dict(:fc_weight => mx.ones(1, 1), :fc_bias => mx.ones(1))
    redirected(() -> mx.fit(model, mx.SGD(learning_rate = 0.5, wd = 0.5), data; n_epoch = 1, args = args,
        eval_metric = "mse"))
    # Gradients are 0.
    @test [Array(v)[1] for v in values(mx.get_params(model)[1])] == [0.75, 0.75]
end

@testset "a model is fitted, scored, saved and goes on" begin
    mktempdir() do folder
        prefix, seen = joinpath(folder, "net"), []
        data = mx.NDArrayIter(POINTS, LARGER, batch_size = 3, shuffle = true, seed = 5)
        model = mx.FeedForward(classifier())
        mx.seed!(1)
        said = redirected() do
            mx.fit(model, mx.SGD(learning_rate = 1, momentum = 0.5), data; n_epoch = 20, eval_data = data,
                batch_end = [mx.Speedometer(batch_size = 3, frequent = 1), (e, b, _) -> push!(seen, (e, b))],
                epoch_end = mx.do_checkpoint(prefix = prefix, period = 10, save_optimizer_states = true))
        end
        @test occursin("samples/sec", said) && occursin("epoch 20: validation accuracy 1.0", said)
        @test length(seen) == 40 && seen[1] == (1, 1) && seen[end] == (20, 2)
        @test mx.score(model, data) == [:accuracy => 1.0]
        args, aux = mx.get_params(model)
        @test Set(keys(args)) == Set([:fc_weight, :fc_bias]) && isempty(aux)
        rest = mx.predict(model, mx.NDArrayIter(POINTS, LARGER, batch_size = 4))
        @test size(rest) == (2, 6) && [argmax(Array(rest)[:, i]) - 1 for i in 1:6] == LARGER
        @test filesize("$prefix-0010.states") > 0 && mx.load_checkpoint(prefix, 20)[2] == args
        again = mx.FeedForward(prefix, 20; states = true)
        @test mx.score(again, data) == [:accuracy => 1.0]
    end
end

@testset "wrong steps are named" begin
    model = mx.FeedForward(classifier())
    @test error_of(() -> mx.update!(model)) isa MXError
    @test error_of(() -> mx.FeedForward(classifier(); fixed = (:nothing,))).code === :NOT_FOUND
    close(model)
    @test error_of(() -> mx.get_params(model)).code === :CLOSED
end
