import Checkpoints
import Storage
import TestSupport
import Testing
import Torch

@Suite struct SafetensorsTests {
    @Test func tensorsRoundTripBitForBit() throws {
        let scratch = try Scratch()
        let path = scratch.file("t.safetensors")
        let base = try Tensor([-1.5, 0, 2.25, .infinity, 1e-30, 3], shape: [2, 3])
        var tensors: [(name: String, tensor: Tensor)] = []
        for dtype in DType.allCases {
            let isFloat = dtype.isFloatingPoint
            let values =
                try isFloat ? base : Tensor([Int64](arrayLiteral: 0, 1, 2, 3, 4, 5), shape: [2, 3])
            tensors.append(("t.\(dtype)", try values.to(dtype)))
        }
        tensors.append(("scalar", try Tensor([Float](arrayLiteral: 4), shape: [])))
        tensors.append(("empty", try Tensor([Float](), shape: [0, 4])))
        tensors.append(("transposed", try base.transposed(0, 1)))
        try Safetensors.write(tensors, to: path)
        let read = try Safetensors.read(path)
        #expect(read.count == tensors.count)
        for (name, tensor) in tensors {
            let found = try #require(read[name])
            #expect(found.shape == tensor.shape && found.dtype == tensor.dtype, "\(name)")
            let bytes = try found.withBytes { [UInt8]($0) }
            #expect(try tensor.withBytes { [UInt8]($0) } == bytes, "\(name)")
        }
        #expect(try read["transposed"]?.floats() == [-1.5, .infinity, 0, 1e-30, 2.25, 3])
        #expect(try SafetensorsFile(path: path).header.metadata == ["format": "pt"])
    }

    @Test func doubledNamesAndForeignTypesAreErrors() throws {
        let scratch = try Scratch()
        let tensor = try Tensor([Float](arrayLiteral: 1), shape: [1])
        #expect(throws: CheckpointError.self) {
            try Safetensors.write([("a", tensor), ("a", tensor)], to: scratch.file("x"))
        }
        #expect(try scratch.names().isEmpty)
        let header = #"{"a":{"dtype":"U64","shape":[1],"data_offsets":[0,8]}}"#
        let path = try scratch.write(
            container(header, data: .init(repeating: 0, count: 8)),
            to: "u"
        )
        let error = #expect(throws: CheckpointError.self) { try Safetensors.read(path) }
        #expect(error.map { "\($0)".contains("U64") } == true)
    }
}
