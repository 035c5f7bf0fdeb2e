import TestSupport
import Testing

@testable import Torch

@Suite("Tensors", .tags(.unit))
@ModelActor
struct TensorTests {
    @Test("Values come back as they went in")
    func roundTrip() throws {
        let tensor = try Tensor([1, -2, 3.5, 4, 5, 6], shape: [2, 3])
        #expect(tensor.shape == [2, 3])
        #expect(tensor.rank == 2)
        #expect(tensor.elementCount == 6)
        #expect(tensor.dtype == .float32)
        #expect(tensor.device == .cpu)
        #expect(try tensor.floats() == [1, -2, 3.5, 4, 5, 6])
        #expect(try tensor.transposed(0, 1).floats() == [1, 4, -2, 5, 3.5, 6])
        #expect(try Tensor([7, -8], shape: [2]).dtype == .float32)
        #expect(try Tensor([Int64(7), -8], shape: [2]).int64s() == [7, -8])
    }

    @Test("Bytes of every type come back as they went in", arguments: DType.allCases)
    func bytes(dtype: DType) throws {
        let bytes = [UInt8](repeating: 1, count: 6 * dtype.byteSize)
        let tensor = try bytes.withUnsafeBytes {
            try Tensor(bytes: $0, dtype: dtype, shape: [3, 2])
        }
        #expect(tensor.dtype == dtype)
        #expect(tensor.shape == [3, 2])
        #expect(try tensor.withBytes { Array($0) } == bytes)
    }

    @Test("Too few or too many values are an error")
    func wrongCount() {
        #expect(throws: TorchError.self) { try Tensor([1, 2, 3], shape: [2, 2]) }
        #expect(throws: TorchError.self) { try Tensor([1, 2, 3], shape: [-1]) }
        #expect(throws: TorchError.self) { try Tensor.zeros([-2]) }
        #expect(throws: TorchError.self) { try Tensor.zeros([1 << 40, 1 << 40]) }
    }

    @Test("An error has libtorch's own message, in one line")
    func message() throws {
        let a = try Tensor.zeros([2, 3])
        let b = try Tensor.zeros([4, 5])
        let error = #expect(throws: TorchError.self) { try a.matmul(b) }
        #expect(error?.operation == "matmul")
        #expect(error?.message.contains("2x3 and 4x5") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test("Arithmetic broadcasts")
    func arithmetic() throws {
        let a = try Tensor([1, 2, 3, 4], shape: [2, 2])
        let b = try Tensor([10, 20], shape: [2])
        #expect(try (a + b).floats() == [11, 22, 13, 24])
        #expect(try (a - b).floats() == [-9, -18, -7, -16])
        #expect(try (a * b).floats() == [10, 40, 30, 80])
        #expect(try (b / a).floats() == [10, 10, Float(10.0 / 3), 5])
        #expect(try ((a + 1) * 2).floats() == [4, 6, 8, 10])
        #expect(try (-a).sum().item() == -10)
        #expect(try a.mean([0]).floats() == [2, 3])
        #expect(try a.argmax(1).int64s() == [1, 1])
        let top = try Tensor([3, 9, 5], shape: [3]).topK(2)
        #expect(try top.values.floats() == [9, 5])
        #expect(try top.indices.int64s() == [1, 2])
    }

    @Test("Shapes and indexing")
    func shapes() throws {
        let a = try Tensor([0, 1, 2, 3, 4, 5], shape: [2, 3])
        #expect(try a.narrowed(1, 1..<3).floats() == [1, 2, 4, 5])
        #expect(try a.selected(0, 1).floats() == [3, 4, 5])
        #expect(try a.flipped(0).floats() == [3, 4, 5, 0, 1, 2])
        #expect(try Tensor.cat([a, a], dim: 1).shape == [2, 6])
        #expect(try Tensor.stack([a, a]).shape == [2, 2, 3])
        #expect(throws: TorchError.self) { try Tensor.cat([], dim: 0) }
        #expect(throws: TorchError.self) { try a.reshaped([4, 2]) }
        #expect(throws: TorchError.self) { try a.selected(0, 2) }
        #expect(throws: TorchError.self) { try a.shape3() }
        #expect(
            try Tensor([Int64(0), 2], shape: [2]).oneHot(classes: 3).floats() == [1, 0, 0, 0, 0, 1]
        )
    }

    @Test("A copy into another shape is refused, not broadcast")
    func copyShape() throws {
        let a = try Tensor.zeros([2, 2])
        #expect(throws: TorchError.self) { try a.copy(from: Tensor.ones([2])) }
        try a.copy(from: Tensor.ones([2, 2]))
        #expect(try a.floats() == [1, 1, 1, 1])
    }

    @Test("Nothing stays alive")
    func leaks() throws {
        try withTensorLeakCheck {
            let a = try Tensor.randn([8, 8])
            try a.setRequiresGradient(true)
            try a.matmul(a).sum().backward()
            #expect(try a.gradient() != nil)
            _ = try? a.matmul(Tensor.zeros([3, 3]))
        }
    }

    @Test("The same seed gives the same numbers")
    func seed() throws {
        try manualSeed(17)
        let first = try Tensor.randn([16]).floats()
        try manualSeed(17)
        #expect(try Tensor.randn([16]).floats() == first)
        try manualSeed(18)
        #expect(try Tensor.randn([16]).floats() != first)
    }

    @Test("A library of another version is named beside the headers'")
    func versions() throws {
        try Libtorch.checkVersion()
        #expect(!Libtorch.versionOfLibrary.isEmpty)
        try Libtorch.checkVersion(headers: "2.13.0+cpu", library: "2.13.0")
        let error = #expect(throws: TorchError.self) {
            try Libtorch.checkVersion(headers: "2.13.0", library: "2.11.0")
        }
        #expect(error?.message.contains("2.13.0") == true)
        #expect(error?.message.contains("2.11.0") == true)
    }
}
