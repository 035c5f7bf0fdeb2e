import Evaluation
import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// One measurement of this library and of each peer, and how much others disturbed it.
struct PeersRound {
    /// What was measured, in its order.
    private(set) var answers: [(name: String, answer: PeerProcess.Answer)] = []

    /// The largest share of the processors that others had during one of the measurements, 0 to 1.
    private(set) var others = 0.0

    /// Measures one.
    mutating func measure(_ name: String, _ body: () throws -> PeerProcess.Answer) throws {
        let (start, children) = (ProcessorTime.now, Self.secondsOfChildren)
        let answer = try body()
        if let start, let end = ProcessorTime.now {
            // A peer goes on living and tells its work; ours has ended, and the system tells it.
            let own = answer.cpuSeconds ?? (Self.secondsOfChildren - children)
            others = max(others, end.share(ofOthersSince: start, own: own))
        }
        answers.append((name, answer))
    }

    /// Seconds of the work of all processes that this one started and that have ended.
    private static var secondsOfChildren: Double {
        var usage = rusage()
        #if os(Linux)
        guard getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage) == 0 else { return 0 }
        #else
        guard getrusage(RUSAGE_CHILDREN, &usage) == 0 else { return 0 }
        #endif
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
