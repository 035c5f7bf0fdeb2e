import TestSupport
import Testing
import Torch
import TorchNN

/// The packed copy of a weight is never an old one.
@Suite(
    "Packed weights",
    .tags(.unit),
    .enabled(if: Libtorch.hasOneDNN, "this libtorch has no oneDNN")
)
@ModelActor
struct PackedWeightTests {
    @Test(
        "In evaluation, with autocast and without, the layer computes what it computes in training"
    )
    func sameNumbers() throws {
        try withOneDNN {
            let (layer, x) = (try Linear(48, 32), try Tensor.randn([3, 7, 48]))
            try layer.bias.map { try $0.tensor.copy(from: Tensor.randn([32])) }
            let expected = try layer(x).floats()
            layer.eval()
            let found = try withoutGradient { () throws(TorchError) in try layer(x) }
            expectClose(
                shape: found.shape,
                try found.floats(),
                expectedShape: [3, 7, 32],
                expected,
                tolerance: 1e-5
            )
            let short = try withoutGradient { () throws(TorchError) in
                try withAutocast(.bfloat16) { () throws(TorchError) in try layer(x) }
            }
            #expect(short.dtype == .bfloat16)
            expectClose(try short.to(.float32).floats(), expected, tolerance: 2e-2)
        }
    }

    @Test("Every optimiser's step and an average's are seen by a layer that stays in evaluation")
    func steps() throws {
        try withOneDNN {
            for kind in ["AdamW", "SGD", "SGD without momentum", "LAMB"] {
                let layer = try Linear(4, 3)
                layer.eval()
                let x = try Tensor.randn([2, 4])
                let groups = ParameterGroup.decaying(layer, weightDecay: 0)
                let optimizer: any Optimizer =
                    switch kind {
                    case "AdamW": try AdamW(groups)
                    case "SGD": try SGD(groups, momentum: 0.9)
                    case "LAMB": try LAMB(groups)
                    default: try SGD(groups, momentum: 0)
                    }
                func found() throws -> [Float] {
                    try withoutGradient { () throws(TorchError) in try layer(x) }.floats()
                }
                for _ in 0..<2 {
                    let before = try found()
                    try layer(x).sum().backward()
                    try optimizer.step(lr: 0.1)
                    let after = try found()
                    #expect(before != after, "\(kind)")
                    expectClose(after, try layer(x).floats(), tolerance: 1e-5)
                }
            }
            let (layer, x) = (try Linear(4, 3), try Tensor.randn([2, 4]))
            layer.eval()
            let average = try ExponentialMovingAverage(of: layer, decay: 0.5)
            try average.withAverages {
                _ = try withoutGradient { () throws(TorchError) in try layer(x) }
            }
            try withoutGradient { () throws(TorchError) in
                try layer.weight.tensor.copy(from: layer.weight.tensor + 1)
            }
            try average.update()
            try average.withAverages {
                let packed = try withoutGradient { () throws(TorchError) in try layer(x) }.floats()
                expectClose(packed, try layer(x).floats(), tolerance: 1e-5)
            }
        }
    }

    @Test(
        "A layer whose weight is kept only packed computes the same, and cannot be trained or saved",
        arguments: [DType.float32, .bfloat16]
    )
    func onlyPacked(dtype: DType) throws {
        try withOneDNN {
            ComputePolicy.current.dtype = dtype
            let (layer, x) = (try Linear(48, 32), try Tensor.randn([3, 7, 48]))
            try layer.bias.map { try $0.tensor.copy(from: Tensor.randn([32])) }
            let expected = try layer(x).floats()
            weak let plain = layer.weight.tensor
            let parent = Parent(layer)
            for _ in 0..<2 { try parent.packForInference() }
            #expect(plain == nil, "the plain weight is still held")
            #expect(layer.weight.tensor.shape == [32, 48])
            let found = try withoutGradient { () throws(TorchError) in
                try withAutocast(ComputePolicy.current.autocastDType) {
                    () throws(TorchError) in try layer(x)
                }
            }
            expectClose(
                shape: found.shape,
                try found.to(.float32).floats(),
                expectedShape: [3, 7, 32],
                expected,
                tolerance: dtype == .float32 ? 1e-5 : 2e-2
            )
            let none = try withoutGradient { () throws(TorchError) in
                try layer(Tensor.zeros([0, 48]))
            }
            #expect(none.shape == [0, 32])
            #expect(throws: TorchError.self) { try layer(x) }
            parent.train()
            #expect(throws: TorchError.self) {
                try withoutGradient { () throws(TorchError) in try layer(x) }
            }
            #expect(throws: TorchError.self) { try layer.weight.tensor.floats() }
        }
    }

    @Test("A changed weight or bias is packed anew, however it was changed")
    func changes() throws {
        try withOneDNN {
            let layer = try Linear(2, 2)
            layer.eval()
            let x = try Tensor([1, 1], shape: [1, 2])
            func found() throws -> [Float] {
                try withoutGradient { () throws(TorchError) in try layer(x) }.floats()
            }
            let (weight, bias) = (layer.weight.tensor, try #require(layer.bias).tensor)
            try withoutGradient { () throws(TorchError) in
                try weight.copy(from: Tensor([1, 2, 3, 4], shape: [2, 2]))
            }
            #expect(try found() == [3, 7])
            try withoutGradient { () throws(TorchError) in try weight.copy(from: weight * 10) }
            #expect(try found() == [30, 70])
            try withoutGradient { () throws(TorchError) in
                try bias.copy(from: Tensor([1, 1], shape: [2]))
            }
            #expect(try found() == [31, 71])
            let bytes: [Float] = [5, 0, 0, 5]
            let isWritten = weight.withMutableBytes { memory in
                bytes.withUnsafeBytes { memory.copyMemory(from: $0) }
                return true
            }
            #expect(isWritten == true)
            #expect(try found() == [6, 6])
        }
    }

    private func withOneDNN(_ body: () throws -> Void) throws {
        let previous = ComputePolicy.current
        defer { ComputePolicy.current = previous }
        ComputePolicy.current = ComputePolicy(linear: .oneDNN, attention: .oneDNN)
        try manualSeed(7)
        try body()
    }
}

private final class Parent: Module {
    let layer: Linear

    init(_ layer: Linear) {
        self.layer = layer
    }
}
