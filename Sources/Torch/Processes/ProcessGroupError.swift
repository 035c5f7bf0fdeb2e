/// A failure of processes that train together.
public struct ProcessGroupError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong.
    public enum Cause: Sendable, Equatable {
        /// The variables of the launcher cannot be used; the text says why.
        case environment(String)
        /// The store at process 0's address cannot be reached.
        case unreachable(address: String, port: Int, reason: String)
        /// These processes did not join in time.
        case notJoined([Int])
        /// These processes have ended, or lost their connection.
        case ended([Int])
        /// These processes sent nothing in time: they stopped, hang, or are cut off.
        case silent([Int])
        /// A process ended with an error of its own.
        case failed(rank: Int, reason: String)
        /// A process differs from process 0 in what must be the same.
        case differs(rank: Int, differences: [String])
        /// Anything else that c10d says.
        case other(String)
    }

    /// The process that noticed; nil where there is no group yet.
    public let rank: Int?
    /// The number of processes; nil where there is no group yet.
    public let size: Int?
    /// The training step at hand, counted from 1; nil before the first.
    public let step: Int?
    /// The seconds that processes wait for one another.
    public let timeout: Double?
    /// What went wrong.
    public let cause: Cause

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - rank: The process that noticed.
    ///   - size: The number of processes.
    ///   - step: The training step at hand, counted from 1.
    ///   - timeout: The seconds that processes wait for one another.
    ///   - cause: What went wrong.
    public init(
        rank: Int? = nil,
        size: Int? = nil,
        step: Int? = nil,
        timeout: Double? = nil,
        _ cause: Cause
    ) {
        self.rank = rank
        self.size = size
        self.step = step
        self.timeout = timeout
        self.cause = cause
    }

    static func environment(_ reason: String) -> ProcessGroupError {
        ProcessGroupError(.environment(reason))
    }

    /// One sentence: who noticed, at which step, what happened, what to do.
    public var description: String { observer + sentence }

    private var observer: String {
        guard let rank, let size else { return "" }
        return "process \(rank) of \(size)" + (step.map { ", step \($0)" } ?? "") + ": "
    }

    private var sentence: String {
        let waited = timeout.map { " within \(Self.number($0)) s (--dist-timeout)" } ?? ""
        let goOn =
            step == nil ? "" : "; saved checkpoints are complete, continue with --resume auto"
        switch cause {
        case .environment(let reason):
            return
                "the processes cannot join: \(reason); start them with torchrun or srun, or unset RANK and WORLD_SIZE"
        case .unreachable(let address, let port, let reason):
            return
                "process 0 cannot be reached at \(address):\(port) (MASTER_ADDR, MASTER_PORT)\(waited): \(reason)"
        case .notJoined(let ranks): return "\(Self.name(ranks)) did not join\(waited)"
        case .ended(let ranks):
            return "\(Self.name(ranks)) ended or lost the connection\(goOn)"
        case .silent(let ranks): return "\(Self.name(ranks)) did not answer\(waited)\(goOn)"
        case .failed(let rank, let reason): return "process \(rank) ended with an error: \(reason)"
        case .differs(let rank, let differences):
            return
                "process \(rank) differs from process 0 in \(differences.joined(separator: "; ")); "
                + "start all processes with the same command, version and data"
        case .other(let message): return message + goOn
        }
    }

    private static func name(_ ranks: [Int]) -> String {
        guard ranks.count > 1 else { return "process \(ranks.first.map(String.init) ?? "?")" }
        return "processes \(ranks.map(String.init).joined(separator: ", "))"
    }

    private static func number(_ value: Double) -> String {
        let rounded = (value * 1000).rounded() / 1000
        return rounded == rounded.rounded() && abs(value) < 1e15
            ? "\(Int(rounded))" : "\(rounded)"
    }
}
