import Foundation
import TestSupport
import Testing
import Torch
import TorchNN

@testable import Training

/// The file of a teacher's answers: what is kept, what is not believed, what is refused.
@Suite struct TeacherCacheTests {
    private func key(
        linear: ComputePolicy.Kernel = .libtorch,
        _ change: (inout TrainingOptions) -> Void = { _ in }
    ) throws -> TeacherCacheKey {
        var options = TrainingOptions()
        options.model = "deit_nano_patch4_28"
        options.batch = 2
        options.repeatedAug = nil
        change(&options)
        let plan = RunPlan(
            options: options,
            trainCount: 6,
            imagesPerEpoch: 6,
            validationCount: 2,
            classNames: ["a", "b", "c"],
            parameterCount: 1,
            policy: ComputePolicy(
                dtype: .float32,
                linear: linear,
                attention: .libtorch,
                pointwise: .libtorch
            ),
            workers: 1
        )
        var teacher = Fingerprint()
        teacher.add("teacher")
        return TeacherCacheKey(
            plan,
            student: try ClassifierFactory.description(options, classNames: plan.classNames),
            teacher: teacher,
            data: Fingerprint()
        )
    }

    private func cache(
        _ folder: URL,
        _ key: TeacherCacheKey? = nil,
        limit: Int = .max
    ) throws -> TeacherCache {
        try TeacherCache(
            path: folder.appending(path: "some/teacher.cache").path,
            key: key ?? self.key(),
            limit: limit
        )
    }

    private let answers: [Float] = [1, -2.5, .pi, 1e-20, 3e30, -0]

    @Test func whatWasKeptIsFoundAgainBitForBit() throws {
        try withTemporaryFolder { folder in
            let first = try cache(folder)
            #expect(first.answers(epoch: 1, step: 2) == nil)
            #expect(first.storedEpochs(of: 3) == 0)
            #expect(first.store(answers, epoch: 1, step: 2) == nil)
            let second = try cache(folder)
            let found = try #require(second.answers(epoch: 1, step: 2))
            #expect(found.map(\.bitPattern) == answers.map(\.bitPattern))
            #expect(second.answers(epoch: 1, step: 1) == nil)
            #expect(second.answers(epoch: 2, step: 2) == nil)
            #expect(second.answers(epoch: 1, step: 3) == nil)
            #expect(second.answers(epoch: -1, step: 0) == nil)
            #expect(second.storedEpochs(of: 3) == 1)
            // Two open files of the same answers see one another's.
            #expect(second.store(answers, epoch: 0, step: 0) == nil)
            #expect(first.answers(epoch: 0, step: 0) == answers)
            #expect(first.size(epochs: 2) == 8_192 + 6 * (16 + 24))
        }
    }

    @Test(arguments: [0, 4, 8, 20, 39]) func aSlotThatIsDamagedIsNotBelieved(place: Int) throws {
        try withTemporaryFolder { folder in
            let cache = try cache(folder)
            #expect(cache.store(answers, epoch: 0, step: 1) == nil)
            let file = try FileHandle(forUpdating: URL(filePath: cache.path))
            let offset = UInt64(8_192 + 40 + place)
            try file.seek(toOffset: offset)
            let byte = try #require(try file.read(upToCount: 1)?.first)
            try file.seek(toOffset: offset)
            try file.write(contentsOf: Data([byte ^ 0x40]))
            #expect(cache.answers(epoch: 0, step: 1) == nil)
            // What a killed process left of the end of the file.
            #expect(cache.store(answers, epoch: 0, step: 1) == nil)
            try file.truncate(atOffset: 8_192 + 40 + 39)
            #expect(cache.answers(epoch: 0, step: 1) == nil)
        }
    }

    @Test func aSlotInAnotherPlaceIsNotBelieved() throws {
        try withTemporaryFolder { folder in
            let cache = try cache(folder)
            #expect(cache.store(answers, epoch: 0, step: 0) == nil)
            let file = try FileHandle(forUpdating: URL(filePath: cache.path))
            try file.seek(toOffset: 8_192)
            let slot = try #require(try file.read(upToCount: 40))
            try file.seek(toOffset: 8_192 + 40)
            try file.write(contentsOf: slot)
            #expect(cache.answers(epoch: 0, step: 0) == answers)
            #expect(cache.answers(epoch: 0, step: 1) == nil)
        }
    }

    @Test func theSizeIsBounded() throws {
        try withTemporaryFolder { folder in
            let cache = try cache(folder, limit: 8_192 + 2 * 40)
            #expect(cache.store(answers, epoch: 0, step: 1) == nil)
            #expect(cache.store(answers, epoch: 0, step: 2) == "it is full")
            // Told once; what is there is still of use.
            #expect(cache.store(answers, epoch: 0, step: 2) == nil)
            #expect(cache.answers(epoch: 0, step: 1) == answers)
            #expect(cache.answers(epoch: 0, step: 2) == nil)
        }
    }

    @Test func answersOfAnotherRunAreRefusedAndTheDifferenceIsTold() throws {
        try withTemporaryFolder { folder in
            _ = try cache(folder)
            let other = try key {
                $0.seed = 7
                $0.mixup = 0
                $0.batch = 3
                $0.size = 32
            }
            let error = #expect(throws: TeacherCacheError.self) { try cache(folder, other) }
            let text = error?.description ?? ""
            for word in [
                "seed (0 there, 7 here)", "mixup (0.8 there, 0.0 here)", "batch (2 there, 3 here)",
                "input (3×28×28 there, 3×32×32 here)", "--cache-teacher",
            ] {
                #expect(text.contains(word), "\(text)")
            }
            var otherTeacher = try key()
            otherTeacher.teacher = "x"
            otherTeacher.data = "y"
            #expect(try key().differences(from: otherTeacher).count == 2)
            // What the images do not depend on is no matter.
            let same = try key {
                $0.epochs = 7
                $0.lr = 1
                $0.smoothing = 0
                $0.distillation = .soft
                $0.augmentationEpochs = 2
            }
            #expect(throws: Never.self) { try cache(folder, same) }
        }
    }

    @Test func aFolderHasAFileForEachKindOfRun() throws {
        let first = try key()
        #expect(first.path(for: "some/file") == "some/file")
        let path = first.path(for: "some/")
        #expect(path.hasPrefix("some/") && path.hasSuffix(".answers") && path.count == 29)
        #expect(try key().path(for: "some/") == path)
        #expect(try key { $0.epochs = 7 }.path(for: "some/") == path)
        #expect(try key { $0.seed = 7 }.path(for: "some/") != path)
        #expect(try key { $0.mixup = 0 }.path(for: "some/") != path)
        // The teacher answers part by part, in the kernels of the run.
        #expect(try key { $0.accumulation = 2 }.path(for: "some/") != path)
        #expect(try key(linear: .oneDNN).path(for: "some/") != path)
    }

    @Test func filesOfAnotherKindAreLeftAsTheyAre() throws {
        try withTemporaryFolder { folder in
            let file = folder.appending(path: "notes.txt")
            for text in [
                "my notes", "deit: a teacher's answers\n" + String(repeating: "{", count: 9_000),
            ] {
                try Data(text.utf8).write(to: file)
                #expect(throws: TeacherCacheError.notACache(path: file.path)) {
                    try TeacherCache(path: file.path, key: key(), limit: .max)
                }
                #expect(try Data(contentsOf: file) == Data(text.utf8))
            }
            #expect(throws: TeacherCacheError.notACache(path: folder.path)) {
                try TeacherCache(path: folder.path, key: key(), limit: .max)
            }
        }
    }

    // MARK: - Fingerprints

    @Test func fingerprintsDifferWhereContentsDo() throws {
        func text(_ body: (inout Fingerprint) throws -> Void) rethrows -> String {
            var fingerprint = Fingerprint()
            try body(&fingerprint)
            return fingerprint.text
        }
        let parts: [String] = [
            text { _ in }, text { $0.add("a") }, text { $0.add("b") }, text { $0.add("") },
            text {
                $0.add("ab")
                $0.add("c")
            },
            text {
                $0.add("a")
                $0.add("bc")
            }, text { $0.add(1) }, text { $0.add(-1) }, text { $0.add("12345678") },
            text { $0.add("123456789") }, text { $0.add("12345678\0") },
        ]
        #expect(Set(parts).count == parts.count)
        #expect(parts.allSatisfy { $0.count == 32 })
        #expect(text { $0.add("a") } == parts[1])
        let tensor = try Tensor([1, 2, 3, 4], shape: [2, 2])
        let one = try text { try $0.add([("w", tensor)]) }
        let flat = try text { try $0.add([("w", tensor.reshaped([4]))]) }
        let other = try text { try $0.add([("w", Tensor([1, 2, 3, 5], shape: [2, 2]))]) }
        #expect(Set([one, flat, other]).count == 3)
        #expect(try text { try $0.add([("w", tensor)]) } == one)
    }

    @Test func augmentedEpochsComeAgain() throws {
        func plan(_ epochs: Int?) -> RunPlan {
            var options = TrainingOptions()
            options.epochs = 10
            options.augmentationEpochs = epochs
            return RunPlan(
                options: options,
                trainCount: 64,
                imagesPerEpoch: 64,
                validationCount: 1,
                classNames: ["a", "b"],
                parameterCount: 1,
                policy: ComputePolicy(),
                workers: 1
            )
        }
        #expect((0..<5).map { plan(nil).augmentationEpoch($0) } == [0, 1, 2, 3, 4])
        #expect((0..<5).map { plan(2).augmentationEpoch($0) } == [0, 1, 0, 1, 0])
        #expect(plan(nil).distinctEpochs == 10 && plan(3).distinctEpochs == 3)
        #expect(plan(20).distinctEpochs == 10)
    }
}
