# Files of MXNet's and of mxr's own.

# In the repository, or where the stage of the tests says.
const GRAPHS = get(ENV, "MXR_GRAPHS",
    joinpath(@__DIR__, "..", "..", "..", "tests", "conformance", "graphs", "files"))

@testset "arrays go to files and come back, with names or without" begin
    mktempdir() do folder
        path = joinpath(folder, "a.params")
        a, b = NDArray([1.0 2 3; 4 5 6]), NDArray(Int32[7])
        mx.save(path, [a, b])
        @test mx.load(path, mx.NDArray) == [a, b]
        mx.save(path, Dict(:a => a, :b => b))
        @test mx.load(path, NDArray) == Dict(:a => a, :b => b)
        mx.save(path, a)
        @test mx.load(path, NDArray)[1] == a
        @test error_of(() -> mx.load(joinpath(folder, "none"), NDArray)).code in (:NOT_FOUND, :IO)
    end
end

isdir(GRAPHS) && @testset "MXNet's symbols of every version are read and written" begin
    files = filter(f -> endswith(f, ".json"), readdir(GRAPHS))
    @test !isempty(files)
    for file in files
        node = mx.load(joinpath(GRAPHS, file), mx.SymbolicNode)
        @test length(mx.list_outputs(node)) >= 1
        @test mx.to_json(mx.from_json(mx.to_json(node))) == mx.to_json(node)
    end
end

two() = mx.FullyConnected(mx.Variable(:data), num_hidden = 2, name = :fc)
const PARAMS = Dict(:fc_weight => NDArray([1.0f0 0; 0 1; 1 1]), :fc_bias => NDArray(Float32[10, 20]))
const DATA = Float32[1 0; 2 0; 3 1]
# Each column by the rows of the weight.
const EXPECTED = Array(PARAMS[:fc_weight])' * DATA .+ Float32[10, 20]

@testset "a checkpoint of MXNet's form predicts in three lines" begin
    mktempdir() do folder
        prefix = joinpath(folder, "net")
        mx.save_checkpoint(prefix, 3, two(), PARAMS)
        node, args, aux = mx.load_checkpoint(prefix, 3)
        @test mx.to_json(node) == mx.to_json(two()) && args == PARAMS && isempty(aux)
        model = mx.Predictor("$prefix-symbol.json", "$prefix-0003.params")
        @test model(DATA) == EXPECTED && model(data = NDArray(DATA)) == EXPECTED
        @test error_of(() -> model(image = DATA)).argument == "image"
    end
end

@testset "a model is one file" begin
    mktempdir() do folder
        path = joinpath(folder, "net.safetensors")
        mx.save_model(path, two(), PARAMS; inputs = [mx.Input(:data, (3, -1))],
            metadata = Dict("license" => "none"))
        model = mx.load_model(path)
        @test model.arg_params == PARAMS && model.metadata == Dict("license" => "none")
        @test model.inputs[1].name === :data
        @test model.inputs[1].shape == (3, -1)
        @test model.inputs[1].dtype == Float32
        @test mx.Predictor(path)(DATA) == EXPECTED && mx.load_model(path; copy = true).arg_params == PARAMS
    end
end

@testset "labels need not be given to a predictor" begin
    node = mx.SoftmaxOutput(two(), name = :softmax)
    scores = mx.Predictor(node, PARAMS)(DATA)
    @test Array(sum(scores; dims = 1)) ≈ [1 1]
end
