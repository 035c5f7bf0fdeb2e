import Foundation

/// Finds out, after a collective operation failed, which processes are still there.
///
/// The failure itself names no process: of a ring only the neighbours of a dead process notice its end. So a process that
/// noticed closes its own connections, which makes the others notice at once, and writes that it lives; who writes nothing
/// within a few seconds is missing.
struct RollCall: Sendable {
    /// How long processes are given to answer.
    static let patience = Duration.seconds(5)

    let store: GroupStore
    let rank: Int
    let size: Int
    /// Whether process 0 keeps the store.
    let isStoreOfFirst: Bool

    /// What is known of the other processes.
    struct Answers: Sendable {
        var alive: Set<Int> = []
        /// The errors with which processes left.
        var reasons: [Int: String] = [:]
        /// Whether the store could not be reached.
        var lostStore = false
    }

    static func aliveKey(_ rank: Int) -> String { "alive/\(rank)" }
    static func reasonKey(_ rank: Int) -> String { "left/\(rank)" }

    /// Waits for answers.
    func run() -> Answers {
        let end = ContinuousClock.now + Self.patience
        let answers = GroupStore.within(Self.patience + .seconds(2)) { [self] report in
            var answers = Answers()
            do throws(TorchError) {
                try store.set(Self.aliveKey(rank))
                while true {
                    try ask(&answers)
                    report(answers)
                    guard answers.alive.count + answers.reasons.count < size - 1,
                        ContinuousClock.now < end
                    else { return }
                    Thread.sleep(forTimeInterval: 0.05)
                }
            } catch {
                answers.lostStore = true
                report(answers)
            }
        }
        guard let answers else {
            // Process 0 keeps the store, and did not even answer once.
            var none = Answers()
            none.lostStore = true
            return none
        }
        return answers
    }

    private func ask(_ answers: inout Answers) throws(TorchError) {
        for other in 0..<size where other != rank && !answers.alive.contains(other) {
            if let reason = try store.text(Self.reasonKey(other)) {
                answers.reasons[other] = reason
            } else if try store.text(Self.aliveKey(other)) != nil {
                answers.alive.insert(other)
            }
        }
    }

    /// The processes that are missing, or nil where all are there.
    func missing(_ answers: Answers) -> [Int] {
        // Without the store only its keeper is known to be gone.
        if answers.lostStore, isStoreOfFirst, rank != 0, !answers.alive.contains(0) { return [0] }
        return (0..<size).filter {
            $0 != rank && !answers.alive.contains($0) && answers.reasons[$0] == nil
        }
    }
}
