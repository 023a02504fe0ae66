/* A libmxr of another ABI version, which must be refused. */
unsigned mxr_abi_version(void) {
    return 999;
}
