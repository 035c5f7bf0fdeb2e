/// A file that is an array.
struct MemorySource: ByteSource {
    let path = "input"
    let bytes: [UInt8]

    var count: Int { bytes.count }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func copy(
        from start: Int,
        into destination: UnsafeMutableRawBufferPointer
    ) throws(CheckpointError) {
        precondition(start >= 0 && start + destination.count <= count, "a read outside of the file")
        bytes.withUnsafeBytes {
            destination.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: $0[start..<start + destination.count])
            )
        }
    }
}

/// Calls a parser and forgets its error, whose sentence must exist.
func attempt(_ body: () throws(CheckpointError) -> Void) {
    do { try body() } catch { precondition(!error.description.isEmpty) }
}

extension MemorySource {
    func readSafetensors() {
        attempt { () throws(CheckpointError) in
            let (header, dataStart) = try SafetensorsHeader.read(self)
            var end = 0
            for entry in header.entries {
                precondition(entry.range.lowerBound == end, "a gap or an overlap")
                let size = entry.shape.reduce(entry.dtype.byteSize, *)
                precondition(entry.range.count == size, "a size that does not fit the shape")
                end = entry.range.upperBound
            }
            precondition(dataStart + end == count, "the tensors do not cover the file")
        }
    }

    func readPyTorch() {
        attempt { () throws(CheckpointError) in
            let directory = try ZipDirectory(self)
            for entry in directory.entries {
                attempt { () throws(CheckpointError) in
                    let range = try directory.range(of: entry)
                    precondition(range.lowerBound >= 0 && range.upperBound <= count)
                }
            }
        }
        for name in [nil, "model_ema", "teacher"] {
            attempt { () throws(CheckpointError) in
                try readTensors(try PyTorchContents(self, stateDict: name).table)
            }
        }
    }

    /// A pickle by itself, whose every storage is this whole file.
    func readPickle() {
        attempt { () throws(CheckpointError) in
            var machine = PickleMachine(ByteCursor(self, 0..<count))
            let root = try machine.run()
            let whole = 0..<count
            let container = PyTorchContainer(root: root, heap: machine.heap) { _ in whole }
            try readTensors(try PyTorchContents(container, self, stateDict: nil).table)
        }
        readPyTorch()
    }

    private func readTensors(_ table: PyTorchTable) throws(CheckpointError) {
        for entry in table.entries where entry.layout.byteCount <= 1 << 16 {
            let target = UnsafeMutableRawBufferPointer.allocate(
                byteCount: entry.layout.byteCount,
                alignment: 16
            )
            defer { target.deallocate() }
            try entry.layout.copy(from: self, into: target)
        }
    }
}
