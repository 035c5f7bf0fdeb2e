import TestSupport
import Testing
import Torch
import TorchNN

@Suite("Layers", .tags(.unit))
@ModelActor
struct LayerTests {
    @Test("Linear's gradient equals finite differences")
    func finiteDifferences() throws {
        try manualSeed(1)
        let layer = try Linear(3, 2, initializer: .normal(std: 1))
        let x = try Tensor.randn([4, 3])
        func loss() throws -> Double { try (layer(x) * layer(x)).sum().item() }
        try (layer(x) * layer(x)).sum().backward()
        let gradient = try #require(try layer.weight.tensor.gradient()).floats()
        let weights = try layer.weight.tensor.floats()
        for index in weights.indices {
            var moved = weights
            moved[index] += 1e-2
            try layer.weight.tensor.copy(from: Tensor(moved, shape: [2, 3]))
            let above = try loss()
            moved[index] -= 2e-2
            try layer.weight.tensor.copy(from: Tensor(moved, shape: [2, 3]))
            let below = try loss()
            let expected = (above - below) / 2e-2
            #expect(abs(Double(gradient[index]) - expected) <= 1e-2 * max(1, abs(expected)))
            try layer.weight.tensor.copy(from: Tensor(weights, shape: [2, 3]))
        }
    }

    @Test("Dropout and drop path do nothing in evaluation, keep the mean in training")
    func dropout() throws {
        try manualSeed(2)
        let x = try Tensor.ones([4000, 2])
        let layer = try Dropout(0.25)
        #expect(try abs(layer(x).mean().item() - 1) < 0.05)
        layer.eval()
        #expect(try layer(x).floats() == x.floats())
        let path = try DropPath(0.25)
        let dropped = try path(x).floats()
        let rows = stride(from: 0, to: dropped.count, by: 2).map { (dropped[$0], dropped[$0 + 1]) }
        #expect(rows.allSatisfy { $0.0 == $0.1 }, "a sample is dropped whole or not at all")
        #expect(Set(dropped).isSubset(of: [0, Float(1 / 0.75)]))
        let kept = Double(rows.count { $0.0 > 0 }) / Double(rows.count)
        #expect(abs(kept - 0.75) < 0.03)
        path.eval()
        #expect(try path(x).floats() == x.floats())
    }

    @Test("Rates out of range are refused", arguments: [-0.1, 1, 2, .nan])
    func rates(rate: Double) {
        #expect(throws: ConfigurationError.self) { try Dropout(rate) }
        #expect(throws: ConfigurationError.self) { try DropPath(rate) }
    }

    @Test("Batch normalisation moves its statistics in training only")
    func batchNorm() throws {
        let layer = try BatchNorm2d(1)
        let x = try Tensor([1, 3, 5, 7], shape: [4, 1, 1, 1])
        _ = try layer(x)
        #expect(try abs(layer.runningMean.tensor.item() - 0.4) < 1e-6)
        #expect(try abs(layer.runningVar.tensor.item() - (0.9 + 0.1 * 20 / 3)) < 1e-5)
        #expect(try layer.numBatchesTracked.tensor.item() == 1)
        layer.eval()
        _ = try layer(x)
        #expect(try layer.numBatchesTracked.tensor.item() == 1)
        #expect(try abs(layer.runningMean.tensor.item() - 0.4) < 1e-6)
    }

    @Test("GELU is the exact one, not the tanh approximation")
    func gelu() throws {
        let y = try GELU()(Tensor([-1, 0, 2], shape: [3])).floats()
        expectClose(y, [-0.158_655_26, 0, 1.954_499_7], tolerance: 1e-6)
    }

    @Test("Policies: an unknown name is refused with the list; all kernels give the same numbers")
    func policies() throws {
        let previous = ComputePolicy.current
        defer { ComputePolicy.current = previous }
        try manualSeed(5)
        let layer = try Linear(16, 16)
        let x = try Tensor.randn([8, 16])
        ComputePolicy.current = ComputePolicy(linear: .libtorch)
        let expected = try layer(x).floats()
        if Libtorch.hasOneDNN {
            ComputePolicy.current = ComputePolicy(linear: .oneDNN)
            expectClose(try layer(x).floats(), expected, tolerance: 1e-5)
        }
        #expect(try ComputePolicy.automatic(dtype: .float32).autocastDType == nil)
        #expect(try ComputePolicy.automatic(dtype: .bfloat16).autocastDType == .bfloat16)
    }
}
