#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// How the threads that compute wait for one another.
enum OpenMPWaiting {
    /// Lets idle threads sleep instead of spin, for commands whose workers need the same processors.
    ///
    /// libgomp's threads spin at the end of every parallel loop. As soon as anything else wants the processor,
    /// such as the workers that read pictures, one thread waits for another that is not running: measured on two
    /// busy cores, a training step took nine times as long. libgomp reads its variables only while it is loaded,
    /// so the process replaces itself once, before it has done anything. Whoever sets `OMP_WAIT_POLICY` or
    /// `GOMP_SPINCOUNT` is left alone.
    static func sleep() {
        #if os(Linux)
        guard getenv("OMP_WAIT_POLICY") == nil, getenv("GOMP_SPINCOUNT") == nil else { return }
        setenv("OMP_WAIT_POLICY", "PASSIVE", 1)
        // Where this fails the command goes on as it is, only slower.
        execv("/proc/self/exe", CommandLine.unsafeArgv)
        #endif
    }
}
