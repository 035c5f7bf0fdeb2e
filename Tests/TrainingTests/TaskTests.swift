import Foundation
import ImagePipeline
import TestSupport
import Testing
import Torch
import TorchNN
import VisionModels

@testable import Training

/// The losses against sums written out by hand, for two images and three classes.
@Suite struct TaskTests {
    private static let classLogits: [[Double]] = [[2, 0, -1], [0.5, 1.5, 0]]
    private static let distLogits: [[Double]] = [[1, 1, 0], [-1, 0, 2]]
    private static let teacherLogits: [[Double]] = [[0, 3, 1], [2, 0, 1]]
    private static let labels = [0, 2]

    // MARK: - By hand

    private func softmax(_ row: [Double], tau: Double = 1) -> [Double] {
        let powers = row.map { exp($0 / tau) }
        return powers.map { $0 / powers.reduce(0, +) }
    }

    private func crossEntropy(_ logits: [[Double]], _ targets: [[Double]]) -> Double {
        var sum = 0.0
        for row in logits.indices {
            let p = softmax(logits[row])
            for k in p.indices { sum -= targets[row][k] * log(p[k]) }
        }
        return sum / Double(logits.count)
    }

    private func oneHot(_ labels: [Int], smoothing: Double = 0) -> [[Double]] {
        labels.map { label in
            (0..<3).map { smoothing / 3 + ($0 == label ? 1 - smoothing : 0) }
        }
    }

    private func crossEntropyGradient(_ logits: [[Double]], _ targets: [[Double]]) -> [Double] {
        logits.indices.flatMap { row in
            let p = softmax(logits[row])
            return p.indices.map { (p[$0] - targets[row][$0]) / Double(logits.count) }
        }
    }

    // MARK: - The tasks

    private func tensor(_ rows: [[Double]]) throws -> Tensor {
        try Tensor(rows.flatMap { $0.map(Float.init) }, shape: [rows.count, 3])
    }

    private func labelTensor() throws -> Tensor {
        try Tensor(Self.labels.map(Int64.init), shape: [2])
    }

    /// Runs a task whose student gives the logits above; returns the loss and both gradients.
    private func run(
        isDistilled: Bool,
        _ make: (@escaping ClassifierForward) throws -> any TrainingTask
    ) throws -> (loss: Double, cls: [Float], dist: [Float]?) {
        let cls = try tensor(Self.classLogits)
        let dist = try tensor(Self.distLogits)
        try cls.setRequiresGradient(true)
        try dist.setRequiresGradient(true)
        let task = try make { _ in ClassifierLogits(cls: cls, dist: isDistilled ? dist : nil) }
        let result = try task(pixels: Tensor.zeros([2, 3, 4, 4]), labels: labelTensor())
        try result.loss.backward()
        #expect(result.prediction?.requiresGradient == false)
        return (
            try result.loss.item(), try #require(try cls.gradient()).floats(),
            try dist.gradient()?.floats()
        )
    }

    private func distillation(
        _ student: @escaping ClassifierForward,
        _ kind: DistillationTask.Kind,
        alpha: Double,
        smoothing: Double
    ) throws -> DistillationTask {
        let teacher = try tensor(Self.teacherLogits)
        return try DistillationTask(
            student: student,
            teacher: { _ in ClassifierLogits(cls: teacher) },
            kind: kind,
            alpha: alpha,
            loss: ClassificationLoss(smoothing: smoothing)
        )
    }

    private func expectEqual(_ actual: [Float]?, _ expected: [Double]) throws {
        expectClose(try #require(actual), expected.map(Float.init), tolerance: 1e-5)
    }

    @Test(arguments: [0, 0.1]) func supervisedIsSmoothedCrossEntropy(smoothing: Double) throws {
        let found = try run(isDistilled: false) {
            SupervisedTask(student: $0, loss: ClassificationLoss(smoothing: smoothing))
        }
        let targets = oneHot(Self.labels, smoothing: smoothing)
        #expect(abs(found.loss - crossEntropy(Self.classLogits, targets)) < 1e-6)
        try expectEqual(found.cls, crossEntropyGradient(Self.classLogits, targets))
    }

    @Test func supervisedTeachesBothHeadsOfADistilledModel() throws {
        let found = try run(isDistilled: true) {
            SupervisedTask(student: $0, loss: ClassificationLoss())
        }
        let targets = oneHot(Self.labels)
        let expected =
            (crossEntropy(Self.classLogits, targets) + crossEntropy(Self.distLogits, targets)) / 2
        #expect(abs(found.loss - expected) < 1e-6)
        try expectEqual(found.dist, crossEntropyGradient(Self.distLogits, targets).map { $0 / 2 })
    }

    @Test func hardDistillationIgnoresSmoothing() throws {
        let found = try run(isDistilled: true) {
            try distillation($0, .hard, alpha: 0.3, smoothing: 0.1)
        }
        let targets = oneHot(Self.labels, smoothing: 0.1)
        let decisions = oneHot([1, 0])
        let expected =
            0.7 * crossEntropy(Self.classLogits, targets) + 0.3
            * crossEntropy(Self.distLogits, decisions)
        #expect(abs(found.loss - expected) < 1e-6)
        try expectEqual(found.cls, crossEntropyGradient(Self.classLogits, targets).map { 0.7 * $0 })
        try expectEqual(
            found.dist,
            crossEntropyGradient(Self.distLogits, decisions).map { 0.3 * $0 }
        )
    }

    @Test func withoutTheTokenTheClassHeadLearnsBoth() throws {
        let found = try run(isDistilled: false) {
            try distillation($0, .hard, alpha: 0.5, smoothing: 0)
        }
        let base = crossEntropyGradient(Self.classLogits, oneHot(Self.labels))
        let hard = crossEntropyGradient(Self.classLogits, oneHot([1, 0]))
        try expectEqual(found.cls, base.indices.map { 0.5 * base[$0] + 0.5 * hard[$0] })
        #expect(found.dist == nil)
    }

    @Test(arguments: [Loss.KLReduction.numel, .batchmean])
    func softDistillationDividesAsTold(reduction: Loss.KLReduction) throws {
        let tau = 3.0
        let found = try run(isDistilled: true) {
            try distillation($0, .soft(tau: tau, reduction: reduction), alpha: 0.1, smoothing: 0)
        }
        let divisor = reduction == .numel ? 6.0 : 2.0
        var divergence = 0.0
        var gradient: [Double] = []
        for row in 0..<2 {
            let q = softmax(Self.teacherLogits[row], tau: tau)
            let p = softmax(Self.distLogits[row], tau: tau)
            for k in 0..<3 {
                divergence += q[k] * log(q[k] / p[k])
                gradient.append(0.1 * tau * (p[k] - q[k]) / divisor)
            }
        }
        let expected =
            0.9 * crossEntropy(Self.classLogits, oneHot(Self.labels)) + 0.1 * tau * tau * divergence
            / divisor
        #expect(abs(found.loss - expected) < 1e-6)
        try expectEqual(found.dist, gradient)
    }

    @Test func noGradientReachesTheTeacher() throws {
        let weights = try tensor(Self.teacherLogits)
        try weights.setRequiresGradient(true)
        let student = try tensor(Self.classLogits)
        try student.setRequiresGradient(true)
        let task = try DistillationTask(
            student: { _ in ClassifierLogits(cls: student) },
            teacher: { _ throws(TorchError) in ClassifierLogits(cls: try weights * 2) },
            kind: .soft(tau: 1, reduction: .batchmean),
            alpha: 0.5,
            loss: ClassificationLoss()
        )
        try task(pixels: Tensor.zeros([2, 3, 4, 4]), labels: labelTensor()).loss.backward()
        #expect(try weights.gradient() == nil)
        #expect(isGradientEnabled)
    }

    /// In `bfloat16` the mean of both heads would be the same for the classes 0 and 1.
    @Test func theHeadsOfABFloat16TeacherAreAveragedInFloat32() throws {
        let cls = try Tensor([1.0, 1.0, 0.0], shape: [1, 3]).to(.bfloat16)
        let dist = try Tensor([1, 1.0078125, 0], shape: [1, 3]).to(.bfloat16)
        let teacher: ClassifierForward = { _ in ClassifierLogits(cls: cls, dist: dist) }
        let pixels = try Tensor.zeros([1, 3, 4, 4])
        let answer = try DistillationTask.answer(of: teacher, to: pixels)
        #expect(answer.dtype == .float32)
        #expect(try answer.floats() == [1, 1.00390625, 0])
        let student = try Tensor([0.0, 9.0, 0.0], shape: [1, 3])
        let task = try DistillationTask(
            student: { _ in ClassifierLogits(cls: student, dist: student) },
            teacher: teacher,
            kind: .hard,
            alpha: 1,
            loss: ClassificationLoss()
        )
        let loss = try task(pixels: pixels, labels: Tensor([Int64(0)], shape: [1])).loss.item()
        // The student predicts the teacher's class, 1.
        #expect(abs(loss - log(1 + 2 * exp(-9))) < 1e-6)
        let both = TeacherEnsemble.teacher(
            (0..<2).map { _ in Teacher(forward: teacher, fingerprint: { Fingerprint() }) }
        )
        let mean = try both.forward(pixels).averaged().floats()
        #expect(abs(mean[1] - mean[0] - 0.00390625) < 1e-6)
    }

    @Test func theTeacherSeesTheStudentsImages() throws {
        let pixels = try Tensor((0..<96).map { Float($0) }, shape: [2, 3, 4, 4])
        var seen: [[Float]] = []
        func look(_ name: Int) -> ClassifierForward {
            { pixels throws(TorchError) in
                seen.append(try pixels.floats())
                return ClassifierLogits(cls: try Tensor.zeros([2, 3]))
            }
        }
        let task = try DistillationTask(
            student: look(0),
            teacher: look(1),
            kind: .hard,
            alpha: 0.5,
            loss: ClassificationLoss()
        )
        let targets = TrainingTargets(labels: try labelTensor(), soft: try tensor(Self.shares))
        _ = try task(pixels: pixels, targets: targets)
        #expect(seen.count == 2 && seen.allSatisfy { $0 == (0..<96).map { Float($0) } })
    }

    @Test func aTeacherWhoseAnswersAreKnownIsNotAsked() throws {
        let student = try tensor(Self.classLogits)
        let dist = try tensor(Self.distLogits)
        let asked = try run(isDistilled: true) {
            try distillation($0, .hard, alpha: 0.3, smoothing: 0.1)
        }
        let task = try DistillationTask(
            student: { _ in ClassifierLogits(cls: student, dist: dist) },
            teacher: { _ throws(TorchError) in
                throw TorchError(operation: "teacher", message: "must not be asked")
            },
            kind: .hard,
            alpha: 0.3,
            loss: ClassificationLoss(smoothing: 0.1)
        )
        let targets = TrainingTargets(
            labels: try labelTensor(),
            teacher: try tensor(Self.teacherLogits)
        )
        let result = try task(pixels: Tensor.zeros([2, 3, 4, 4]), targets: targets)
        #expect(try result.loss.item() == asked.loss)
        let second = try targets.narrowed(1..<2)
        #expect(try second.teacher?.floats() == Self.teacherLogits[1].map(Float.init))
    }

    private static func never(_ pixels: Tensor) throws(TorchError) -> ClassifierLogits {
        throw TorchError(operation: "student", message: "must not be asked")
    }

    @Test(arguments: [-0.1, 1.1, .nan]) func aWeightOutsideOf0To1IsRefused(alpha: Double) {
        #expect(throws: TorchError.self) {
            try distillation(
                Self.never,
                .hard,
                alpha: alpha,
                smoothing: 0
            )
        }
    }

    @Test(arguments: [0, -1, Double.infinity, .nan])
    func aTemperatureNotAbove0IsRefused(tau: Double) throws {
        let kind = DistillationTask.Kind.soft(tau: tau, reduction: .numel)
        #expect(throws: TorchError.self) {
            try distillation(
                Self.never,
                kind,
                alpha: 0.5,
                smoothing: 0
            )
        }
        let logits = try tensor(Self.distLogits)
        #expect(throws: TorchError.self) {
            try Loss.softDistillation(student: logits, teacher: logits, tau: tau, reduction: .numel)
        }
    }

    @Test func aTeacherOfOtherClassesIsAnError() throws {
        let student = try tensor(Self.classLogits)
        let task = try DistillationTask(
            student: { _ in ClassifierLogits(cls: student) },
            teacher: { _ throws(TorchError) in ClassifierLogits(cls: try Tensor.zeros([2, 4])) },
            kind: .hard,
            alpha: 0.5,
            loss: ClassificationLoss()
        )
        #expect(throws: TorchError.self) {
            try task(pixels: Tensor.zeros([2, 3, 4, 4]), labels: labelTensor())
        }
    }

    // MARK: - Mixed images

    private static let shares: [[Double]] = [[0.7, 0.3, 0], [0, 0.4, 0.6]]

    @Test func mixedImagesAreComparedWithTheirShares() throws {
        for isBinary in [false, true] {
            let cls = try tensor(Self.classLogits)
            try cls.setRequiresGradient(true)
            let task = SupervisedTask(
                student: { _ throws(TorchError) in ClassifierLogits(cls: try cls * 1) },
                // The shares are smoothed already, so this smoothing must not count.
                loss: ClassificationLoss(smoothing: isBinary ? 0 : 0.5, isBinary: isBinary)
            )
            let targets = TrainingTargets(labels: try labelTensor(), soft: try tensor(Self.shares))
            let result = try task(pixels: Tensor.zeros([2, 3, 4, 4]), targets: targets)
            let expected =
                isBinary
                ? binary(Self.classLogits, Self.shares.map { $0.map { $0 > 0 ? 1 : 0 } })
                : crossEntropy(Self.classLogits, Self.shares)
            #expect(abs(try result.loss.item() - expected) < 1e-5)
            #expect(try targets.classes().int64s() == [0, 2])
        }
    }

    @Test func labelsAloneAreOneClassEachForTheBinaryLoss() throws {
        let loss = try ClassificationLoss(isBinary: true)(
            tensor(Self.classLogits),
            TrainingTargets(labels: labelTensor())
        )
        let expected = binary(Self.classLogits, [[1, 0, 0], [0, 0, 1]])
        #expect(abs(try loss.item() - expected) < 1e-5)
    }

    private func binary(_ logits: [[Double]], _ targets: [[Double]]) -> Double {
        var sum = 0.0
        for row in logits.indices {
            for k in 0..<3 {
                let p = 1 / (1 + exp(-logits[row][k]))
                sum -= targets[row][k] * log(p) + (1 - targets[row][k]) * log(1 - p)
            }
        }
        return sum / Double(3 * logits.count)
    }

    @Test func theTeacherGetsItsOwnNormalisation() throws {
        let student = try ImageProcessor.whole(
            height: 2,
            width: 2,
            channels: 3,
            mean: [0.5, 0.4, 0.3],
            std: [0.2, 0.3, 0.4]
        )
        let teacher = try ImageProcessor.whole(
            height: 2,
            width: 2,
            channels: 3,
            mean: [0.1, 0.2, 0.3],
            std: [0.5, 0.6, 0.7]
        )
        #expect(try Renormalization(from: student, to: student) == nil)
        let change = try #require(try Renormalization(from: student, to: teacher))
        let pixels: [Float] = (0..<12).map { Float($0) / 11 }
        func normalized(_ processor: ImageProcessor) -> [Float] {
            pixels.indices.map { (pixels[$0] - processor.mean[$0 / 4]) / processor.std[$0 / 4] }
        }
        let changed = try change(Tensor(normalized(student), shape: [1, 3, 2, 2]))
        #expect(changed.shape == [1, 3, 2, 2])
        expectClose(try changed.floats(), normalized(teacher), tolerance: 1e-5)
    }
}
