#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// How the threads that compute wait for one another.
enum OpenMPWaiting {
    /// How often an idle thread looks for work before it sleeps.
    ///
    /// Measured with two threads, in images a second of a small model's training step, on two idle cores and beside
    /// a busy process: never looking 475 and 1380, 1000 times 2360 and 1100, 10,000 times 2620 and 320.
    private static let spinCount = "1000"

    /// Lets idle threads spin briefly, then sleep.
    ///
    /// libgomp's threads spin for milliseconds at the end of every parallel loop. As soon as anything else wants the
    /// processor, such as the workers that read images, one thread waits for another that is not running, and a
    /// step takes many times as long; sleeping at once costs as much on an idle machine, where waking takes long.
    /// libgomp reads its variables only while it is loaded, so the process replaces itself once, before it has done
    /// anything. Whoever sets `OMP_WAIT_POLICY` or `GOMP_SPINCOUNT` is left alone.
    static func spinBriefly() {
        #if os(Linux)
        guard getenv("OMP_WAIT_POLICY") == nil, getenv("GOMP_SPINCOUNT") == nil else { return }
        setenv("GOMP_SPINCOUNT", spinCount, 1)
        // Where this fails the command goes on as it is, only slower.
        execv("/proc/self/exe", CommandLine.unsafeArgv)
        #endif
    }
}
