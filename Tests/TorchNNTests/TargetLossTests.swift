import TestSupport
import Testing
import Torch
import TorchNN

@Suite("Losses of numbers and of several labels", .tags(.unit))
@ModelActor
struct TargetLossTests {
    @Test("Squared errors: [batch, 1] against [batch], integers too")
    func squared() throws {
        let predictions = try Tensor([1, 2, 5], shape: [3, 1])
        let targets = try Tensor([1, 4, 1] as [Int64], shape: [3])
        let loss = try Loss.meanSquaredError(predictions, targets: targets)
        expectClose([Float(try loss.item())], [20.0 / 3], tolerance: 1e-6)
    }

    @Test("Binary cross-entropy of large logits is finite, and so is its gradient")
    func binary() throws {
        let logits = try Tensor([1000, -1000, 0], shape: [1, 3])
        try logits.setRequiresGradient(true)
        let targets = try Tensor([0, 0, 1], shape: [1, 3])
        let loss = try Loss.binaryCrossEntropy(logits, targets: targets)
        expectClose([Float(try loss.item())], [(1000 + 0.693_147_2) / 3], tolerance: 1e-6)
        try loss.backward()
        let gradient = try logits.gradient()
        expectClose(try #require(gradient).floats(), [1.0 / 3, 0, -0.5 / 3], tolerance: 1e-6)
    }

    @Test("Logits in bfloat16 have the losses of float32")
    func shortLogits() throws {
        try manualSeed(2)
        let short = try (Tensor.randn([4, 5]) * 3).to(.bfloat16)
        let long = try short.to(.float32)
        let labels = try Tensor([0, 1, 4, 2] as [Int64], shape: [4])
        let soft = try Tensor.full(0.2, [4, 5])
        for loss in [
            { (x: Tensor) throws in try Loss.crossEntropy(x, labels: labels, smoothing: 0.1) },
            { (x: Tensor) throws in try Loss.crossEntropy(x, targets: soft) },
            { (x: Tensor) throws in try Loss.binaryCrossEntropy(x, targets: soft) },
        ] {
            let found = try withAutocast(.bfloat16) { () throws in try loss(short) }
            #expect(found.dtype == .float32)
            #expect(try found.item() == loss(long).item())
        }
    }

    @Test("Shapes that do not fit are refused")
    func shapes() throws {
        let six = try Tensor.zeros([2, 3])
        for shape in [[3, 2], [6], [2, 3, 2], [0]] {
            let targets = try Tensor.zeros(shape)
            #expect(throws: TorchError.self) { try Loss.meanSquaredError(six, targets: targets) }
            #expect(throws: TorchError.self) { try Loss.binaryCrossEntropy(six, targets: targets) }
        }
        let none = try Tensor.zeros([0, 3])
        #expect(throws: TorchError.self) { try Loss.meanSquaredError(none, targets: none) }
        #expect(throws: TorchError.self) { try Loss.binaryCrossEntropy(none, targets: none) }
    }
}
