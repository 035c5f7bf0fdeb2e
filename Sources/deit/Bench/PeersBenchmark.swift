import ArgumentParser
import Checkpoints
import Evaluation
import Foundation
import Storage
import VisionModels

/// `deit bench peers`: this library and the others in turn, as ratios.
struct PeersBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peers",
        abstract: "Compare the speed of this library with others, in turn.",
        discussion: """
            Absolute rates depend on machine and load; compare the ratios of medians measured \
            in turn. PEERS_PYTHON is the path of a Python with timm, onnx, onnxscript, \
            onnxruntime and openvino; missing packages are skipped and reported.

            Example:
              PEERS_PYTHON=venv/bin/python deit bench peers --models deit_tiny_patch16_224
            """
    )

    @Option(help: "Models, separated by commas.")
    var models = "deit_tiny_patch16_224,deit_small_patch16_224,deit_base_patch16_224"

    @Option(help: "Batch sizes, separated by commas.")
    var batches = "1,8"

    @Option(help: "What to measure: inference or training.")
    var kind = "inference"

    @Option(help: "Precisions, separated by commas.")
    var dtypes = "fp32,bf16"

    @Option(help: "Number of measurements of each, taken in turn.")
    var rounds = 3

    @Option(help: "Duration of each measurement, in seconds.")
    var seconds = 3.0

    @Flag(help: "Print one JSON list.")
    var json = false

    func validate() throws {
        guard ["inference", "training"].contains(kind) else {
            throw ValidationError("--kind must be inference or training, not \(kind)")
        }
        guard rounds > 0 else { throw ValidationError("--rounds must be at least 1") }
        guard seconds >= 0 else { throw ValidationError("--seconds must not be negative") }
        guard !batchSizes.isEmpty, batchSizes.allSatisfy({ $0 > 0 }),
            batchSizes.count == list(batches).count
        else { throw ValidationError("--batches must be numbers of at least 1, not \(batches)") }
        for dtype in list(dtypes) where Self.peers[kind]?[dtype] == nil {
            throw ValidationError("--dtypes must be of fp32 and bf16, not \(dtype)")
        }
    }

    private static let peers = [
        "inference": [
            "fp32": ["timm-fp32", "onnxruntime-fp32", "openvino-fp32"],
            "bf16": ["timm-bf16", "openvino-bf16"],
        ],
        "training": ["fp32": ["timm-fp32"], "bf16": ["timm-bf16"]],
    ]

    private var batchSizes: [Int] { list(batches).compactMap { Int($0) } }

    private func list(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    func run() throws {
        for model in list(models) { _ = try ModelRegistry.configuration(named: model) }
        guard let python = ProcessInfo.processInfo.environment["PEERS_PYTHON"], !python.isEmpty
        else {
            throw CommandFailure(
                "PEERS_PYTHON is not set; set it to a Python with timm, onnxruntime and openvino",
                exitCode: CommandFailure.wrongCall
            )
        }
        var results: [JSONValue] = []
        for model in list(models) {
            for batch in batchSizes {
                for dtype in list(dtypes) {
                    let row = try measure(model, batch, dtype, python: python)
                    results.append(row.json)
                    if !json { Console.line(row.text) }
                }
            }
        }
        if json { try Results.print(JSONValue.array(results).text()) }
    }

    /// Measures ours and every peer, one after the other, round after round.
    private func measure(
        _ model: String,
        _ batch: Int,
        _ dtype: String,
        python: String
    ) throws -> PeersRow {
        var row = PeersRow(kind: kind, model: model, batch: batch, dtype: dtype)
        let names = Self.peers[kind]?[dtype] ?? []
        var processes: [String: PeerProcess] = [:]
        for name in names {
            let process = try PeerProcess(python: python)
            // Loading Python and making a model takes seconds of all cores: not while ours is measured.
            _ = try process.ask(
                .init(kind: kind, model: model, batch: batch, peer: name, seconds: 0)
            )
            processes[name] = process
        }
        for _ in 0..<rounds {
            row.add("deit", try ours(model, batch, dtype))
            for name in names {
                let answer = try processes[name]?.ask(
                    .init(kind: kind, model: model, batch: batch, peer: name, seconds: seconds)
                )
                if let answer { row.add(name, answer) }
            }
        }
        return row
    }

    /// Measures this library in a process of its own, so that its memory is its own too.
    private func ours(_ model: String, _ batch: Int, _ dtype: String) throws -> PeerProcess.Answer {
        let process = Process()
        let output = Pipe()
        process.executableURL = Bundle.main.executableURL
        process.arguments = [
            "bench", kind, "--model", model, "--batch", "\(batch)", "--dtype", dtype,
            "--seconds", "\(seconds)", "--json",
        ]
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CommandFailure(
                "the measurement of \(model) failed",
                exitCode: CommandFailure.other
            )
        }
        return try JSONDecoder().decode(PeerProcess.Answer.self, from: data)
    }
}
