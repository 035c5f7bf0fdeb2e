import Foundation
import Inference
import Torch
import TorchNN
public import VisionModels

/// How fast a model computes here.
public struct Throughput: Codable, Sendable, Equatable {
    /// What was measured: `training` or `inference`.
    public var kind: String

    /// The model's name.
    public var model: String

    /// The images of a step.
    public var batch: Int

    /// The type of matrix products.
    public var dtype: String

    /// Images per second, from the median of the steps' times.
    public var imagesPerSecond: Double

    /// The median and the 95th percentile of a step's time, in milliseconds.
    public var p50Milliseconds: Double
    /// The 95th percentile of a step's time, in milliseconds.
    public var p95Milliseconds: Double

    /// How many steps were timed.
    public var steps: Int

    /// The largest memory of the process so far, in MiB.
    public var peakMemoryMiB: Double

    /// How many threads an operation may use.
    public var threads: Int

    /// The compute policy, in words.
    public var policy: String

    /// What the teacher takes, where one was asked in every step.
    public var teacher: TeacherThroughput?

    private enum CodingKeys: String, CodingKey {
        case kind, model, batch, dtype, steps, threads, policy, teacher
        case imagesPerSecond = "images_per_second"
        case p50Milliseconds = "p50_ms"
        case p95Milliseconds = "p95_ms"
        case peakMemoryMiB = "peak_memory_mib"
    }
}

extension Throughput {
    /// Times whole training steps: forward, cross-entropy, backward, fused AdamW, on random images.
    ///
    /// - Parameters:
    ///   - name: The model's name, for the report.
    ///   - configuration: What the model is made from.
    ///   - batch: The images of a step.
    ///   - seconds: How long to go on; at least five steps are timed after two that are not.
    /// - Returns: The rate under the current compute policy.
    /// - Throws: `ConfigurationError` and `TorchError` when the model cannot be made or run.
    public static func training(
        _ name: String,
        _ configuration: ModelConfiguration,
        batch: Int,
        seconds: Double
    ) throws -> Throughput {
        try manualSeed(0)
        let model = try configuration.makeModel()
        try model.to(ComputePolicy.current.device)
        let optimizer = try AdamW(ParameterGroup.decaying(model, weightDecay: 0.05))
        let (images, labels) = try examples(for: model, count: batch)
        let policy = ComputePolicy.current
        let times = try timed(seconds: seconds) {
            try optimizer.clearGradients()
            let logits = try withAutocast(policy.autocastDType, device: policy.device) {
                try model(images)
            }
            try Loss.crossEntropy(logits, labels: labels).backward()
            try optimizer.step(lr: 1e-3)
        }
        return Throughput("training", name, batch: batch, times: times)
    }

    /// Times forward passes on random images, without gradients.
    ///
    /// - Parameters:
    ///   - name: The model's name, for the report.
    ///   - configuration: What the model is made from.
    ///   - batch: The images of a pass.
    ///   - seconds: How long to go on; at least five passes are timed after two that are not.
    ///   - isInt8: Whether the weights of linear layers other than classifiers are rounded to 8 bits; the blocks compute in
    ///     8 bits where the policy and the processor let them.
    /// - Returns: The rate under the current compute policy.
    /// - Throws: `ConfigurationError` and `TorchError` when the model cannot be made or run.
    public static func inference(
        _ name: String,
        _ configuration: ModelConfiguration,
        batch: Int,
        seconds: Double,
        isInt8: Bool = false
    ) throws -> Throughput {
        try manualSeed(0)
        let model = try configuration.makeModel()
        model.eval()
        try model.to(ComputePolicy.current.device)
        let images = try Tensor.randn([batch] + model.inputShape).to(model.device)
        let forward = ForwardPass(dtype: ComputePolicy.current.dtype)
        func pass() throws {
            _ = try forward { () throws(TorchError) in try model(images) }
        }
        if isInt8 { _ = try LinearQuantization.round(model) { $0.hasPrefix("head") } }
        let computesInt8 = (model as? VisionTransformer)?.computesInt8 ?? false
        try model.packForInference()
        var throughput = Throughput(
            "inference",
            name,
            batch: batch,
            times: try timed(seconds: seconds, pass)
        )
        if isInt8 {
            throughput.dtype = computesInt8 ? "int8" : "int8 computed in \(throughput.dtype)"
        }
        return throughput
    }

    /// Random images for a model, and classes for them in turn.
    static func examples(
        for model: any ImageClassifier,
        count: Int
    ) throws -> (images: Tensor, labels: Tensor) {
        let labels = (0..<count).map { Int64($0 % max(model.numClasses, 1)) }
        return (
            try Tensor.randn([count] + model.inputShape).to(model.device),
            try Tensor(labels, shape: [count]).to(model.device)
        )
    }

    init(_ kind: String, _ name: String, batch: Int, times: [Double]) {
        func percentile(_ share: Double) -> Double { Self.percentile(share, of: times) }
        self.kind = kind
        self.model = name
        self.batch = batch
        self.dtype = ComputePolicy.current.dtype.rawValue
        self.imagesPerSecond = Double(batch) / percentile(0.5)
        self.p50Milliseconds = percentile(0.5) * 1000
        self.p95Milliseconds = percentile(0.95) * 1000
        self.steps = times.count
        let onDevice = ComputePolicy.current.device.peakMemory
        self.peakMemoryMiB = onDevice.map { Double($0) / 1_048_576 } ?? peakMemory()
        self.threads = Libtorch.threadCount
        self.policy = ComputePolicy.current.description
    }

    /// The value that a share of some times does not exceed; of none, 0.
    static func percentile(_ share: Double, of times: [Double]) -> Double {
        let sorted = times.sorted()
        return sorted.isEmpty ? 0 : sorted[Int(Double(sorted.count - 1) * share)]
    }

    /// The seconds of every run of `step`, for a while and at least five times, after two runs that are not counted.
    static func timed(seconds: Double, _ step: () throws -> Void) throws -> [Double] {
        let device = ComputePolicy.current.device
        func whole() throws {
            try step()
            try device.synchronize()
        }
        for _ in 0..<2 { try whole() }
        var times: [Double] = []
        let clock = ContinuousClock()
        let start = clock.now
        while times.count < 5 || clock.now - start < .seconds(seconds) {
            times.append(try clock.measure(whole) / .seconds(1))
        }
        return times
    }
}

/// The largest resident memory of this process so far, in MiB.
func peakMemory() -> Double {
    var usage = rusage()
    #if os(Linux)
    guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
    return Double(usage.ru_maxrss) / 1024  // kilobytes here
    #else
    guard getrusage(RUSAGE_SELF, &usage) == 0 else { return 0 }
    return Double(usage.ru_maxrss) / 1_048_576  // bytes there
    #endif
}
