import ArgumentParser
import Evaluation
import Foundation
import Torch
import TorchNN
import VisionModels

/// `deit bench`: how fast models train and run here.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure training and inference speed on this machine.",
        discussion: """
            Examples:
              deit bench training --model deit_tiny_patch16_224 --dtype fp32 --json
              deit bench training --model deit_tiny_patch16_224 --teacher regnety_040
              deit bench inference --model deit_small_patch16_224 --batch 8 --dtype bf16
              deit bench pipeline DIR --recipe deit
              PEERS_PYTHON=venv/bin/python deit bench peers
              deit bench parity --device cuda
            """,
        subcommands: [
            Training.self, Inference.self, PipelineBenchmark.self, PeersBenchmark.self,
            ParityBenchmark.self,
        ]
    )

    struct Training: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "training",
            abstract: "Time training steps: forward, loss, backward and AdamW, on random images.",
            discussion: """
                With --teacher every step also evaluates the teacher, as hard distillation does. Its \
                speed within the steps and in inference alone are measured in turn.
                """
        )

        @OptionGroup var options: BenchOptions

        @Option(help: "Name of a teacher model; its weights do not matter here.")
        var teacher: String?

        func run() async throws {
            OpenMPWaiting.spinBriefly()
            guard let teacher else { return try await options.report(Throughput.training) }
            let known = try ModelRegistry.configuration(named: teacher)
            try await options.report {
                try Throughput.training(
                    $0,
                    $1,
                    teacher: (teacher, known),
                    batch: $2,
                    seconds: $3
                )
            }
        }
    }

    struct Inference: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "inference",
            abstract: "Time forward passes on random images.",
            discussion:
                "--dtype also accepts int8: linear layers of the blocks in 8 bits, everything else as with auto."
        )

        @OptionGroup var options: BenchOptions

        func run() async throws {
            OpenMPWaiting.spinBriefly()
            var options = options
            let isInt8 = options.dtype.lowercased() == "int8"
            if isInt8 {
                options.dtype = "auto"
                // Products of 8 bits are the CPU's.
                if options.device.choice == .automatic {
                    options.device.choice = .device(.cpu)
                }
                guard options.device.choice == .device(.cpu) else {
                    throw ValidationError("--dtype int8 needs --device cpu")
                }
            }
            try await options.report {
                try Throughput.inference($0, $1, batch: $2, seconds: $3, isInt8: isInt8)
            }
        }
    }
}

/// Options of every benchmark.
struct BenchOptions: ParsableArguments {
    @Option(help: "Model name, see `deit models`.")
    var model = "deit_tiny_patch16_224"

    @Option(help: "Batch size.")
    var batch = 16

    @Option(help: "Precision of matrix products: fp32, bf16, fp16 (on GPUs) or auto.")
    var dtype = "auto"

    @OptionGroup var device: DeviceOption

    @Option(help: "Number of compute threads (default: all cores).")
    var threads: Int?

    @Option(help: "Duration of the measurement, in seconds.")
    var seconds = 10.0

    @Flag(help: "Print one JSON object.")
    var json = false

    typealias Measurement =
        @ModelActor (String, ModelConfiguration, Int, Double) throws -> Throughput

    func validate() throws {
        guard batch > 0 else { throw ValidationError("--batch must be at least 1, not \(batch)") }
        guard seconds >= 0 else { throw ValidationError("--seconds must not be negative") }
        guard threads.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--threads must be at least 1")
        }
    }

    @ModelActor
    func report(_ measure: Measurement) throws {
        let configuration = try ModelRegistry.configuration(named: model)
        if let threads { try Libtorch.setThreadCount(threads) }
        ComputePolicy.current = try .automatic(
            dtype: DTypeOption.parse(dtype),
            device: device.resolved()
        )
        let result = try measure(model, configuration, batch, seconds)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try Results.print(String(decoding: try encoder.encode(result), as: UTF8.self))
        } else {
            try Results.print(
                "\(result.model), \(result.kind), batch \(result.batch): \(result.policy)"
            )
            func number(_ value: Double) -> String { String(format: "%.1f", value) }
            let (p50, p95) = (number(result.p50Milliseconds), number(result.p95Milliseconds))
            let memory = Int(result.peakMemoryMiB)
            try Results.print(
                "\(number(result.imagesPerSecond)) images/s, a step \(p50) ms (p95 \(p95) ms, \(result.steps) steps), "
                    + "peak memory \(memory) MiB"
            )
            guard let teacher = result.teacher else { return }
            try Results.print(
                "teacher \(teacher.model): \(number(teacher.imagesPerSecond)) images/s within a step, "
                    + "\(number(teacher.inferenceImagesPerSecond)) in inference alone; \(number(100 * teacher.share)) % of a step"
            )
        }
    }
}

/// How a type of matrix products is written on the command line.
enum DTypeOption {
    /// The type, or `nil` for `auto`.
    static func parse(_ text: String) throws -> DType? {
        switch text.lowercased() {
        case "auto": nil
        case "fp32", "float32": .float32
        case "bf16", "bfloat16": .bfloat16
        case "fp16", "float16": .float16
        default:
            throw ConfigurationError.unknownValue(
                name: "--dtype",
                value: text,
                known: ["auto", "fp32", "bf16", "fp16"]
            )
        }
    }
}
