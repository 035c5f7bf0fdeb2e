import Foundation
public import Torch
public import TorchNN

/// What the processes of a run exchange in every step: gradients, numbers, and whether one of them was asked to stop.
///
/// Each process computes the gradients of its part of the batch. This replaces them by those of the mean loss of all images,
/// before their norm is taken and they are clipped, so that all processes take the same step. The numbers that a step is
/// judged by travel with the gradients and are sums over all processes: they skip a step, go back and stop at the same one.
@ModelActor
public final class GradientExchange {
    /// The processes.
    public let group: ProcessGroup
    /// Is asked to stop in all processes after the same step, where any of them was asked.
    let stop = StopRequest()
    /// The images that this process could not read so far.
    var unreadable = 0
    /// The images that all processes could not read.
    private(set) var unreadableInAll = 0
    /// What signals ask of this process alone.
    private let asked: StopRequest

    /// Creates the exchange of a run.
    ///
    /// - Parameters:
    ///   - group: The processes.
    ///   - asked: Is asked to stop by signals of this process.
    init(_ group: ProcessGroup, asked: StopRequest) {
        self.group = group
        self.asked = asked
    }

    /// The numbers of a step over all processes.
    public struct Numbers: Sendable {
        /// Means over all images, in their order.
        public var means: [Double]
        /// Sums over all processes, in their order.
        public var totals: [Double]
        /// The images of the step.
        public var images: Int
    }

    /// The numbers that travel in every step, before those of the method.
    private enum Slot: Int, CaseIterable {
        case images, gradients, interrupts, terminations, unreadable
    }

    /// Replaces the gradients of an optimiser's parameters by those of the mean loss of all processes' images.
    ///
    /// - Parameters:
    ///   - optimizer: The optimiser, with the same parameters in all processes.
    ///   - images: The images whose mean loss gave this process's gradients, at least 1.
    ///   - means: Means over those images, one number each.
    ///   - totals: Sums over those images, one number each.
    /// - Returns: The numbers over all processes, the same to the bit in each of them.
    /// - Throws: `ProcessGroupError`.
    public func average(
        gradientsOf optimizer: any Optimizer,
        images: Int,
        means: [Tensor],
        totals: [Tensor] = []
    ) throws -> Numbers {
        group.step = group.step ?? 1
        let parameters = optimizer.groups.flatMap { $0.parameters.map(\.parameter.tensor) }
        let own = means.isEmpty && totals.isEmpty ? [] : try Tensor.stack(means + totals).floats()
        let marker = try Self.marker(of: parameters)
        var numbers = [Float](repeating: 0, count: Slot.allCases.count)
        numbers[Slot.images.rawValue] = Float(images)
        numbers[Slot.gradients.rawValue] = Float(marker)
        numbers[Slot.interrupts.rawValue] = asked.signal == SIGINT ? 1 : 0
        numbers[Slot.terminations.rawValue] = asked.signal.map { $0 == SIGINT ? 0 : 1 } ?? 0
        numbers[Slot.unreadable.rawValue] = Float(unreadable)
        numbers += own.prefix(means.count).map { $0 * Float(images) }
        numbers += own.dropFirst(means.count)
        let tensor = try Tensor(numbers, shape: [numbers.count])
        try group.averageGradients(of: parameters, numbers: tensor)
        return try take(tensor.floats().map(Double.init), marker: marker, means: means.count)
    }

    private func take(_ sums: [Double], marker: Int, means: Int) throws -> Numbers {
        let images = sums[Slot.images.rawValue]
        guard sums[Slot.gradients.rawValue] == Double(marker * group.size) else {
            throw TrainingError.processesDiffer(
                "gradients of different parameters; the loss must use the same weights in all processes"
            )
        }
        unreadableInAll = Int(sums[Slot.unreadable.rawValue])
        if sums[Slot.interrupts.rawValue] > 0 { stop.request(signal: SIGINT) }
        if sums[Slot.terminations.rawValue] > 0 { stop.request(signal: SIGTERM) }
        let others = sums.dropFirst(Slot.allCases.count)
        return Numbers(
            means: others.prefix(means).map { $0 / images },
            totals: Array(others.dropFirst(means)),
            images: Int(images)
        )
    }

    /// A number that tells which parameters have a gradient; small enough that its sums are exact.
    private static func marker(of parameters: [Tensor]) throws(TorchError) -> Int {
        var marker = 0
        for (index, parameter) in parameters.enumerated() where try parameter.gradient() != nil {
            marker = (marker + (index + 1) * (index + 1)) % 4_093
        }
        return marker
    }
}

extension ProcessGroup {
    /// Returns process 0's answer to a question that depends on the clock.
    package func first(_ answer: Bool) throws(ProcessGroupError) -> Bool {
        try broadcast(answer ? "1" : "0") == "1"
    }

    /// Returns process 0's value.
    package func first<Value: Codable>(_ value: Value) throws -> Value {
        let text = isFirst ? String(decoding: try JSONEncoder().encode(value), as: UTF8.self) : ""
        return try JSONDecoder().decode(Value.self, from: Data(broadcast(text).utf8))
    }
}
