import ArgumentParser
import Evaluation
import Foundation
import Torch
import TorchNN
import VisionModels

/// `deit bench parity`: whether a device computes what the CPU computes.
struct ParityBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parity",
        abstract: "Compare logits and gradients on a device with those on the CPU.",
        discussion: """
            Networks have fresh weights and see random images, in fp32. The exit code is 1 if a \
            difference is larger than --tolerance.
            """
    )

    @Option(help: "Comma-separated model names, see `deit models` (default: one per family).")
    var models = """
        deit_tiny_distilled_patch16_224,deit3_small_patch16_224,vit_small_patch14_reg4_dinov2,\
        vit_small_patch16_dinov3,resnet18,regnety_040,efficientnet_lite0
        """

    @OptionGroup var device: DeviceOption

    @Option(help: "Largest difference, as a fraction of the largest element.")
    var tolerance = 1e-3

    @Flag(help: "Print one JSON array.")
    var json = false

    @ModelActor
    func run() async throws {
        let device = try device.resolved()
        let names = models.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        let rows = try names.map { name in
            try DeviceParity.measure(
                name,
                ModelRegistry.configuration(named: name),
                on: device
            )
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try Results.print(String(decoding: try encoder.encode(rows), as: UTF8.self))
        } else {
            for row in rows {
                let logits = String(format: "%.1e", row.logits)
                let gradients = String(format: "%.1e", row.gradients)
                try Results.print(
                    "\(row.model): logits within \(logits), gradients within \(gradients) (\(row.parameter))"
                )
            }
        }
        let isClose = rows.allSatisfy { $0.logits <= tolerance && $0.gradients <= tolerance }
        guard isClose else {
            throw CommandFailure(
                "\(device) and the CPU differ by more than \(tolerance)",
                exitCode: CommandFailure.other
            )
        }
    }
}
