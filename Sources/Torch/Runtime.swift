internal import CTorch

/// Seeds libtorch's default generator, from which initialisers, dropout and stochastic depth draw.
public func manualSeed(_ seed: UInt64) throws(TorchError) {
    try guarded("manual seed") { ct_manual_seed(seed) }
}

/// What is known of the loaded libtorch and the processor.
public enum Libtorch {
    /// The version of the headers that this package was compiled with, such as `2.13.0`.
    public static var versionOfHeaders: String { String(cString: ct_version_of_headers()) }

    /// The version of the loaded library; empty if it is unknown.
    public static var versionOfLibrary: String { String(cString: ct_version_of_library()) }

    /// libtorch's own description of its build.
    public static var buildDescription: String { String(cString: ct_build_description()) }

    /// Whether oneDNN's matrix products can be used.
    public static var hasOneDNN: Bool { ct_has_onednn() }

    /// Whether the processor multiplies bfloat16 matrices in hardware.
    public static var hasFastBFloat16: Bool { ct_has_fast_bfloat16() }

    /// Sets whether products of `float32` matrices on NVIDIA's cards may round their inputs to 10 bits (TF32).
    ///
    /// It changes the whole process; at the start, products do not and convolutions do, as in PyTorch.
    public static func setTF32(_ isAllowed: Bool) { ct_set_tf32(isAllowed) }

    /// How many threads one operation may use.
    public static var threadCount: Int { Int(ct_thread_count()) }

    /// Sets how many threads one operation may use, 1 or more.
    public static func setThreadCount(_ count: Int) throws(TorchError) {
        try guarded("set threads") { ct_set_thread_count(Int32(clamping: count)) }
    }

    /// Keeps freed memory for the next tensor instead of giving it back to the system.
    ///
    /// A training step frees and asks for the same blocks over and over. glibc gives large ones back at once, and the
    /// system clears every page again: a seventh of the time of a small model's step, in a profile. For a program's
    /// start, before there are threads; it changes the whole process and does nothing without glibc.
    public static func keepFreedMemory() { ct_keep_freed_memory() }

    /// Gives memory that is free at present back to the system; only glibc can be asked to.
    public static func giveBackFreedMemory() { ct_give_back_freed_memory() }

    /// Checks that the loaded library is the one that this package was compiled for.
    ///
    /// The C++ interface is not stable between versions: with another library, calls may crash.
    ///
    /// - Throws: ``TorchError`` that names both versions.
    public static func checkVersion() throws(TorchError) {
        try checkVersion(headers: versionOfHeaders, library: versionOfLibrary)
    }

    static func checkVersion(headers: String, library: String) throws(TorchError) {
        // "2.13.0+cpu" and "2.13.0" differ in what was built in, not in the interface.
        func release(_ version: String) -> Substring { version.prefix { $0 != "+" } }
        guard library.isEmpty || release(headers) == release(library) else {
            throw TorchError(
                operation: "start",
                message: "compiled for libtorch \(headers), but libtorch \(library) was loaded; "
                    + "run `make setup build` again, or point LIBTORCH at version \(headers)"
            )
        }
    }
}
