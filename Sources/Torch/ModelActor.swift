import Dispatch
import Foundation

/// The actor on which models run: all its work happens on one thread of its own.
///
/// libtorch's gradient mode, autocast and error text belong to a thread, and a forward pass must not occupy the
/// threads that Swift's tasks share. Code isolated to this actor may `await` and finds itself on the same thread
/// afterwards.
@globalActor
public actor ModelActor {
    /// The one instance.
    public static let shared = ModelActor()

    private static let thread = DedicatedThread(name: "deit.model")

    /// The executor that runs every job on the actor's thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        ModelActor.thread.asUnownedSerialExecutor()
    }

    /// Runs a closure on the actor's thread.
    ///
    /// - Parameter body: What to run; it may create and use tensors, and returns a value that may leave the thread.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    @ModelActor
    public static func run<R: Sendable>(_ body: @ModelActor () throws -> R) rethrows -> R {
        try body()
    }
}

/// An executor with one thread, which waits for jobs until the process ends.
private final class DedicatedThread: SerialExecutor, @unchecked Sendable {
    // Guarded by `condition`.
    private var jobs: [UnownedJob] = []
    private let condition = NSCondition()

    init(name: String) {
        let thread = Thread { [unowned self] in self.loop() }
        thread.name = name
        // Autograd and oneDNN use deeper stacks than the 512 kB of a secondary thread on macOS.
        thread.stackSize = 8 << 20
        thread.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.lock()
        jobs.append(job)
        condition.signal()
        condition.unlock()
    }

    private func loop() {
        while true {
            condition.lock()
            while jobs.isEmpty { condition.wait() }
            let ready = jobs
            jobs = []
            condition.unlock()
            for job in ready { job.runSynchronously(on: asUnownedSerialExecutor()) }
        }
    }
}
