# Finding the library, and refusing one that does not fit.

@testset "the library is named, and its version is known" begin
    @test isfile(mx.library())
    @test occursin(r"^\d+\.\d+\.\d+", mx.version())
    @test occursin(mx.version(), mx.build_info())
end

@testset "a library of another ABI version is refused by its file's name" begin
    mktempdir() do folder
        source, other = joinpath(folder, "other.c"), joinpath(folder, "libother.so")
        write(source, "unsigned mxr_abi_version(void) { return 999; }\n")
        run(`cc -shared -fPIC -o $other $source`)
        text, ok = program("using MXR"; MXR_LIBRARY = other)
        @test !ok && occursin("$other has ABI version 999", text)
        write(source, "int nothing;\n")
        run(`cc -shared -fPIC -o $other $source`)
        text, ok = program("using MXR"; MXR_LIBRARY = other)
        @test !ok && occursin("is no libmxr", text)
        text, ok = program("using MXR"; MXR_LIBRARY = joinpath(folder, "none.so"))
        @test !ok && occursin("MXR_LIBRARY names", text)
    end
end

@testset "an operator of another version is refused when it is first called" begin
    old, new = MXR.Operator("exp", 0, 0), MXR.Operator("exp", 1, 1000)
    @test error_of(() -> MXR.handle(old)).code === :VERSION
    e = error_of(() -> MXR.handle(new))
    @test e.code === :VERSION && e.operator == "exp" && occursin(mx.library(), e.message)
end

@testset "a library that the process has already is taken before others" begin
    text, ok = program("using Libdl; dlopen($(repr(mx.library()))); using MXR; print(mx.library())";
        MXR_LIBRARY = nothing)
    @test ok && realpath(text) == realpath(mx.library())
end

@testset "a preference of the project names the library" begin
    mktempdir() do folder
        write(joinpath(folder, "Project.toml"), "")
        preferences = "[Other]\nlibmxr = \"no\"\n[MXR]\nlibmxr = \"$(mx.library())\"\n"
        write(joinpath(folder, "LocalPreferences.toml"), preferences)
        text, ok = program("using MXR; print(mx.library())"; project = folder, MXR_LIBRARY = nothing,
            JULIA_LOAD_PATH = "@:$PACKAGE:@stdlib")
        @test ok && realpath(text) == realpath(mx.library())
    end
end
