import Foundation
import HuggingFace
import Storage
import TestSupport
import Testing
import Torch
import TorchNN

/// Every output of every class against transformers' own, from the directories that it saved.
///
/// The numbers of the files are transformers' in float32 with eager attention; see `Tools/parity/make_huggingface.py`.
@ModelActor
@Suite(.tags(.parity)) struct ModelParityTests {
    /// The largest difference, as a fraction of the largest magnitude: the project's bound.
    static let tolerance: Float = 1e-4

    @Test(arguments: Cases.all, Cases.kernels)
    func allOutputsAreThoseOfTransformers(
        name: String,
        kernel: ComputePolicy.Kernel
    ) async throws {
        let expected = try Fixtures.tensors("\(name)/outputs.safetensors")
        let model = try await Classes.load(name)
        let previous = ComputePolicy.current
        ComputePolicy.current = ComputePolicy(linear: kernel, attention: kernel)
        defer { ComputePolicy.current = previous }
        let found = try Runner.outputs(of: model, Inputs(expected))
        let inputs: Set = ["images", "labels", "mask", "other.images"]
        #expect(Set(found.tensors.map(\.name)) == Set(expected.names).subtracting(inputs))
        for (output, tensor) in found.tensors {
            expectClose(
                shape: tensor.shape,
                try tensor.floats(),
                expectedShape: try expected.shape(output),
                try expected.floats(output),
                tolerance: Self.tolerance,
                "\(name) \(output)"
            )
        }
    }
}
