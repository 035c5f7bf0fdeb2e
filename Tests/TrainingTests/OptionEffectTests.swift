import Foundation
import TestSupport
import Testing
import Torch
import TorchNN

@testable import Training

/// Every option makes a difference to a run, through the whole way from its text to what the run leaves behind.
@ModelActor @Suite(.serialized) struct OptionEffectTests {
    @Test(arguments: TrainingMethod.allCases)
    func everyOptionIsInTheTable(method: TrainingMethod) {
        let options = Set(Settings.of(method).map(\.key))
        let table = Set(OptionEffects.of(method).map(\.key))
        #expect(options.subtracting(table).sorted() == [], "add what they change to OptionEffects")
        #expect(table.subtracting(options).sorted() == [], "not options of this method")
    }

    @Test(arguments: TrainingMethod.allCases)
    func everyOptionMakesADifference(method: TrainingMethod) async throws {
        let threads = Libtorch.threadCount
        defer { try? Libtorch.setThreadCount(threads) }
        // On a busy machine the probe may choose other kernels for the next run, and with them other last digits.
        try await ComputePolicy.$requestedKernels.withValue("libtorch") {
            try await compare(method)
        }
    }

    private func compare(_ method: TrainingMethod) async throws {
        try await withTemporaryFolder { folder in
            let tiny = TinySession(folder: folder)
            try await tiny.prepare()
            let plain = try await tiny.run(method, [], name: "plain")
            let again = try await tiny.run(method, [], name: "again")
            // Else any difference below could be chance.
            let isSame = plain.weights == again.weights && plain.state == again.state
            #expect(isSame, "two runs alike differ")
            #expect(plain.records == again.records && plain.files == again.files)
            var known = ["": plain]
            for (number, effect) in OptionEffects.of(method).enumerated() {
                if case .elsewhere = effect.sign { continue }
                do {
                    let base = effect.with.map { "\($0.key): \($0.text)" }.joined(separator: "\n")
                    let before: TinySession.Outcome
                    if let run = known[base] {
                        before = run
                    } else {
                        before = try await tiny.run(method, effect.with, name: "\(number)-before")
                        known[base] = before
                    }
                    let changed = effect.with.filter { $0.key != effect.key }
                    let options = changed + [(effect.key, effect.text)]
                    if case .failure = effect.sign {
                        await #expect(throws: (any Error).self, "\(method) \(effect.key)") {
                            _ = try await tiny.run(method, options, name: "\(number)-after")
                        }
                        continue
                    }
                    let after = try await tiny.run(method, options, name: "\(number)-after")
                    // Said before, as the expectation would print all weights.
                    let isDifferent = differ(before, after, effect.sign)
                    #expect(
                        isDifferent,
                        "\(method): \(effect.key) \(effect.text) changes nothing"
                    )
                    // What only measures, writes or hastens must leave the weights alone.
                    let setting = try #require(Settings.named(effect.key))
                    let learnsTheSame = before.weights == after.weights
                    #expect(
                        learnsTheSame || [.pixels, .gradients].contains(setting.effect),
                        "\(method): \(effect.key) \(effect.text) changes the weights"
                    )
                } catch {
                    Issue.record("\(method): \(effect.key) \(effect.text): \(error)")
                }
            }
        }
    }

    private func differ(
        _ before: TinySession.Outcome,
        _ after: TinySession.Outcome,
        _ sign: OptionEffect.Sign
    ) -> Bool {
        switch sign {
        case .weights: before.weights != after.weights
        case .state: before.state != after.state
        case .average: before.average != after.average
        case .records: before.records != after.records
        case .files: before.files != after.files
        case .threads: before.manifest.threads != after.manifest.threads
        case .workers: before.plan.workers != after.plan.workers
        case .file(let end): size(before.run.path + end) != size(after.run.path + end)
        case .failure, .elsewhere: true
        }
    }

    private func size(_ path: String) -> Int? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
    }
}
