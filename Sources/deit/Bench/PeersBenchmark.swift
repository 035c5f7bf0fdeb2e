import ArgumentParser
import Checkpoints
import Evaluation
import Foundation
import Storage
import Torch
import VisionModels

/// `deit bench peers`: this library and the others in turn, as ratios.
struct PeersBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peers",
        abstract: "Compare the speed of this library with others, in turn.",
        discussion: """
            Absolute rates depend on machine and load; compare the ratios of medians measured \
            in turn. A round beside other load is repeated. The processor and the fastest \
            product of matrices that it manages come first. PEERS_PYTHON is the path of a \
            Python with timm, onnx, onnxscript, onnxruntime, openvino and nncf; what is \
            missing is skipped and reported. torch.compile needs a C++ compiler.

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

    @Option(help: "Precisions, separated by commas (default: all of the kind).")
    var dtypes: String?

    @Option(help: "Number of measurements of each, taken in turn.")
    var rounds = 3

    @Option(help: "Duration of each measurement, in seconds.")
    var seconds = 3.0

    @Option(help: "How many rounds beside other load are repeated for each line.")
    var repeats = 3

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard ["inference", "training"].contains(kind) else {
            throw ValidationError("--kind must be inference or training, not \(kind)")
        }
        guard rounds > 0 else { throw ValidationError("--rounds must be at least 1") }
        guard repeats >= 0 else { throw ValidationError("--repeats must not be negative") }
        guard seconds >= 0 else { throw ValidationError("--seconds must not be negative") }
        guard !batchSizes.isEmpty, batchSizes.allSatisfy({ $0 > 0 }),
            batchSizes.count == list(batches).count
        else { throw ValidationError("--batches must be numbers of at least 1, not \(batches)") }
        let known = Self.peers[kind] ?? [:]
        for dtype in wantedTypes where known[dtype] == nil {
            throw ValidationError(
                "--dtypes of \(kind) must be of \(Self.order.filter { known[$0] != nil }.joined(separator: ", ")), not \(dtype)"
            )
        }
    }

    private static let order = ["fp32", "bf16", "int8"]

    private static let peers = [
        "inference": [
            "fp32": ["timm-fp32", "compile-fp32", "onnxruntime-fp32", "openvino-fp32"],
            "bf16": ["timm-bf16", "compile-bf16", "openvino-bf16"],
            "int8": ["deit-bf16", "onnxruntime-int8", "openvino-int8"],
        ],
        "training": [
            "fp32": ["timm-fp32", "compile-fp32"], "bf16": ["timm-bf16", "compile-bf16"],
        ],
    ]

    /// A round beside more load of others than this share of the processors is repeated.
    private static let toleratedLoad = 0.1

    private var wantedTypes: [String] {
        dtypes.map(list) ?? Self.order.filter { Self.peers[kind]?[$0] != nil }
    }

    private var batchSizes: [Int] { list(batches).compactMap { Int($0) } }

    private func list(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    func run() async throws {
        for model in list(models) { _ = try ModelRegistry.configuration(named: model) }
        guard let python = ProcessInfo.processInfo.environment["PEERS_PYTHON"], !python.isEmpty
        else {
            throw CommandFailure(
                "PEERS_PYTHON is not set; set it to a Python with timm, onnxruntime and openvino",
                exitCode: CommandFailure.wrongCall
            )
        }
        let machine = PeersMachine(limit: try await Self.limit())
        if !json { Console.line(machine.text) }
        var results: [JSONValue] = []
        for model in list(models) {
            for batch in batchSizes {
                for dtype in wantedTypes {
                    let row = try measure(model, batch, dtype, python: python)
                    results.append(row.json)
                    if !json { Console.line(row.text) }
                }
            }
        }
        if json {
            let object: JSONObject = ["machine": machine.json, "rows": .array(results)]
            try Results.print(JSONValue.object(object).text())
        }
    }

    @ModelActor
    private static func limit() throws -> ProductLimit? { try ProductLimit.measure() }

    /// Measures ours and every peer, one after the other, round after round.
    private func measure(
        _ model: String,
        _ batch: Int,
        _ dtype: String,
        python: String
    ) throws -> PeersRow {
        var row = PeersRow(kind: kind, model: model, batch: batch, dtype: dtype)
        var processes: [(name: String, process: PeerProcess?)] = []
        for name in Self.peers[kind]?[dtype] ?? [] {
            guard name != "deit-bf16" else {
                processes.append((name, nil))
                continue
            }
            let process = try PeerProcess(python: python)
            // Loading Python and making a model takes seconds of all cores: not while ours is measured.
            let answer = try process.ask(
                .init(kind: kind, model: model, batch: batch, peer: name, seconds: 0)
            )
            if answer.error == nil {
                processes.append((name, process))
            } else {
                row.add(name, answer)
            }
        }
        var repeats = repeats
        while row.rounds < rounds {
            var round = PeersRound()
            try round.measure("deit") { try ours(model, batch, dtype) }
            for (name, process) in processes {
                try round.measure(name) {
                    guard let process else { return try ours(model, batch, "bf16") }
                    return try process.ask(
                        .init(kind: kind, model: model, batch: batch, peer: name, seconds: seconds)
                    )
                }
            }
            let isDisturbed = round.others > Self.toleratedLoad
            if isDisturbed, repeats > 0 {
                repeats -= 1
                Console.complain(
                    "others used \(Self.percent(round.others)) of the processors; the round is repeated"
                )
                continue
            }
            row.add(round, isDisturbed: isDisturbed)
        }
        return row
    }

    private static func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }

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
