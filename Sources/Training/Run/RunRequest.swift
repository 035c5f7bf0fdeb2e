import Foundation
public import Torch
import TorchNN

/// What to train and where.
public struct RunRequest: Sendable {
    /// The options: defaults, recipe and flags merged; of a resumed run, those of its manifest.
    public var options: TrainingOptions
    /// The run's folder.
    public var output: String
    /// The stored manifest of a run to be resumed.
    public var resuming: RunManifest?
    /// The recipe's name, for `run.yaml`.
    public var recipe: String
    /// The version of the command, for `run.yaml`.
    public var toolVersion: String
    /// Whether the batch is taken from the number of images: the recipe says so, and no other was given.
    public var choosesBatch = false
    /// The processes that train together, of which this is one; nil for one alone.
    public var group: ProcessGroup?

    /// Creates a request.
    public init(
        options: TrainingOptions,
        output: String,
        resuming: RunManifest?,
        recipe: String,
        toolVersion: String
    ) {
        self.options = options
        self.output = output
        self.resuming = resuming
        self.recipe = recipe
        self.toolVersion = toolVersion
    }
}

extension RunRequest {
    /// Whether the run has no checkpoint yet: it is new, or was stopped before its first one.
    var isAtStart: Bool {
        resuming == nil || !FileManager.default.fileExists(atPath: output + "/checkpoints/last")
    }

    /// Decides how the run computes, and sets the number of threads: as it began, where it is resumed.
    ///
    /// A resumed run may go on with another device, and with it other kernels; the precision stays, but for `fp16` on the
    /// CPU, which has none.
    ///
    /// - Throws: `DeviceError` for a device that is not there, `ConfigurationError` for an unknown `DEIT_COMPUTE`,
    ///   `TorchError` when a probe of the kernels fails.
    func computePolicy() throws -> ComputePolicy {
        let device = try trainingDevice()
        Libtorch.setTF32(options.tf32)
        // A run that goes on with another number of processes divides the cores otherwise.
        if let threads = (group == nil ? resuming?.threads : nil) ?? options.threads {
            try Libtorch.setThreadCount(threads)
        }
        guard let resuming else {
            let own = try ComputePolicy.automatic(dtype: options.dtype.dtype, device: device)
            return try group.map { try own.shared(by: $0) } ?? own
        }
        guard device == .cpu else {
            return try .automatic(dtype: resuming.dtype.dtype, device: device)
        }
        return ComputePolicy(
            dtype: resuming.dtype == .bf16 ? .bfloat16 : .float32,
            linear: resuming.kernels.linear,
            attention: resuming.kernels.attention,
            pointwise: resuming.kernels.pointwise,
            encoder: resuming.kernels.encoder,
            blocks: resuming.kernels.blocks
        )
    }

    /// The device that the options ask for.
    ///
    /// - Throws: `DeviceError` for one that is not there, ``OptionError`` for a GPU where several processes train.
    func trainingDevice() throws -> Device {
        guard group != nil else { return try options.device.resolved() }
        // What the processes exchange is in the memory of the processor.
        guard case .device(let device) = options.device, device != .cpu else { return .cpu }
        throw OptionError.conflict(
            "several processes can train on the CPU only: add --device cpu"
        )
    }
}

extension ComputePolicy {
    /// The kernels and the type of process 0: the probes of another process could choose others.
    fileprivate func shared(by group: ProcessGroup) throws -> ComputePolicy {
        let own = [
            linear.rawValue, attention.rawValue, pointwise.rawValue, encoder.rawValue,
            blocks.rawValue, dtype == .bfloat16 ? "bf16" : "fp32",
        ]
        let texts = try group.broadcast(own.joined(separator: " ")).split(separator: " ")
            .map(String.init)
        var policy = self
        guard texts.count == own.count, let linear = Kernel(rawValue: texts[0]),
            let attention = Kernel(rawValue: texts[1]),
            let pointwise = Pointwise(rawValue: texts[2]),
            let encoder = Encoder(rawValue: texts[3]), let blocks = Encoder(rawValue: texts[4])
        else { return self }
        policy.linear = linear
        policy.attention = attention
        policy.pointwise = pointwise
        policy.encoder = encoder
        policy.blocks = blocks
        policy.dtype = texts[5] == "bf16" ? .bfloat16 : .float32
        return policy
    }
}
