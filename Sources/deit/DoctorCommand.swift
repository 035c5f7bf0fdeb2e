import ArgumentParser
import Checkpoints
import Evaluation
import Foundation
import Storage
import Torch
import TorchNN

/// `deit doctor`: what a checkpoint is, and what is wrong with it.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract:
            "Report what a checkpoint is and what is wrong with it, or describe this machine.",
        discussion: """
            Examples:
              deit doctor facebook-deit/
              deit doctor checkpoint.pth --state-dict model_ema --json
              deit doctor

            Reads every number of a checkpoint and runs two generated images through the model, \
            as `deit classify` does. Errors make it fail or give other results than it was \
            trained for; warnings may be intended. The exit code is 65 if there is an error. \
            Without a checkpoint, the command prints versions, directories and devices of this \
            machine, why a device cannot be used, the processor's features, the selected kernels \
            with the reasons, and how much of the speed of matrix products a forward pass and a \
            training step of DeiT-Ti reach, which takes some seconds.
            """
    )

    @Argument(
        help: "A run, a model directory, a Hub model ID, or bare weights.",
        completion: .file()
    )
    var checkpoint: String?

    @OptionGroup var weights: BareWeightsOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    @ModelActor
    func run() async throws {
        guard let checkpoint else { return try describeMachine() }
        let options = LoadOptions(preset: weights.preset, stateDict: weights.stateDict)
        let path = try await CheckpointPath.find(checkpoint)
        var diagnosis = try Diagnosis.examine(path, options: options)
        await diagnosis.tryOut(path, options: options)
        try Results.print(json ? Self.json(diagnosis).text() : Self.text(diagnosis))
        guard diagnosis.isSound else { throw ExitCode(CommandFailure.badData) }
    }

    // MARK: - A checkpoint

    private static func text(_ diagnosis: Diagnosis) -> String {
        var lines = table(diagnosis.facts.map { ($0.name, $0.value) })
        lines += diagnosis.assumptions.map { "assumed: \($0)" }
        lines += diagnosis.findings.map { "\($0.severity.rawValue): \($0.text)" }
        let faults = diagnosis.findings.count { $0.severity == .fault }
        let warnings = diagnosis.findings.count - faults
        func count(_ number: Int, _ what: String) -> String {
            "\(number) \(what)\(number == 1 ? "" : "s")"
        }
        lines.append(
            diagnosis.findings.isEmpty
                ? "OK: no problems found"
                : "\(count(faults, "fault")), \(count(warnings, "warning"))"
        )
        return lines.joined(separator: "\n")
    }

    private static func json(_ diagnosis: Diagnosis) -> JSONValue {
        var facts = JSONObject()
        for fact in diagnosis.facts {
            let key = fact.name.split(separator: " ").joined(separator: "_")
            let earlier = facts[key]?.stringValue.map { "\($0); " } ?? ""
            facts[key] = .string(earlier + fact.value)
        }
        return [
            "sound": .bool(diagnosis.isSound),
            "facts": .object(facts),
            "assumed": .array(diagnosis.assumptions.map(JSONValue.string)),
            "findings": .array(
                diagnosis.findings.map { finding in
                    [
                        "severity": .string(finding.severity.rawValue),
                        "text": .string(finding.text),
                    ]
                }
            ),
        ]
    }

    private static func table(_ rows: [(name: String, value: String)]) -> [String] {
        let width = (rows.map(\.name.count).max() ?? 0) + 2
        return rows.map { row in
            row.name + String(repeating: " ", count: max(1, width - row.name.count)) + row.value
        }
    }

    // MARK: - The machine

    @ModelActor
    private func describeMachine() throws {
        let process = ProcessInfo.processInfo
        let (policy, choices) = try ComputePolicy.explained()
        ComputePolicy.current = policy
        let processor = Processor.current
        var rows: [(name: String, value: String)] = [
            ("deit", Deit.version),
            ("libtorch", Libtorch.versionOfLibrary),
            ("built for", Libtorch.versionOfHeaders),
            ("system", process.operatingSystemVersionString),
            (
                "processors",
                "\(processor.cores) × \(processor.name.isEmpty ? "unknown" : processor.name)"
            ),
            ("features", processor.features.joined(separator: " ")),
            ("memory", "\(process.physicalMemory / 1_000_000_000) GB"),
            ("threads", "\(Libtorch.threadCount)"),
            ("oneDNN", Libtorch.hasOneDNN ? "there" : "not there"),
            ("hub cache", Self.hubCache(process.environment)),
            ("computes with", "\(policy)"),
        ]
        rows += choices.map { ("- \($0.name)", "\($0.value): \($0.reason)") }
        rows += Self.encoderKernels.map {
            ("fused \($0.type)", $0.kernels ?? "not on this processor")
        }
        let speed = try MachineSpeed.measure()
        if let speed { rows += Self.rows(speed) }
        rows += Self.devices()
        guard json else { return try Results.print(Self.table(rows).joined(separator: "\n")) }
        var object = JSONObject()
        for (name, value) in rows where !name.hasPrefix("- ") {
            object[name.split(separator: " ").joined(separator: "_")] = .string(value)
        }
        object["features"] = .array(processor.features.map(JSONValue.string))
        object["choices"] = .array(
            choices.map { choice in
                [
                    "name": .string(choice.name), "value": .string(choice.value),
                    "reason": .string(choice.reason),
                ]
            }
        )
        if let speed {
            object["speed"] = [
                "model": .string(speed.model), "dtype": .string(speed.dtype),
                "product_gflops": .number(speed.limit),
                "forward_images_per_second": .number(speed.forward),
                "forward_share": .number(speed.forwardShare),
                "training_images_per_second": .number(speed.training),
                "training_share": .number(speed.trainingShare),
            ]
        }
        try Results.print(JSONValue.object(object).text())
    }

    /// The fused encoder's kernels for each type.
    private static var encoderKernels: [(type: String, kernels: String?)] {
        [("fp32", DType.float32), ("bf16", .bfloat16), ("int8", .int8)].map { name, dtype in
            (name, PackedEncoder.kernels(dtype))
        }
    }

    private static func rows(_ speed: MachineSpeed) -> [(name: String, value: String)] {
        func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }
        func rate(_ value: Double) -> String { String(format: "%.1f", value) }
        return [
            (
                "products",
                "\(speed.dtype): \(Int(speed.limit)) GFLOP/s by oneDNN, the limit below"
            ),
            (
                "forward pass",
                "\(speed.model), batch 8: \(rate(speed.forward)) images/s, "
                    + "\(percent(speed.forwardShare)) of the limit"
            ),
            (
                "training step",
                "\(speed.model), batch 8: \(rate(speed.training)) images/s, "
                    + "\(percent(speed.trainingShare)) of the limit"
            ),
        ]
    }

    /// The devices there are, the preferred first, and why the others are not.
    private static func devices() -> [(name: String, value: String)] {
        var rows = Device.available.map { device in
            var facts: [String] = []
            if let memory = device.memory {
                let (free, total) = (Double(memory.free) / 1e9, Double(memory.total) / 1e9)
                facts.append(String(format: "%.1f of %.1f GB free", free, total))
            }
            facts.append("bf16 \(device.hasFastBFloat16 ? "" : "not ")in hardware")
            return (name: "device \(device)", value: facts.joined(separator: ", "))
        }
        for (name, device) in [("CUDA", Device.cuda(0)), ("MPS", Device.mps)] {
            if let reason = device.reasonForAbsence { rows.append(("no \(name)", reason)) }
        }
        return rows
    }

    /// The folder that Python's hub client keeps models in.
    private static func hubCache(_ environment: [String: String]) -> String {
        if let folder = environment["HF_HUB_CACHE"], !folder.isEmpty { return folder }
        if let home = environment["HF_HOME"], !home.isEmpty { return "\(home)/hub" }
        let cache = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        return (cache ?? "\(NSHomeDirectory())/.cache") + "/huggingface/hub"
    }
}
