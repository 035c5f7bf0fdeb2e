import ArgumentParser
import Foundation
import Storage
import Torch
import Training

/// The processes that a launcher started, of which this is one.
enum Processes {
    /// Joins them, where there are any.
    ///
    /// - Parameter timeout: The seconds that processes wait for one another.
    /// - Returns: The processes; nil for one alone.
    /// - Throws: `ProcessGroupError`.
    static func join(timeout: Double) throws(ProcessGroupError) -> ProcessGroup? {
        guard let place = try ProcessPlace.read(ProcessInfo.processInfo.environment) else {
            return nil
        }
        return try ProcessGroup(place, timeout: .seconds(timeout))
    }

    /// Leaves them because of an error, which the others then report too.
    ///
    /// - Parameters:
    ///   - group: The processes.
    ///   - error: What ended this process.
    /// - Returns: The error, which names this process.
    static func leave(_ group: ProcessGroup?, because error: any Error) -> any Error {
        guard let group else { return error }
        // Its text says who and when already; and a signal stops all processes after the same step.
        if error is ProcessGroupError || error is ExitCode { return error }
        let failure = CommandFailure(error)
        group.leave(because: failure.description)
        return CommandFailure(
            "process \(group.rank) of \(group.size): \(failure.description)",
            exitCode: failure.exitCode
        )
    }
}

/// Shows nothing: process 0 shows what all do.
struct SilentObserver: TrainingObserver {}
