import Foundation
import TestSupport
import Testing
import Torch
import TorchNN

/// The kernels that this machine can be tested with: every path must give the reference's numbers.
let kernels = ComputePolicy.Kernel.allCases.filter {
    ComputePolicy.availableKernels.contains($0.rawValue)
}

/// Runs a closure with layers that compute in fp32 by one kind of kernel.
///
/// The policy is the process's; the actor keeps other tests from seeing it meanwhile.
@ModelActor
func withKernel<R>(_ kernel: ComputePolicy.Kernel, _ body: () throws -> R) rethrows -> R {
    let previous = ComputePolicy.current
    defer { ComputePolicy.current = previous }
    ComputePolicy.current = ComputePolicy(linear: kernel, attention: kernel)
    return try body()
}

extension Fixture {
    /// A tensor of the file as fp32.
    func tensor(_ name: String) throws -> Tensor {
        try Tensor(floats(name), shape: shape(name))
    }

    /// A tensor of integers of the file.
    func labels(_ name: String) throws -> Tensor {
        try Tensor(integers(name), shape: shape(name))
    }

    /// A number that the file says of itself.
    func setting(_ name: String) throws -> Double {
        try #require(metadata[name].flatMap(Double.init), "no setting `\(name)`")
    }

    /// Writes every tensor of the file into the module's tensor of that name; both must have the same names and shapes.
    func load(into module: Module) throws {
        let tensors = module.namedTensors()
        #expect(Set(tensors.map(\.name)) == Set(names))
        try withoutGradient {
            for (name, tensor) in tensors {
                let expectedShape = try shape(name)
                try #require(tensor.shape == expectedShape, "\(name)")
                try tensor.copy(from: tensor.dtype == .int64 ? labels(name) : self.tensor(name))
            }
        }
    }

    /// Expects a tensor to have the samples, the norm and the largest magnitude that the file keeps of it.
    func expectSamples(_ tensor: Tensor, _ name: String, limit: Int, tolerance: Float) throws {
        let values = try tensor.floats()
        let indices = Fixture.sampleIndices(count: values.count, limit: limit)
        let summary = try floats("\(name).norm_max")
        expectClose(
            indices.map { values[$0] },
            try floats(name),
            tolerance: tolerance,
            scale: summary[1],
            name
        )
        let norm = Float(try tensor.norm().item())
        expectClose([norm], [summary[0]], tolerance: tolerance, "norm of \(name)")
        let largest = Float(try tensor.abs().max().item())
        expectClose([largest], [summary[1]], tolerance: tolerance, "largest of \(name)")
    }
}
