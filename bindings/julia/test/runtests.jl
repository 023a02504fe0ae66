# Everything but the operators' cases, which conformance.jl runs. Ends with `N passed, N failed`.

using MXR, Test

# The sentences are the tests: each is a test set without others inside.
leaves(set) = any(r -> r isa Test.DefaultTestSet, set.results) ?
    reduce(vcat, map(leaves, filter(r -> r isa Test.DefaultTestSet, set.results))) : [set]
failed(set) = any(r -> r isa Test.Fail || r isa Test.Error, set.results)

"The error that a function throws."
function error_of(f)
    try
        f()
    catch error
        return error
    end
    return nothing
end

const PACKAGE = dirname(@__DIR__)

"The end of what a program of this Julia's says, and whether it succeeded."
function program(text; project = PACKAGE, environment...)
    command = `$(Base.julia_cmd()) --project=$project --startup-file=no -e $text`
    given = Dict{String,Any}(String(k) => v for (k, v) in environment)
    out = IOBuffer()
    done = run(pipeline(ignorestatus(with_environment(command, given)); stdout = out, stderr = out))
    return String(take!(out)), success(done)
end

function with_environment(command, changes)
    all = Dict{String,String}(ENV)
    for (key, value) in changes
        value === nothing ? delete!(all, key) : (all[key] = value)
    end
    return setenv(command, all)
end

"What a function prints."
redirected(f) = mktemp() do path, file
    redirect_stdout(f, file)
    close(file)
    read(path, String)
end

all_tests = Test.DefaultTestSet("MXR")
Test.push_testset(all_tests)
for file in ("arrays", "indexing", "broadcast", "autograd", "symbols", "executors", "control", "files",
    "training", "fit", "lifetimes", "errors", "library")
    @testset "$file" begin
        include("$file.jl")
    end
end
Test.pop_testset()
Test.print_test_results(all_tests)
sets = leaves(all_tests)
println(count(!failed, sets), " passed, ", count(failed, sets), " failed")
any(failed, sets) && exit(1)
