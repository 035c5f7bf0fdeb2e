import Foundation
import TestSupport
import Testing

/// Processes of a run that die or hang: the others end with a sentence, and the run goes on as if nothing had happened.
///
/// `DEIT_FAULTS` is the number of random moments, few by default.
@Suite(.serialized, .tags(.endToEnd), .timeLimit(.minutes(60)))
struct ProcessFaultTests {
    private static let count = 2
    private static let options =
        [
            "train"
        ] + TinyRun.options + [
            "--drop-path", "0", "--epochs", "3", "--data", "data", "--checkpoint-interval", "7",
            "--dist-timeout", "20s", "--resume", "auto",
        ]

    private static let rounds =
        ProcessInfo.processInfo.environment["DEIT_FAULTS"].flatMap(Int.init) ?? 2

    private enum Fault: CaseIterable {
        case killed, stopped, terminated
    }

    private func start(_ output: String, in folder: URL) throws -> [RunningCommand] {
        try LaunchedProcesses.start(
            Self.count,
            Self.options + ["--output", output],
            in: folder
        )
    }

    /// Runs until all is done, with the same faulty moments' aftermath as any launcher would meet.
    @Test(arguments: 0..<rounds)
    func aFaultAtARandomMomentLosesNothing(round: Int) async throws {
        var generator = SystemRandomNumberGenerator()
        let fault = Fault.allCases[round % Fault.allCases.count]
        let victim = Int.random(in: 0..<Self.count, using: &generator)
        // 3 epochs of 20 steps.
        let step = Int.random(in: 1..<55, using: &generator)
        let pause = Int.random(in: 0..<40, using: &generator)
        try await withTemporaryFolder { folder in
            try TinyData.writeIDX(to: folder.appending(path: "data"), train: 160, validation: 42)
            for result in try await LaunchedProcesses.results(start("whole", in: folder)) {
                #expect(result.code == 0, "\(result.errors)")
            }
            let whole = TinyRun(folder: folder.appending(path: "whole"))
            let broken = TinyRun(folder: folder.appending(path: "broken"))
            let commands = try start("broken", in: folder)
            let survivor = 1 - victim
            let signal = fault == .killed ? SIGKILL : fault == .stopped ? SIGSTOP : SIGTERM
            await commands[victim].send(signal) {
                guard broken.recordedSteps >= step else { return false }
                usleep(UInt32(1000 * pause))
                return true
            }
            let place = "fault \(fault) of process \(victim) after step \(step) + \(pause) ms"
            let end = try await commands[survivor].result()
            commands[victim].send(SIGKILL)
            _ = try await commands[victim].result()
            switch fault {
            case .terminated:
                // Too late where the last step was under way.
                #expect(end.code == 143 || end.code == 0, "\(place): \(end.errors)")
            case .killed, .stopped:
                if end.code != 0 {
                    #expect(end.code == 1, "\(place): \(end.errors)")
                    let verb =
                        fault == .killed ? "ended or lost the connection" : "did not answer within"
                    #expect(
                        end.errors.contains("process \(survivor) of \(Self.count), step ")
                            && end.errors.contains("process \(victim) \(verb)"),
                        "\(place): \(end.errors)"
                    )
                }
            }
            for result in try await LaunchedProcesses.results(start("broken", in: folder)) {
                #expect(result.code == 0, "\(place): \(result.errors)")
            }
            try broken.expectEqual(whole)
        }
    }
}
